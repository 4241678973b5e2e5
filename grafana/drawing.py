"""Draws a panel's rows with matplotlib: numbers, tables, curves, bars, each on a card."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from textwrap import shorten
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import MaxNLocator

from grafana.looks import Looks

INK, SOFT, LINE, CARD, PAGE = "#1f2430", "#6b7280", "#e3e6eb", "#ffffff", "#f3f4f7"
_CYCLE: Final = ("#3c6fb4", "#3a8f5c", "#d98b1f", "#c4383a", "#8a8f98")
_HIDDEN_WIDTH: Final = 0
_ROW_IN: Final = 0.33
_TOP_IN: Final = 0.62


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A panel with the rows that its query gave, over the time range that was asked for."""

    title: str
    kind: str
    looks: Looks
    rows: Sequence[Mapping[str, Any]]
    since: datetime
    until: datetime

    @property
    def names(self) -> list[str]:
        """The columns that are not the time."""
        return [name for name in self.rows[0] if name != "time"] if self.rows else []


def draw_panel(axes: Axes, panel: Drawn) -> None:
    """Draws ``panel`` on an empty pair of axes that covers its whole card."""
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    corner = FancyBboxPatch(
        (0, 0), 1, 1, boxstyle="round,pad=0,rounding_size=0.008", mutation_aspect=_shape_of(axes),
        facecolor=CARD, edgecolor=LINE, linewidth=1, transform=axes.transAxes, clip_on=False,
    )  # fmt: skip
    axes.add_patch(corner)
    width, height = _inches(axes)
    axes.text(0.16 / width, 1 - 0.18 / height, panel.title, va="top", color=INK, fontsize=11, fontweight="bold")
    drawers = {"stat": _draw_numbers, "table": _draw_table, "timeseries": _draw_series, "barchart": _draw_bars}
    if panel.rows and any(row[name] is not None for row in panel.rows for name in panel.names):
        drawers[panel.kind](axes, panel)
    else:
        axes.text(0.5, 0.45, panel.looks.nothing, ha="center", va="center", color=SOFT, fontsize=12)


def _draw_numbers(axes: Axes, panel: Drawn) -> None:
    row, names = panel.rows[0], panel.names
    for place, name in enumerate(names):
        middle = (place + 0.5) / len(names)
        colour = panel.looks.colour_of_number(name, row[name])
        text = panel.looks.text(name, row[name])
        axes.text(middle, 0.48, text, ha="center", va="center", color=colour, fontsize=26, fontweight="bold")
        axes.text(middle, 0.17, name, ha="center", va="center", color=SOFT, fontsize=9)


def _draw_table(axes: Axes, panel: Drawn) -> None:
    width, height = _inches(axes)
    texts = [[panel.looks.text(name, row[name]) for name in panel.names] for row in panel.rows]
    needed = [max(len(cell) for cell in (*column, name)) for name, *column in zip(panel.names, *texts, strict=True)]
    room = width - 0.32
    widths = [room * one / sum(needed) for one in needed]
    lefts = [0.16 + sum(widths[:place]) for place in range(len(widths))]
    fitting = int((height - _TOP_IN - _ROW_IN) / _ROW_IN)
    for left, name in zip(lefts, panel.names, strict=True):
        axes.text(left / width, 1 - _TOP_IN / height, name, va="center", color=SOFT, fontsize=8.5)
    for number, cells in enumerate(texts[:fitting], start=1):
        level = 1 - (_TOP_IN + number * _ROW_IN) / height
        axes.plot((0.16 / width, 1 - 0.16 / width), (level + 0.5 * _ROW_IN / height,) * 2, color=LINE, linewidth=0.8)
        for left, room_here, cell in zip(lefts, widths, cells, strict=True):
            colour = panel.looks.words.get(cell, INK)
            short = shorten(cell, max(6, int(room_here / 0.075)), placeholder="…")
            weight = "bold" if cell in panel.looks.words else "normal"
            axes.text(left / width, level, short, va="center", color=colour, fontsize=9.5, fontweight=weight)
    if len(texts) > fitting:
        axes.text(0.5, 0.03, f"and {len(texts) - fitting} more", ha="center", color=SOFT, fontsize=8)


