"""Draws how p95 and the insert rate change with the rows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from matplotlib.figure import Figure

from deploy.local.settings import CHECKOUT
from tests.proving.growth.queries import About

PICTURE: Final = CHECKOUT / "docs" / "pictures" / "growth.png"
_COLOURS: Final = ("#3c6fb4", "#3a8f5c", "#d98b1f", "#8a8f98")


def draw_growth(report: Mapping[str, Any], file: Path) -> None:
    """Two plots side by side: the slowest p95 of each promise, and rows inserted a second."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    rows = [step["rows"] / 1e6 for step in report["steps"]]
    for about, colour in zip(About, _COLOURS, strict=True):
        names = [name for name, of in report["about"].items() if of == about]
        worst = [max(step["queries"][name]["p95_ms"] for name in names) for step in report["steps"]]
        left.plot(rows, worst, marker="o", color=colour, label=about)
    left.axhline(report["promised_p95_ms"], color="#c4383a", linestyle="--", label="promised")
    left.set_title("p95 of the slowest panel query, ms")
    right.plot(rows, [step["insert_rows_per_s"] / 1000 for step in report["steps"]], marker="o", color=_COLOURS[0])
    right.set_title("Rows inserted a second, thousands")
    for axes in (left, right):
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        axes.set_xlabel("rows, millions")
        axes.grid(alpha=0.3)
    left.legend()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110, metadata={"Software": None})
