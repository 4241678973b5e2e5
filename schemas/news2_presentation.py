"""How people see the inputs of NEWS2: each parameter of the chart as its vital, or by a name of its own."""

from dataclasses import dataclass
from typing import Final

from schemas.presentation import presentation_of
from schemas.vitals import BODY_TEMPERATURE, HEART_RATE, RESPIRATORY_RATE, SPO2, SYSTOLIC, Vital


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
