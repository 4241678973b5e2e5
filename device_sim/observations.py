"""What each device reports and when: one device's plan of uplinks, lazily, from register and seed alone."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from device_sim.casting import BLOCK_MS
from device_sim.chance import dice
from device_sim.habits import HABITS, uses
from device_sim.incident import PART_OF, Part, Use
from device_sim.incidents import IncidentPlan
from device_sim.physiology import HOUR_MS, MINUTE_MS, Span, effort, walked
from device_sim.reports import moments
from device_sim.world import Dose, SimDevice
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.events import EventKind
from schemas.messages import Activity, DeviceEvent, Posture, Quality, Reading

_FAULT_MARGIN_MS: Final = 20 * MINUTE_MS
_WALKED: Final = 5
_CHARGED_IN_MIN: Final = 25
_CHARGED_BETWEEN: Final = (2, 22)
_DAY_BLOCKS: Final = 24
_MMOL: Final = 18.018
_UNITS: Final = {"body_temperature": "Cel", "weight": "kg"}
_USED: Final = {
    "pressure_cuff": ("systolic", "diastolic", "heart_rate"),
    "glucose_meter": ("glucose",),
    "scale": ("weight",),
    "thermometer": ("body_temperature",),
    "finger_oximeter": ("spo2", "heart_rate"),
}
"""What a device measures each time somebody uses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """An uplink to come. ``sheltered``: no fault may touch it, or the truth file would lie."""

    at_ms: int
    readings: tuple[Reading, ...] = ()
    events: tuple[DeviceEvent, ...] = ()
    sheltered: bool = False


Maker = Callable[[], Planned]
Entry = tuple[int, int, Maker]


def observations(plan: IncidentPlan, device: SimDevice) -> Iterator[Planned]:
    """The uplinks of ``device`` in the order of time, for ever. Values are computed as they are asked for."""
    routine = ROUTINES[device.type]
    block = 0
    while True:
        first = plan.start_ms + block * BLOCK_MS
        last = first + BLOCK_MS
        plan.ensure(last)
        entries = [*routine(plan, device, first, last), *_of_incidents(plan, device, first, last)]
        for at_ms, _, make in sorted(entries, key=lambda entry: entry[:2]):
            if not plan.powered_off(device.device, at_ms):
                yield _shelter(plan, device, make())
        block += 1


def _shelter(plan: IncidentPlan, device: SimDevice, planned: Planned) -> Planned:
    near = planned.at_ms - _FAULT_MARGIN_MS, planned.at_ms + _FAULT_MARGIN_MS
    part = PART_OF[device.type]
    sheltered = bool(planned.events) or any(plan.busy(person, *near, part) for person in device.people)
    return replace(planned, sheltered=sheltered) if sheltered else planned


def _of_incidents(plan: IncidentPlan, device: SimDevice, first: int, last: int) -> Iterator[Entry]:
    for incident in plan.of_device(device.device):
        for order, event in enumerate(incident.events):
            if first <= event.at < last:
                yield event.at, 10 + order, lambda event=event: Planned(at_ms=event.at, events=(event,))  # type: ignore[misc]
        for use in incident.uses:
            if first <= use.at_ms < last:
                yield use.at_ms, 1, lambda use=use: _used(plan, device, 1, use)  # type: ignore[misc]


def _band(plan: IncidentPlan, device: SimDevice, first: int, last: int) -> Iterator[Entry]:
    off = _charging(plan, device, first)
    if off is not None:
        taken_off = tuple(DeviceEvent(event=event, at=off.first_ms) for event in ("not_worn", "charging"))
        yield off.first_ms, 1, lambda: Planned(at_ms=off.first_ms, events=taken_off)
        yield off.last_ms, 1, lambda: Planned(at_ms=off.last_ms, events=(DeviceEvent(event="worn", at=off.last_ms),))
    # It may be put on again at the very end of the day before.
    left = [plan.left_off(device, at) for at in (first - 1, first, last)]
    spans = {span for span in left if span is not None and span.first_ms < span.last_ms}
    for kind, at in sorted(said for span in spans for said in zip(("not_worn", "worn"), span, strict=True)):
        if first <= at < last:
            event = DeviceEvent(event=kind, at=at)
            yield at, 1, lambda event=event: Planned(at_ms=event.at, events=(event,))  # type: ignore[misc]
    for turn, at in enumerate(moments(plan, device, first, last)):
        # ``at=at``: a lambda that is called later would otherwise see the last value of the loop.
        if any(span is not None and span.first_ms <= at < span.last_ms for span in (off, *left)):
            yield at, 0, lambda at=at: Planned(at_ms=at)  # type: ignore[misc]
            continue
        yield at, 0, lambda at=at, warm=turn % 10 == 0: _band_report(plan, device, at, warm=warm)  # type: ignore[misc]


