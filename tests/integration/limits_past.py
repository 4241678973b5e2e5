"""A past in which a pulse was too fast eleven times, and score as it answers back-tests: what tests of limits share."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from schemas.metrics import METRICS
from schemas.vitals import HEART_RATE
from services.runtime.clock import Clock
from services.runtime.database import Pool, load_queries
from services.runtime.metrics import Metrics
from services.score.back_test_rows import BackTests
from services.score.known_limits import KnownLimits
from services.score.known_rules import KnownRules
from services.score.learned import WITHOUT, Catalogue
from tests.integration.console_world import NOW

_ONE_HOUR_MIN = 60
TIMES, MILD = 11, 7
"""So often it was too fast, and so often of these not above 126."""


async def write_past(pool: Pool, person_id: UUID) -> None:
    """Once in two days an hour is measured, twenty minutes of it at 126 or, four times, 134 a minute."""
    person_no = await pool.fetchval("select person_no from people where person_id = $1", person_id)
    device_no = await pool.fetchval(
        "select device_no from bindings join devices using (device_no)"
        " where person_no = $1 and device_type = 'wearable_band' limit 1",
        person_no,
    )
    rows: list[tuple[Any, ...]] = []
    for number in range(TIMES):
        fast = 126.0 if number < MILD else 134.0
        for minute in range(_ONE_HOUR_MIN):
            at = NOW - timedelta(days=2 * number + 3, minutes=_ONE_HOUR_MIN - minute)
            value = fast if 10 <= minute < 30 else 78.0
            rows.append((person_no, HEART_RATE.number, at, device_no, 7, len(rows), 0, value, 0, at))
    await pool.copy_records_to_table("readings", records=rows)


def score_of(pool: Pool, clock: Clock, stop: asyncio.Event | None = None) -> BackTests:
    """Score's answers, and nothing else of score."""
    sql, log = load_queries("services.score"), structlog.get_logger()
    limits = KnownLimits(pool=pool, sql=sql, clock=clock, metrics=Metrics(METRICS), log=log)
    nothing = Catalogue(shipped=WITHOUT, models={})
    rules = KnownRules(nothing, pool=pool, clock=clock, metrics=Metrics(METRICS), log=log)
    stop = stop or asyncio.Event()
    return BackTests(pool=pool, sql=sql, clock=clock, limits=limits, rules=rules, stop=stop, log=log)
