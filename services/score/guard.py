"""Readings that are another unit's or a room-mate's: held back from the rules, asked about, and shown as such. Pure."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final

from schemas.asks import AskKind
from schemas.events import Whose
from schemas.limits import CONCERNS, Limits
from schemas.reasons import NOT_SCORED, Flag
from schemas.records import JudgedEvent, JudgedReading, JudgedUplink
from schemas.vitals import BODY_TEMPERATURE, HEART_RATE, RESPIRATORY_RATE, SPO2, SYSTOLIC
from services.score import news2_points
from services.score.asks import LATE_MS, Ask
from services.score.followups import DoubtedMeasurement
from services.score.home_state import HomeState
from services.score.limit_book import LimitBook
from services.score.models.own_band import DAY_MS, GUARDED, Bands, judge
from services.score.models.urgent_values import can_call_for_help
from services.score.person import PersonState
from services.score.rule import Subject
from services.score.sample import SPOT_TYPES, Sample

_NOT_JUDGED: Final = int(NOT_SCORED | Flag.CUFFLESS | Flag.CLIPPED)
"""A meter's LO or HI is a bound, and no number that a unit could explain."""
_GUARDED: Final = frozenset(GUARDED)
_SPO2: Final = (news2_points.SPO2_SCALE_1, news2_points.SPO2_SCALE_2_AIR, news2_points.SPO2_SCALE_2_OXYGEN)
_OTHER_INPUTS: Final = {
    HEART_RATE.number: (news2_points.PULSE,),
    SPO2.number: _SPO2,
    RESPIRATORY_RATE.number: (news2_points.RESPIRATORY_RATE,),
    BODY_TEMPERATURE.number: (news2_points.TEMPERATURE,),
}
"""Of NEWS2, but for the pressure, and by whichever table gives most points."""
_HIGH_BY_OTHERS: Final = 5
"""With two points for oxygen that makes 7, a HIGH of NEWS2, which a pressure without points may complete."""


def hold_back(state: HomeState, record: JudgedUplink) -> tuple[JudgedUplink, Sequence[DoubtedMeasurement | Ask]]:
    """The record without what is held, and what follows of what is doubted; changes what is known of people's bands.

    Only of devices that somebody uses: what is worn measures who wears it.
    """
    if record.device_type not in SPOT_TYPES or not any(one.vital in _GUARDED for one in record.readings):
        return record, ()
    held: set[int] = set()
    found: list[DoubtedMeasurement | Ask] = []
    for (person_no, at), together in groupby(sorted(record.readings, key=_MEASUREMENT), key=_MEASUREMENT):
        readings = [one for one in together if not one.flags & _NOT_JUDGED]
        # Of somebody of another home, say, nothing is known here, and nothing begins.
        if not any(one.vital in _GUARDED for one in readings):
            continue
        # Two values of one moment: whichever is doubted, the other may call for help.
        if len({one.vital for one in readings}) < len(readings):
            continue
        doubted = _look_at(state, state.subject(person_no), record, readings, at)
        if doubted is None:
            continue
        found.append(doubted)
        if record.received_at - at <= LATE_MS:
            state.subject(person_no).bands.ask({s.vital: s.value for s in doubted.samples if s.vital in _GUARDED}, at)
            found.append(
                Ask(
                    subject=doubted.subject, kind=AskKind.WHO_WAS_MEASURED, sample=doubted.samples[0], due_at=at,
                    received_at=record.received_at,
                )
            )  # fmt: skip
        held.update(one.item for one in readings if doubted.is_held)
    if held:
        record = record._replace(readings=tuple(one for one in record.readings if one.item not in held))
    return record, found


def hear_whose(state: HomeState, event: JudgedEvent) -> None:
    """What somebody answers to "Is this yours?": a yes teaches their band, an unclear word nothing."""
    said, person = (event.details or {}).get("mine"), state.subjects.get(event.person_no)
    if person is not None and said in {Whose.YES, Whose.NO}:
        person.bands.hear(event.observed_at, is_mine=said == Whose.YES)


_MEASUREMENT: Final = attrgetter("person_no", "observed_at")


def _look_at(
    state: HomeState, person: PersonState, record: JudgedUplink, readings: Iterable[JudgedReading], at: int
) -> DoubtedMeasurement | None:
    values = {one.vital: one.value for one in readings}
    measured = {vital: value for vital, value in values.items() if vital in _GUARDED}
    own = person.bands.bands(measured, at)
    doubt = None
    # Sent again under another number, it was scored then: it can't be held now.
    if own and not person.bands.has(measured, at) and not person.bands.is_confirmed(measured, at):
        doubt = judge(measured, own, _room_mates(state, person.person_no, record, measured, at))
    if doubt is None:
        person.bands.take(measured, at)
        return None
    limits = limits_of(state.limits, person.person_no, values, record.received_at)
    is_worn_out = person.bands.is_worn_out(measured, at)
    is_held = not (
        is_worn_out
        or can_call_for_help(values, limits)
        or (SYSTOLIC.number in values and _others_points(person, at) >= _HIGH_BY_OTHERS)
    )
    if is_held:
        person.bands.hold(measured, doubt, at)
    elif is_worn_out:
        # Believed from now on, or each third one of them would be asked about for ever.
        person.bands.confirm(measured, at)
    else:
        person.bands.take(measured, at)
    samples = tuple(
        Sample(
            at, one.value, record.device_no, record.epoch, record.seq, one.item, one.vital, one.flags,
            record.received_at, record.device_type,
        )
        for one in readings
    )  # fmt: skip
    return DoubtedMeasurement(
        subject=Subject(person.person_no, record.home_no), samples=samples, doubt=doubt, is_held=is_held
    )


def _room_mates(
    state: HomeState, person_no: int, record: JudgedUplink, measured: Iterable[int], at: int
) -> dict[int, Bands]:
    """The bands of whoever else lived there at ``at``, in ms, by person number: who moved out explains nothing.

    A stamp may lie ahead of its reception, and what begins in between need not be known yet.
    """
    lives_in, then = state.limits.residences.lives_in, min(at, record.received_at)
    return {
        number: one.bands.bands(measured, at)
        for number, one in state.subjects.items()
        if number not in {0, person_no} and lives_in(number, record.home_no, then)
    }


def limits_of(book: LimitBook, person_no: int, vitals: Iterable[int], at: int) -> list[Limits]:
    """The limits in force for a person, at ``at``, of all concerns of rules that have limits of these vitals."""
    rules = {one.rule for one in CONCERNS if one.vital.number in set(vitals)}
    found = []
    for one in CONCERNS:
        if one.rule in rules:
            try:
                found.append(book.in_force(one.name, person_no, at))
            except LookupError:
                continue
    return found


def _others_points(person: PersonState, at: int) -> int:
    """The most points in NEWS2 that what else was measured lately, or last in the day before ``at``, gives."""
    total, quarters = 0, person.quarters
    if quarters is None:
        return 0
    for vital, tables in _OTHER_INPUTS.items():
        recent = quarters.values_since(vital, at - DAY_MS)
        total += max((table.points(value) for value in recent for table in tables), default=0)
    return total