def _charging(plan: IncidentPlan, device: SimDevice, first: int) -> Span | None:
    """When in the block that begins at ``first`` the band lies on its charger: once a day, unless something happens."""
    day, block = divmod((first - plan.start_ms) // BLOCK_MS, _DAY_BLOCKS)
    draw = dice(plan.world.seed, "charging", device.device, day)
    if block != draw.randrange(*_CHARGED_BETWEEN):
        return None
    begins = first + draw.randrange(30) * MINUTE_MS
    off = Span(begins, begins + _CHARGED_IN_MIN * MINUTE_MS)
    if any(left is not None and left.overlaps(*off) for left in (plan.left_off(device, at) for at in off)):
        return None
    # Then nobody would measure what the truth says.
    if plan.busy(device.people[0], off.first_ms - _FAULT_MARGIN_MS, off.last_ms + _FAULT_MARGIN_MS, Part.WORN):
        return None
    return off


def _band_report(plan: IncidentPlan, device: SimDevice, at: int, *, warm: bool) -> Planned:
    left = plan.off_body(device.device, at)
    if left is not None:
        # On the table nothing is known of movement; a band that measures all the same measures the table.
        pulse = (Reading(vital="heart_rate", value=left.pulse, at=at),) if left.pulse else ()
        return Planned(at_ms=at, readings=pulse)
    person = device.people[0]
    body = plan.world.bodies[person]
    moved = effort(body, at)
    activity: Activity | None = "active" if moved.walking else "resting"
    posture: Posture | None = "upright" if moved.steps >= _WALKED else "sitting"
    if plan.lying(person, at) or (body.asleep(at) and not moved.walking):
        posture = "lying"
    if not plan.says_activity(device.device, at):
        activity = posture = None
    readings = []
    for vital in ("heart_rate", "spo2", "respiratory_rate"):
        spoilt = plan.spoilt(device.device, vital, at)
        value = plan.value(person, vital, at) if spoilt is None else spoilt.value
        poor: Quality | None = None if spoilt is None else "poor"
        readings.append(Reading(vital=vital, value=value, at=at, activity=activity, posture=posture, quality=poor))
    # Steps are those since the report before, which is a minute ago, or longer where reports are further apart.
    since = plan.reports_every_ms(device, at)
    steps = moved.steps if since <= MINUTE_MS else walked(body, at - since, at)
    readings.append(Reading(vital="steps", value=steps, at=at))
    if warm:
        value = plan.value(person, "skin_temperature", at)
        readings.append(Reading(vital="skin_temperature", value=value, at=at, unit="Cel"))
    return Planned(at_ms=at, readings=tuple(readings))


def _cgm(plan: IncidentPlan, device: SimDevice, first: int, last: int) -> Iterator[Entry]:
    for at in moments(plan, device, first, last):
        yield at, 0, lambda at=at: _glucose(plan, device.people[0], at)  # type: ignore[misc]


def _glucose(plan: IncidentPlan, person: str, at: int) -> Planned:
    value, type_1 = plan.value(person, "glucose", at), plan.world.bodies[person].type_1
    if type_1 is not None:
        value = type_1.sensed(value, at)
    reading = Reading(vital="glucose", value=value, at=at, unit="mg/dL")
    return Planned(at_ms=at, readings=(reading,))


def _at_will(plan: IncidentPlan, device: SimDevice, first: int, last: int) -> Iterator[Entry]:
    for at, slot in uses(plan, device, first, last):
        yield at, slot, lambda at=at, slot=slot: _used(plan, device, slot, Use(at_ms=at))  # type: ignore[misc]


def _used(plan: IncidentPlan, device: SimDevice, slot: int, use: Use) -> Planned:
    """All that the device measures at once. The body's values, except where ``use`` has others."""
    person, at = device.people[slot - 1], use.at_ms
    shared = slot if DEVICE_TYPE_BY_CODE[device.type].slots > 1 else None
    quality: Quality | None = "poor" if use.poor else None
    readings = []
    for vital in _USED[device.type]:
        value = use.values.get(vital)
        if value is None:
            value = plan.value(person, vital, at)
        unit = _UNITS.get(vital)
        if vital == "glucose":
            unit = dice(plan.world.seed, "unit", device.device).choice(("mg/dL", "mmol/L"))
            value = value if unit == "mg/dL" else round(value / _MMOL, 1)
        activity: Activity | None = None
        if device.type == "pressure_cuff" and vital == "heart_rate":
            activity = "active" if effort(plan.world.bodies[person], at).walking else "resting"
        readings.append(
            Reading(vital=vital, value=value, at=at, unit=unit, slot=shared, activity=activity, quality=quality)
        )
    return Planned(at_ms=at, readings=tuple(readings))


def _heartbeat(plan: IncidentPlan, device: SimDevice, first: int, last: int) -> Iterator[Entry]:
    for at in moments(plan, device, first, last):
        yield at, 0, lambda at=at: Planned(at_ms=at)  # type: ignore[misc]


def _dispenser(plan: IncidentPlan, device: SimDevice, first: int, last: int) -> Iterator[Entry]:
    yield from _heartbeat(plan, device, first, last)
    # What lies in one cup is given out and taken at once.
    doses = {
        (dose.at_ms, dose.compartment): dose
        for row in plan.world.plans_of(device.device)
        for dose in row.doses(first - HOUR_MS, last)
        if dose.at_ms >= plan.start_ms
    }
    for dose in doses.values():
        for order, event in enumerate(_dose_events(plan, device, dose)):
            if first <= event.at < last:
                yield event.at, 20 + order, lambda event=event: Planned(at_ms=event.at, events=(event,))  # type: ignore[misc]


def _dose_events(plan: IncidentPlan, device: SimDevice, dose: Dose) -> Sequence[DeviceEvent]:
    """Dispensed on time, the cup lifted within eight minutes and confirmed; a missed dose stays in its cup."""
    draw = dice(plan.world.seed, "dose", device.device, dose.at_ms)
    given = dose.at_ms + draw.randrange(1000, 20_000)
    taken = given + draw.randrange(30_000, 8 * MINUTE_MS)
    confirmed_after = draw.randrange(10_000, 60_000)
    happens = next((row for row in plan.of_device(device.device) if row.dose_at_ms == dose.at_ms), None)
    stays = happens is not None and happens.dose_stays
    if happens is not None and happens.dose_late_ms:
        taken = dose.at_ms + happens.dose_late_ms
    elif happens is None:
        late_ms = plan.dose_late_ms(device.device, dose)
        stays, taken = late_ms is None, taken + (late_ms or 0)

    def event(kind: EventKind, at: int) -> DeviceEvent:
        return DeviceEvent(event=kind, at=at, details={"compartment": dose.compartment})

    dispensed = event(EventKind.DOSE_DISPENSED, given)
    if stays:
        return (dispensed,)
    events = [
        dispensed,
        event(EventKind.CUP_LIFTED, taken),
        event(EventKind.DOSE_CONFIRMED, taken + confirmed_after),
    ]
    if happens is not None and happens.dose_again_ms:
        again = dose.at_ms + happens.dose_again_ms
        events += [event(EventKind.DOSE_DISPENSED, again - 5_000), event(EventKind.CUP_LIFTED, again)]
    return events


Routine = Callable[[IncidentPlan, SimDevice, int, int], Iterator[Entry]]

ROUTINES: Final[dict[str, Routine]] = {
    "wearable_band": _band,
    "cgm": _cgm,
    "pill_dispenser": _dispenser,
    "fall_robot": _heartbeat,
    **dict.fromkeys(HABITS, _at_will),
}
