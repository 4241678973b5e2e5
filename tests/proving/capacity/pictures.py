"""Draws what the page says: what places need, and what was measured with the line that goes on from it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deploy.local.settings import CHECKOUT
from tests.proving.capacity.demand import PLACES
from tests.proving.capacity.needs import needs_of
from tests.proving.capacity.record import Line, Part

DIRECTORY: Final = CHECKOUT / "docs" / "pictures"
_COLOURS: Final = ("#3c6fb4", "#3a8f5c", "#d98b1f", "#8a8f98", "#7b5ea7", "#c4383a", "#4aa3a2")
_LIMIT: Final = "#c4383a"
_AHEAD: Final = 20
"""The line goes on to so many times the largest size that was measured."""


class Shown(NamedTuple):
    """A figure of a part: over which size, and the limit beyond which it ends."""

    part: str
    x: str
    y: str
    title: str
    limit: float
    limit_name: str


MEASURED: Final = (
    Shown("registry", "devices", "changed_s", "ingest reads its register, s", 3, "uplinks wait"),
    Shown("broker", "devices", "pause_s", "mosquitto stands still, s", 60, "devices send again"),
    Shown("score", "people", "collection_s", "Python looks through score's memory, s", 10, "group leaves it out"),
    Shown("doses", "people", "look_s", "one look at doses due at once, s", 60, "reminders a minute late"),
)


def draw(parts: Mapping[str, Part], directory: Path = DIRECTORY) -> list[Path]:
    """Both pictures, as SVG."""
    # Without a salt and a date each drawing would differ from the one before.
    mpl.rcParams["svg.hashsalt"] = "capacity"
    return [_save(_needs(), directory / "capacity-needs.svg"), _save(_measured(parts), directory / "capacity-ends.svg")]


def _save(figure: Figure, path: Path) -> Path:
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    # matplotlib ends lines of paths with a space.
    path.write_text("".join(f"{line.rstrip()}\n" for line in path.read_text().splitlines()))
    return path


def _needs() -> Figure:
    """Cores at work by program, and what grows with time, for each place."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    cores, sizes = figure.subplots(1, 2)
    needs = {name: needs_of(demand) for name, demand in PLACES.items()}
    for place, one in enumerate(needs.values()):
        total = sum(one.cores.values())
        below = 0.0
        for colour, (program, at_work) in zip(_COLOURS, one.cores.items(), strict=True):
            cores.bar(place, at_work / total, bottom=below, color=colour, label=program if place == 0 else None)
            below += at_work / total
        cores.text(place, 1.02, f"{total:,.1f}" if total < 1_000 else f"{total:,.0f}", ha="center")
    cores.set_xticks(range(len(needs)), [f"{name}\n{_short(PLACES[name].people)} people" for name in needs])
    cores.set_ylim(0, 1.1)
    cores.set_title("Cores at work (numbers), and their share by program")
    cores.legend(fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
    rows = {
        "database, TB a year": [one.database_tb_a_year for one in needs.values()],
        "Kafka, TB": [one.bus_gb / 1_000 for one in needs.values()],
        "score's memory, GB": [one.score_gb for one in needs.values()],
    }
    people = [demand.people for demand in PLACES.values()]
    for colour, (what, values) in zip(_COLOURS, rows.items(), strict=False):
        sizes.loglog(people, values, marker="o", color=colour, label=what)
    sizes.set_title("What has to be kept")
    sizes.set_xlabel("people")
    sizes.grid(alpha=0.3)
    sizes.legend(fontsize="small")
    return figure


def _short(people: int) -> str:
    return f"{people // 1_000_000} M" if people >= 1_000_000 else f"{people:,}"


def _measured(parts: Mapping[str, Part]) -> Figure:
    figure = Figure(figsize=(11, 7), layout="constrained")
    for axes, shown in zip(figure.subplots(2, 2).flat, MEASURED, strict=True):
        _one(axes, shown, parts[shown.part])
    return figure


def _one(axes: Axes, shown: Shown, part: Part) -> None:
    known = [point for point in part.points if point[shown.y] > 0]
    sizes = [point[shown.x] for point in known]
    axes.loglog(sizes, [point[shown.y] for point in known], marker="o", color=_COLOURS[0], label="measured")
    line, last = Line.through(part.points, shown.x, shown.y), sizes[-1]
    axes.loglog(
        [last, last * _AHEAD], [line.at(last), line.at(last * _AHEAD)],
        color=_COLOURS[0], linestyle=":", label=f"extrapolated, power {line.power:.1f}",
    )  # fmt: skip
    axes.axhline(shown.limit, color=_LIMIT, linestyle="--", label=f"{shown.limit:.0f} s: {shown.limit_name}")
    axes.set_title(shown.title)
    axes.set_xlabel(shown.x)
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize="small")
