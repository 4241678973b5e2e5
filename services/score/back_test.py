"""What other limits would have made of a person's past: the episodes by today's limits, and by those. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from schemas.alerts import Finding, Severity, Variant
from schemas.limits import CONCERN_BY_NAME, Limits
from schemas.records import JudgedUplink
from services.runtime.errors import HearthBeatError
from services.score.evaluation import reach_ms
from services.score.limit_book import LimitBook
from services.score.models.own_band import GUARDED
from services.score.rerun import Rerun, Voice, needed, reads_of, rules_for, unread_types
from services.score.rule import HOUR_MS, Fold, Rule
from services.score.rule_book import RuleBook
from services.score.rule_timeline import RuleTimeline
from services.score.rules.news2 import NEWS2

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


class BackTest:
    """Takes the records of a home in the order of reception, and runs both limits beside each other over them.

    ``limits`` are the book of now, ``asked_at`` is now, in ms; ``instead`` are the person's limits to be tried. What
    began before ``since`` is left out: the records before it only give the rules their past. Each version of ``rules``
    runs over what was received while it was in force. Raises NotLimitedError for a concern of no rule of now.
    ``reads_home``: it rests on what room-mates have measured as well.
    """

    def __init__(
        self, *, person_no: int, home_no: int, people: Iterable[int], instead: Limits, limits: LimitBook, asked_at: int,
        rules: RuleTimeline,
    ) -> None:  # fmt: skip
        concern = CONCERN_BY_NAME[instead.concern]
        rule = _limited(rules.at(asked_at), concern.rule)
        if rule is None:
            raise NotLimitedError(instead.concern)
        self.rule = rule
        self.reads_home = concern.vital.number in GUARDED or rule.name == NEWS2.name
        everybody, self._asked_at = {*people, person_no}, asked_at
        book = limits.standing(everybody, asked_at)
        other = limits.standing(everybody, asked_at, [(person_no, instead)])
        ran = rules.with_each(lambda whole: _with_those_beside(whole, rule.name))
        self._reads = reads_of(one for part in ran.books for one in part.folded)
        whose = {"person_no": person_no, "home_no": home_no}
        if self.reads_home:
            # Whether a doubted measurement is held back rests on limits too, and NEWS2 has a place of its own.
            runs = [Rerun(**whose, limits=one, rules=ran, heard=[rule.name]) for one in (book, other)]
            self._runs, (self._today, self._changed) = runs, [one.voices[rule.name] for one in runs]
        else:
            tried = _Tried(rule.name, other, person_no, asked_at)
            both = Rerun(**whose, limits=book, rules=ran.with_each(tried.beside), heard=[rule.name, tried.name])
            self._runs, self._today, self._changed = [both], both.voices[rule.name], both.voices[tried.name]

    @property
    def past_ms(self) -> int:
        """How far before the time asked for the records have to begin."""
        assert self.rule.fold is not None  # noqa: S101 - a rule with limits has one
        return max(_LEAST_PAST_MS, reach_ms(self.rule.fold))

    @property
    def unread_types(self) -> frozenset[int]:
        """The kinds of devices, by number, whose readings it does without; their events it needs."""
        return unread_types(self._reads)

    def take(self, records: Iterable[JudgedUplink]) -> Iterator[int]:
        """Runs over ``records``, and on to when it was asked.

        Gives the caller its turn after each and within long ones, and says how many are done.
        """
        number = 0
        for number, whole in enumerate(records, 1):
            record = needed(whole, self._reads)
            # Of a device of which nothing is read, only what it says of itself counts.
            if record.readings or record.events:
                for one in self._runs:
                    if one.waits(record.received_at):
                        for _ in one.passing(record.received_at):
                            yield number - 1
                    one.take(record)
            yield number
        for one in self._runs:
            for _ in one.passing(self._asked_at):
                yield number

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


def _with_those_beside(book: RuleBook, name: str) -> RuleBook:
    """The rule of a name and what it needs beside it; nothing where there was no such rule then."""
    rule = _limited(book, name)
    return RuleBook(()) if rule is None else rules_for(rule, book)


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
