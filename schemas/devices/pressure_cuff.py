"""The pressure cuff, shared by two people of a home through its user slots."""

from typing import Final

from schemas.devices.device_type import DeviceType, Measuring
from schemas.events import EventKind
from schemas.messages import CommandKind

PRESSURE_CUFF: Final = DeviceType(
    number=2,
    code="pressure_cuff",
    label="Pressure cuff",
    vitals=("systolic", "diastolic", "heart_rate"),
    events=(EventKind.LOW_BATTERY, EventKind.COMMAND_RESULT),
    commands=(CommandKind.MEASURE_AGAIN,),
    measuring=Measuring.SPOT,
    reports_every_s=12 * 3600,
    silent_after_s=None,
    rationale="Used twice a day at will; silence says nothing. See docs/clinical.md#silent-device.",
    slots=2,
)
