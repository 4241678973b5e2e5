"""The fall-detection robot: sees a fall by vision or radar, asks, listens."""

from typing import Final

from schemas.devices.device_type import DeviceType, Measuring
from schemas.events import EventKind
from schemas.messages import CommandKind

FALL_ROBOT: Final = DeviceType(
    number=6,
    code="fall_robot",
    label="Fall-detection robot",
    vitals=(),
    events=(
        EventKind.FALL_SUSPECTED,
        EventKind.FALL_ANSWERED,
        EventKind.SOS_PRESSED,
        EventKind.CHECK_IN_ANSWERED,
        EventKind.CHARGING,
        EventKind.LOW_BATTERY,
        EventKind.COMMAND_RESULT,
    ),
    commands=(CommandKind.CHECK_IN, CommandKind.MEASURE_AGAIN, CommandKind.WHO_WAS_MEASURED),
    measuring=Measuring.NOTHING,
    reports_every_s=300,
    silent_after_s=3600,
    rationale="A heartbeat every 5 min; twelve of them missing are ours. See docs/clinical.md#silent-device.",
)
