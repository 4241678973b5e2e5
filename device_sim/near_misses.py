"""What is nearly an incident: just inside of a limit, too short, answered, explained. It must alert nobody."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from device_sim.casting import Casting
from device_sim.doses import has_doses, late_dose, moved_dose, two_in_a_cup
from device_sim.emergencies import fall_event
from device_sim.illness import passes
from device_sim.incident import Excursion, Incident, NearMissKind, OffBody, Spoilt, Use
from device_sim.physiology import MINUTE_MS, Span
from device_sim.reports import moments
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.limits import Condition
from schemas.messages import DeviceEvent

Maker = Callable[[Casting, int], Iterator[Incident]]
_UP_AFTER_MS: Final = 5_000
"""Who stumbles is on their feet again so soon."""
_REPORT_AFTER_MS: Final = 45_000
"""So long after the stumble the band reports the steps: within the minute in which it asks."""
_ALONE_MIN: Final = 16
"""So long before, nobody uses the device out of habit: that would be the same sitting at a cuff."""
_ABSURD_PULSE: Final = 190.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    """A band's vital at ``target`` for ``lasts_min`` minutes, reached by ``rate`` a minute."""

    kind: NearMissKind
    vital: str
    target: float
    rate: float
    lasts_min: int


def _at_rest(level: _Level) -> Maker:
    """Somebody sits still meanwhile."""

    def make(plan: Casting, block: int) -> Iterator[Incident]:
        at = plan.near_moment(block, level.kind, 3, level.lasts_min + 4)
        back = at + level.lasts_min * MINUTE_MS
        still = Span(at - 3 * MINUTE_MS, back + 4 * MINUTE_MS)
        for device in plan.near_candidates(block, level.kind, still, "wearable_band"):
            yield replace(
                plan.nearly(block, level.kind, device, at, still),
                excursion=Excursion(vital=level.vital, target=level.target, rate=level.rate, from_ms=at, back_ms=back),
                still=still,
            )

    return make


def _pulse_160_walking(plan: Casting, block: int) -> Iterator[Incident]:
    """A brisk walk: 160 for five minutes."""
    kind = NearMissKind.PULSE_160_WALKING
    at = plan.near_moment(block, kind, 8, 14)
    back = at + 8 * MINUTE_MS
    busy = Span(at - 8 * MINUTE_MS, back + 6 * MINUTE_MS)
    for device in plan.near_candidates(block, kind, busy, "wearable_band"):
        yield replace(
            plan.nearly(block, kind, device, at, busy),
            excursion=Excursion(vital="heart_rate", target=160, rate=22, from_ms=at, back_ms=back),
            still=busy,
            walk=Span(at - 2 * MINUTE_MS, back + MINUTE_MS),
        )


def _poor_spo2(plan: Casting, block: int) -> Iterator[Incident]:
    """One reading of 70 %, which the band itself calls poor."""
    kind = NearMissKind.POOR_SPO2
    at = plan.near_moment(block, kind, 2, 3)
    busy = Span(at - 2 * MINUTE_MS, at + 3 * MINUTE_MS)
    for device in plan.near_candidates(block, kind, busy, "wearable_band"):
        spoilt = Spoilt(vital="spo2", span=Span(at, at + MINUTE_MS), value=70)
        yield replace(plan.nearly(block, kind, device, at, busy), spoilt=spoilt)


def _absurd_while_off(plan: Casting, block: int) -> Iterator[Incident]:
    """A band on the table says that it is not worn, and measures a pulse of 190."""
    kind = NearMissKind.ABSURD_WHILE_OFF
    at = plan.near_moment(block, kind, 2, 22)
    off = Span(at, at + 18 * MINUTE_MS)
    busy = Span(at - 2 * MINUTE_MS, off.last_ms + 4 * MINUTE_MS)
    for device in plan.near_candidates(block, kind, busy, "wearable_band"):
        yield replace(
            plan.nearly(block, kind, device, at, busy),
            events=(DeviceEvent(event="not_worn", at=off.first_ms), DeviceEvent(event="worn", at=off.last_ms)),
            off_body=OffBody(span=off, pulse=_ABSURD_PULSE),
        )


def _stumble_answered(plan: Casting, block: int) -> Iterator[Incident]:
    """A suspected fall, and after 15 s the answer that all is well."""
    kind = NearMissKind.STUMBLE_ANSWERED
    at = plan.near_moment(block, kind, 2, 5)
    busy = Span(at - 2 * MINUTE_MS, at + 5 * MINUTE_MS)
    for device in plan.near_candidates(block, kind, busy, "wearable_band", "fall_robot"):
        answer = DeviceEvent(event="fall_answered", at=at + 15_000, details={"answer": "ok"})
        made = plan.nearly(block, kind, device, at, busy)
        yield replace(made, events=(fall_event(device, at, peak_g=2.4, still_s=2), answer))


