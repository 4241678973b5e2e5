"""What can go wrong with a simulated person, and what only looks like it: the words, and one of either in full."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from device_sim.physiology import HOUR_MS, MINUTE_MS, Span
from schemas.alerts import Severity
from schemas.messages import DeviceEvent


class IncidentKind(StrEnum):
    """What can go wrong."""

    SOS = "sos"
    FALL_UNANSWERED = "fall_unanswered"
    FALL_ANSWERED = "fall_answered"
    FALL_ANSWERED_LATE = "fall_answered_late"
    SILENT_DEVICE = "silent_device"
    HYPOGLYCAEMIA = "hypoglycaemia"
    MISSED_DOSE = "missed_dose"
    DOUBLE_DOSE = "double_dose"
    DOSE_TAKEN_LATE = "dose_taken_late"
    DOSE_UNHEARD = "dose_unheard"
    DOSE_UNHEARD_AND_MISSED = "dose_unheard_and_missed"
    HYPOXIA = "hypoxia"
    TACHYCARDIA_AT_REST = "tachycardia_at_rest"
    FEVER = "fever"
    FAST_BREATHING = "fast_breathing"
    PRESSURE_CRISIS = "pressure_crisis"
    LOW_BY_METER = "low_by_meter"
    WEIGHT_GAIN = "weight_gain"
    WORN_OFF = "worn_off"
    MOVING_AND_ILL = "moving_and_ill"
    GAP_IN_EPISODE = "gap_in_episode"
    BACKLOG = "backlog"
    SLOW_PULSE = "slow_pulse"
    HYPERGLYCAEMIA = "hyperglycaemia"


class NearMissKind(StrEnum):
    """What is nearly an incident, and must alert nobody."""

    PULSE_118 = "pulse_118"
    PULSE_125_FOR_7_MIN = "pulse_125_for_7_min"
    PULSE_160_WALKING = "pulse_160_walking"
    SPO2_93 = "spo2_93"
    POOR_SPO2 = "poor_spo2"
    COLD_FINGER = "cold_finger"
    ONE_LOW_SPOT = "one_low_spot"
    BREATHS_24 = "breaths_24"
    TEMPERATURE_37_8 = "temperature_37_8"
    PRESSURE_178 = "pressure_178"
    PRESSURE_OUTLIER = "pressure_outlier"
    CGM_70 = "cgm_70"
    CGM_65_FOR_10_MIN = "cgm_65_for_10_min"
    CGM_GAP = "cgm_gap"
    CGM_BACKLOG = "cgm_backlog"
    METER_70 = "meter_70"
    ABSURD_WHILE_OFF = "absurd_while_off"
    STUMBLE_ANSWERED = "stumble_answered"
    STUMBLE_UP = "stumble_up"
    LATE_DOSE = "late_dose"
    TWO_IN_A_CUP = "two_in_a_cup"
    MOVED_DOSE = "moved_dose"
    SHORT_SILENCE = "short_silence"
    GUEST_ON_SCALE = "guest_on_scale"


class Part(StrEnum):
    """What of a person an incident plays with: two that share a part are kept apart."""

    WORN = "worn"
    GLUCOSE = "glucose"
    PRESSURE = "pressure"
    TEMPERATURE = "temperature"
    WEIGHT = "weight"
    DOSES = "doses"


PART_OF: Final[Mapping[str, Part]] = MappingProxyType(
    {
        "wearable_band": Part.WORN,
        "fall_robot": Part.WORN,
        "finger_oximeter": Part.WORN,
        "cgm": Part.GLUCOSE,
        "glucose_meter": Part.GLUCOSE,
        "pressure_cuff": Part.PRESSURE,
        "thermometer": Part.TEMPERATURE,
        "scale": Part.WEIGHT,
        "pill_dispenser": Part.DOSES,
    }
)
"""By device type."""
_RETURNS_WITHIN_MS: Final = HOUR_MS
"""Every excursion is back at what is usual so long after it turns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excursion:
    """A vital leaves what is usual for ``target`` at ``rate`` a minute from ``from_ms``, returns from ``back_ms``."""

    vital: str
    target: float
    rate: float
    from_ms: int
    back_ms: int

    def bend(self, usual: float, at_ms: int) -> float:
        """The value in place of ``usual``."""
        if at_ms < self.from_ms:
            return usual
        sign = 1.0 if self.target > usual else -1.0
        gone = min(abs(self.target - usual), self.rate * (min(at_ms, self.back_ms) - self.from_ms) / MINUTE_MS)
        returned = self.rate * max(0, at_ms - self.back_ms) / MINUTE_MS
        return usual + sign * max(0.0, gone - returned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A device that measures when asked is used at ``at_ms``; ``values``, in vitals' own units, that the body lacks."""

    at_ms: int
    values: Mapping[str, float] = field(default_factory=dict)
    poor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OffBody:
    """A band lies about in ``span``; it measures a ``pulse`` of the table, or nothing (0)."""

    span: Span
    pulse: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoilt:
    """What a worn device sends of ``vital`` in ``span`` is ``value``, and it knows that this is poor."""

    vital: str
    span: Span
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One thing that goes wrong, or nearly. ``due_at_ms``: by then the platform has certainly seen enough to alert.

    ``also`` are further rules that may say something of it. ``still``: no walks; ``walk``: a walk; ``off``: the device
    has no power; ``away``: it measures on, and sends when it is back. The dose due at ``dose_at_ms`` is taken
    ``dose_late_ms`` after that (0: as ever), ``dose_stays`` in its cup, or is taken again ``dose_again_ms`` after it.
    """

    name: str
    kind: IncidentKind | NearMissKind
    home_id: str
    person_id: str
    device: str
    part: Part
    rule: str
    level: int
    severity: Severity
    starts_at_ms: int
    due_at_ms: int
    alert_expected: bool = True
    also: tuple[str, ...] = ()
    busy: Span
    excursion: Excursion | None = None
    events: tuple[DeviceEvent, ...] = ()
    uses: tuple[Use, ...] = ()
    spoilt: Spoilt | None = None
    off_body: OffBody | None = None
    still: Span | None = None
    lying: Span | None = None
    walk: Span | None = None
    off: Span | None = None
    away: Span | None = None
    dose_at_ms: int = 0
    dose_late_ms: int = 0
    dose_stays: bool = False
    dose_again_ms: int = 0

    @property
    def near_miss(self) -> bool:
        """It must alert nobody."""
        return isinstance(self.kind, NearMissKind)

    @property
    def reach(self) -> Span:
        """The time in which it changes what devices say."""
        parts = [span for span in (self.still, self.lying, self.walk, self.off, self.away) if span]
        if self.excursion:
            parts.append(Span(self.excursion.from_ms, self.excursion.back_ms + _RETURNS_WITHIN_MS))
        return Span(
            min([self.busy.first_ms, *(one.first_ms for one in parts)]),
            max([self.busy.last_ms, *(one.last_ms for one in parts)]),
        )

    def truth(self) -> dict[str, object]:
        """The line of the truth file."""
        return {
            "incident": self.name,
            "kind": self.kind,
            "home_id": self.home_id,
            "person_id": self.person_id,
            "device": self.device,
            "rule": self.rule,
            "also": list(self.also),
            "level": self.level,
            "severity": int(self.severity),
            "starts_at_ms": self.starts_at_ms,
            "due_at_ms": self.due_at_ms,
            "alert_expected": self.alert_expected,
            "near_miss": self.near_miss,
        }
