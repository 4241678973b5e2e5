"""The scale, shared by two people of a home through its user slots."""

from typing import Final

from schemas.devices.device_type import DeviceType, Measuring
from schemas.events import EventKind
from schemas.messages import CommandKind

SCALE: Final = DeviceType(
    number=7,
    code="scale",
    label="Scale",
    vitals=("weight",),
    events=(EventKind.CHECK_IN_ANSWERED, EventKind.LOW_BATTERY, EventKind.COMMAND_RESULT),
    commands=(CommandKind.MEASURE_AGAIN, CommandKind.WHO_WAS_MEASURED),
    measuring=Measuring.SPOT,
    reports_every_s=24 * 3600,
    silent_after_s=None,
    rationale="Used at will; silence says nothing. See docs/clinical.md#silent-device.",
    slots=2,
)
