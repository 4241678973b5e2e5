"""What every rule says about itself, and the words its machinery shares. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol, TypeVar, runtime_checkable

from schemas.alerts import EndReason, Evidence, Fact, Finding, Message, Severity, Variant
from schemas.default_limits import usual_of
from schemas.limits import Condition, LevelLimit, Limits
from schemas.reasons import Flag
from schemas.vitals import Vital
from services.score.sample import INPUT_CODES, SYMPTOM, Rest, Sample
from services.sentences.catalogue import ENGLISH, Reader

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS

NEVER: Final = 2**62
ENDED: Final = 0
"""The level of the finding that says that an episode is over, or pauses."""


class Against(NamedTuple):
    """What a value is compared with that is the person's own: of which kind, in the vital's unit, of how many days."""

    kind: str
    value: float
    days: int


class Mark(NamedTuple):
    """An episode reached ``level`` (``ENDED``: it is over, or pauses, for ``end_reason``) at ``last.at``.

    ``first`` is where the condition began; at the end of an episode it is the last reading that met the condition.
    ``also`` are readings of other vitals, and a symptom, that it rests on. ``limits`` are those in force when ``last``
    was received, of the side that is abnormal; None where a rule has none; ``passed`` is the one of them that holds;
    ``about`` is the concern of a mark that has no limits, ``urgency`` its severity. ``confirmed``: not by one doubtful
    reading alone. ``mean`` are the values of a sitting that has two; ``against``: what it is measured from;
    ``facts`` what else is said. ``rest``: whether ``last`` was taken at rest is not known, and matters; KNOWN of all
    other marks. ``pauses_at``: nothing usable has come after ``last`` until then, in ms; 0 of all other marks.
    """

    level: int
    first: Sample
    last: Sample
    end_reason: EndReason | None = None
    also: tuple[Sample, ...] = ()
    limits: Limits | None = None
    pauses_at: int = 0
    passed: LevelLimit | None = None
    about: str = ""
    urgency: Severity | None = None
    confirmed: bool = True
    mean: tuple[float, float] | None = None
    against: Against | None = None
    rest: Rest = Rest.KNOWN
    facts: Mapping[str, Fact] = MappingProxyType({})

    @property
    def at(self) -> int:
        """The moment that the finding is stamped with, in ms."""
        return self.pauses_at or max(self.last.at, *(one.at for one in self.also), 0)

    @property
    def severity(self) -> Severity | None:
        """How soon somebody has to act, by the limits of its level; None where a rule has none, or at the end."""
        if self.urgency is not None:
            return self.urgency
        of_level = [one.severity for one in self.limits.levels if one.level == self.level] if self.limits else []
        return max(of_level, default=None)

    @property
    def concern(self) -> str:
        """What it is about; "" where a rule has no limits, and so is about one thing."""
        return self.limits.concern if self.limits else self.about


class FoldState(Protocol):
    """What a fold remembers between two samples."""

    @property
    def level(self) -> int:
        """Of the episode that is open; 0 for none."""

    @property
    def since(self) -> int:
        """When it began, in ms."""

    def copied(self) -> Any:
        """One that goes its own way."""

    def to_plain(self) -> list[Any]:
        """As plain values."""

    def from_plain(self, plain: Sequence[Any]) -> Any:
        """A state of this class as ``to_plain`` wrote it."""


F = TypeVar("F", bound=FoldState)


class Fold(Protocol[F]):
    """A rule over the samples of its inputs in the order of time."""

    @property
    def window_ms(self) -> int:
        """How late a sample may come and still be evaluated."""

    @property
    def needs_rest(self) -> bool:
        """Whether it matters if a sample was taken at rest or in movement."""

    def start(self) -> F:
        """Before the first sample."""

    def advance(self, state: F, sample: Sample, *, rested: bool) -> list[Mark] | None:
        """Takes the next sample, changes ``state``; what was reached by it, None for nothing."""

    def standing(self, state: F, first: Sample, last: Sample) -> Mark:
        """The mark of the episode that ``state`` is in the middle of, as seen between two samples."""

    def still(self, state: F, sample: Sample) -> Mark | None:
        """The mark of the open episode, where ``sample``, the newest, still shows it; None where it does not."""

    def pauses_at(self, state: F) -> int:
        """When the episode pauses if nothing usable comes until then, in ms; NEVER where none is open, or it has."""

    def pause(self, state: F) -> Mark:
        """The mark of that pause, changes ``state``. Of an open episode that does not pause yet."""


class Kept(Protocol):
    """What a rule with a model remembers."""

    def to_plain(self) -> list[Any]:
        """As plain values."""

    def from_plain(self, plain: Sequence[Any]) -> Any:
        """A state of this class as ``to_plain`` wrote it."""


@runtime_checkable
class Forecasting(Protocol):
    """A fold that asks a model itself, at each sample."""

    def features(self, state: Any, device_no: int) -> tuple[float, ...] | None:
        """What the model sees of a device by now; None where there is no model, or nothing was read."""


class ModelFold(Protocol):
    """A rule that a model answers: questions follow from samples, marks from answers.

    Only samples that come in order are asked about, and those of devices on the body.
    """

    @property
    def needs_rest(self) -> bool:
        """Whether samples say nothing for a while after a movement."""

    @property
    def longest_gap_ms(self) -> int:
        """After so long without a question nothing is known any more."""

    def start_asking(self) -> Kept:
        """Before the first sample."""

    def start_concluding(self) -> Kept:
        """Before the first answer."""

    def takes_from(self, asked: Any, vital: int) -> int:
        """From when on, in ms, the next sample of a vital says something new; those before change nothing."""

    def ask(self, asked: Any, sample: Sample, *, rested: bool) -> tuple[float, ...] | None:
        """Takes the next sample, changes ``asked``; a row of features where the model has to be asked."""

    def answer(self, rows: Sequence[Sequence[float]]) -> Sequence[float]:
        """The model: a number for each row, whatever the other rows are."""

    def conclude(
        self, concluded: Any, sample: Sample, features: Sequence[float], answer: float
    ) -> Sequence[Mark] | None:
        """Takes the answer to the question at ``sample``, changes ``concluded``; what was reached by it."""

    def lapse(self, concluded: Any) -> Sequence[Mark] | None:
        """Nothing could be asked for ``longest_gap_ms``: the pause of an open episode; changes ``concluded``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A clinical (or technical) rule.

    ``severities`` are by level. ``message`` gives what is said at a mark, out of ``messages``, the keys of all that the
    rule says; the words stand in services/sentences. ``rationale`` names the source of every number. ``what`` names
    the evidence: a vital's code or a kind of event. ``inputs`` are codes of what ``fold`` reads (``sample.INPUTS``),
    or ``asks``, where a model decides; rules over events and over silence have neither. ``limited`` makes the fold of
    other limits than the defaults, by concern; a rule without it has none that anybody may change; ``limited_with``
    makes it for people with a condition that changes more than limits. A ``variant`` in the shadow is tried beside the
    rule of its name, and alerts nobody. ``of_days``: its evidence are figures of days, not readings. ``artefact`` names
    the fitted model that decides (``Artefact.name``); "" where none does.
    """

    name: str
    version: int
    what: str
    severities: Mapping[int, Severity]
    rationale: str
    messages: tuple[str, ...]
    message: Callable[[Mark], Message]
    inputs: tuple[str, ...] = ()
    fold: Fold[Any] | None = None
    limited: Callable[[Mapping[str, Limits]], Fold[Any]] | None = None
    limited_with: Mapping[Condition, Callable[[Mapping[str, Limits]], Fold[Any]]] = field(
        default_factory=lambda: MappingProxyType({}), hash=False
    )
    asks: ModelFold | None = None
    variant: Variant = Variant.LIVE
    of_days: bool = False
    artefact: str = ""

    @property
    def key(self) -> str:
        """What no other rule has: the name, and the variant of one in the shadow."""
        return self.name if self.variant is Variant.LIVE else f"{self.name}|{self.variant}"

    def severity(self, level: int) -> Severity:
        """How soon somebody has to act at ``level``; the end of an episode never opens anything."""
        return self.severities[level] if level else Severity.LOW


class Subject(NamedTuple):
    """Whom a finding is about; ``person_no`` 0 is the home itself."""

    person_no: int
    home_no: int


def finding_from(
    rule: Rule,
    subject: Subject,
    episode: int,
    mark: Mark,
    *,
    said: int = 0,
    observed_at: int | None = None,
    unverified: bool = False,
    message: Message | None = None,
) -> Finding:
    """What ``rule`` says about ``subject`` at ``mark``; stamped ``observed_at``, else with the mark's moment.

    ``said`` numbers it among what is said of the episode; ``message``: where the mark alone does not say which.
    """
    words = message or rule.message(mark)
    # An event is its own first and last.
    samples = ((mark.first,) if mark.first == mark.last else (mark.first, mark.last)) + mark.also
    return Finding(
        person_no=subject.person_no,
        home_no=subject.home_no,
        rule=rule.name,
        rule_version=rule.version,
        episode=episode,
        level=mark.level,
        severity=rule.severity(mark.level) if mark.severity is None else mark.severity,
        observed_at=mark.at if observed_at is None else observed_at,
        evidence=tuple(_evidence(rule, sample) for sample in samples),
        doctor_text=ENGLISH.say(words, Reader.DOCTOR),
        caregiver_text=ENGLISH.say(words, Reader.CAREGIVER),
        rationale=_rationale(rule, mark.limits),
        unverified=unverified,
        message=words.key,
        facts=words.facts,
        end_reason=mark.end_reason,
        variant=rule.variant,
        concern=mark.concern,
        said=said,
        artefact=rule.artefact,
    )


def _rationale(rule: Rule, limits: Limits | None) -> str:
    """Why: of other limits than everybody's, where those are from, since the rule's own words name other numbers."""
    if rule.limited is None or limits is None or limits.numbers == usual_of(limits.concern).numbers:
        return rule.rationale
    return f"Other limits than the platform's defaults hold here. Their source: {limits.source}"


def beyond(key: str, vital: Vital, mark: Mark, *, once: bool = False) -> Message:
    """What is said of a limit that was passed for a while: whole minutes, and the value at last.

    ``once``: of a single reading there are other words.
    """
    assert mark.passed is not None  # noqa: S101 - whoever has no limits says something else
    minutes = (mark.last.at - mark.first.at) // MINUTE_MS
    limit = mark.passed.on
    # Written as people write it: 120, not 120.0.
    whole = int(limit) if limit == int(limit) else limit
    facts = {"vital": vital.code, "limit": whole, "minutes": minutes, "value": mark.last.value, **_doubts(mark)}
    return Message(f"{key}.once" if once and not minutes else key, facts)


def words_of(mark: Mark) -> tuple[str, str]:
    """Of the limit that holds, parts of a message's key: how far it lies, and whether it is one in movement."""
    passed = mark.passed
    return "very_" if passed and passed.level > 1 else "", ".moving" if passed and passed.moving else ""


