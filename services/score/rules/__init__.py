"""One file a rule, and RULES, the explicit tuple of them all."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from services.score.rule import Rule
from services.score.rules.anomaly import ANOMALY
from services.score.rules.baseline import BASELINE
from services.score.rules.blood_pressure import BLOOD_PRESSURE
from services.score.rules.clock import CLOCK
from services.score.rules.command_failed import COMMAND_FAILED
from services.score.rules.fall import FALL
from services.score.rules.firmware import FIRMWARE
from services.score.rules.glucose_forecast import GLUCOSE_FORECAST
from services.score.rules.glucose_high import GLUCOSE_HIGH
from services.score.rules.glucose_low import GLUCOSE_LOW
from services.score.rules.heart_rate import HEART_RATE_LIMITS
from services.score.rules.low_battery import LOW_BATTERY
from services.score.rules.news2 import NEWS2
from services.score.rules.respiratory_rate import RESPIRATORY_RATE_LIMITS
from services.score.rules.silent_device import SILENT_DEVICE
from services.score.rules.sos import SOS
from services.score.rules.spo2 import SPO2_LOW
from services.score.rules.temperature import TEMPERATURE_LIMITS
from services.score.rules.watch_gap import WATCH_GAP
from services.score.rules.weight import WEIGHT_GAIN

RULES: Final[tuple[Rule, ...]] = (
    HEART_RATE_LIMITS,
    SPO2_LOW,
    RESPIRATORY_RATE_LIMITS,
    TEMPERATURE_LIMITS,
    BLOOD_PRESSURE,
    GLUCOSE_LOW,
    GLUCOSE_FORECAST,
    GLUCOSE_HIGH,
    WEIGHT_GAIN,
    NEWS2,
    BASELINE,
    ANOMALY,
    FALL,
    SOS,
    SILENT_DEVICE,
    LOW_BATTERY,
    WATCH_GAP,
    CLOCK,
    FIRMWARE,
    COMMAND_FAILED,
)
RULE_BY_NAME: Final[Mapping[str, Rule]] = MappingProxyType({rule.name: rule for rule in RULES})
