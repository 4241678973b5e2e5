"""Judges the rows of a look back in the order of time: from nothing, or from where an earlier look was. Pure."""

from bisect import bisect_left
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.records import JudgedUplink
from services.score.circumstances import COVERS_MS
from services.score.core import judge, look_at_circumstances
from services.score.followups import Effect, LookBack, Tally
from services.score.home_state import HomeState
from services.score.limit_book import LimitBook
from services.score.look_memory import LookMemory, key_of
from services.score.quiet_stretches import Plain, QuietStretches
from services.score.recent_values import NoDays
from services.score.rule import Rule
from services.score.rule_book import RuleBook

_TURN_ROWS: Final = 128
"""After so many rows others have their turn: about two milliseconds."""
Judged = Generator[None, None, tuple[HomeState, list[Effect]]]


@dataclass(frozen=True, slots=True)
class KnownRows:
    """What a run that looks back many times keeps of its rows: ``plain`` by their ``id``, ``memory`` of the last look.

    The rows that it gives to a look are of one moment each, and in the order of time.
    """

    plain: Mapping[int, Plain]
    memory: LookMemory


def judged(
    asked: LookBack,
    rule: Rule,
    limits: LimitBook,
    since: int,
    listed: Sequence[JudgedUplink],
    off: Iterable[tuple[int, int, bool]],
    known: KnownRows | None,
) -> Judged:
    """The state after these rows, of one moment each and observed from ``since`` on, and what followed from them.

    ``off``: the devices that were off the body then, since when, and whether on a charger. With ``known`` it is the
    same, sooner. Gives the caller its turn now and then.
    """
    off, tally = list(off), Tally()
    memory = None if known is None else known.memory
    mark = None if memory is None else memory.begin(key_of(rule, since, off, asked.worn_since), listed)
    place, ahead, state, before = mark or (0, 0, _begun(asked, rule, limits, off), ())
    effects, judged_rows = list(before), 0
    stops = [] if memory is None else memory.stops(place, _first_late(asked, listed))
    quiet = None if known is None else QuietStretches(state, asked.subject.person_no, rule, listed, known.plain)
    while place < len(listed):
        if memory is not None and stops and place >= stops[-1]:
            memory.keep(place, ahead, state, effects)
            stops.pop()
        if quiet is not None and (done := quiet.take(place, ahead)) is not None:
            place, ahead = done
            continue
        # Under which circumstances a reading was taken may become known after it. Here it is known before.
        until = moment_of(listed[place]) + COVERS_MS
        while ahead < len(listed) and moment_of(listed[ahead]) <= until:
            look_at_circumstances(state, listed[ahead], effects)
            ahead += 1
        judge(state, listed[place], tally, effects)
        place, judged_rows = place + 1, judged_rows + 1
        if judged_rows % _TURN_ROWS == 0:
            yield
    return state, effects


def moment_of(record: JudgedUplink) -> int:
    """When all of it was measured, in ms, of one that ``in_order_of_time`` gave."""
    return (record.readings or record.events)[0].observed_at


def _begun(asked: LookBack, rule: Rule, limits: LimitBook, off: Iterable[tuple[int, int, bool]]) -> HomeState:
    state = HomeState(rules=RuleBook((rule,)), limits=limits)
    person = state.subject(asked.subject.person_no)
    person.recent, window = NoDays(person.person_no), person.window
    for device_no, at in asked.worn_since.items():
        window.worn_by(device_no).shown_at = at
    for device_no, at, is_charging in off:
        window.take_off(device_no, at, is_charging=is_charging)
    return state


def _first_late(asked: LookBack, listed: Sequence[JudgedUplink]) -> int:
    """The place of the last row of before the time that is asked about, whatever circumstances say of each other."""
    return bisect_left(listed, asked.first_at - COVERS_MS, key=moment_of) - 1
