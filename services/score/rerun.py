"""One rule about one person over stored records again: the step, the time, and looks back, as they work live. Pure."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter
from typing import Final, NamedTuple
from uuid import UUID

from schemas.alerts import Finding
from schemas.devices import DEVICE_TYPES
from schemas.reasons import NOT_SCORED
from schemas.records import JudgedReading, JudgedUplink
from schemas.vitals import STEPS, VITAL_BY_CODE
from services.score.core import CHARGING, WEARING, pass_time, step
from services.score.followups import DoubtedMeasurement, Effect, LookBack, Tally
from services.score.home_state import HomeState
from services.score.limit_book import ALWAYS, LimitBook
from services.score.look_back import FURTHEST_MS, Look, Off, in_order_of_time
from services.score.look_memory import LookMemory
from services.score.look_rows import KnownRows, moment_of
from services.score.quiet_records import QuietRecords
from services.score.quiet_stretches import Plain, plain_of
from services.score.re_ruled import use_rules
from services.score.recent_values import NoDays
from services.score.rule import NEVER, Rule
from services.score.rule_book import RuleBook
from services.score.rule_timeline import RuleTimeline
from services.score.sample import INPUTS, SHOWS_WORN, SPOT_TYPES
from services.score.stood import Seen, Stood, stood_of

_NOT_SCORED: Final = int(NOT_SCORED)
_READINGS: Final = JudgedUplink._fields.index("readings")
_ORDER: Final = itemgetter(0, 1, 2, 3)
_CIRCUMSTANCES: Final = int(NOT_SCORED) | SHOWS_WORN
_MEASURES: Final = {one.number: frozenset(VITAL_BY_CODE[code].number for code in one.vitals) for one in DEVICE_TYPES}
MARKS_MS: Final = 1_000
"""The log has a marker of its time so often: what is due without a record happens at the next one."""


class Reads(NamedTuple):
    """What some rules read: vitals, by number; ``gated``: whether it matters to one if the person was at rest."""

    read: frozenset[int]
    gated: bool


def reads_of(rules: Iterable[Rule]) -> Reads:
    """What these read, whichever of them runs when."""
    folds = {INPUTS[code]: rule.fold for rule in rules if rule.fold is not None for code in rule.inputs}
    return Reads(frozenset(folds), any(one.needs_rest for one in folds.values()))


def needed(record: JudgedUplink, rules: RuleBook | Reads) -> JudgedUplink:
    """``record`` without readings that change nothing for ``rules``: what is measured beside what they read.

    Of each moment one stays that says as much of the circumstances. What somebody uses on purpose stays whole, since
    whose it is rests on all of it.
    """
    if record.device_type in SPOT_TYPES:
        return record
    read = rules.read
    if record.device_type in unread_types(rules):
        return record._replace(readings=())
    kept = [one for one in record.readings if one[2] in read or one[2] == STEPS.number]
    if len(kept) == len(record.readings):
        return record
    known = {(one[1], one[4], one[5] & _CIRCUMSTANCES) for one in kept if one[2] != STEPS.number}
    if len(known) != 1 or any((one[1], one[4], one[5] & _CIRCUMSTANCES) not in known for one in record.readings):
        for one in record.readings:
            says = one[1], one[4], one[5] & _CIRCUMSTANCES
            # That its device is worn, or that somebody moves.
            if says not in known and one[2] != STEPS.number and one[5] & SHOWS_WORN and not one[5] & _NOT_SCORED:
                known.add(says)
                kept.append(one)
        kept.sort()
    return _with_readings(record, kept)


def _with_readings(record: JudgedUplink, readings: Iterable[JudgedReading]) -> JudgedUplink:
    """As ``_replace``, which costs several times as much: every record of a past comes by here."""
    return JudgedUplink._make((*record[:_READINGS], tuple(readings), *record[_READINGS + 1 :]))


def unread_types(rules: RuleBook | Reads) -> frozenset[int]:
    """The kinds of devices, by number, whose readings change nothing for ``rules``.

    They measure nothing that these read; whether they are worn, and somebody moves, is nothing to what others measure,
    unless that counts at rest only.
    """
    return frozenset() if rules.gated else _unread_types(rules.read)


@cache
def _unread_types(read: frozenset[int]) -> frozenset[int]:
    worn = {number: measured for number, measured in _MEASURES.items() if number not in SPOT_TYPES}
    return frozenset(number for number, measured in worn.items() if not read & measured)


@dataclass(slots=True)
class Voice:
    """What one rule has said of the person: ``findings`` by id, in their order; ``asked``: the look back that waits."""

    findings: dict[UUID, Finding] = field(default_factory=dict)
    asked: LookBack | None = None
    seen: dict[tuple[str, int], Seen] = field(default_factory=dict)
    memory: LookMemory = field(default_factory=LookMemory)

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

    ``rules`` are all that run, each version when it was in force; ``heard`` names those that are listened to. The
    records are all of the home that matter for these: of room-mates, what its shared devices measure. ``doubted`` are
    the measurements that were doubted since somebody has taken them from there, whoever's they are.
    """

    def __init__(
        self, *, person_no: int, home_no: int, limits: LimitBook, rules: RuleTimeline, heard: Iterable[str]
    ) -> None:
        self.voices, self.doubted = {name: Voice() for name in heard}, list[DoubtedMeasurement]()
        self._person_no, self._home_no, self._limits = person_no, home_no, limits
        self._rules, self._rules_until = rules, rules.until(ALWAYS)
        self._home = HomeState(rules=rules.at(ALWAYS), limits=limits)
        self._home.subject(person_no).recent = NoDays(person_no)
        self._quiet, self._remembered = QuietRecords(self._home, person_no), 0
        self._rows: list[JudgedUplink] = []
        self._moments: list[tuple[int, int, int, int, JudgedUplink]] = []
        every = [rule for book in rules.books for rule in book.folded]
        self._heard = reads_of(rule for rule in every if rule.name in self.voices)
        self._plain = dict[int, Plain]()
        self._is_all_heard = self._heard == reads_of(every)
        self._wearing = _Wearing(person_no)
        self._tally = Tally()
        self._looks_at = NEVER

    def take(self, record: JudgedUplink) -> None:
        """The next one that was received, of which ``needed`` has left what its rules read."""
        if self.waits(record.received_at):
            self.pass_time(record.received_at)
        if record.received_at >= self._rules_until:
            self._turn(record.received_at)
        self._rows.append(record)
        if self._quiet.step(record):
            return
        effects = step(self._home, record, self._tally)
        if effects:
            self._keep(effects)

    def pass_time(self, now: int) -> None:
        """Nothing has come until ``now``, in ms."""
        for _ in self.passing(now):
            pass

    def waits(self, now: int) -> bool:
        """Whether something is due before ``now``, in ms, perhaps."""
        return now > self._home.due_at or self._looks_at < NEVER

    def passing(self, now: int) -> Iterator[None]:
        """As ``pass_time``; gives the caller its turn now and then."""
        home = self._home
        while (at := min(home.due_at, self._looks_at)) < now:
            # At the first marker of then; what is late by now was due at the one before this.
            moment = max(-(-at // MARKS_MS) * MARKS_MS, home.newest)
            if moment >= now:
                return
            if self._looks_at <= moment:
                yield from self._looking_back(moment - 1)
            if moment >= self._rules_until:
                self._turn(moment)
            if home.due_at <= moment:
                self._keep(pass_time(home, self._home_no, moment))

    def _turn(self, now: int) -> None:
        """The rules that hold for what comes at ``now``, in ms."""
        use_rules(self._home, self._rules.at(now))
        self._rules_until = self._rules.until(now)

    def _keep(self, effects: Iterable[Effect]) -> None:
        for one in effects:
            if isinstance(one, Finding):
                person_no = one.person_no
            elif isinstance(one, LookBack):
                person_no = one.subject.person_no
            else:
                self.doubted += [one] if isinstance(one, DoubtedMeasurement) else []
                continue
            voice = self.voices.get(one.rule)
            if voice is not None and person_no == self._person_no:
                voice.hear(one)
        self._look_ahead()

    def _look_ahead(self) -> None:
        waiting = [one.asked.received_at + 1 for one in self.voices.values() if one.asked is not None]
        self._looks_at = min(waiting, default=NEVER)

    def _looking_back(self, received_by: int) -> Iterator[None]:
        speaking = {rule.name: rule for rule in self._rules.at(received_by).folded}
        for name, voice in self.voices.items():
            asked = voice.asked
            if asked is None or asked.received_at > received_by:
                continue
            if name not in speaking:
                voice.asked = None
                continue
            known, seen = list(voice.findings.values()), list(voice.seen.values())
            rows = KnownRows(self._plain, voice.memory)
            look = Look(asked, speaking[name], self._limits, received_by, known, seen, known_rows=rows)
            while not (yield from look.taking(self._stored(look.since, look.until), self._off(look.since))):
                pass
            voice.asked = look.follow
            for one in look.findings:
                voice.hear(one)
            voice.seen |= {(one.concern, one.episode): one for one in look.seen}
        self._look_ahead()

    def _stored(self, since: int, until: int) -> list[JudgedUplink]:
        """What was observed of the person in that time, in the order of that, cut up as a look back does it."""
        moments = self._moments
        if self._remembered < len(self._rows):
            known = len(moments)
            for record in self._rows[self._remembered :]:
                self._remember(record)
            self._remembered = len(self._rows)
            # All that is new at once, behind what lies before the oldest of it.
            new = moments[known:]
            if new:
                place = bisect_left(moments, min(new, key=_ORDER)[:1], 0, known)
                moments[place:] = sorted(moments[place:], key=_ORDER)
        first, last = bisect_left(moments, (since,)), bisect_left(moments, (until,))
        return [one[-1] for one in moments[first:last]]

    def _remember(self, record: JudgedUplink) -> None:
        mine = of_person(record if self._is_all_heard else needed(record, self._heard), self._person_no)
        if mine is None:
            return
        plain = plain_of(mine, self._person_no, self._heard.read)
        for part in in_order_of_time([mine]) if plain is None else (mine,):
            self._moments.append((moment_of(part), part[0], part[4], part[5], part))
            known = plain or plain_of(part, self._person_no, self._heard.read)
            if known is not None:
                self._plain[id(part)] = known

    def _off(self, before: int) -> list[Off]:
        """The devices that were off the body then, by what they had said, as ``devices_off`` asks for them."""
        self._wearing.read(self._rows)
        return self._wearing.off(before)


class _Wearing:
    """What devices have said of being worn, and when they showed it, by all rows that were read."""

    def __init__(self, person_no: int) -> None:
        self._person_no, self._read = person_no, 0
        self._said: dict[int, list[tuple[int, int]]] = {}
        self._worn: dict[int, list[int]] = {}

    def read(self, rows: Sequence[JudgedUplink]) -> None:
        """Those of ``rows`` that are new."""
        for number in range(self._read, len(rows)):
            record = rows[number]
            for event in record.events:
                if event.kind in WEARING and event.person_no == self._person_no and not event.flags & _NOT_SCORED:
                    insort(self._said.setdefault(record.device_no, []), (event.observed_at, event.kind))
            shown = {one[4] for one in record.readings if _shows_worn(one) and one[1] == self._person_no}
            for at in shown:
                insort(self._worn.setdefault(record.device_no, []), at)
        self._read = len(rows)

    def off(self, before: int) -> list[Off]:
        """The devices that had said so last, and showed nothing else since."""
        found = []
        for device_no, said in self._said.items():
            place = bisect_left(said, (before,)) - 1
            if place < 0 or said[place][0] < before - FURTHEST_MS:
                continue
            at, kind = said[place]
            worn = self._worn.get(device_no, [])
            last = bisect_left(worn, before) - 1
            if not WEARING[kind] and (last < 0 or worn[last] <= at):
                found.append(Off(device_no, at, kind == CHARGING))
        return found


def of_person(record: JudgedUplink, person_no: int) -> JudgedUplink | None:
    """What a record has of a person; None for nothing."""
    if not record.events and {one[1] for one in record.readings} == {person_no}:
        return record
    readings = tuple([one for one in record.readings if one[1] == person_no])
    events = tuple([one for one in record.events if one.person_no == person_no])
    if len(readings) == len(record.readings) and len(events) == len(record.events):
        return record if readings or events else None
    return record._replace(readings=readings, events=events) if readings or events else None


def _shows_worn(one: JudgedReading) -> bool:
    if one.flags & _NOT_SCORED:
        return False
    return bool(one.flags & SHOWS_WORN) or (one.vital == STEPS.number and one.value > 0)
