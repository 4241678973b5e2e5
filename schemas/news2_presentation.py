"""How NEWS2 is shown: its total as a trend, and the parameters of its chart."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from schemas.limits import NEWS2_TOTAL
from schemas.presentation import Band, ChartKind, ChartStyle, Figure, VitalPresentation, presentation_of
from schemas.vitals import BODY_TEMPERATURE, HEART_RATE, RESPIRATORY_RATE, SPO2, SYSTOLIC, Vital

NEWS2_SHOWN: Final = VitalPresentation(
    vital=NEWS2_TOTAL,
    label="NEWS2 total",
    unit_words="points",
    decimals=0,
    fresh_for=timedelta(minutes=60),
    rationale=presentation_of(HEART_RATE).rationale,
    chart=ChartStyle(
        kind=ChartKind.LINE,
        least=(0, 8),
        bands=(Band(0, 4.5, "target"), Band(6.5, 20, "urgent")),
        legend="Shaded: 4 and below; red: 7 and above",
        rationale="NEWS2: urgent response from 5, emergency response from 7. See docs/clinical.md#news2.",
    ),
)
"""No vital, since no device sends it: of a person's quarter hours."""
NEWS2_FIGURE: Final = Figure(chart=NEWS2_SHOWN.chart, rows=(NEWS2_SHOWN,))


@dataclass(frozen=True, slots=True, kw_only=True)
class News2Input:
    """How a parameter of the chart is shown: as its vital, or, of those without one, by ``name``.

    ``unknown`` is said where nobody knows it.
    """

    parameter: str
    vital: Vital | None = None
    name: str = ""
    unknown: str = "not known"

    @property
    def label(self) -> str:
        """Its name for people."""
        return self.name or (presentation_of(self.vital).label if self.vital else self.parameter)

    def text(self, value: float | None) -> str:
        """A value with its unit, or that nobody knows it."""
        return self.unknown if value is None or self.vital is None else presentation_of(self.vital).text(value)


NEWS2_INPUTS: Final = (
    News2Input(parameter="respiratory_rate", vital=RESPIRATORY_RATE),
    News2Input(parameter="spo2", vital=SPO2),
    News2Input(parameter="oxygen", name="Air or oxygen", unknown="air is assumed"),
    News2Input(parameter="systolic", vital=SYSTOLIC),
    News2Input(parameter="pulse", vital=HEART_RATE),
    News2Input(parameter="consciousness", name="Consciousness", unknown="not assessed"),
    News2Input(parameter="temperature", vital=BODY_TEMPERATURE),
)
"""In the chart's order; each is a column of the table of evaluations."""