def _stumble_up(plan: Casting, block: int) -> Iterator[Incident]:
    """A suspected fall, no answer, and somebody who walks on at once."""
    kind = NearMissKind.STUMBLE_UP
    wanted = plan.near_moment(block, kind, 6, 6)
    around = Span(wanted - 6 * MINUTE_MS, wanted + 6 * MINUTE_MS)
    for device in plan.near_candidates(block, kind, around, "wearable_band"):
        at = next(iter(moments(plan, device, wanted, wanted + 2 * MINUTE_MS))) - _REPORT_AFTER_MS
        # Who is asleep lies down again, and without posture nothing shows that they are up.
        body = plan.world.bodies[device.people[0]]
        if body.asleep(at) or body.asleep(at + 30 * MINUTE_MS):
            continue
        if not plan.says_activity(device.device, at) or not plan.says_activity(device.device, at + MINUTE_MS):
            continue
        yield replace(
            plan.nearly(block, kind, device, at, around),
            events=(fall_event(device, at, peak_g=2.2, still_s=1),),
            still=around,
            walk=Span(at + _UP_AFTER_MS, at + 3 * MINUTE_MS),
        )


def _used(
    kind: NearMissKind, type_code: str, *uses: tuple[int, Mapping[str, float]], poor: int = -1, guest: float = 0
) -> Maker:
    """A device that is used at will, so many minutes after the first time each; the ``poor``-th use is poor.

    Of a scale, a ``guest`` who is so many kg heavier than whose it is.
    """

    def make(plan: Casting, block: int) -> Iterator[Incident]:
        last_min = uses[-1][0]
        at = plan.near_moment(block, kind, _ALONE_MIN, last_min + 1)
        busy = Span(at - _ALONE_MIN * MINUTE_MS, at + (last_min + 1) * MINUTE_MS)
        for device in plan.near_candidates(block, kind, busy, type_code):
            weight = {"weight": plan.world.bodies[device.people[0]].weight + guest} if guest else {}
            if guest and Condition.HEART_FAILURE not in plan.world.conditions_of.get(device.people[0], ()):
                continue
            made = plan.nearly(block, kind, device, at, busy)
            yield replace(
                made,
                uses=tuple(
                    Use(at_ms=at + minute * MINUTE_MS, values={**values, **weight}, poor=place == poor)
                    for place, (minute, values) in enumerate(uses)
                ),
            )

    return make


def _cgm_70(plan: Casting, block: int) -> Iterator[Incident]:
    """70 mg/dL, and not below."""
    kind = NearMissKind.CGM_70
    at = plan.near_moment(block, kind, 1, 40)
    busy = Span(at, at + 40 * MINUTE_MS)
    for device in plan.near_candidates(block, kind, busy, "cgm"):
        dip = Excursion(vital="glucose", target=70, rate=8, from_ms=at, back_ms=at + 30 * MINUTE_MS)
        yield replace(plan.nearly(block, kind, device, at, busy), excursion=dip)


def _cgm_65(plan: Casting, block: int) -> Iterator[Incident]:
    """65 mg/dL for less than a quarter of an hour."""
    kind = NearMissKind.CGM_65_FOR_10_MIN
    at = plan.near_moment(block, kind, 1, 36)
    busy = Span(at, at + 36 * MINUTE_MS)
    for device in plan.near_candidates(block, kind, busy, "cgm"):
        dip = Excursion(vital="glucose", target=65, rate=8, from_ms=at, back_ms=at + 30 * MINUTE_MS)
        low_at = passes(plan.world.bodies[device.people[0]], dip)
        made = plan.nearly(block, kind, device, at, busy)
        yield replace(made, excursion=replace(dip, back_ms=low_at + 8 * MINUTE_MS))


def _cgm_gap(plan: Casting, block: int) -> Iterator[Incident]:
    """65 mg/dL for a few minutes on both sides of half an hour without readings: nobody knows that it lasted."""
    kind = NearMissKind.CGM_GAP
    at = plan.start_ms + (block * 60 + 2) * MINUTE_MS
    busy = Span(at, at + 58 * MINUTE_MS)
    for device in plan.near_candidates(block, kind, busy, "cgm"):
        dip = Excursion(vital="glucose", target=65, rate=12, from_ms=at, back_ms=at + 55 * MINUTE_MS)
        low_at = passes(plan.world.bodies[device.people[0]], dip)
        yield replace(
            plan.nearly(block, kind, device, at, busy),
            excursion=replace(dip, back_ms=low_at + 40 * MINUTE_MS),
            off=Span(low_at + 5 * MINUTE_MS, low_at + 35 * MINUTE_MS),
        )


