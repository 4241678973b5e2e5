"""What the console shows, and how: how long a value is current, which charts there are, and the words for things."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final, NamedTuple

from schemas.alerts import Severity
from schemas.vitals import (
    BODY_TEMPERATURE,
    DIASTOLIC,
    GLUCOSE,
    HEART_RATE,
    RESPIRATORY_RATE,
    SPO2,
    STEPS,
    SYSTOLIC,
    WEIGHT,
    Vital,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How long a measured value may be shown as current."""

    vital: Vital
    lasts: timedelta
    rationale: str


_SEE: Final = "See docs/clinical.md#on-the-console."
_WORN: Final = f"Worn sensors: current for 15 minutes, which is ours. {_SEE}"
_CUFF: Final = f"Pressure is taken once or twice a day: current for 24 hours, ours. {_SEE}"
FRESHNESS: Final[tuple[Freshness, ...]] = (
    Freshness(vital=HEART_RATE, lasts=timedelta(minutes=15), rationale=_WORN),
    Freshness(vital=SPO2, lasts=timedelta(minutes=15), rationale=_WORN),
    Freshness(vital=RESPIRATORY_RATE, lasts=timedelta(minutes=15), rationale=_WORN),
    Freshness(
        vital=BODY_TEMPERATURE,
        lasts=timedelta(hours=12),
        rationale=f"Changes slowly; ours. {_SEE}",
    ),
    Freshness(vital=SYSTOLIC, lasts=timedelta(hours=24), rationale=_CUFF),
    Freshness(vital=DIASTOLIC, lasts=timedelta(hours=24), rationale=_CUFF),
    Freshness(
        vital=GLUCOSE,
        lasts=timedelta(minutes=15),
        rationale=f"CGM data older than 15 minutes is stale. {_SEE}",
    ),
    Freshness(
        vital=WEIGHT,
        lasts=timedelta(hours=36),
        rationale=f"Weighed once a day, 12 hours of grace. {_SEE}",
    ),
    Freshness(
        vital=STEPS,
        lasts=timedelta(minutes=60),
        rationale=f"Steps come with a worn band. {_SEE}",
    ),
)
FRESH_FOR: Final[Mapping[int, timedelta]] = MappingProxyType({row.vital.number: row.lasts for row in FRESHNESS})


def is_fresh(vital_number: int, age: timedelta) -> bool:
    """Whether a value of this age may be shown as the current one."""
    return age <= FRESH_FOR[vital_number]


class Band(NamedTuple):
    """A range of values worth seeing behind a line; ``kind`` is ``target`` or ``urgent``."""

    lowest: float
    highest: float
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartKind:
    """What is drawn together, its bands, and the least range of values to show, in the vital's unit."""

    code: str
    title: str
    vitals: tuple[Vital, ...]
    bands: tuple[Band, ...]
    least: tuple[float, float]
    legend: str
    rationale: str


CHARTS: Final[tuple[ChartKind, ...]] = (
    ChartKind(
        code="heart_rate",
        title="Heart rate",
        vitals=(HEART_RATE,),
        bands=(Band(50, 100, "target"),),
        least=(45, 110),
        legend="Shaded: 50 to 100 at rest",
        rationale=f"Resting bradycardia below 50, tachycardia above 100. {_SEE}",
    ),
    ChartKind(
        code="spo2",
        title="Oxygen saturation",
        vitals=(SPO2,),
        bands=(Band(95, 100, "target"), Band(0, 92, "urgent")),
        least=(88, 100),
        legend="Shaded: 95 and above; red: 92 and below",
        rationale=f"Home oximetry: 95 or more is fine, 92 or less an emergency (NHS 2020). {_SEE}",
    ),
    ChartKind(
        code="glucose",
        title="Glucose",
        vitals=(GLUCOSE,),
        bands=(Band(70, 180, "target"), Band(0, 54, "urgent")),
        least=(45, 200),
        legend="Shaded: 70 to 180; red: below 54",
        rationale=f"Target range 70-180, level 2 low below 54 mg/dL (Battelino 2019). {_SEE}",
    ),
    ChartKind(
        code="pressure",
        title="Blood pressure",
        vitals=(SYSTOLIC, DIASTOLIC),
        bands=(Band(180, 300, "urgent"), Band(85, 135, "target")),
        least=(60, 150),
        legend="Systolic above, diastolic below; shaded: 85 to 135; red: above 180",
        rationale=f"Home average 135/85, crisis above 180. {_SEE}",
    ),
    ChartKind(
        code="respiratory_rate",
        title="Respiratory rate",
        vitals=(RESPIRATORY_RATE,),
        bands=(Band(12, 20, "target"),),
        least=(8, 26),
        legend="Shaded: 12 to 20",
        rationale=f"NEWS2 gives no points from 12 to 20 (Royal College of Physicians 2017). {_SEE}",
    ),
    ChartKind(
        code="body_temperature",
        title="Body temperature",
        vitals=(BODY_TEMPERATURE,),
        bands=(Band(36.1, 37.8, "target"),),
        least=(35.5, 38.5),
        legend="Shaded: 36.1 to 37.8",
        rationale=f"Fever in older adults: a single value above 37.8 (IDSA 2008). {_SEE}",
    ),
    ChartKind(
        code="weight",
        title="Weight",
        vitals=(WEIGHT,),
        bands=(),
        least=(0, 0),
        legend="",
        rationale=f"No limit of its own: its change over days counts. {_SEE}",
    ),
)
CHART_BY_VITAL: Final[Mapping[str, ChartKind]] = MappingProxyType(
    {vital.code: kind for kind in CHARTS for vital in kind.vitals}
)


SEVERITY_WORDS: Final[Mapping[int, str]] = MappingProxyType(
    {Severity.HIGH: "High", Severity.MEDIUM: "Medium", Severity.LOW: "Low", Severity.TECHNICAL: "Technical"}
)
RULE_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "heart_rate": "Heart rate",
        "spo2": "Oxygen saturation",
        "glucose_low": "Low glucose",
        "fall": "Fall",
        "sos": "Help button",
        "silent_device": "Silent device",
        "missed_dose": "Missed dose",
        "firmware": "Firmware",
    }
)
RULE_CHARTS: Final[Mapping[str, str]] = MappingProxyType(
    {"heart_rate": "heart_rate", "spo2": "spo2", "glucose_low": "glucose", "fall": "heart_rate", "sos": "heart_rate"}
)
UNIT_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {"/min": "/min", "%": "%", "Cel": "°C", "mm[Hg]": "mmHg", "mg/dL": "mg/dL", "kg": "kg", "{steps}": "steps"}
)


def rule_words(rule: str) -> str:
    """The name of a rule for people; a rule that has none yet is spelled out."""
    return RULE_WORDS.get(rule) or rule.replace("_", " ").capitalize()
