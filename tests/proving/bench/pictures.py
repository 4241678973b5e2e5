"""Draws a bench's report for docs/speed.md: `python -m tests.proving.bench.pictures`."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import matplotlib as mpl
import typer
from matplotlib.figure import Figure

from deploy.local.settings import CHECKOUT
from tests.proving.bench.__main__ import REPORT
from tests.proving.bench.memory import SAMPLE_EVERY_S

_PICTURES: Final = CHECKOUT / "docs" / "pictures"
_ORDER: Final = (
    "mosquitto",
    "kafka",
    "postgresql",
    "telegraf",
    "ingest",
    "store",
    "score",
    "medication",
    "alert",
    "api",
    "watch",
)
_SHADES: Final = (*mpl.colormaps["tab10"].colors, (0.0, 0.0, 0.0))  # type: ignore[attr-defined]
_COLOURS: Final = dict(zip(_ORDER, _SHADES, strict=True))
_DPI: Final = 110


def draw(report: Mapping[str, Any], directory: Path) -> list[Path]:
    """One picture for each part of ``report`` that there is; their paths."""
    drawn = []
    for name, (needs, picture) in _PICTURE_OF.items():
        if all(phase in report and "not_run" not in report[phase] for phase in needs):
            figure = Figure(figsize=(8, 4), layout="constrained")
            picture(figure, report)
            path = directory / f"speed-{name}.png"
            figure.savefig(path, dpi=_DPI)
            drawn.append(path)
    return drawn


def _costs(figure: Figure, report: Mapping[str, Any]) -> None:
    """CPU a reading, by process, at light and at sustained load."""
    columns = {
        f"{report[phase]['uplinks_per_s']:,.0f} uplinks/s": report[phase]["cpu_us_per_reading"]
        for phase in ("latency", "sustained")
    }
    _stack(figure, columns, "CPU µs a reading, all services on")


def _peer(figure: Figure, report: Mapping[str, Any]) -> None:
    """CPU a reading of both when each goes as fast as it can."""
    peer = report["peer"]
    columns = {
        f"{name}, {found['readings_per_s']:,.0f} readings/s": found["cpu_us_per_reading_of"]
        for name, found in (("HearthBeat", peer["ours"]), ("Telegraf", peer))
    }
    _stack(figure, columns, "CPU µs a reading, as fast as it goes")


def _stack(figure: Figure, columns: Mapping[str, Mapping[str, float]], title: str) -> None:
    axes = figure.subplots()
    for place, costs in enumerate(columns.values()):
        below = 0.0
        for process in _ORDER:
            if process in costs:
                axes.barh(place, costs[process], left=below, color=_COLOURS[process], label=process)
                below += costs[process]
        axes.text(below, place, f" {below:.0f}", va="center")
    axes.set_yticks(range(len(columns)), list(columns))
    axes.set_title(title)
    handles, names = axes.get_legend_handles_labels()
    unique = dict(zip(names, handles, strict=True))
    axes.margins(x=0.08)
    figure.legend(unique.values(), unique.keys(), loc="outside lower center", fontsize="small", ncols=6)


def _memory(figure: Figure, report: Mapping[str, Any]) -> None:
    """Resident memory of each service over the sustained load and over the outage of Apache Kafka."""
    rows = figure.subplots(1, 2, sharey=True)
    for axes, phase in zip(rows, ("sustained", "outage"), strict=True):
        for name, memory in report[phase]["memory_mb"].items():
            samples = memory["samples"]
            axes.plot([SAMPLE_EVERY_S * at for at in range(len(samples))], samples, color=_COLOURS[name], label=name)
        axes.set_title(f"{phase}: resident MB")
        axes.set_xlabel("s")
        axes.set_ylim(0)
    rows[0].legend(fontsize="small", ncols=2)


def _growth(figure: Figure, report: Mapping[str, Any]) -> None:
    """CPU a reading and device to row, by number of connected devices."""
    steps = report["growth"]["devices"]
    devices = [step["devices"] for step in steps]
    left, right = figure.subplots(1, 2)
    left.plot(devices, [sum(step["cpu_us_per_reading"].values()) for step in steps], marker="o")
    left.set_title("CPU µs a reading")
    for quantile in ("p50", "p99"):
        right.plot(devices, [step["device_to_row_ms"][quantile] for step in steps], marker="o", label=quantile)
    right.set_title("device to row, ms")
    right.legend()
    for axes in (left, right):
        axes.set_ylim(0)
        axes.set_xlabel("connected devices")


_PICTURE_OF: Final[Mapping[str, tuple[tuple[str, ...], Callable[[Figure, Mapping[str, Any]], None]]]] = {
    "costs": (("latency", "sustained"), _costs),
    "peer": (("peer",), _peer),
    "memory": (("sustained", "outage"), _memory),
    "growth": (("growth",), _growth),
}


def main(report: Annotated[Path, typer.Option()] = REPORT) -> None:
    """Draws what a report holds into docs/pictures."""
    for path in draw(json.loads(report.read_text()), _PICTURES):
        typer.echo(path.relative_to(CHECKOUT))


if __name__ == "__main__":
    typer.run(main)
