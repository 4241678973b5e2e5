"""What other limits would have made of a person's past: the episodes by today's limits, and by those. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from schemas.alerts import Finding, Severity, Variant
from schemas.limits import CONCERN_BY_NAME, Limits
from schemas.records import JudgedUplink
from schemas.vitals import HEART_RATE, SYSTOLIC, VITAL_BY_NUMBER
from services.runtime.errors import HearthBeatError
from services.score.evaluation import reach_ms
from services.score.followups import DoubtedMeasurement
from services.score.guard import limits_of
from services.score.limit_book import LimitBook
from services.score.models.own_band import DAY_MS, GUARDED, KEPT_DAYS
from services.score.models.urgent_values import can_call_for_help
from services.score.rerun import Rerun, Voice, needed, of_person, reads_of, unread_types
from services.score.rule import HOUR_MS, Fold, Rule
from services.score.rule_book import RuleBook
from services.score.rule_timeline import RuleTimeline
from services.score.rules.news2 import NEWS2
from services.score.sample import SPOT_TYPES

_MEASURED_BESIDE: Final = frozenset({*(VITAL_BY_NUMBER[number].code for number in GUARDED), HEART_RATE.code})
"""What may be another's or of another unit, and what one device measures with it."""
_LEAST_PAST_MS: Final = 24 * HOUR_MS


class Said(NamedTuple):
    """An episode of the concern. Times in ms; ``until`` FOREVER: it goes on. ``severity``: its highest.

    ``alerts``: it was news when it was said; else it only stands on the person's page.
    """

    concern: str
    since: int
    until: int
    level: int
    severity: Severity
    alerts: bool


class Compared(NamedTuple):
    """All episodes that began in the time asked for, in their order: by today's limits, and by the others.

    ``vanish``: of ``today``, those of whose time nothing is said any more; ``begin``: of ``changed``, those of whose
    time nothing was said; ``differ``: pairs of one time and another severity.
    """

    today: Sequence[Said]
    changed: Sequence[Said]
    vanish: Sequence[Said]
    begin: Sequence[Said]
    differ: Sequence[tuple[Said, Said]]


class NotLimitedError(HearthBeatError):
    """No rule of now has limits of a concern."""


class Extent(NamedTuple):
    """How much has to run: ``apart``, each of both limits by itself; ``whole``, with NEWS2, and of room-mates all.

    Both because of measurements that were doubted (``services.score.guard``), which few people have.
    """

    apart: bool = False
    whole: bool = False


class BackTest:
    """Takes the records of a home in the order of reception, and runs both limits beside each other over them.

    ``limits`` are the book of now, ``asked_at`` is now, in ms; ``instead`` are the person's limits to be tried. What
    began before ``since`` is left out: the records before it only give the rules their past. Each version of ``rules``
    runs over what was received while it was in force. Raises NotLimitedError for a concern of no rule of now.
    ``reads_home``: it rests on what room-mates have measured as well, with devices that they share, or (``whole``)
    with any. ``needs`` is None once it is done; else what came needs another extent, over all records again.
    """

    def __init__(
        self, *, person_no: int, home_no: int, people: Iterable[int], instead: Limits, limits: LimitBook, asked_at: int,
        rules: RuleTimeline, extent: Extent,
    ) -> None:  # fmt: skip
        concern = CONCERN_BY_NAME[instead.concern]
        rule = _limited(rules.at(asked_at), concern.rule)
        if rule is None:
            raise NotLimitedError(instead.concern)
        self.rule, self.extent = rule, extent
        self.needs: Extent | None = None
        self.reads_home = not _MEASURED_BESIDE.isdisjoint(rule.inputs)
        everybody, self._asked_at, self._person_no = {*people, person_no}, asked_at, person_no
        self._books = (
            limits.standing(everybody, asked_at), limits.standing(everybody, asked_at, [(person_no, instead)]),
        )  # fmt: skip
        ran = rules.with_each(lambda book: _with_those_beside(book, rule.name, whole=extent.whole))
        self._reads = reads_of(one for part in ran.books for one in part.folded)
        whose = {"person_no": person_no, "home_no": home_no}
        if extent.apart:
            self._runs = [Rerun(**whose, limits=one, rules=ran, heard=[rule.name]) for one in self._books]
            self._today, self._changed = (one.voices[rule.name] for one in self._runs)
        else:
            tried = _Tried(rule.name, self._books[1], person_no, asked_at)
            heard = [rule.name, tried.name]
            both = Rerun(**whose, limits=self._books[0], rules=ran.with_each(tried.beside), heard=heard)
            self._runs, self._today, self._changed = [both], both.voices[rule.name], both.voices[tried.name]

    @property
    def past_ms(self) -> int:
        """How far before the time asked for the records have to begin."""
        assert self.rule.fold is not None  # noqa: S101 - a rule with limits has one
        return max(_LEAST_PAST_MS, reach_ms(self.rule.fold))

    @property
    def bands_ms(self) -> int:
        """How far before that what somebody uses counts: people's own bands are made of it (``models.own_band``)."""
        return KEPT_DAYS * DAY_MS if self.reads_home else 0

    @property
    def unread_types(self) -> frozenset[int]:
        """The kinds of devices, by number, whose readings it does without; their events it needs."""
        return unread_types(self._reads)

    def take(self, records: Iterable[JudgedUplink]) -> Iterator[int]:
        """Runs over ``records``, and on to when it was asked, or until it has needs.

        Gives the caller its turn after each and within long ones, and says how many are done.
        """
        number = 0
        for number, whole in enumerate(records, 1):
            record = needed(whole, self._reads)
            # Of a device of which nothing is read, only what it says of itself counts.
            if (record.readings or record.events) and self._concerns(record):
                for one in self._runs:
                    if one.waits(record.received_at):
                        for _ in one.passing(record.received_at):
                            yield number - 1
                    one.take(record)
                    if one.doubted and (needs := self._needed_by(one.doubted)) != self.extent:
                        self.needs = needs
                        return
                    one.doubted.clear()
            yield number
        for one in self._runs:
            for _ in one.passing(self._asked_at):
                yield number

    def _concerns(self, record: JudgedUplink) -> bool:
        """Whether it says something of the person, or may be theirs."""
        if self.extent.whole or record.device_type in SPOT_TYPES:
            return True
        return of_person(record, self._person_no) is not None

    def _needed_by(self, doubted: Iterable[DoubtedMeasurement]) -> Extent:
        """What it takes to hold back what a live run would have held back."""
        apart, whole = self.extent
        for one in doubted if self.reads_home else ():
            values, at = {sample.vital: sample.value for sample in one.samples}, one.samples[0].received_at
            person_no, is_mine = one.subject.person_no, one.subject.person_no == self._person_no
            calls = {can_call_for_help(values, limits_of(book, person_no, values, at)) for book in self._books}
            apart = apart or len(calls) > 1
            # Whether a pressure is held rests on what else was measured, which is known where NEWS2 runs.
            knows = self.rule.name == NEWS2.name and is_mine
            whole = whole or (one.is_held and SYSTOLIC.number in values and not knows)
        return Extent(apart, whole)

    @property
    def findings(self) -> tuple[Sequence[Finding], Sequence[Finding]]:
        """By today's limits, and by the others, in the order in which they were made."""
        changed = [replace(one, rule=self.rule.name) for one in self._changed.findings.values()]
        return list(self._today.findings.values()), changed

    def compared(self, since: int) -> Compared:
        """What came of it, for episodes that began at ``since`` or later, up to when it was asked."""
        for one in self._runs:
            one.pass_time(self._asked_at)
        return compare(_said(self._today, since), _said(self._changed, since))


