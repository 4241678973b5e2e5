"""One file per device family, and DEVICE_TYPES, the explicit tuple of them all."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.devices.device_type import DeviceType
from schemas.devices.fall_robot import FALL_ROBOT
from schemas.devices.finger_oximeter import FINGER_OXIMETER
from schemas.devices.glucose import CGM, GLUCOSE_METER
from schemas.devices.pill_dispenser import PILL_DISPENSER
from schemas.devices.pressure_cuff import PRESSURE_CUFF
from schemas.devices.scale import SCALE
from schemas.devices.thermometer import THERMOMETER
from schemas.devices.wearable_band import WEARABLE_BAND

DEVICE_TYPES: Final[tuple[DeviceType, ...]] = (
    WEARABLE_BAND,
    PRESSURE_CUFF,
    CGM,
    GLUCOSE_METER,
    PILL_DISPENSER,
    FALL_ROBOT,
    SCALE,
    THERMOMETER,
    FINGER_OXIMETER,
)
DEVICE_TYPE_BY_NUMBER: Final[Mapping[int, DeviceType]] = MappingProxyType({row.number: row for row in DEVICE_TYPES})
DEVICE_TYPE_BY_CODE: Final[Mapping[str, DeviceType]] = MappingProxyType({row.code: row for row in DEVICE_TYPES})