def _cgm_backlog(plan: Casting, block: int) -> Iterator[Incident]:
    """74 mg/dL while the monitor can't send."""
    kind = NearMissKind.CGM_BACKLOG
    at = plan.near_moment(block, kind, 1, 45)
    busy = Span(at, at + 45 * MINUTE_MS)
    for device in plan.near_candidates(block, kind, busy, "cgm"):
        dip = Excursion(vital="glucose", target=74, rate=8, from_ms=at, back_ms=at + 30 * MINUTE_MS)
        away = Span(at + 5 * MINUTE_MS, at + 40 * MINUTE_MS)
        yield replace(plan.nearly(block, kind, device, at, busy), excursion=dip, away=away)


def _short_silence(plan: Casting, block: int) -> Iterator[Incident]:
    """A dispenser without power for less than it may be silent."""
    kind = NearMissKind.SHORT_SILENCE
    at = plan.near_moment(block, kind, 2, 20)
    busy = Span(at - 2 * MINUTE_MS, at + 20 * MINUTE_MS)
    limit_ms = 1000 * (DEVICE_TYPE_BY_CODE["pill_dispenser"].silent_after_s or 0)
    for device in plan.near_candidates(block, kind, busy, "pill_dispenser"):
        if not has_doses(plan, device.device, busy):
            made = plan.nearly(block, kind, device, at, busy)
            yield replace(made, off=Span(at, at + limit_ms // 2))


def _pressure(systolic: float, diastolic: float) -> Mapping[str, float]:
    return {"systolic": systolic, "diastolic": diastolic}


_LEVELS: Final = (
    _Level(kind=NearMissKind.PULSE_118, vital="heart_rate", target=118, rate=20, lasts_min=16),
    # Down from 125 to 120 takes a quarter of a minute: it is above for 7 min.
    _Level(kind=NearMissKind.PULSE_125_FOR_7_MIN, vital="heart_rate", target=125, rate=20, lasts_min=9),
    _Level(kind=NearMissKind.SPO2_93, vital="spo2", target=93, rate=7, lasts_min=16),
    _Level(kind=NearMissKind.BREATHS_24, vital="respiratory_rate", target=24, rate=8, lasts_min=36),
)
NEAR_MISS_MAKERS: Final[Mapping[NearMissKind, Maker]] = MappingProxyType(
    {
        # What few people can have comes first.
        NearMissKind.GUEST_ON_SCALE: _used(NearMissKind.GUEST_ON_SCALE, "scale", (0, {}), guest=9),
        NearMissKind.TEMPERATURE_37_8: _used(
            NearMissKind.TEMPERATURE_37_8, "thermometer", (0, {"body_temperature": 37.8})
        ),
        NearMissKind.COLD_FINGER: _used(
            NearMissKind.COLD_FINGER, "finger_oximeter", (0, {"spo2": 82}), (2, {}), poor=0
        ),
        NearMissKind.ONE_LOW_SPOT: _used(NearMissKind.ONE_LOW_SPOT, "finger_oximeter", (0, {"spo2": 91}), (1, {})),
        NearMissKind.TWO_IN_A_CUP: two_in_a_cup,
        NearMissKind.MOVED_DOSE: moved_dose,
        NearMissKind.LATE_DOSE: late_dose,
        NearMissKind.SHORT_SILENCE: _short_silence,
        NearMissKind.CGM_GAP: _cgm_gap,
        NearMissKind.CGM_70: _cgm_70,
        NearMissKind.CGM_65_FOR_10_MIN: _cgm_65,
        NearMissKind.CGM_BACKLOG: _cgm_backlog,
        NearMissKind.METER_70: _used(NearMissKind.METER_70, "glucose_meter", (0, {"glucose": 70})),
        NearMissKind.PRESSURE_178: _used(
            NearMissKind.PRESSURE_178, "pressure_cuff", (0, _pressure(178, 118)), (5, _pressure(176, 116))
        ),
        NearMissKind.PRESSURE_OUTLIER: _used(
            NearMissKind.PRESSURE_OUTLIER,
            "pressure_cuff",
            (0, _pressure(186, 98)),
            (2, _pressure(148, 86)),
            (4, _pressure(146, 84)),
        ),
        **{level.kind: _at_rest(level) for level in _LEVELS},
        NearMissKind.PULSE_160_WALKING: _pulse_160_walking,
        NearMissKind.POOR_SPO2: _poor_spo2,
        NearMissKind.ABSURD_WHILE_OFF: _absurd_while_off,
        NearMissKind.STUMBLE_ANSWERED: _stumble_answered,
        NearMissKind.STUMBLE_UP: _stumble_up,
    }
)
