"""NEWS2 on a person's page: the trend of a day, and the newest evaluation with its inputs."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.news2_presentation import NEWS2_FIGURE, NEWS2_INPUTS, NEWS2_SHOWN
from services.api.charts import Chart, Window, draw
from services.api.console import Console
from services.api.core import Point
from services.runtime.clock import to_datetime


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
    for shown in NEWS2_INPUTS:
        known = newest["inputs"].get(shown.parameter)
        inputs.append(
            Input(
                label=shown.label,
                value=shown.text(known["value"] if known else None),
                measured_at=to_datetime(known["at"]) if known else None,
                points=newest[shown.parameter],
            )
        )
    return Trend(
        at=newest["at"],
        total=newest["total"],
        spo2_scale=newest["spo2_scale"],
        fresh=NEWS2_SHOWN.is_fresh(console.now() - newest["at"]),
        inputs=inputs,
        chart=chart,
    )