def compare(today: Sequence[Said], changed: Sequence[Said]) -> Compared:
    """Which of them are of one concern and time."""
    pairs = [
        (before, after)
        for before in today
        for after in changed
        if before.concern == after.concern and before.since <= after.until and after.since <= before.until
    ]
    kept, found = {before for before, _ in pairs}, {after for _, after in pairs}
    return Compared(
        today=today,
        changed=changed,
        vanish=[one for one in today if one not in kept],
        begin=[one for one in changed if one not in found],
        differ=[(before, after) for before, after in pairs if before.severity != after.severity],
    )


def _limited(book: RuleBook, name: str) -> Rule | None:
    """The rule of a name that speaks, and that has limits; None where there is none."""
    found = (one for one in book.folded if one.name == name and one.variant is Variant.LIVE)
    return next((one for one in found if one.limited is not None), None)


def _with_those_beside(book: RuleBook, name: str, *, whole: bool) -> RuleBook:
    """The rule of a name and what is needed beside it; nothing where there was no such rule then."""
    rule = _limited(book, name)
    if rule is None:
        return RuleBook(())
    return RuleBook([one for one in book.folded if one.key == rule.key or (whole and one.key == NEWS2.key)])


class _Tried:
    """A rule once more, beside itself in one run, by the limits of a book that are the same always."""

    def __init__(self, rule: str, book: LimitBook, person_no: int, at: int) -> None:
        self.name = f"{rule} as tried"
        self._rule, self._book, self._person_no, self._at = rule, book, person_no, at

    def beside(self, book: RuleBook) -> RuleBook:
        """The rules of ``book`` with that one."""
        rule = _limited(book, self._rule)
        return book if rule is None else RuleBook([*book.rules, self._by_limits(rule)])

    def _by_limits(self, rule: Rule) -> Rule:
        fold = self._book.folds(rule, self._person_no).at(self._at)

        def same(_limits: Mapping[str, Limits]) -> Fold[Any]:
            return fold

        made_with = MappingProxyType(dict.fromkeys(rule.limited_with, same))
        return replace(rule, name=self.name, limited=same, limited_with=made_with)


def _said(voice: Voice, since: int) -> list[Said]:
    severities: dict[tuple[str, int], Severity] = {}
    for one in voice.findings.values():
        if one.level:
            key = one.concern, one.episode
            severities[key] = max(severities.get(key, one.severity), one.severity)
    found = [
        Said(one.concern, one.since, one.until, one.level, severities[one.concern, one.episode], one.is_current)
        for one in voice.episodes()
        if one.since >= since
    ]
    return sorted(found, key=lambda one: (one.since, one.concern))