def _doubts(mark: Mark) -> Mapping[str, Fact]:
    """What is not known of a value: its number, beyond what its sensor can measure; whether it was taken at rest."""
    clipped: Mapping[str, Fact] = {"clipped": 1} if mark.last.flags & Flag.CLIPPED else {}
    return {**clipped, "rest": mark.rest.value} if mark.rest is Rest.UNKNOWN else clipped


def ended(rule: str, vital: Vital, mark: Mark) -> Message:
    """What is said at the end of an episode, or at its pause: for each reason words of its own."""
    minutes = (mark.pauses_at - mark.last.at) // MINUTE_MS if mark.pauses_at else 0
    facts: dict[str, Fact] = {"vital": vital.code, "value": mark.last.value, "minutes": minutes, **_doubts(mark)}
    return Message(f"{rule}.{mark.end_reason or EndReason.RECOVERED}", facts)


def endings(rule: str) -> tuple[str, ...]:
    """The keys of ``ended``, of a rule that has but one side: nothing of it turns."""
    return tuple(f"{rule}.{reason}" for reason in EndReason if reason is not EndReason.TURNED)


def _evidence(rule: Rule, sample: Sample) -> Evidence:
    return Evidence(
        what=INPUT_CODES[sample.vital] if sample.vital else rule.what,
        value=sample.value if (rule.inputs or (rule.of_days and sample.vital)) and sample.vital != SYMPTOM else None,
        observed_at=sample.at,
        device_no=sample.device_no,
        epoch=sample.epoch,
        seq=sample.seq,
        item=sample.item,
    )


def by_level(**levels: Any) -> Mapping[int, Any]:
    """``ended=``, ``level_1=``, ``level_2=``, ``level_3=`` as a mapping from 0, 1, 2, 3."""
    numbers = {"ended": 0, "level_1": 1, "level_2": 2, "level_3": 3}
    return MappingProxyType({numbers[name]: value for name, value in levels.items()})
