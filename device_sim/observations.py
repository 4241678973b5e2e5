"""What each device reports and when: one device's plan of uplinks, lazily, from register and seed alone."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from device_sim.chance import dice
from device_sim.incidents import BLOCK_MS, IncidentKind, IncidentPlan
from device_sim.physiology import HOUR_MS, MINUTE_MS, Span, effort
from device_sim.world import Dose, SimDevice
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.messages import Activity, DeviceEvent, Posture, Reading

_FIRST_REPORT_MS: Final = 50_000
_FAULT_MARGIN_MS: Final = 20 * MINUTE_MS
_WALKED: Final = 5
_CHARGED_IN_MIN: Final = 25
_CHARGED_BETWEEN: Final = (2, 22)
_DAY_BLOCKS: Final = 24
_MMOL: Final = 18.018


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
    sheltered = bool(planned.events) or any(plan.busy(person, *near) for person in device.people)
    return replace(planned, sheltered=sheltered) if sheltered else planned


def _of_incidents(plan: IncidentPlan, device: SimDevice, first: int, last: int) -> Iterator[Entry]:
    for incident in plan.of_device(device.device):
        for order, event in enumerate(incident.events):
            if first <= event.at < last:
                yield event.at, 10 + order, lambda event=event: Planned(at_ms=event.at, events=(event,))  # type: ignore[misc]


def _every(plan: IncidentPlan, device: SimDevice, first: int, last: int) -> Iterator[int]:
    """The usual moments of a device, at a phase of its own; each is heard within the first minute."""
    period = DEVICE_TYPE_BY_CODE[device.type].reports_every_s * 1000
    phase = dice(plan.world.seed, "phase", device.device).randrange(min(period, _FIRST_REPORT_MS))
    since = plan.start_ms + phase
    # Rounded up: the first turn at or after the beginning of the block.
    turn = max(0, -(-(first - since) // period))
    yield from range(since + turn * period, last, period)


def _band(plan: IncidentPlan, device: SimDevice, first: int, last: int) -> Iterator[Entry]:
    person = device.people[0]
    off = _charging(plan, device, first)
    if off is not None:
        taken_off = tuple(DeviceEvent(event=event, at=off.first_ms) for event in ("not_worn", "charging"))
        yield off.first_ms, 1, lambda: Planned(at_ms=off.first_ms, events=taken_off)
        yield off.last_ms, 1, lambda: Planned(at_ms=off.last_ms, events=(DeviceEvent(event="worn", at=off.last_ms),))
    for turn, at in enumerate(_every(plan, device, first, last)):
        # ``at=at``: a lambda that is called later would otherwise see the last value of the loop.
        if off is not None and off.first_ms <= at < off.last_ms:
            yield at, 0, lambda at=at: Planned(at_ms=at)  # type: ignore[misc]
            continue
        yield at, 0, lambda at=at, warm=turn % 10 == 0: _band_report(plan, person, at, warm=warm)  # type: ignore[misc]


def _charging(plan: IncidentPlan, device: SimDevice, first: int) -> Span | None:
    """When in the block that begins at ``first`` the band lies on its charger: once a day, unless something happens."""
    day, block = divmod((first - plan.start_ms) // BLOCK_MS, _DAY_BLOCKS)
    draw = dice(plan.world.seed, "charging", device.device, day)
    if block != draw.randrange(*_CHARGED_BETWEEN):
        return None
    begins = first + draw.randrange(30) * MINUTE_MS
    off = Span(begins, begins + _CHARGED_IN_MIN * MINUTE_MS)
    # Then nobody would measure what the truth says.
    if plan.busy(device.people[0], off.first_ms - _FAULT_MARGIN_MS, off.last_ms + _FAULT_MARGIN_MS):
        return None
    return off


def _band_report(plan: IncidentPlan, person: str, at: int, *, warm: bool) -> Planned:
    body = plan.world.bodies[person]
    moved = effort(body, at)
    activity: Activity = "active" if moved.walking else "resting"
    posture: Posture = "upright" if moved.steps >= _WALKED else "sitting"
    if plan.lying(person, at) or (body.asleep(at) and not moved.walking):
        posture = "lying"
    readings = [
        Reading(vital=vital, value=plan.value(person, vital, at), at=at, activity=activity, posture=posture)
        for vital in ("heart_rate", "spo2", "respiratory_rate")
    ]
    readings.append(Reading(vital="steps", value=moved.steps, at=at))
    if warm:
        value = plan.value(person, "skin_temperature", at)
        readings.append(Reading(vital="skin_temperature", value=value, at=at, unit="Cel"))
    return Planned(at_ms=at, readings=tuple(readings))


def _cgm(plan: IncidentPlan, device: SimDevice, first: int, last: int) -> Iterator[Entry]:
    for at in _every(plan, device, first, last):
        yield at, 0, lambda at=at: _glucose(plan, device.people[0], at, unit="mg/dL")  # type: ignore[misc]


def _glucose(plan: IncidentPlan, person: str, at: int, *, unit: str) -> Planned:
    value = plan.value(person, "glucose", at)
    shown = value if unit == "mg/dL" else round(value / _MMOL, 1)
    return Planned(at_ms=at, readings=(Reading(vital="glucose", value=shown, at=at, unit=unit),))


def _spot(plan: IncidentPlan, device: SimDevice, first: int, last: int, *, every_h: int) -> Iterator[int]:
    """Moments of a device that is used at will: within the first half hour, then each ``every_h`` hours or so."""
    draw = dice(plan.world.seed, "spot", device.device)
    since = plan.start_ms + draw.randrange(2 * MINUTE_MS, 30 * MINUTE_MS)
    turn = max(0, -(-(first - since) // (every_h * HOUR_MS)))
    yield from range(since + turn * every_h * HOUR_MS, last, every_h * HOUR_MS)


def _meter(plan: IncidentPlan, device: SimDevice, first: int, last: int) -> Iterator[Entry]:
    unit = dice(plan.world.seed, "unit", device.device).choice(("mg/dL", "mmol/L"))
    for at in _spot(plan, device, first, last, every_h=6):
        yield at, 0, lambda at=at: _glucose(plan, device.people[0], at, unit=unit)  # type: ignore[misc]


def _cuff(plan: IncidentPlan, device: SimDevice, first: int, last: int) -> Iterator[Entry]:
    for at in _spot(plan, device, first, last, every_h=12):
        for slot, person in enumerate(device.people, start=1):
            when = at + 3 * (slot - 1) * MINUTE_MS
            yield when, slot, lambda when=when, slot=slot, person=person: _pressure(plan, person, slot, when)  # type: ignore[misc]


def _pressure(plan: IncidentPlan, person: str, slot: int, at: int) -> Planned:
    moved = effort(plan.world.bodies[person], at)
    activity: Activity = "active" if moved.walking else "resting"
    return Planned(
        at_ms=at,
        readings=tuple(
            Reading(
                vital=vital,
                value=plan.value(person, vital, at),
                at=at,
                slot=slot,
                activity=activity if vital == "heart_rate" else None,
            )
            for vital in ("systolic", "diastolic", "heart_rate")
        ),
    )


def _scale(plan: IncidentPlan, device: SimDevice, first: int, last: int) -> Iterator[Entry]:
    for at in _spot(plan, device, first, last, every_h=24):
        for slot, person in enumerate(device.people, start=1):
            when = at + 2 * (slot - 1) * MINUTE_MS
            yield when, slot, lambda when=when, slot=slot, person=person: _weight(plan, person, slot, when)  # type: ignore[misc]


def _weight(plan: IncidentPlan, person: str, slot: int, at: int) -> Planned:
    value = plan.value(person, "weight", at)
    return Planned(at_ms=at, readings=(Reading(vital="weight", value=value, at=at, unit="kg", slot=slot),))


def _thermometer(plan: IncidentPlan, device: SimDevice, first: int, last: int) -> Iterator[Entry]:
    for at in _spot(plan, device, first, last, every_h=12):
        yield at, 0, lambda at=at: _temperature(plan, device.people[0], at)  # type: ignore[misc]


def _temperature(plan: IncidentPlan, person: str, at: int) -> Planned:
    value = plan.value(person, "body_temperature", at)
    return Planned(at_ms=at, readings=(Reading(vital="body_temperature", value=value, at=at, unit="Cel"),))


def _oximeter(plan: IncidentPlan, device: SimDevice, first: int, last: int) -> Iterator[Entry]:
    for at in _spot(plan, device, first, last, every_h=12):
        yield at, 0, lambda at=at: _saturation(plan, device.people[0], at)  # type: ignore[misc]


def _saturation(plan: IncidentPlan, person: str, at: int) -> Planned:
    """Without circumstances: an oximeter knows nothing of movement."""
    readings = (Reading(vital=vital, value=plan.value(person, vital, at), at=at) for vital in ("spo2", "heart_rate"))
    return Planned(at_ms=at, readings=tuple(readings))


def _heartbeat(plan: IncidentPlan, device: SimDevice, first: int, last: int) -> Iterator[Entry]:
    for at in _every(plan, device, first, last):
        yield at, 0, lambda at=at: Planned(at_ms=at)  # type: ignore[misc]


def _dispenser(plan: IncidentPlan, device: SimDevice, first: int, last: int) -> Iterator[Entry]:
    yield from _heartbeat(plan, device, first, last)
    for row in plan.world.plans_of(device.device):
        for dose in row.doses(first - HOUR_MS, last):
            if dose.at_ms < plan.start_ms:
                continue
            for order, event in enumerate(_dose_events(plan, device, dose)):
                if first <= event.at < last:
                    yield event.at, 20 + order, lambda event=event: Planned(at_ms=event.at, events=(event,))  # type: ignore[misc]


def _dose_events(plan: IncidentPlan, device: SimDevice, dose: Dose) -> Sequence[DeviceEvent]:
    """Dispensed on time, the cup lifted within eight minutes and confirmed; a missed dose stays in its cup."""
    draw = dice(plan.world.seed, "dose", device.device, dose.at_ms)
    compartment = {"compartment": dose.compartment}
    given = dose.at_ms + draw.randrange(1000, 20_000)
    taken = given + draw.randrange(30_000, 8 * MINUTE_MS)
    dispensed = DeviceEvent(event="dose_dispensed", at=given, details=compartment)
    if any(
        row.kind is IncidentKind.MISSED_DOSE and row.dose_at_ms == dose.at_ms for row in plan.of_device(device.device)
    ):
        return (dispensed,)
    return (
        dispensed,
        DeviceEvent(event="cup_lifted", at=taken, details=compartment),
        DeviceEvent(event="dose_confirmed", at=taken + draw.randrange(10_000, 60_000), details=compartment),
    )


Routine = Callable[[IncidentPlan, SimDevice, int, int], Iterator[Entry]]

ROUTINES: Final[dict[str, Routine]] = {
    "wearable_band": _band,
    "pressure_cuff": _cuff,
    "cgm": _cgm,
    "glucose_meter": _meter,
    "pill_dispenser": _dispenser,
    "fall_robot": _heartbeat,
    "scale": _scale,
    "thermometer": _thermometer,
    "finger_oximeter": _oximeter,
}