def _draw_series(axes: Axes, panel: Drawn) -> None:
    plot = _inner(axes, left_in=0.62)
    times = _days([row["time"] for row in panel.rows])
    columns = {name: [float("nan") if row[name] is None else row[name] for row in panel.rows] for name in panel.names}
    draw = {"bars": _draw_bars_over_time, "points": _draw_points, "line": _draw_lines}[panel.looks.style]
    draw(plot, panel, times, columns)
    if panel.looks.style != "bars" or not panel.looks.stacked:
        plot.set_xlim(*_days([panel.since, panel.until]))
    locator = AutoDateLocator()  # type: ignore[no-untyped-call]
    plot.xaxis.set_major_locator(locator)
    plot.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]
    plot.set_ylabel(panel.looks.unit.strip(), color=SOFT, fontsize=9)
    if len(panel.names) > 1:
        _legend(plot, len(panel.names))


def _draw_lines(plot: Axes, panel: Drawn, times: list[float], columns: Mapping[str, list[float]]) -> None:
    for number, (name, values) in enumerate(columns.items()):
        colour = panel.looks.colour(name, _CYCLE[number % len(_CYCLE)])
        if below := panel.looks.of_column(name, "custom.fillBelowTo"):
            strength = panel.looks.of_column(name, "custom.fillOpacity", 10) / 100
            label = f"{below} to {name.lower()}"
            plot.fill_between(times, columns[below], values, color=colour, alpha=strength, linewidth=0, label=label)
        if width := panel.looks.of_column(name, "custom.lineWidth", 1.4):
            plot.plot(times, values, color=colour, linewidth=width * 0.8, label=name)


def _draw_points(plot: Axes, panel: Drawn, times: list[float], columns: Mapping[str, list[float]]) -> None:
    for number, (name, values) in enumerate(columns.items()):
        colour = panel.looks.colour(name, _CYCLE[number % len(_CYCLE)])
        plot.plot(times, values, "o", color=colour, markersize=7, label=name)
        for at, value in zip(times, values, strict=True):
            label = f"{value:.{panel.looks.decimals}f}"
            plot.annotate(label, (at, value), (8, 0), textcoords="offset points", va="center", color=INK, fontsize=8.5)
    plot.margins(y=0.35)


def _draw_bars_over_time(plot: Axes, panel: Drawn, times: list[float], columns: Mapping[str, list[float]]) -> None:
    width = 0.8 * min((later - earlier for earlier, later in pairwise(times)), default=1 / 24)
    floor = [0.0] * len(times)
    for number, (name, values) in enumerate(columns.items()):
        colour = panel.looks.colour(name, _CYCLE[number % len(_CYCLE)])
        plot.bar(times, values, width=width, bottom=floor, color=colour, label=name, alpha=0.85)
        if panel.looks.stacked:
            floor = [under + value for under, value in zip(floor, values, strict=True)]
    plot.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))


def _draw_bars(axes: Axes, panel: Drawn) -> None:
    plot = _inner(axes, left_in=1.5)
    first, *counted = panel.names
    levels = range(len(panel.rows))
    for number, name in enumerate(counted):
        places = [level + (number - (len(counted) - 1) / 2) * 0.36 for level in levels]
        values = [row[name] for row in panel.rows]
        bars = plot.barh(places, values, height=0.32, color=panel.looks.colour(name, _CYCLE[number]), label=name)
        plot.bar_label(bars, padding=4, color=SOFT, fontsize=8.5)
    plot.set_yticks(list(levels), [str(row[first]) for row in panel.rows])
    plot.invert_yaxis()
    plot.margins(x=0.12)
    _legend(plot, len(counted))


def _days(moments: list[datetime]) -> list[float]:
    return [float(date2num(moment)) for moment in moments]  # type: ignore[no-untyped-call]


def _legend(plot: Axes, columns: int) -> None:
    plot.legend(
        loc="lower right", bbox_to_anchor=(1, 1.0), ncols=columns, frameon=False, fontsize=8.5, labelcolor=SOFT,
        handlelength=1.2, columnspacing=1.2,
    )  # fmt: skip


def _inner(axes: Axes, *, left_in: float) -> Axes:
    width, height = _inches(axes)
    bottom, top = 0.34, 0.66
    place = (left_in / width, bottom / height, 1 - (left_in + 0.25) / width, 1 - (bottom + top) / height)
    plot = axes.inset_axes(place)
    plot.set_facecolor(CARD)
    plot.grid(visible=True, color=LINE, linewidth=0.7)
    plot.set_axisbelow(True)
    plot.tick_params(colors=SOFT, labelsize=8.5, length=0)
    for side in plot.spines.values():
        side.set_visible(False)
    return plot


def _inches(axes: Axes) -> tuple[float, float]:
    figure = axes.get_figure(root=True)
    if figure is None:
        return 1.0, 1.0
    place = axes.get_position()
    width, height = figure.get_size_inches()
    return float(place.width * width), float(place.height * height)


def _shape_of(axes: Axes) -> float:
    width, height = _inches(axes)
    return width / height
