"""Draws a vital over time as SVG: bands behind, a line that breaks at gaps, dots where values stand alone."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, floor
from typing import Any, Final
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pygal
from markupsafe import Markup
from pygal.style import Style

from schemas.presentation import Figure
from services.api.core import Point, is_sparse, lines_of

# Pygal leaves a finder for its map plug-ins behind that Python 3.11 warns about at every failing import.
sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]

_WIDTH: Final = 480
_HEIGHT: Final = 210
_FONT: Final = 16
_STYLE: Final = Style(label_font_size=_FONT, major_label_font_size=_FONT)
_TICK_STEPS: Final = (0.2, 0.5, 1, 2, 5, 10, 20, 25, 50, 100)
_MOST_TICKS: Final = 5
_HOUR_STEPS: Final = (1, 3, 6, 12, 24)
_MOST_HOURS: Final = 8
_DRAWN: Final = frozenset({"svg", "g", "rect", "path", "text", "line", "circle"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time that a chart shows, in the home's zone."""

    starts_at: datetime
    ends_at: datetime
    zone: ZoneInfo

    @property
    def seconds(self) -> float:
        return (self.ends_at - self.starts_at).total_seconds()

    def place(self, moment: datetime) -> float:
        """Seconds from the left edge."""
        return (moment - self.starts_at).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A drawn chart with the words around it."""

    figure: Figure
    svg: Markup
    summary: str


class _Plot(pygal.XY):  # type: ignore[misc]
    """Pygal's own line chart, with bands behind the lines and dots and marks before them."""

    def __init__(
        self, figure: Figure, dots: Sequence[Sequence[Point]], marks: Sequence[float], **settings: Any
    ) -> None:
        super().__init__(**settings)
        self._bands, self._dots, self._marks = figure.chart.bands, dots, marks

    def _plot(self) -> None:
        low, high = self.range
        plot = self.nodes["plot"]
        for band in self._bands:
            bottom, top = max(band.lowest, low), min(band.highest, high)
            if bottom < top:
                y = self.view.y(top)
                height = self.view.y(bottom) - y
                shade = self.svg.node(plot, "rect", x=0, y=y, width=self.view.width, height=height)
                shade.set("class", f"band {band.kind}")
                # ``node`` appends; the band has to lie behind the lines, right after the
                # background.
                plot.remove(shade)
                plot.insert(1, shade)
        super()._plot()
        for number, points in enumerate(self._dots):
            for point in points:
                # Lone values are drawn here: Pygal would put dots on all of them or on none.
                x, y = self.view((point.second, point.value))
                self.svg.node(plot, "circle", cx=x, cy=y, r=3, class_=f"lone serie-{number}")
        for mark in self._marks:
            x = self.view.x(mark)
            self.svg.node(plot, "line", x1=x, x2=x, y1=0, y2=self.view.height, class_="mark")


def draw(
    figure: Figure,
    points: Mapping[int, Sequence[Point]],
    window: Window,
    *,
    marks: Sequence[datetime] = (),
) -> Chart:
    """A chart of ``points`` by vital number. ``marks`` are moments worth a line from top to bottom."""
    series = [points.get(row.vital.number, ()) for row in figure.rows]
    low, high = _range_of(figure.chart.least, series)
    lines = [[] if is_sparse(line) else lines_of(line) for line in series]
    lone = [
        list(line) if is_sparse(line) else [run[0] for run in runs if len(run) == 1]
        for line, runs in zip(series, lines, strict=True)
    ]
    plot = _Plot(
        figure,
        lone,
        [window.place(mark) for mark in marks if window.starts_at <= mark <= window.ends_at],
        width=_WIDTH,
        height=_HEIGHT,
        margin=6,
        truncate_label=-1,
        style=_STYLE,
        css=[],
        js=[],
        show_dots=False,
        show_legend=False,
        allow_interruptions=True,
        xrange=(0, window.seconds),
        range=(low, high),
        x_labels=_hours(window),
        y_labels=_ticks(low, high),
    )
    for runs in lines:
        # A point without a value after each run breaks the line. Without any point pygal would
        # write "No data" over the chart.
        drawn = [point[:2] for run in runs if len(run) > 1 for point in (*run, (run[-1].second, None))]
        plot.add("", drawn or [(0, low)])
    summary = _summary(figure, series, window)
    return Chart(figure=figure, svg=_svg(plot, figure.title, summary), summary=summary)


def _svg(plot: _Plot, title: str, description: str) -> Markup:
    """The picture without pygal's script and style, with a title and a description."""
    root: ET.Element = plot.render_tree()
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag not in _DRAWN or "tooltip" in child.get("class", ""):
                parent.remove(child)
    for name, text in (("desc", description), ("title", title)):
        element = ET.Element(name)
        element.text = text
        root.insert(0, element)
    root.attrib.pop("id", None)
    root.set("role", "img")
    root.set("aria-label", f"{title}. {description}")
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - the serialiser escapes every text


def _range_of(least: tuple[float, float], series: Sequence[Sequence[Point]]) -> tuple[float, float]:
    values = [point.value for line in series for point in line]
    low, high = least
    if not values:
        return low, high if low < high else low + 1
    if low == high:
        return floor(min(values)) - 2, ceil(max(values)) + 2
    return min(low, floor(min(values))), max(high, ceil(max(values)))


def _ticks(low: float, high: float) -> list[dict[str, Any]]:
    step = next((step for step in _TICK_STEPS if (high - low) / step <= _MOST_TICKS), _TICK_STEPS[-1])
    return [{"value": n * step, "label": f"{n * step:g}"} for n in range(ceil(low / step), floor(high / step) + 1)]


def _hours(window: Window) -> list[dict[str, Any]]:
    hours = window.seconds / 3600
    step = next((step for step in _HOUR_STEPS if hours / step <= _MOST_HOURS), _HOUR_STEPS[-1])
    first = window.starts_at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    marks = [first + timedelta(hours=n) for n in range(int(hours) + 1)]
    return [
        {"value": window.place(mark), "label": f"{mark.astimezone(window.zone):%H:%M}"}
        for mark in marks
        if mark <= window.ends_at and mark.astimezone(window.zone).hour % step == 0
    ]


def _summary(figure: Figure, series: Sequence[Sequence[Point]], window: Window) -> str:
    """What the picture says, in words."""
    parts = []
    for row, line in zip(figure.rows, series, strict=True):
        if not line:
            parts.append(f"{row.label}: no readings.")
            continue
        lowest, highest = min(line, key=_depth), max(line, key=_depth)
        newest = (window.starts_at + timedelta(seconds=line[-1].second)).astimezone(window.zone)
        parts.append(
            f"{row.label}: {len(line)} readings, lowest {_words(row.number(lowest.value), lowest)}, "
            f"highest {_words(row.number(highest.value), highest)}, "
            f"newest {_words(row.text(line[-1].value), line[-1])} at {newest:%H:%M}."
        )
    starts, ends = (moment.astimezone(window.zone) for moment in (window.starts_at, window.ends_at))
    return f"{starts:%d %b %H:%M} to {ends:%d %b %H:%M}. " + " ".join(parts)


def _depth(point: Point) -> tuple[float, int]:
    """Points in order: what lies below a bound is lower than the bound itself."""
    return point.value, {"below": -1, "": 0, "above": 1}[point.side]


def _words(said: str, point: Point) -> str:
    return f"{point.side} {said}" if point.side else said
