"""What score knows of one person, or of a home itself: window, evaluations of rules, calls, episode numbers. Pure."""

from array import array
from bisect import insort
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from schemas.vitals import VITALS
from services.score.asks import Want
from services.score.beyond import Beyond
from services.score.calls import Call, begin_call, known_call
from services.score.calm import Calm
from services.score.coverage import CoverageLedger, Surroundings, open_from
from services.score.episodes import Behind, Report
from services.score.evaluation import Evaluation
from services.score.limit_book import DEFAULT_BOOK, LimitBook
from services.score.models.own_band import OwnBands
from services.score.quarters import Quarters, evaluation_of
from services.score.questions import ModelStates, Question
from services.score.recent_values import RecentValues
from services.score.rule import NEVER, Rule, Subject
from services.score.rule_book import RULE_BOOK, RuleBook
from services.score.rules.baseline import BASELINE
from services.score.rules.news2 import NEWS2
from services.score.rules.watch_gap import WATCH_GAP
from services.score.sample import Sample
from services.score.watch_gaps import HeardOf, Known, WatchGaps
from services.score.window import MOST_SAMPLES, Window

_NOT_KNOWN: Final = [0] * (max(one.number for one in VITALS) + 1)

Reports = list[tuple[Rule, Sequence[Report | Behind]]]
"""What follows, by rule; what a rule can't say itself is looked back on."""


class LateError(Exception):
    """A sample is one too many of its moment."""


class RepeatedError(Exception):
    """A device has sent under another number what it measured and sent before: it has lost its storage, say."""


class _OfVital(NamedTuple):
    """Of a vital, found in one step: its samples, and who reads them.

    ``each`` look at every sample, but while it is calm; ``quarters`` only now and then.
    """

    samples: list[Sample]
    readers: tuple[Evaluation, ...]
    each: tuple[Evaluation, ...]
    calm: Calm
    quarters: Quarters | None


