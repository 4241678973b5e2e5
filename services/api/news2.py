"""NEWS2 on a person's page: the trend of a day, and the newest evaluation with its inputs."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from schemas.presentation import NEWS2_FIGURE, NEWS2_SHOWN, presentation_of
from schemas.vitals import BODY_TEMPERATURE, HEART_RATE, RESPIRATORY_RATE, SPO2, SYSTOLIC, Vital
from services.api.charts import Chart, Window, draw
from services.api.console import Console
from services.api.core import Point
from services.runtime.clock import to_datetime

_VITALS: Final[Mapping[str, Vital | None]] = MappingProxyType(
    {
        "respiratory_rate": RESPIRATORY_RATE,
        "spo2": SPO2,
        "oxygen": None,
        "systolic": SYSTOLIC,
        "pulse": HEART_RATE,
        "consciousness": None,
        "temperature": BODY_TEMPERATURE,
    }
)
"""The chart's parameters in its order, which are columns of the table, and the vital that is shown of each."""
_OF_NO_VITAL: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "oxygen": ("Air or oxygen", "air is assumed"),
        "consciousness": ("Consciousness", "not assessed"),
    }
)
"""Their names, and what is said while nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A parameter of an evaluation. ``value`` is in words; ``measured_at`` and ``points`` are None where not known."""

    label: str
    value: str
    measured_at: datetime | None
    points: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """The newest evaluation up to the end of the window; ``fresh``: it may be shown as the present state."""

    at: datetime
    total: int
    spo2_scale: int
    fresh: bool
    inputs: Sequence[Input]
    chart: Chart | None


async def news2_of(console: Console, person_no: int, window: Window) -> Trend | None:
    """What is known of a person's NEWS2; None where there never was one."""
    newest = await console.pool.fetchrow(console.sql["newest_news2"], person_no, window.ends_at)
    if newest is None:
        return None
    rows = await console.pool.fetch(console.sql["news2_between"], person_no, window.starts_at, window.ends_at)
    points = {NEWS2_SHOWN.vital.number: [Point(window.place(row["at"]), row["total"], "") for row in rows]}
    chart = await asyncio.to_thread(draw, NEWS2_FIGURE, points, window) if rows else None
    inputs = []
    for parameter, vital in _VITALS.items():
        known = newest["inputs"].get(parameter)
        if vital is None:
            label, value = _OF_NO_VITAL[parameter]
        else:
            shown = presentation_of(vital)
            label, value = shown.label, shown.text(known["value"]) if known else "not known"
        measured_at = to_datetime(known["at"]) if known else None
        inputs.append(Input(label=label, value=value, measured_at=measured_at, points=newest[parameter]))
    return Trend(
        at=newest["at"],
        total=newest["total"],
        spo2_scale=newest["spo2_scale"],
        fresh=NEWS2_SHOWN.is_fresh(console.now() - newest["at"]),
        inputs=inputs,
        chart=chart,
    )
