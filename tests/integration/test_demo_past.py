"""The past of a demo on a real database: it is written, once, and nobody is notified of it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.demo.past import Filling, begin
from deploy.demo.past_report import judge_past
from device_sim.fleet import make_fleet
from device_sim.past import PAST_EPOCH, PastPlan
from device_sim.world import make_world
from schemas.registry import Register
from schemas.vitals import HEART_RATE
from services.api.registration import register
from services.medication.planner import Planner
from services.runtime.clock import FakeClock, to_datetime, to_ms
from services.runtime.database import Pool, load_queries, open_pool
from services.runtime.settings import DatabaseSettings
from services.score.days import DAY_MS, Days

pytestmark = [pytest.mark.embedded]

ORIGIN = to_ms(datetime(2026, 11, 30, 9, 10, tzinfo=UTC))
DAYS = 9
HOMES = 2
TABLES = ("readings", "device_events", "doses", "dose_evidence", "adherence_days", "score_days")


@pytest.fixture(scope="module")
def fleet() -> Register:
    return make_fleet(homes=HOMES, seed=1, start_ms=ORIGIN)


@pytest.fixture
async def pool(embedded_dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(embedded_dsn)), application="test") as opened:
        yield opened


async def counts(pool: Pool) -> dict[str, int]:
    return {table: await pool.fetchval(f"select count(*) from {table}") for table in TABLES}  # noqa: S608 - constants


async def test_a_past_is_stored_counted_and_settled_once_and_nobody_is_notified(
    pool: Pool, embedded_dsn: str, fleet: Register, tmp_path: Path
) -> None:
    clock = FakeClock(at_ms=ORIGIN)
    since = to_datetime(ORIGIN) - timedelta(days=DAYS, minutes=1)
    await register(pool, fleet, since, lead_s=10)
    await begin(embedded_dsn, ORIGIN)
    await Planner(pool=pool, sql=load_queries("services.medication"), clock=clock).plan()
    plan = PastPlan(make_world(fleet, 1), end_ms=ORIGIN, days=DAYS)

    filled = await Filling(pool=pool, plan=plan, clock=clock, report=tmp_path / "past.json").fill()
    first = await counts(pool)
    again = await Filling(pool=pool, plan=plan, clock=clock, report=tmp_path / "again.json").fill()

    assert (filled.readings, filled.events, filled.rejections) == (first["readings"], first["device_events"], 0)
    assert (again.readings, again.events, again.people) == (0, 0, 0)
    assert await counts(pool) == first
    outcome = await judge_past(embedded_dsn, PAST_EPOCH, to_datetime(ORIGIN), filled)
    assert outcome.failures == []
    assert outcome.done
    # Score itself looks up nobody's: it would find half a past, and take it for the whole.
    everybody = await pool.fetchval("select count(*) from people")
    assert await pool.fetchval("select count(*) from score_stored_days where state is null") == everybody > 0
    for table in ("findings", "alerts", "notifications", "commands", "caregiver_notices"):
        assert await pool.fetchval(f"select count(*) from {table}") == 0  # noqa: S608 - constants
    await has_days(pool)
    await has_doses(pool)


async def has_days(pool: Pool) -> None:
    """Everybody has a closed day for each but the first, which begins in the middle, and the last two."""
    rows = await pool.fetch("select state from score_days")
    assert len(rows) == await pool.fetchval("select count(*) from people")
    today = ORIGIN // DAY_MS
    for row in rows:
        closed = Days.from_plain(row["state"]).closed(HEART_RATE.number)
        assert [one.day for one in closed] == list(range(today - DAYS, today - 1))


async def has_doses(pool: Pool) -> None:
    """All of before are settled, those to come are not, and each day that has ended has a figure."""
    origin = to_datetime(ORIGIN)
    assert await pool.fetchval("select count(*) from doses where due_at < $1", origin) > DAYS
    assert await pool.fetchval("select count(*) from doses where due_at < $1 and fixed_at is null", origin) == 0
    assert await pool.fetchval("select count(*) from doses where due_at >= $1 and settled_at is not null", origin) == 0
    taken = await pool.fetch(
        "select person_no, sum(taken) as taken, sum(known) as known from adherence_days group by 1"
    )
    assert taken
    assert all(row["taken"] >= 0.8 * row["known"] > 0 for row in taken)
