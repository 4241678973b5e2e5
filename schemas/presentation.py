"""How people see each vital and each rule: one row each, and nobody else says any of it.

Of a vital: its label, the words of its unit, its decimals, how long it is current, how it is drawn. Of a rule: its
title, and the vital whose chart explains an alert. Console, REST, panels and sentences all read these rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from schemas.vitals import (
    BODY_TEMPERATURE,
    DIASTOLIC,
    GLUCOSE,
    HEART_RATE,
    RESPIRATORY_RATE,
    SKIN_TEMPERATURE,
    SPO2,
    STEPS,
    SYSTOLIC,
    WEIGHT,
    Vital,
)

Side = Literal["below", "above", ""]
"""On which side of a bound the truth lies; empty where the value is no bound."""


class ChartKind(StrEnum):
    """What joins the readings of a chart."""

    LINE = "line"
    """A device measures by itself: a line, broken where readings are missing."""
    POINTS = "points"
    """People measure by hand: nobody knows what lay in between."""
    BARS = "bars"
    """Increments, summed up over equal times. The console shows their sum alone, and draws none."""


class Band(NamedTuple):
    """A range of values worth seeing behind a line; ``kind`` is ``target`` or ``urgent``."""

    lowest: float
    highest: float
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartStyle:
    """How a chart looks; vitals that have the same one are drawn together.

    ``least`` is the least range of values to show, (0, 0) where the values alone decide; it and ``bands`` are in the
    vital's unit. ``title`` is that of a chart that several vitals share; a vital alone gives its label.
    """

    kind: ChartKind
    rationale: str
    least: tuple[float, float] = (0, 0)
    bands: tuple[Band, ...] = ()
    legend: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VitalPresentation:
    """How a vital is shown.

    ``decimals`` are shown whatever was measured. A value up to ``fresh_for`` old may be shown as the present state,
    an older one only as old; ``rationale`` says why that long. ``short_label`` is its name in a chart that it shares.
    ``summed_over``: the vital is an increment, and what is shown is the sum over this time.
    """

    vital: Vital
    label: str
    unit_words: str
    decimals: int
    fresh_for: timedelta
    rationale: str
    chart: ChartStyle
    short_label: str = ""
    summed_over: timedelta | None = None

    @property
    def title(self) -> str:
        """Its label, and of a sum over which time it is."""
        return self.label + (f" in {self.summed_over / timedelta(hours=1):g} h" if self.summed_over else "")

    def is_fresh(self, age: timedelta) -> bool:
        """Whether a value of this age may be shown as the present state."""
        return age <= self.fresh_for

    def number(self, value: float, *, clipped: bool = False) -> str:
        """A value in the vital's unit, with the decimals that people expect and commas at the thousands.

        ``clipped``, the flag of the same name: its sensor can't measure that far, so it is said as a bound.
        """
        side, bound = self.bound_of(value, clipped=clipped)
        number = f"{bound:,.{self.decimals}f}"
        return f"{side} {number}" if side else number

    def text(self, value: float, *, clipped: bool = False) -> str:
        """A value, or a bound, with the words of its unit."""
        return f"{self.number(value, clipped=clipped)} {self.unit_words}"

    def bound_of(self, value: float, *, clipped: bool) -> tuple[Side, float]:
        """The bound that a clipped value stands for, and on which side of it the truth lies; others are themselves."""
        low, high = self.vital.clipped_low, self.vital.clipped_high
        if clipped and low is not None and value < low:
            return "below", low
        if clipped and high is not None and value > high:
            return "above", high
        return "", value


_WORN: Final = (
    "Worn: measured each 1 to 5 min, and off for charging and bathing. 60 min is the longest gap over which a rule may"
    " speak of one condition; older is not the present. See docs/clinical.md#on-the-console."
)
_CUFF: Final = "Measured once or twice a day; current for 24 h. See docs/clinical.md#on-the-console."

_PRESSURE: Final = ChartStyle(
    title="Blood pressure",
    kind=ChartKind.POINTS,
    bands=(Band(180, 300, "urgent"), Band(85, 135, "target")),
    least=(60, 150),
    legend="Systolic above, diastolic below; shaded: 85 to 135; red: above 180",
    rationale="Home average 135/85, crisis above 180. See docs/clinical.md#on-the-console.",
)

VITAL_PRESENTATIONS: Final[tuple[VitalPresentation, ...]] = (
    VitalPresentation(
        vital=HEART_RATE,
        label="Heart rate",
        unit_words="/min",
        decimals=0,
        fresh_for=timedelta(minutes=60),
        rationale=_WORN,
        chart=ChartStyle(
            kind=ChartKind.LINE,
            bands=(Band(50, 100, "target"),),
            least=(45, 110),
            legend="Shaded: 50 to 100 at rest",
            rationale="Resting bradycardia below 50, tachycardia above 100. See docs/clinical.md#on-the-console.",
        ),
    ),
    VitalPresentation(
        vital=SPO2,
        label="Oxygen saturation",
        unit_words="%",
        decimals=0,
        fresh_for=timedelta(minutes=60),
        rationale=_WORN,
        chart=ChartStyle(
            kind=ChartKind.LINE,
            bands=(Band(95, 100, "target"), Band(0, 92, "urgent")),
            least=(88, 100),
            legend="Shaded: 95 and above; red: 92 and below",
            rationale="Home oximetry: 95 or more is fine, 92 or less urgent. See docs/clinical.md#on-the-console.",
        ),
    ),
    VitalPresentation(
        vital=GLUCOSE,
        label="Glucose",
        unit_words="mg/dL",
        decimals=0,
        fresh_for=timedelta(minutes=30),
        rationale=(
            "A CGM measures each 5 min; over a longer gap no rule may speak of one condition. A meter's value says as"
            " little of now: glucose moves by several mg/dL a minute. See docs/clinical.md#on-the-console."
        ),
        chart=ChartStyle(
            kind=ChartKind.LINE,
            bands=(Band(70, 180, "target"), Band(0, 54, "urgent")),
            least=(45, 200),
            legend="Shaded: 70 to 180; red: below 54; a sensor stops at 40 and 400",
            rationale="Target range 70-180, level 2 low below 54 mg/dL. See docs/clinical.md#on-the-console.",
        ),
    ),
    VitalPresentation(
        vital=SYSTOLIC,
        label="Systolic pressure",
        short_label="Systolic",
        unit_words="mmHg",
        decimals=0,
        fresh_for=timedelta(hours=24),
        rationale=_CUFF,
        chart=_PRESSURE,
    ),
    VitalPresentation(
        vital=DIASTOLIC,
        label="Diastolic pressure",
        short_label="Diastolic",
        unit_words="mmHg",
        decimals=0,
        fresh_for=timedelta(hours=24),
        rationale=_CUFF,
        chart=_PRESSURE,
    ),
    VitalPresentation(
        vital=RESPIRATORY_RATE,
        label="Respiratory rate",
        unit_words="/min",
        decimals=0,
        fresh_for=timedelta(minutes=60),
        rationale=_WORN,
        chart=ChartStyle(
            kind=ChartKind.LINE,
            bands=(Band(12, 20, "target"),),
            least=(8, 26),
            legend="Shaded: 12 to 20",
            rationale="NEWS2 gives no points from 12 to 20. See docs/clinical.md#on-the-console.",
        ),
    ),
    VitalPresentation(
        vital=BODY_TEMPERATURE,
        label="Body temperature",
        unit_words="°C",
        decimals=1,
        fresh_for=timedelta(hours=24),
        rationale=(
            "A thermometer takes it in the morning and in the evening; 24 h is the longest gap over which a rule may"
            " speak of one condition. See docs/clinical.md#on-the-console."
        ),
        chart=ChartStyle(
            kind=ChartKind.POINTS,
            bands=(Band(36.1, 37.8, "target"),),
            least=(35.5, 38.5),
            legend="Shaded: 36.1 to 37.8",
            rationale="Fever in older adults: a single value above 37.8. See docs/clinical.md#on-the-console.",
        ),
    ),
    VitalPresentation(
        vital=SKIN_TEMPERATURE,
        label="Skin temperature",
        unit_words="°C",
        decimals=1,
        fresh_for=timedelta(minutes=60),
        rationale=_WORN,
        chart=ChartStyle(
            kind=ChartKind.LINE,
            least=(30, 36),
            legend="On the wrist: it says nothing of fever",
            rationale=(
                "No limit: it follows the room, the blanket and the fit of the band."
                " See docs/clinical.md#on-the-console."
            ),
        ),
    ),
    VitalPresentation(
        vital=WEIGHT,
        label="Weight",
        unit_words="kg",
        decimals=1,
        fresh_for=timedelta(hours=36),
        rationale="Weighed once a day, and half a day late at times. See docs/clinical.md#on-the-console.",
        chart=ChartStyle(
            kind=ChartKind.POINTS,
            rationale="No limit of its own: its change over days counts. See docs/clinical.md#on-the-console.",
        ),
    ),
    VitalPresentation(
        vital=STEPS,
        label="Steps",
        unit_words="steps",
        decimals=0,
        fresh_for=timedelta(minutes=60),
        rationale="They come with what a worn band measures. See docs/clinical.md#on-the-console.",
        chart=ChartStyle(
            kind=ChartKind.BARS,
            rationale="No limit: how they spread over a day counts. See docs/clinical.md#on-the-console.",
        ),
        summed_over=timedelta(hours=24),
    ),
)
"""In the order in which a person's charts are read."""

