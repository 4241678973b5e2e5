"""The scale, shared by two people of a home through its user slots."""

from typing import Final

from schemas.devices.device_type import DeviceType
from schemas.events import EventKind

SCALE: Final = DeviceType(
    code="scale",
    label="Scale",
    vitals=("weight",),
    events=(EventKind.LOW_BATTERY, EventKind.COMMAND_RESULT),
    reports_every_s=24 * 3600,
    silent_after_s=None,
    rationale="Used at will; silence says nothing. See docs/clinical.md#silent-device.",
    slots=2,
)
