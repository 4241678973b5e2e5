"""The thermometer: body temperature, measured when somebody takes it."""

from typing import Final

from schemas.devices.device_type import DeviceType, Measuring
from schemas.events import EventKind

THERMOMETER: Final = DeviceType(
    number=8,
    code="thermometer",
    label="Thermometer",
    vitals=("body_temperature",),
    events=(EventKind.LOW_BATTERY, EventKind.COMMAND_RESULT),
    measuring=Measuring.SPOT,
    reports_every_s=12 * 3600,
    silent_after_s=None,
    rationale="Used at will; silence says nothing. See docs/clinical.md#silent-device.",
)
