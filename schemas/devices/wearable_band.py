"""The wearable band: pulse, oxygen, respiratory rate, skin temperature, steps, falls by accelerometer, SOS button."""

from types import MappingProxyType
from typing import Final

from schemas.devices.device_type import DeviceType, Measuring
from schemas.events import EventKind
from schemas.messages import CommandKind

WEARABLE_BAND: Final = DeviceType(
    number=1,
    code="wearable_band",
    label="Wearable band",
    vitals=("heart_rate", "spo2", "respiratory_rate", "skin_temperature", "steps"),
    former_names=MappingProxyType({"body_temperature": "skin_temperature"}),
    events=(
        EventKind.FALL_SUSPECTED,
        EventKind.FALL_ANSWERED,
        EventKind.SOS_PRESSED,
        EventKind.CHECK_IN_ANSWERED,
        EventKind.NOT_WORN,
        EventKind.WORN,
        EventKind.CHARGING,
        EventKind.LOW_BATTERY,
        EventKind.COMMAND_RESULT,
    ),
    commands=(CommandKind.CHECK_IN,),
    measuring=Measuring.CONTINUOUS,
    reports_every_s=60,
    silent_after_s=3 * 3600,
    rationale=(
        "Bands come off for charging and bathing: gaps over 3 h happened 0 to 0.9 times a day."
        " See docs/clinical.md#silent-device."
    ),
)
