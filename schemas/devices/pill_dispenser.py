"""The pill dispenser: reminds, dispenses, sees the cup lifted, takes a confirmation."""

from typing import Final

from schemas.devices.device_type import DeviceType, Measuring
from schemas.events import EventKind
from schemas.messages import CommandKind

PILL_DISPENSER: Final = DeviceType(
    number=5,
    code="pill_dispenser",
    label="Pill dispenser",
    vitals=(),
    events=(
        EventKind.DOSE_DISPENSED,
        EventKind.CUP_LIFTED,
        EventKind.DOSE_CONFIRMED,
        EventKind.LOW_BATTERY,
        EventKind.COMMAND_RESULT,
    ),
    commands=(CommandKind.REMIND_DOSE, CommandKind.MEASURE_AGAIN),
    measuring=Measuring.NOTHING,
    reports_every_s=300,
    silent_after_s=1800,
    rationale="A heartbeat every 5 min; 15 min, doubled for routers that restart. See docs/clinical.md#silent-device.",
)
