"""Illness that measurements show, and what happens to the devices that measure it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from device_sim.casting import Casting
from device_sim.incident import Excursion, Incident, IncidentKind, OffBody, Use
from device_sim.physiology import HOUR_MS, MINUTE_MS, PROCESS_OF, Body, Span
from schemas.limits import Condition
from schemas.messages import DeviceEvent

_LOW_MG_DL: Final = 70
"""Level 1 of low glucose is below this (docs/clinical.md#low-glucose)."""
_WEIGHED_EVERY_MS: Final = 23 * HOUR_MS
_WEIGHED: Final = 4
_KG_A_TIME: Final = 1.2
"""3.6 kg in the end: more than 3 within three days."""


def passes(body: Body, dip: Excursion, limit: float = _LOW_MG_DL) -> int:
    """The first whole minute of a dip at which the value lies below ``limit``, in ms."""
    usual = PROCESS_OF[dip.vital].value
    moments = range(dip.from_ms, dip.back_ms, MINUTE_MS)
    return next((at for at in moments if dip.bend(usual(body, at), at) < limit), dip.back_ms)


def hypoglycaemia(plan: Casting, block: int) -> Iterator[Incident]:
    """45 mg/dL for an hour, on a continuous monitor."""
    kind = IncidentKind.HYPOGLYCAEMIA
    at = plan.moment(block, kind, 2, 5)
    busy = Span(at - 5 * MINUTE_MS, at + 140 * MINUTE_MS)
    for device in plan.candidates(block, kind, "glucose_low", busy, "cgm"):
        dip = Excursion(vital="glucose", target=45, rate=5, from_ms=at, back_ms=at + 80 * MINUTE_MS)
        low_at = passes(plan.world.bodies[device.people[0]], dip)
        yield replace(plan.make(block, kind, device, at, busy), due_at_ms=plan.due_ms(kind, low_at), excursion=dip)


def gap_in_episode(plan: Casting, block: int) -> Iterator[Incident]:
    """62 mg/dL, alerted; then the monitor is off for 40 min, and when it is back the low still goes on for a while."""
    kind = IncidentKind.GAP_IN_EPISODE
    at = plan.moment(block, kind, 2, 5)
    busy = Span(at - 5 * MINUTE_MS, at + 140 * MINUTE_MS)
    for device in plan.candidates(block, kind, "glucose_low", busy, "cgm"):
        dip = Excursion(vital="glucose", target=62, rate=8, from_ms=at, back_ms=at + HOUR_MS)
        low_at = passes(plan.world.bodies[device.people[0]], dip)
        yield replace(
            plan.make(block, kind, device, at, busy),
            due_at_ms=plan.due_ms(kind, low_at),
            excursion=replace(dip, back_ms=low_at + 80 * MINUTE_MS),
            off=Span(low_at + 26 * MINUTE_MS, low_at + 66 * MINUTE_MS),
        )


def backlog(plan: Casting, block: int) -> Iterator[Incident]:
    """48 mg/dL while the monitor can't send; 35 min later everything comes at once, and is news still."""
    kind = IncidentKind.BACKLOG
    at = plan.moment(block, kind, 2, 5)
    busy = Span(at - 5 * MINUTE_MS, at + 100 * MINUTE_MS)
    away = Span(at + 2 * MINUTE_MS, at + 37 * MINUTE_MS)
    for device in plan.candidates(block, kind, "glucose_low", busy, "cgm"):
        yield replace(
            plan.make(block, kind, device, at, busy),
            due_at_ms=plan.due_ms(kind, away.last_ms),
            excursion=Excursion(vital="glucose", target=48, rate=8, from_ms=at, back_ms=at + 35 * MINUTE_MS),
            away=away,
        )


def low_by_meter(plan: Casting, block: int) -> Iterator[Incident]:
    """60 mg/dL, seen by one finger-prick; a quarter of an hour after some sugar a second one is good again."""
    kind = IncidentKind.LOW_BY_METER
    at = plan.moment(block, kind, 16, 24)
    busy = Span(at - 25 * MINUTE_MS, at + 90 * MINUTE_MS)
    for device in plan.candidates(block, kind, "glucose_low", busy, "glucose_meter"):
        dip = Excursion(vital="glucose", target=60, rate=8, from_ms=at - 16 * MINUTE_MS, back_ms=at + MINUTE_MS)
        yield replace(
            plan.make(block, kind, device, at, busy),
            # Somebody's monitor may see it coming.
            starts_at_ms=dip.from_ms,
            excursion=dip,
            uses=(Use(at_ms=at), Use(at_ms=at + 16 * MINUTE_MS)),
        )


def fever(plan: Casting, block: int) -> Iterator[Incident]:
    """38.6 Cel, once and half an hour later; the next ones are usual again."""
    kind = IncidentKind.FEVER
    at = plan.moment(block, kind, 3, 20)
    busy = Span(at - 30 * MINUTE_MS, at + 2 * HOUR_MS)
    for device in plan.candidates(block, kind, "temperature", busy, "thermometer"):
        hot = Excursion(vital="body_temperature", target=38.6, rate=1, from_ms=at - 5 * MINUTE_MS, back_ms=busy.last_ms)
        made = plan.make(block, kind, device, at, busy)
        yield replace(made, excursion=hot, uses=(Use(at_ms=at), Use(at_ms=at + 30 * MINUTE_MS)))


def pressure_crisis(plan: Casting, block: int) -> Iterator[Incident]:
    """192/112 mmHg, and 188/110 five minutes later, as somebody does who is asked to measure again."""
    kind = IncidentKind.PRESSURE_CRISIS
    at = plan.moment(block, kind, 3, 25)
    busy = Span(at - 30 * MINUTE_MS, at + 2 * HOUR_MS)
    for device in plan.candidates(block, kind, "blood_pressure", busy, "pressure_cuff"):
        uses = (
            Use(at_ms=at, values={"systolic": 192, "diastolic": 112}),
            Use(at_ms=at + 5 * MINUTE_MS, values={"systolic": 188, "diastolic": 110}),
        )
        yield replace(plan.make(block, kind, device, at, busy), uses=uses)


def weight_gain(plan: Casting, block: int) -> Iterator[Incident]:
    """Heart failure, and 3.6 kg more within three days: begun once in three days, and seen by runs that are so long."""
    kind = IncidentKind.WEIGHT_GAIN
    if block % (3 * 24) or plan.turn:
        return
    at = plan.moment(block, kind, 10, 40)
    busy = Span(at - 30 * MINUTE_MS, at + 3 * _WEIGHED_EVERY_MS + 6 * HOUR_MS)
    for device in plan.candidates(block, kind, "weight", busy, "scale"):
        person = device.people[0]
        if Condition.HEART_FAILURE not in plan.world.conditions_of.get(person, ()):
            continue
        weight = plan.world.bodies[person].weight
        uses = tuple(
            Use(at_ms=at + time * _WEIGHED_EVERY_MS, values={"weight": round(weight + time * _KG_A_TIME, 1)})
            for time in range(_WEIGHED)
        )
        yield replace(plan.make(block, kind, device, at, busy), uses=uses)


def hypoxia(plan: Casting, block: int) -> Iterator[Incident]:
    """SpO2 85 %: crosses 88 within 2 min, holds it for 14 min, at rest."""
    return _at_rest(plan, block, IncidentKind.HYPOXIA, vital="spo2", target=85, rate=7, first_min=14)


def tachycardia(plan: Casting, block: int) -> Iterator[Incident]:
    """136 beats: crosses 131 within 4 min, holds it for 14 min, no steps for 13 min before."""
    kind = IncidentKind.TACHYCARDIA_AT_REST
    return _at_rest(plan, block, kind, vital="heart_rate", target=136, rate=20, first_min=14)


def slow_pulse(plan: Casting, block: int) -> Iterator[Incident]:
    """33 beats: crosses 35 within 4 min, holds it for 14 min, at rest."""
    return _at_rest(plan, block, IncidentKind.SLOW_PULSE, vital="heart_rate", target=32, rate=15, first_min=14)


def hyperglycaemia(plan: Casting, block: int) -> Iterator[Incident]:
    """335 mg/dL for three hours, on a continuous monitor."""
    kind = IncidentKind.HYPERGLYCAEMIA
    at = plan.moment(block, kind, 2, 5)
    busy = Span(at - 5 * MINUTE_MS, at + 5 * HOUR_MS)
    for device in plan.candidates(block, kind, "glucose_high", busy, "cgm"):
        rise = Excursion(vital="glucose", target=335, rate=6, from_ms=at, back_ms=at + 200 * MINUTE_MS)
        yield replace(plan.make(block, kind, device, at, busy), excursion=rise)


def fast_breathing(plan: Casting, block: int) -> Iterator[Incident]:
    """27 breaths a minute for 38 min, at rest."""
    kind = IncidentKind.FAST_BREATHING
    return _at_rest(plan, block, kind, vital="respiratory_rate", target=27, rate=8, first_min=5, lasts_min=40)


def _at_rest(
    plan: Casting,
    block: int,
    kind: IncidentKind,
    *,
    vital: str,
    target: float,
    rate: float,
    first_min: int,
    lasts_min: int = 20,
) -> Iterator[Incident]:
    at = plan.moment(block, kind, first_min, first_min + 6)
    back = at + lasts_min * MINUTE_MS
    busy = Span(at - 14 * MINUTE_MS, back + 10 * MINUTE_MS)
    rule = vital
    for device in plan.candidates(block, kind, rule, busy, "wearable_band"):
        yield replace(
            plan.make(block, kind, device, at, busy),
            excursion=Excursion(vital=vital, target=target, rate=rate, from_ms=at, back_ms=back),
            still=Span(at - 13 * MINUTE_MS, back + 5 * MINUTE_MS),
        )


def moving_and_ill(plan: Casting, block: int) -> Iterator[Incident]:
    """Somebody walks on, and their pulse is 176 for eight minutes."""
    kind = IncidentKind.MOVING_AND_ILL
    at = plan.moment(block, kind, 6, 25)
    back = at + 13 * MINUTE_MS
    busy = Span(at - 10 * MINUTE_MS, back + 20 * MINUTE_MS)
    for device in plan.candidates(block, kind, "heart_rate", busy, "wearable_band"):
        yield replace(
            plan.make(block, kind, device, at, busy),
            excursion=Excursion(vital="heart_rate", target=176, rate=25, from_ms=at, back_ms=back),
            still=Span(at - 9 * MINUTE_MS, back + 12 * MINUTE_MS),
            walk=Span(at - 2 * MINUTE_MS, back + 2 * MINUTE_MS),
        )


def worn_off(plan: Casting, block: int) -> Iterator[Incident]:
    """The band lies on the table for four hours, and says so: nobody is ill, and nobody is watched."""
    kind = IncidentKind.WORN_OFF
    at = plan.moment(block, kind, 5, 30)
    off = Span(at, at + 4 * HOUR_MS)
    busy = Span(at - 10 * MINUTE_MS, off.last_ms + 10 * MINUTE_MS)
    for device in plan.candidates(block, kind, "watch_gap", busy, "wearable_band"):
        events = DeviceEvent(event="not_worn", at=off.first_ms), DeviceEvent(event="worn", at=off.last_ms)
        yield replace(plan.make(block, kind, device, at, busy), events=events, off_body=OffBody(span=off))
