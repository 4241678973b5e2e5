"""What was measured, when, and on which machine: `measured.json`, from which the page is written."""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import exp, log
from pathlib import Path
from typing import Any, Final, NamedTuple

FILE: Final = Path(__file__).with_name("measured.json")

Point = Mapping[str, float]


class Part(NamedTuple):
    """One measurement: points by size, the smallest first."""

    on: str
    machine: str
    points: Sequence[Point]


def read() -> dict[str, Part]:
    """Every part that was measured."""
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text()) if FILE.exists() else {}
    return {name: Part(**part) for name, part in found.items()}


def write(name: str, points: Sequence[Point]) -> None:
    """Puts a part in the place of what was measured of it before."""
    rounded = [{key: float(f"{value:.4g}") for key, value in point.items()} for point in points]
    parts = read() | {name: Part(datetime.now(UTC).date().isoformat(), machine(), rounded)}
    FILE.write_text(json.dumps({key: part._asdict() for key, part in sorted(parts.items())}, indent=1) + "\n")


def machine() -> str:
    """As in ``2 cores of …, 23 GiB``."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = models[0].partition(": ")[2] if models else "an unnamed processor"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores of an {model}, {memory:.0f} GiB"


class Line(NamedTuple):
    """A power law through the last two points: ``y = factor * x ** power``."""

    factor: float
    power: float

    @classmethod
    def through(cls, points: Sequence[Point], x: str, y: str) -> "Line":
        """Of points whose ``y`` is known. Raises ValueError where fewer than two are."""
        known = [point for point in points if point[y] > 0]
        if len(known) < 2:
            raise ValueError(f"{y}: fewer than two points")
        first, last = known[-2:]
        power = log(last[y] / first[y]) / log(last[x] / first[x])
        return cls(exp(log(last[y]) - power * log(last[x])), power)

    def at(self, x: float) -> float:
        """What it comes to at ``x``."""
        return float(self.factor * x**self.power)

    def reaches(self, y: float) -> float:
        """Where it comes to ``y``."""
        return float((y / self.factor) ** (1 / self.power))