_BY_CODE: Final[Mapping[str, VitalPresentation]] = MappingProxyType(
    {row.vital.code: row for row in VITAL_PRESENTATIONS}
)


def presentation_of(vital: Vital) -> VitalPresentation:
    """How ``vital`` is shown."""
    return _BY_CODE[vital.code]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart with all that is drawn in it; the first row gives its unit and decimals."""

    chart: ChartStyle
    rows: tuple[VitalPresentation, ...]

    @property
    def title(self) -> str:
        return self.chart.title or self.rows[0].label


def _figures() -> tuple[Figure, ...]:
    """One for each style; two vitals are drawn together where their rows name the very same one."""
    styles = {id(row.chart): row.chart for row in VITAL_PRESENTATIONS}
    return tuple(
        Figure(chart=style, rows=tuple(row for row in VITAL_PRESENTATIONS if row.chart is style))
        for style in styles.values()
    )


FIGURES: Final[tuple[Figure, ...]] = _figures()


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePresentation:
    """How a rule is shown: ``title`` names its alerts; ``explained_by`` is the vital whose chart stands beside one.

    ``ahead_min``: what it says is likely to come within so many minutes, after which it has come or has not; 0 of what
    is there.
    """

    rule: str
    title: str
    explained_by: Vital | None = None
    ahead_min: int = 0


RULE_PRESENTATIONS: Final[tuple[RulePresentation, ...]] = (
    RulePresentation(rule="heart_rate", title="Heart rate", explained_by=HEART_RATE),
    RulePresentation(rule="spo2", title="Oxygen saturation", explained_by=SPO2),
    RulePresentation(rule="respiratory_rate", title="Breathing", explained_by=RESPIRATORY_RATE),
    RulePresentation(rule="temperature", title="Body temperature", explained_by=BODY_TEMPERATURE),
    RulePresentation(rule="blood_pressure", title="Blood pressure", explained_by=SYSTOLIC),
    RulePresentation(rule="glucose_low", title="Low glucose", explained_by=GLUCOSE),
    RulePresentation(rule="glucose_forecast", title="Low glucose ahead", explained_by=GLUCOSE, ahead_min=60),
    RulePresentation(rule="glucose_high", title="High glucose", explained_by=GLUCOSE),
    RulePresentation(rule="weight", title="Weight gain", explained_by=WEIGHT),
    RulePresentation(rule="news2", title="Early warning score (NEWS2)"),
    RulePresentation(rule="baseline", title="Drift from what is usual", explained_by=HEART_RATE),
    RulePresentation(rule="anomaly", title="Unusual together"),
    RulePresentation(rule="fall", title="Fall", explained_by=HEART_RATE),
    RulePresentation(rule="sos", title="Help button", explained_by=HEART_RATE),
    RulePresentation(rule="silent_device", title="Silent device"),
    RulePresentation(rule="low_battery", title="Low battery"),
    RulePresentation(rule="watch_gap", title="Watch gap"),
    RulePresentation(rule="clock", title="Clock"),
    RulePresentation(rule="firmware", title="Firmware"),
    RulePresentation(rule="command_failed", title="Failed command"),
    RulePresentation(rule="missed_dose", title="Missed dose"),
    RulePresentation(rule="double_dose", title="Double dose"),
    RulePresentation(rule="adherence", title="Low adherence"),
)
_BY_RULE: Final[Mapping[str, RulePresentation]] = MappingProxyType({row.rule: row for row in RULE_PRESENTATIONS})


def ahead_min_of(rule: str) -> int:
    """Within how many minutes what a rule says is likely to come; 0 of one that says what is there."""
    return _BY_RULE[rule].ahead_min if rule in _BY_RULE else 0


def title_of(rule: str) -> str:
    """The name of a rule for people. One that has no row is of a row of another version: it is spelled out."""
    return _BY_RULE[rule].title if rule in _BY_RULE else spelled_out(rule)


def figures_beside(rule: str) -> tuple[Figure, ...]:
    """The chart that explains an alert of this rule; nothing where none does."""
    vital = _BY_RULE[rule].explained_by if rule in _BY_RULE else None
    return tuple(figure for figure in FIGURES if any(row.vital is vital for row in figure.rows))


def spelled_out(name: str) -> str:
    """A name of the code as words."""
    return name.replace("_", " ").capitalize()


UNIT_NAMES: Final[Mapping[str, str]] = MappingProxyType({"[lb_av]": "pounds", "kg": "kilograms", "mmol/L": "mmol/L"})
"""What people call a unit in a sentence without a number, by its UCUM code: those in which a number may be meant."""
