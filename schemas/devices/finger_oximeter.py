"""The finger oximeter: oxygen saturation and pulse, measured when somebody puts a finger in."""

from typing import Final

from schemas.devices.device_type import DeviceType, Measuring
from schemas.events import EventKind
from schemas.messages import CommandKind

FINGER_OXIMETER: Final = DeviceType(
    number=9,
    code="finger_oximeter",
    label="Finger oximeter",
    vitals=("spo2", "heart_rate"),
    events=(EventKind.LOW_BATTERY, EventKind.COMMAND_RESULT),
    commands=(CommandKind.MEASURE_AGAIN,),
    measuring=Measuring.SPOT,
    reports_every_s=12 * 3600,
    silent_after_s=None,
    rationale="Used at will; silence says nothing. See docs/clinical.md#silent-device.",
)
