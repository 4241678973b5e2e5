"""One file a rule, and RULES, the explicit tuple of them all."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from services.score.rule import Rule
from services.score.rules.fall import FALL
from services.score.rules.firmware import FIRMWARE
from services.score.rules.glucose_low import GLUCOSE_LOW
from services.score.rules.heart_rate import HEART_RATE_LIMITS
from services.score.rules.silent_device import SILENT_DEVICE
from services.score.rules.sos import SOS
from services.score.rules.spo2 import SPO2_LOW

RULES: Final[tuple[Rule, ...]] = (HEART_RATE_LIMITS, SPO2_LOW, GLUCOSE_LOW, FALL, SOS, SILENT_DEVICE, FIRMWARE)
RULE_BY_NAME: Final[Mapping[str, Rule]] = MappingProxyType({rule.name: rule for rule in RULES})
