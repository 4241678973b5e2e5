"""Calls, falls and silent devices: what events, or their absence, say."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from device_sim.casting import Casting
from device_sim.doses import has_doses
from device_sim.incident import Incident, IncidentKind
from device_sim.physiology import HOUR_MS, MINUTE_MS, Span
from device_sim.world import SimDevice
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.messages import DeviceEvent

_SILENT_BUSY_MS: Final = 5 * HOUR_MS
_ANSWERED_LATE_MS: Final = 16 * MINUTE_MS
_STAYS_SILENT_REAL_S: Final = 60.0
"""Longer than an outage of the platform may keep it from noticing."""
_RESENDS_REAL_MS: Final = 15_000
"""Silence is at least three resends long, in real time (services/score/rules/silent_device.py)."""


def sos(plan: Casting, block: int) -> Iterator[Incident]:
    """The button is pressed: of the first person, ten real seconds after the start."""
    kind = IncidentKind.SOS
    if block == 0 and not plan.turn:
        at = plan.start_ms + int(10_000 * plan.rate)
        devices: Sequence[SimDevice] = plan.world.devices_of(plan.first_person, "wearable_band")
    else:
        at = plan.moment(block, kind, 5, 50)
        devices = list(plan.candidates(block, kind, "sos", Span(at, at + MINUTE_MS), "wearable_band"))
    for device in devices:
        made = plan.make(block, kind, device, at, Span(at, at + MINUTE_MS))
        yield replace(made, events=(DeviceEvent(event="sos_pressed", at=at),))


def fall_unanswered(plan: Casting, block: int) -> Iterator[Incident]:
    """No answer, and nobody gets up."""
    kind = IncidentKind.FALL_UNANSWERED
    at = plan.moment(block, kind, 5, 50) if block or plan.turn else plan.start_ms + 3000
    busy = Span(at, at + 20 * MINUTE_MS)
    for device in plan.candidates(block, kind, "fall", busy, "wearable_band", "fall_robot"):
        yield replace(
            plan.make(block, kind, device, at, busy),
            events=(fall_event(device, at, peak_g=3.4, still_s=12),),
            still=Span(at - 5 * MINUTE_MS, at + 20 * MINUTE_MS),
            lying=Span(at, at + 18 * MINUTE_MS),
        )


def fall_answered(plan: Casting, block: int) -> Iterator[Incident]:
    """The person answers in time that they are all right."""
    kind = IncidentKind.FALL_ANSWERED
    at = plan.moment(block, kind, 1, 3)
    busy = Span(at, at + 5 * MINUTE_MS)
    for device in plan.candidates(block, kind, "fall", busy, "wearable_band", "fall_robot"):
        answer = DeviceEvent(event="fall_answered", at=at + 15_000, details={"answer": "ok"})
        made = plan.make(block, kind, device, at, busy)
        yield replace(made, events=(fall_event(device, at, peak_g=2.6, still_s=3), answer))


def fall_answered_late(plan: Casting, block: int) -> Iterator[Incident]:
    """The person says that they are all right when the minute to answer is over, and lies on for a while.

    Of a fall that is heard of late, an answer that is there by the end of its minute is in time: so this one comes
    much later.
    """
    kind = IncidentKind.FALL_ANSWERED_LATE
    at = plan.moment(block, kind, 5, 45)
    busy = Span(at, at + 20 * MINUTE_MS)
    for device in plan.candidates(block, kind, "fall", busy, "wearable_band", "fall_robot"):
        answer = DeviceEvent(event="fall_answered", at=at + _ANSWERED_LATE_MS, details={"answer": "ok"})
        yield replace(
            plan.make(block, kind, device, at, busy),
            events=(fall_event(device, at, peak_g=3.1, still_s=9), answer),
            still=Span(at - 5 * MINUTE_MS, at + 20 * MINUTE_MS),
            lying=Span(at, at + 18 * MINUTE_MS),
        )


def fall_event(device: SimDevice, at: int, *, peak_g: float, still_s: float) -> DeviceEvent:
    """What a device says that suspects a fall."""
    if device.type == "fall_robot":
        details: dict[str, object] = {"method": "vision", "confidence": 0.93, "tilt_deg": 82, "room": "kitchen"}
    else:
        details = {"method": "imu", "peak_g": peak_g, "tilt_deg": 78}
    return DeviceEvent(event="fall_suspected", at=at, details=details | {"still_s": still_s, "posture": "lying"})


def silent_device(plan: Casting, block: int) -> Iterator[Incident]:
    """A device without power, for longer than its kind may be silent."""
    kind = IncidentKind.SILENT_DEVICE
    off_at = plan.moment(block, kind, 2, 4)
    busy = Span(off_at, off_at + _SILENT_BUSY_MS)
    for device in plan.candidates(block, kind, "silent_device", busy, "pill_dispenser", "fall_robot"):
        row = DEVICE_TYPE_BY_CODE[device.type]
        if (block == 0 and device.type == "fall_robot") or has_doses(plan, device.device, busy):
            continue
        limit = max((row.silent_after_s or 0) * 1000, int(_RESENDS_REAL_MS * plan.rate))
        due = off_at + limit + plan.slack_ms
        on_at = min(due + int(_STAYS_SILENT_REAL_S * 1000 * plan.rate) + 5 * MINUTE_MS, busy.last_ms)
        yield replace(plan.make(block, kind, device, off_at, busy), due_at_ms=due, off=Span(off_at, on_at))
