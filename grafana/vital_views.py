"""What a panel of vitals needs beside the rows of presentation: lists for SQL, how often a line is measured."""

from dataclasses import dataclass
from typing import Final

from schemas.coverage import CAUSE_WORDS
from schemas.devices import DEVICE_TYPES
from schemas.presentation import FIGURES, ChartKind, Figure, VitalPresentation, presentation_of
from schemas.vitals import VITALS, Vital

_SHORTEST_S: Final = 60
"""Panels are never finer than a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureView:
    """A figure as a panel. ``every_s``: seconds between readings of the device that measures by itself."""

    figure: Figure
    every_s: int

    @property
    def row(self) -> VitalPresentation:
        """The row that gives unit and decimals."""
        return self.figure.rows[0]

    @property
    def first_number(self) -> int:
        """Panels stand in the order of vitals' numbers."""
        return min(row.vital.number for row in self.figure.rows)


def view_of(figure: Figure) -> FigureView:
    """Derived from the figure and the device types that measure what it shows."""
    codes = {row.vital.code for row in figure.rows}
    by_itself = [one.reports_every_s for one in DEVICE_TYPES if codes & set(one.vitals) and one.silent_after_s]
    return FigureView(figure=figure, every_s=max(_SHORTEST_S, min(by_itself, default=_SHORTEST_S)))


VIEWS: Final = tuple(sorted(map(view_of, FIGURES), key=lambda view: view.first_number))


def views_of(kind: ChartKind) -> tuple[FigureView, ...]:
    """Those that are drawn so."""
    return tuple(view for view in VIEWS if view.figure.chart.kind is kind)


def longest_silence_s() -> int:
    """How long the most patient device that measures by itself may be silent, in seconds, until that is a finding."""
    return max(one.silent_after_s for one in DEVICE_TYPES if one.vitals and one.silent_after_s)


def number_format(row: VitalPresentation) -> str:
    """The decimals for ``to_char``, which writes the comma only where there are thousands."""
    return "FM999,990" + ("." + "0" * row.decimals if row.decimals else "")


def vital_rows() -> str:
    """The rows of a VALUES list.

    Number, title, number format, unit, for how many seconds it is current, its bounds, the seconds it is summed over.
    """
    return ", ".join(_vital_row(vital) for vital in VITALS)


def _vital_row(vital: Vital) -> str:
    row = presentation_of(vital)
    fresh_s = round(row.fresh_for.total_seconds())
    low, high = ("null::float8" if bound is None else f"{bound:g}" for bound in (vital.clipped_low, vital.clipped_high))
    summed_s = "null::integer" if row.summed_over is None else f"{row.summed_over.total_seconds():.0f}"
    known = f"{vital.number}, '{row.title}', '{number_format(row)}', ' {row.unit_words}', {fresh_s}"
    return f"({known}, {low}, {high}, {summed_s})"


def figure_rows() -> str:
    """The rows of a VALUES list: the number of each vital, and the title of the figure that shows it."""
    return ", ".join(f"({row.vital.number}, '{view.figure.title}')" for view in VIEWS for row in view.figure.rows)


def cause_rows() -> str:
    """The rows of a VALUES list: a column of ``caregiver_watched``, and its words."""
    return ", ".join(f"({cause}, '{words}')" for cause, words in CAUSE_WORDS.items())


def all_vitals() -> str:
    """Every vital's number, as an array."""
    return f"array[{', '.join(str(vital.number) for vital in VITALS)}]::smallint[]"