@dataclass(slots=True)
class PersonState:
    """Of a person, or (person 0) of the home. ``episodes``: the last number of a rule that is not evaluated (yet).

    ``bands``: where their values lie that somebody takes with a device that the home shares.

    ``recent`` holds the person's days as well, which are saved apart from all else. ``quarters`` is the evaluation of
    NEWS2, once there is one; ``has_turned``: something became known behind what was, and nobody has looked ahead since.
    ``asks_from``, at the number of a vital, is from when on, in ms, a sample may lead to a question; 0: not known.
    """

    rules: RuleBook = RULE_BOOK
    limits: LimitBook = DEFAULT_BOOK
    person_no: int = 0
    window: Window = field(default_factory=Window)
    evaluations: dict[str, Evaluation] = field(default_factory=dict)
    models: ModelStates = field(default_factory=ModelStates)
    calls: dict[str, list[Call]] = field(default_factory=dict)
    episodes: dict[str, int] = field(default_factory=dict)
    coverage: CoverageLedger = field(default_factory=CoverageLedger)
    gaps: WatchGaps = field(default_factory=WatchGaps)
    bands: OwnBands = field(default_factory=OwnBands)
    recent: RecentValues = field(init=False)
    quarters: Quarters | None = None
    has_turned: bool = False
    asks_from: "array[int]" = field(default_factory=lambda: array("q", _NOT_KNOWN))
    _of_vital: dict[int, _OfVital] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.recent = RecentValues(self.person_no)
        for one in self.evaluations.values():
            self._know(one)

    def _know(self, evaluation: Evaluation) -> None:
        if isinstance(evaluation, Quarters) and (self.quarters is None or evaluation.rule.key == NEWS2.key):
            self.quarters = evaluation

    def take(self, sample: Sample) -> Reports:
        """What follows from ``sample`` for the rules that read its vital. Raises LateError, RepeatedError."""
        vital = sample[6]
        samples, readers, each, calm, quarters = self._of_vital.get(vital) or self._begin(vital)
        found: Reports = []
        # While it is calm, the newest sample here is the one that it went on with last.
        if calm.goes_on(sample):
            samples.append(sample)
        else:
            if samples and sample[0] <= samples[-1][0]:
                if self.window.is_full_at(samples, sample[0]):
                    raise LateError
                if self.window.has_measured(samples, sample):
                    raise RepeatedError
                if sample < samples[-1]:
                    return self._take_late(sample, samples, readers)
            samples.append(sample)
            found = [(one.rule, reports) for one in each if (reports := one.take(sample))]
        if quarters is not None and not quarters.waits_from < sample[0] <= quarters.until:
            # Another version of NEWS2, or by other limits, waits for the same quarter hours.
            alike = [one for one in readers if isinstance(one, Quarters)]
            found += [(one.rule, reports) for one in alike if (reports := one.take(sample))]
        # Only when there are twice as many as there may be, so that most samples cost no trimming.
        if len(samples) > 2 * MOST_SAMPLES:
            self._forget(vital, min(one.trim() for one in readers))
        return found

    def _forget(self, vital: int, before: int) -> None:
        self.coverage.absorb(self.window.forget(vital, before), self.window)

    @property
    def due_at(self) -> int:
        """When the next thing is due that needs no sample: an hour or a day closes, an episode or a gap is due."""
        due_at = min(self.recent.due_at, self.gaps.due_at, self.models.due_at)
        for one in self.evaluations.values():
            due_at = min(due_at, one.due_at)
        return due_at

    def pass_time(self, now: int, about: HeardOf) -> Reports:
        """What follows from the time alone, at ``now``."""
        # An hour that closes has seen readings: whatever is monitored is looked at from then on.
        looks = now >= (self.recent.due_at if self.gaps.due_at == NEVER else self.gaps.due_at)
        self.recent.pass_time(now)
        # In the order of the rules: that in which evaluations began is not kept over a restart.
        known = [self.evaluations[rule.key] for rule in self.rules.folded if rule.key in self.evaluations]
        found: Reports = [(one.rule, reports) for one in known if (reports := one.pass_time(now))]
        if looks and self.person_no:
            around = Surroundings(about.home, self.resting_only())
            of_me = Known(self.person_no, self.coverage, self.window, around, about.devices, self.episodes)
            if reports := self.gaps.look(of_me, now):
                found.append((WATCH_GAP, reports))
        if drifted := self.recent.report_drifts(self.episodes, BASELINE.name):
            found.append((BASELINE, drifted))
        return found

    def wants(self, newest: Sequence[Sample]) -> Sequence[tuple[Want, Sample]]:
        """What the rules want to know after these samples of one uplink, and because of which of them."""
        known = [self.evaluations[rule.key] for rule in self.rules.asking if rule.key in self.evaluations]
        found = []
        for evaluation in known:
            # The first input says it: of a pressure that is the systolic value.
            last = max((one for one in newest if one.vital == evaluation.inputs[0]), default=None)
            found += [(want, last) for want in evaluation.wants(last)] if last else []
        return found

    def ask(self, sample: Sample, home_no: int) -> list[Question]:
        """The questions to models that follow from a sample that counts, of which ``asks_from`` leaves nothing out."""
        window, questions, vital = self.window, list[Question](), sample[6]
        askers = self.rules.askers.get(vital, ())
        if askers and window.off and not window.is_usable(sample):
            return questions
        rested = not window.movement.spans or not window.movement.is_moving(sample[0])
        for rule in askers:
            if not self.models.knows(rule.key):
                self.models.begin(rule, highest=self.episodes.pop(rule.key, 0))
            if question := self.models.ask(rule, Subject(self.person_no, home_no), sample, rested=rested):
                questions.append(question)
        self.asks_from[vital] = self.models.takes_from(askers, vital)
        return questions

    def lapses(self, home_no: int, now: int) -> list[Question]:
        """What could not be asked for too long, at ``now``."""
        return self.models.lapses(self.rules.rules, Subject(self.person_no, home_no), now)

    def _take_late(self, sample: Sample, samples: list[Sample], evaluations: Sequence[Evaluation]) -> Reports:
        reached = [one for one in evaluations if one.reaches(sample.at)]
        passed_over: Reports = []
        # Whoever does not look back so far must not find it in the window later.
        for evaluation in evaluations:
            if evaluation not in reached:
                evaluation.trim()
                passed_over.append((evaluation.rule, evaluation.pass_over(sample.at)))
        if not reached:
            return passed_over
        insort(samples, sample)
        self.has_turned = True
        self.coverage.touch(sample.at)
        found: Reports = [(one.rule, reports) for one in reached if (reports := one.take_late(sample))]
        return passed_over + found

    def move(self, at: int, received_at: int) -> Reports:
        """A reading of ``at`` says that the person moves: readings from then on for a while are not taken at rest."""
        return self._seen_anew(at, at, received_at, lambda: self.window.movement.move(at), self.rules.gated)

    def walk(self, device_no: int, at: int, steps: float, received_at: int) -> Reports:
        """A device has counted ``steps`` since its previous reading of them."""
        movement = self.window.movement
        # What most readings of steps come to; a second one of a moment says nothing.
        if (not steps and movement.stands(device_no, at)) or movement.has_counted(device_no, at):
            return []
        since = movement.walks_since(device_no, at, steps)
        if since == NEVER:
            movement.walk(device_no, at, steps)
            return []
        return self._seen_anew(since, at, received_at, lambda: movement.walk(device_no, at, steps), self.rules.gated)

    def take_off(self, device_no: int, at: int, received_at: int, *, is_charging: bool = False) -> Reports:
        """A device says that it is off the body: what it measures from then on is nobody's."""
        self._cover_anew(at)
        return self._seen_anew(
            at, at, received_at, lambda: self.window.take_off(device_no, at, is_charging=is_charging), self.rules.folded
        )

    def show_worn(self, device_no: int, at: int, received_at: int, *, is_said: bool = False) -> Reports:
        """Something shows that a device was worn at ``at``; ``is_said``: an event of its own."""
        said = self.window.worn_by(device_no)
        # What nearly every reading of a band comes to.
        if said.is_known(at) and not is_said:
            return []
        # Of a device that never was off, it changes nothing that it was on.
        if not said.off:
            said.show(at, is_said=is_said)
            return []
        self._cover_anew(at)
        return self._seen_anew(at, at, received_at, lambda: said.show(at, is_said=is_said), self.rules.folded)

    def _cover_anew(self, at: int) -> None:
        """Before it changes whether a device was worn: what has left the window was seen as it was until now."""
        self._trim_samples({name: one.trim() for name, one in self.evaluations.items()})
        self.coverage.touch(at)

    def _seen_anew(
        self, since: int, at: int, received_at: int, change: Callable[[], bool], rules: Sequence[Rule]
    ) -> Reports:
        """Changes circumstances from ``since`` on, by what was so ``at``; what then differs of what lies behind."""
        known = self.evaluations
        evaluations = [known[rule.key] for rule in rules if rule.key in known]
        behind = [one for one in evaluations if since <= one.newest_at]
        for evaluation in behind:
            evaluation.trim()
        too_late: Reports = [(one.rule, one.pass_over(at)) for one in behind if not one.reaches(at)]
        before = [one.circumstances() for one in behind]
        if not change():
            return too_late
        self.has_turned = True
        changed = [one for one, seen in zip(behind, before, strict=True) if one.circumstances() != seen]
        found: Reports = [(one.rule, reports) for one in changed if (reports := one.fold_again(received_at, at))]
        return too_late + found

    def evaluation(self, rule: Rule) -> Evaluation:
        """Of a rule with a fold, begun where there is none yet."""
        found = self.evaluations.get(rule.key)
        if found is None:
            highest = self.episodes.pop(rule.key, 0)
            found = self.evaluations[rule.key] = evaluation_of(rule)(
                rule, self.window, self.limits.folds(rule, self.person_no), highest=highest
            )
            self._know(found)
        return found

    def use(self, limits: LimitBook) -> None:
        """The limits that are known from now on."""
        self.limits = limits
        for evaluation in self.evaluations.values():
            evaluation.use(limits.folds(evaluation.rule, self.person_no))

    def _begin(self, vital: int) -> _OfVital:
        evaluations = tuple(self.evaluation(rule) for rule in self.rules.readers[vital])
        each = tuple(one for one in evaluations if not isinstance(one, Quarters))
        quarters = self.quarters if len(each) < len(evaluations) else None
        # Of several rules, one may see what another does not.
        calm = each[0].calm if len(each) == 1 and each[0].inputs == (vital,) else Calm()
        found = _OfVital(self.window.of(vital), evaluations, each, calm, quarters)
        return self._of_vital.setdefault(vital, found)

    def trim(self, newest: int = 0) -> None:
        """Drops what nobody looks back to; changes nothing that can be seen from outside.

        ``newest`` is when the home was heard last, in ms; 0: not known.
        """
        begins = {name: one.trim() for name, one in self.evaluations.items()}
        self._trim_samples(begins)
        moved_before = min((begins[name] for name, one in self.evaluations.items() if one.needs_rest), default=0)
        if self.resting_only():
            self.coverage.see_moved(self.window.movement.ended(moved_before))
        self.window.forget_circumstances(
            moved_before=moved_before, worn_before=min(begins.values(), default=0), covered_from=open_from(newest)
        )
        self.coverage.forget(newest)

    def _trim_samples(self, begins: Mapping[str, int]) -> None:
        for vital in self.window.samples:
            reading = [begins[one.rule.key] for one in self.evaluations.values() if vital in one.inputs]
            self._forget(vital, min(reading, default=0))

    def resting_only(self) -> frozenset[int]:
        """The vitals of which nothing is judged in movement, by the limits of now."""
        found: set[int] = set()
        for one in self.evaluations.values():
            fold = one.fold
            if one.needs_rest and isinstance(fold, Beyond):
                limits = [limit for side in fold.sides.values() for limit in side.levels]
                found.update(() if any(limit.moving for limit in limits) else one.inputs)
        return frozenset(found)

    def call(self, rule: Rule, event: Sample, within_ms: int, *, extends: bool) -> tuple[Call, bool]:
        """The call of an event, and whether it is news; ``extends``: every one is, and makes the call longer."""
        calls = self.calls.setdefault(rule.key, [])
        known, is_news = known_call(calls, event, within_ms, extends=extends)
        if known is not None:
            return known, is_news
        episode = self.episodes[rule.key] = self.episodes.get(rule.key, 0) + 1
        return begin_call(calls, event, episode), True

    def raise_numbers(self, numbers: Mapping[str, int]) -> None:
        """No episode of a rule gets a number again that was given out, whatever this state knows of it."""
        for name, number in numbers.items():
            evaluation = self.evaluations.get(name)
            if self.models.knows(name):
                self.models.raise_number(name, number)
            elif evaluation is not None:
                evaluation.episodes.highest = max(evaluation.episodes.highest, number)
            else:
                self.episodes[name] = max(self.episodes.get(name, 0), number)

    def to_plain(self, newest: int = 0) -> dict[str, Any]:
        """As plain values; names, not numbers, so that a reader finds their way. ``newest`` as in ``trim``."""
        self.trim(newest)
        return {
            **self.window.to_plain(),
            # In the order of the rules, as from_plain reads them: not in that in which they began.
            "rules": {
                rule.key: self.evaluations[rule.key].to_plain()
                for rule in self.rules.rules
                if rule.key in self.evaluations
            },
            "models": self.models.to_plain(self.rules.rules),
            "calls": {
                name: [[call.episode, call.first_at, call.last_at, call.events, call.heard] for call in calls]
                for name, calls in self.calls.items()
            },
            "episodes": dict(self.episodes),
            "recent": self.recent.to_plain(),
            "coverage": self.coverage.to_plain(),
            "gaps": self.gaps.to_plain(),
        } | ({"bands": bands} if (bands := self.bands.to_plain()) else {})

    @classmethod
    def from_plain(
        cls, plain: dict[str, Any], rules: RuleBook, limits: LimitBook, person_no: int, newest: int = 0
    ) -> "PersonState":
        """The state that ``to_plain`` wrote; of a rule that is no more, only the number of its last episode is kept."""
        window = Window.from_plain(plain)
        known = {rule.key for rule in rules.rules}
        said = {name: one.get("episodes", 0) for part in ("rules", "models") for name, one in plain[part].items()}
        found = cls(
            rules=rules,
            limits=limits,
            person_no=person_no,
            window=window,
            evaluations={
                rule.key: evaluation_of(rule).from_plain(
                    rule, window, limits.folds(rule, person_no), plain["rules"][rule.key]
                )
                for rule in rules.rules
                if rule.key in plain["rules"]
            },
            calls={name: [Call(*call) for call in calls] for name, calls in plain["calls"].items()},
            models=ModelStates.from_plain(plain["models"], rules.rules),
            episodes=plain["episodes"] | {name: number for name, number in said.items() if name not in known},
            coverage=CoverageLedger.from_plain(plain["coverage"], window, newest),
            gaps=WatchGaps.from_plain(plain["gaps"]),
            # Of whom nothing was measured with a device that others use, there are none.
            bands=OwnBands.from_plain(plain.get("bands", {})),
        )
        found.recent.read_plain(plain["recent"])
        return found
