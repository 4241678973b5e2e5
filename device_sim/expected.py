"""What the platform must say of each kind of incident, and by when; of a near-miss, which rule must stay quiet.

The simulator knows no service: this table is its own word for what docs/clinical.md says, and tests hold it against
score's rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from device_sim.incident import IncidentKind, NearMissKind
from schemas.alerts import Severity

_TECHNICAL, _LOW, _MEDIUM, _HIGH = Severity.TECHNICAL, Severity.LOW, Severity.MEDIUM, Severity.HIGH

_NOT_HEARD: Final = ("silent_device",)
"""An outage of the platform may make a gap longer than a monitor may be silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The alert of a kind of incident: rule, level and severity at least.

    ``within_min``: platform minutes from its start, or from the reading that begins it, until devices have shown
    enough. ``is_alerted``: there has to be one; where not, there may be one. ``also``: rules that may say more of it.
    """

    rule: str
    level: int
    severity: Severity
    within_min: float
    is_alerted: bool = True
    also: tuple[str, ...] = ()


EXPECTED: Final[Mapping[IncidentKind, Expected]] = MappingProxyType(
    {
        IncidentKind.SOS: Expected(rule="sos", level=1, severity=_HIGH, within_min=0),
        # A minute to answer.
        IncidentKind.FALL_UNANSWERED: Expected(rule="fall", level=2, severity=_HIGH, within_min=1),
        IncidentKind.FALL_ANSWERED: Expected(rule="fall", level=1, severity=_LOW, within_min=1, is_alerted=False),
        # The answer comes when the minute is over.
        IncidentKind.FALL_ANSWERED_LATE: Expected(rule="fall", level=2, severity=_HIGH, within_min=1),
        # How long depends on the device, and on the platform's speed.
        IncidentKind.SILENT_DEVICE: Expected(rule="silent_device", level=1, severity=_TECHNICAL, within_min=0),
        # From the first value below 70; 54 is passed soon after.
        IncidentKind.HYPOGLYCAEMIA: Expected(rule="glucose_low", level=2, severity=_HIGH, within_min=25),
        # Its window, and the dispenser's next report: until that is heard nobody knows.
        IncidentKind.MISSED_DOSE: Expected(rule="missed_dose", level=1, severity=_MEDIUM, within_min=30 + 5),
        # Half an hour after it was due it is taken again.
        IncidentKind.DOUBLE_DOSE: Expected(rule="double_dose", level=1, severity=_MEDIUM, within_min=30),
        IncidentKind.DOSE_TAKEN_LATE: Expected(rule="missed_dose", level=2, severity=_MEDIUM, within_min=30 + 5),
        # From when the dispenser is back: of the dose there is nothing to say.
        IncidentKind.DOSE_UNHEARD: Expected(
            rule="silent_device", level=1, severity=_TECHNICAL, within_min=0, is_alerted=False
        ),
        # The same, and it has two minutes to send what it kept.
        IncidentKind.DOSE_UNHEARD_AND_MISSED: Expected(
            rule="missed_dose", level=2, severity=_MEDIUM, within_min=3, also=_NOT_HEARD
        ),
        # 88 % within 2 min, 3 min long, and some readings.
        IncidentKind.HYPOXIA: Expected(rule="spo2", level=2, severity=_HIGH, within_min=2 + 3 + 5),
        # 131 /min within 4 min, 10 min long.
        IncidentKind.TACHYCARDIA_AT_REST: Expected(rule="heart_rate", level=2, severity=_HIGH, within_min=4 + 10 + 3),
        IncidentKind.FEVER: Expected(rule="temperature", level=1, severity=_MEDIUM, within_min=0),
        # 25 /min within 2 min, 30 min long.
        IncidentKind.FAST_BREATHING: Expected(
            rule="respiratory_rate", level=1, severity=_MEDIUM, within_min=2 + 30 + 3
        ),
        # The second reading of the sitting, 5 min after the first.
        IncidentKind.PRESSURE_CRISIS: Expected(rule="blood_pressure", level=1, severity=_MEDIUM, within_min=5),
        IncidentKind.LOW_BY_METER: Expected(rule="glucose_low", level=1, severity=_MEDIUM, within_min=0),
        IncidentKind.WEIGHT_GAIN: Expected(rule="weight", level=2, severity=_MEDIUM, within_min=3 * 24 * 60),
        IncidentKind.WORN_OFF: Expected(
            rule="watch_gap", level=1, severity=_TECHNICAL, within_min=4 * 60, is_alerted=False
        ),
        # 170 /min within 5 min, 5 min long.
        IncidentKind.MOVING_AND_ILL: Expected(
            rule="heart_rate", level=2, severity=_HIGH, within_min=5 + 5 + 3, also=("news2",)
        ),
        # From the first value below 70.
        IncidentKind.GAP_IN_EPISODE: Expected(
            rule="glucose_low", level=1, severity=_MEDIUM, within_min=25, also=_NOT_HEARD
        ),
        # 35 /min within 4 min, 10 min long.
        IncidentKind.SLOW_PULSE: Expected(rule="heart_rate", level=2, severity=_HIGH, within_min=4 + 10 + 3),
        # 300 mg/dL within 40 min, 2 h long.
        IncidentKind.HYPERGLYCAEMIA: Expected(rule="glucose_high", level=2, severity=_MEDIUM, within_min=40 + 120 + 10),
        # From when the device is back.
        IncidentKind.BACKLOG: Expected(rule="glucose_low", level=2, severity=_HIGH, within_min=0, also=_NOT_HEARD),
    }
)
QUIET: Final[Mapping[NearMissKind, str]] = MappingProxyType(
    {
        NearMissKind.PULSE_118: "heart_rate",
        NearMissKind.PULSE_125_FOR_7_MIN: "heart_rate",
        NearMissKind.PULSE_160_WALKING: "heart_rate",
        NearMissKind.SPO2_93: "spo2",
        NearMissKind.POOR_SPO2: "spo2",
        NearMissKind.COLD_FINGER: "spo2",
        NearMissKind.ONE_LOW_SPOT: "spo2",
        NearMissKind.BREATHS_24: "respiratory_rate",
        NearMissKind.TEMPERATURE_37_8: "temperature",
        NearMissKind.PRESSURE_178: "blood_pressure",
        NearMissKind.PRESSURE_OUTLIER: "blood_pressure",
        NearMissKind.CGM_70: "glucose_low",
        NearMissKind.CGM_65_FOR_10_MIN: "glucose_low",
        NearMissKind.CGM_GAP: "glucose_low",
        NearMissKind.CGM_BACKLOG: "glucose_low",
        NearMissKind.METER_70: "glucose_low",
        NearMissKind.ABSURD_WHILE_OFF: "heart_rate",
        NearMissKind.STUMBLE_ANSWERED: "fall",
        NearMissKind.STUMBLE_UP: "fall",
        NearMissKind.LATE_DOSE: "missed_dose",
        NearMissKind.TWO_IN_A_CUP: "missed_dose",
        NearMissKind.MOVED_DOSE: "missed_dose",
        NearMissKind.SHORT_SILENCE: "silent_device",
        NearMissKind.GUEST_ON_SCALE: "weight",
    }
)
"""The rule that must say nothing."""
