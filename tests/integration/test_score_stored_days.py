"""Days from before score counted them, out of stored readings on a real database: once, and with a checkpoint."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pydantic import SecretStr

from schemas.reasons import Flag
from schemas.vitals import HEART_RATE, SKIN_TEMPERATURE, STEPS, WEIGHT
from services.runtime.clock import to_datetime
from services.runtime.database import Pool, load_queries, open_pool, transaction
from services.runtime.settings import DatabaseSettings
from services.score.days import DAY_MS, Days, day_of
from services.score.models import drift
from services.score.past_days import PAST_SQL, days_of
from services.score.stored_days import StoredDays, leave_to_others
from tests.integration.care_world import World, settle_in
from tests.integration.test_score_days import DAY_MIN, OneHome
from tests.unit.services.score.story import START, minute

EPOCH = 5
LIVED_DAYS = 40
SQL = load_queries("services.score")


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        await opened.execute(
            "truncate score_positions, score_state, score_days, score_stored_days, readings, watermarks"
        )
        await opened.execute("update platform set bus_partitions = 1")
        yield opened


@pytest.fixture
async def world(pool: Pool) -> World:
    return await settle_in(pool)


@pytest.fixture
async def home(pool: Pool, world: World) -> OneHome:
    """Score counts from minute 0 on, and its first hour has closed."""
    found = OneHome(pool, 0, world.home_no, world)
    await found.load()
    found.measure_and_close((0, 62), (1, 62))
    await found.save()
    return found


async def live(pool: Pool, world: World) -> None:
    """Forty days, a reading of each vital every half an hour: some poor, repeated, moving, or two days late."""
    await pool.execute(
        """
        insert into readings (person_no, vital, observed_at, device_no, epoch, seq, item, value, flags, received_at)
        select $1, one.vital, at, $2, $3, extract(epoch from at)::bigint / 60, one.item,
               one.value + extract(day from at)::integer % 3 * one.unit + extract(hour from at)::integer % 5 * one.unit,
               case seq % 11 when 3 then $5 when 4 then $6 when 5 then $7 else 0 end::integer,
               at + case when seq % 13 = 1 then interval '50 hours' when seq % 13 = 2 then interval '20 hours'
                    else interval '1 second' end
        from generate_series($4::timestamptz - interval '40 days', $4::timestamptz - interval '1 minute',
                             interval '30 minutes') with ordinality as series (at, seq),
             unnest($8::smallint[], $9::float8[], $10::float8[]) with ordinality as one (vital, value, unit, item)
        """,
        world.person_no, world.device_no, EPOCH, to_datetime(START), int(Flag.POOR_QUALITY), int(Flag.REPEATED),
        int(Flag.MOVING), [one.number for one in (HEART_RATE, STEPS, SKIN_TEMPERATURE, WEIGHT)],
        [60.0, 40.0, 33.0, 71.0], [1.0, 2.0, 0.1, 0.1],
    )  # fmt: skip


async def pass_watermark(pool: Pool, at_ms: int) -> None:
    await pool.execute("delete from watermarks")
    for consumer in ("store", "score"):
        await pool.execute("insert into watermarks values ($1, '0', 0, $2)", consumer, to_datetime(at_ms))


async def as_lived(pool: Pool, person_no: int) -> Days:
    """What score would have counted, reading for reading, until minute 90."""
    past = load_queries("services.score", PAST_SQL)
    rows = await pool.fetch(past["readings_of_past"], person_no, EPOCH, to_datetime(minute(90)))
    return days_of(person_no, rows, minute(90))


async def test_what_was_lived_before_is_found_once_and_taken_with_a_checkpoint(
    pool: Pool, world: World, home: OneHome
) -> None:
    await live(pool, world)
    stored = StoredDays(pool=pool, sql=SQL)
    assert await stored.look() == 0
    await pass_watermark(pool, minute(90))
    assert await stored.look() == 1
    assert await stored.look() == 0
    assert home.days.closed(STEPS.number) == []

    home.measure_and_close((70, 63))
    await home.save()
    taken, expected = home.days.to_plain(), await as_lived(pool, world.person_no)
    for vital in (HEART_RATE, STEPS, SKIN_TEMPERATURE, WEIGHT):
        assert home.days.closed(vital.number) == expected.closed(vital.number)
    assert len(home.days.closed(STEPS.number)) == 35
    assert home.days.closed(STEPS.number)[-1].day == day_of(minute(90)) - 2
    assert {drift.STEPS, drift.SKIN_TEMPERATURE, drift.SLEEPING_PULSE} <= home.days.drift.past.keys()
    assert await pool.fetchval("select count(*) from score_stored_days where state is not null") == 0

    # Whoever goes on from there after a crash begins with the same days, and ends at the same ones.
    await home.load()
    assert home.days.to_plain() == taken
    home.measure_and_close((200, 64))
    await home.save()
    assert home.days.to_plain()["closed"] == taken["closed"]


async def test_a_checkpoint_that_is_not_written_leaves_them_to_the_next_one(
    pool: Pool, world: World, home: OneHome
) -> None:
    await live(pool, world)
    await pass_watermark(pool, minute(90))
    await StoredDays(pool=pool, sql=SQL).look()
    home.measure_and_close((70, 63))
    await pool.execute("update score_positions set position = 99")
    assert not await home.checkpoints.save(0, home.partition)
    assert home.days.closed(STEPS.number) == []
    assert await pool.fetchval("select count(*) from score_stored_days where state is not null") == 1
    await pool.execute("update score_positions set position = $1", home.partition.saved)
    await home.save()
    assert len(home.days.closed(STEPS.number)) == 35


async def test_of_whom_nothing_is_stored_nothing_is_looked_up_and_their_days_stay_as_the_log_makes_them(
    pool: Pool, world: World, home: OneHome
) -> None:
    await pass_watermark(pool, minute(90))
    assert await StoredDays(pool=pool, sql=SQL).look() == 1
    assert await pool.fetchval("select state is null from score_stored_days where person_no = $1", world.person_no)
    home.pass_time(3 * DAY_MIN)
    await home.save()
    before = home.days.to_plain()
    await live(pool, world)
    assert await StoredDays(pool=pool, sql=SQL).look() == 0
    home.measure_and_close((3 * DAY_MIN + 9, 70))
    await home.save()
    assert home.days.to_plain()["closed"] == before["closed"]


async def test_whose_past_somebody_else_fills_is_left_alone(pool: Pool, world: World, home: OneHome) -> None:
    async with transaction(pool) as connection:
        await leave_to_others(connection)
    await live(pool, world)
    await pass_watermark(pool, START + DAY_MS + int(timedelta(hours=1).total_seconds()))
    assert await StoredDays(pool=pool, sql=SQL).look() == 0
    assert home.days.closed(STEPS.number) == []
