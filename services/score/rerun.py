"""One rule about one person over stored records again: the step, the time, and looks back, as they work live. Pure."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from schemas.alerts import Finding
from schemas.reasons import NOT_SCORED
from schemas.records import JudgedReading, JudgedUplink
from schemas.vitals import STEPS
from services.score.core import CHARGING, WEARING, pass_time, step
from services.score.followups import Effect, LookBack, Tally
from services.score.home_state import HomeState
from services.score.limit_book import LimitBook
from services.score.look_back import FURTHEST_MS, Look, Off
from services.score.rule import MINUTE_MS, NEVER, Rule
from services.score.rule_book import RULE_BOOK, RuleBook
from services.score.rules.blood_pressure import BLOOD_PRESSURE
from services.score.rules.news2 import NEWS2
from services.score.sample import SHOWS_WORN, SPOT_TYPES
from services.score.stood import Seen, Stood, stood_of

_NOT_SCORED: Final = int(NOT_SCORED)
_CIRCUMSTANCES: Final = int(NOT_SCORED) | SHOWS_WORN
_AHEAD_MS: Final = 5 * MINUTE_MS
MARKS_MS: Final = 1_000
"""The log has a marker of its time so often: what is due without a record happens at the next one."""


def rules_for(rule: Rule, book: RuleBook = RULE_BOOK) -> RuleBook:
    """The rules that have to run for ``rule`` to find what it finds among all of ``book``.

    Whether a doubted pressure is held back rests on what NEWS2 reads.
    """
    beside = {BLOOD_PRESSURE.name: (NEWS2.name,)}.get(rule.name, ())
    return RuleBook([one for one in book.folded if one.key == rule.key or one.name in beside])


def needed(record: JudgedUplink, rules: RuleBook) -> JudgedUplink:
    """``record`` without readings that change nothing for ``rules``: what is measured beside what they read.

    Of each moment one stays that says as much of the circumstances. What somebody uses on purpose stays whole, since
    whose it is rests on all of it.
    """
    if record.device_type in SPOT_TYPES:
        return record
    read = rules.read
    kept = [one for one in record.readings if one[2] in read or one[2] == STEPS.number]
    if len(kept) == len(record.readings):
        return record
    known = {(one[1], one[4], one[5] & _CIRCUMSTANCES) for one in kept if one[2] != STEPS.number}
    for one in record.readings:
        says = one[1], one[4], one[5] & _CIRCUMSTANCES
        if says not in known and one[2] != STEPS.number:
            known.add(says)
            kept.append(one)
    return record._replace(readings=tuple(sorted(kept)))


@dataclass(slots=True)
class Voice:
    """What one rule has said of the person: ``findings`` by id, in their order; ``asked``: the look back that waits."""

    rule: Rule
    findings: dict[UUID, Finding] = field(default_factory=dict)
    asked: LookBack | None = None
    seen: dict[tuple[str, int], Seen] = field(default_factory=dict)

    def hear(self, one: Finding | LookBack) -> None:
        """Takes what follows next."""
        if isinstance(one, Finding):
            self.findings.setdefault(one.finding_id, one)
        else:
            self.asked = one if self.asked is None else self.asked.with_all_of(one)

    def episodes(self) -> list[Stood]:
        """Those that were said, and not disproved."""
        return stood_of(self.findings.values(), self.seen.values())


class Rerun:
    """What rules say of a person over records in the order of reception, by ``limits``, from nothing.

    ``rules`` are all that run, ``heard`` those that are listened to. The records are all of the home that matter for
    these: of room-mates, what its shared devices measure.
    """

    def __init__(
        self, *, person_no: int, home_no: int, limits: LimitBook, rules: RuleBook, heard: Iterable[Rule]
    ) -> None:
        self.voices = {rule.name: Voice(rule) for rule in heard}
        self._person_no, self._home_no, self._limits = person_no, home_no, limits
        self._home = HomeState(rules=rules, limits=limits)
        self._rows: list[JudgedUplink] = []
        self._tally = Tally()
        self._looks_at = NEVER

    def take(self, record: JudgedUplink) -> None:
        """The next one that was received."""
        if record.received_at > self._home.due_at or self._looks_at < NEVER:
            self.pass_time(record.received_at)
        self._rows.append(record)
        effects = step(self._home, record, self._tally)
        if effects:
            self._keep(effects)

    def pass_time(self, now: int) -> None:
        """Nothing has come until ``now``, in ms."""
        home = self._home
        while (at := min(home.due_at, self._looks_at)) < now:
            # At the first marker of then; what is late by now was due at the one before this.
            moment = max(-(-at // MARKS_MS) * MARKS_MS, home.newest)
            if moment >= now:
                return
            if self._looks_at <= moment:
                self._look_back(moment - 1)
            if home.due_at <= moment:
                self._keep(pass_time(home, self._home_no, moment))

    def _keep(self, effects: Iterable[Effect]) -> None:
        for one in effects:
            if isinstance(one, Finding):
                person_no = one.person_no
            elif isinstance(one, LookBack):
                person_no = one.subject.person_no
            else:
                continue
            voice = self.voices.get(one.rule)
            if voice is not None and person_no == self._person_no:
                voice.hear(one)
        self._look_ahead()

    def _look_ahead(self) -> None:
        waiting = [one.asked.received_at + 1 for one in self.voices.values() if one.asked is not None]
        self._looks_at = min(waiting, default=NEVER)

    def _look_back(self, received_by: int) -> None:
        for voice in self.voices.values():
            asked = voice.asked
            if asked is None or asked.received_at > received_by:
                continue
            known, seen = list(voice.findings.values()), list(voice.seen.values())
            look = Look(asked, voice.rule, self._limits, received_by, known, seen)
            while not look.take(self._stored(look.since, look.until), self._off(look.since)):
                pass
            voice.asked = look.follow
            for one in look.findings:
                voice.hear(one)
            voice.seen |= {(one.concern, one.episode): one for one in look.seen}
        self._look_ahead()

    def _stored(self, since: int, until: int) -> list[JudgedUplink]:
        """What was observed of the person in that time, as ``source.read_records`` gives it."""
        # Nothing is stamped so long after its reception, and the rows are in the order of that.
        first = bisect_left(self._rows, since - _AHEAD_MS, key=lambda one: one.received_at)
        return [part for one in self._rows[first:] if (part := _part(one, self._person_no, since, until)) is not None]

    def _off(self, before: int) -> list[Off]:
        """The devices that were off the body then, by what they had said, as ``devices_off`` asks for them."""
        said: dict[int, tuple[int, int]] = {}
        worn: dict[int, int] = {}
        for record in self._stored(before - FURTHEST_MS, before):
            device_no = record.device_no
            for event in record.events:
                if event.kind in WEARING and not event.flags & _NOT_SCORED:
                    said[device_no] = max(said.get(device_no, (0, 0)), (event.observed_at, event.kind))
            for one in record.readings:
                if _shows_worn(one):
                    worn[device_no] = max(worn.get(device_no, 0), one.observed_at)
        return [
            Off(device_no, at, kind == CHARGING)
            for device_no, (at, kind) in said.items()
            if not WEARING[kind] and worn.get(device_no, 0) <= at
        ]


def _part(record: JudgedUplink, person_no: int, since: int, until: int) -> JudgedUplink | None:
    readings = tuple(one for one in record.readings if one[1] == person_no and since <= one[4] < until)
    events = tuple(one for one in record.events if one.person_no == person_no and since <= one.observed_at < until)
    return record._replace(readings=readings, events=events) if readings or events else None


def _shows_worn(one: JudgedReading) -> bool:
    if one.flags & _NOT_SCORED:
        return False
    return bool(one.flags & SHOWS_WORN) or (one.vital == STEPS.number and one.value > 0)
