"""Glucose: the continuous sensor (CGM) and the spot meter."""

from typing import Final

from schemas.devices.device_type import DeviceType, Measuring
from schemas.events import EventKind

CGM: Final = DeviceType(
    number=3,
    code="cgm",
    label="Continuous glucose monitor",
    vitals=("glucose",),
    events=(EventKind.LOW_BATTERY, EventKind.COMMAND_RESULT),
    measuring=Measuring.CONTINUOUS,
    reports_every_s=300,
    silent_after_s=3 * 3600,
    rationale=(
        "A new sensor warms up for two hours: on 134 people gaps over 60 min happened 0.60 times a day, over 3 h 0.21."
        " See docs/clinical.md#silent-device."
    ),
)
GLUCOSE_METER: Final = DeviceType(
    number=4,
    code="glucose_meter",
    label="Spot glucose meter",
    vitals=("glucose",),
    events=(EventKind.LOW_BATTERY, EventKind.COMMAND_RESULT),
    measuring=Measuring.SPOT,
    reports_every_s=6 * 3600,
    silent_after_s=None,
    rationale="Used at will; silence says nothing. See docs/clinical.md#silent-device.",
)
