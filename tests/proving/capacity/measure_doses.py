"""Doses due in one moment: how long planning them takes, and the one look of the ledger that reminds of them all."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from schemas.metrics import METRICS
from services.medication.ledger import DoseLedger
from services.medication.planner import Planner
from services.runtime.clock import FakeClock, to_ms
from services.runtime.database import LOST_CONNECTION, load_queries
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from tests.proving.capacity.database import SQL, as_a_service, empty_database, register

PEOPLE: Final = (1_000, 4_000, 16_000)
_NOW: Final = datetime(2026, 6, 10, 4, 0, tzinfo=UTC)
_DUE: Final = datetime(2026, 6, 10, 6, 0, tzinfo=UTC)
"""Eight in the morning in Berlin."""

_BERLIN: Final = ZoneInfo("Europe/Berlin")

Point = dict[str, float]


def measure(say: Callable[[str], None], people: Sequence[int] = PEOPLE) -> list[Point]:
    """A point for each number of people, each with one dose a day at eight; -1: it was given up."""
    return [asyncio.run(_measure(one, say)) for one in people]


async def _measure(people: int, say: Callable[[str], None]) -> Point:
    say(f"doses: {people:,} due at eight")
    async with empty_database() as dsn:
        await register(dsn, people)
        async with as_a_service(dsn) as pool:
            await pool.execute(SQL["plans"])
            await pool.execute(SQL["plan_versions"], _NOW - timedelta(days=1), _DUE.astimezone(_BERLIN).time())
            await pool.execute("analyze")
            sql, clock = load_queries("services.medication"), FakeClock(to_ms(_NOW))
            began = time.perf_counter()
            await Planner(pool=pool, sql=sql, clock=clock).plan()
            planned_s = time.perf_counter() - began
            planned = await pool.fetchval(SQL["doses"])
            clock.advance(seconds=(_DUE - _NOW).total_seconds() + 1)
            await pool.execute(SQL["watermark"], _DUE)
            ledger = DoseLedger(pool=pool, sql=sql, clock=clock, metrics=Metrics(METRICS), log=logger("medication"))
            began, reminded_s = time.perf_counter(), -1.0
            try:
                await ledger.look()
                reminded_s = time.perf_counter() - began
            except LOST_CONNECTION as error:
                say(f"doses: the look was given up ({type(error).__name__})")
            reminders = await pool.fetchval(SQL["reminders"])
    return {"people": people, "planned": planned, "plan_s": planned_s, "look_s": reminded_s, "reminders": reminders}
