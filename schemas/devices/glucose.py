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
    silent_after_s=3600,
    rationale="Gaps over 60 min happened 0.58 times a day on 200 people. See docs/clinical.md#silent-device.",
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
