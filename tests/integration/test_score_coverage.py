"""The coverage of vitals on a real database: written with each checkpoint, of quiet homes too."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from schemas.coverage import Coverage
from schemas.records import WatermarkMarker
from schemas.vitals import HEART_RATE
from services.runtime.database import Pool, load_queries, open_pool
from services.runtime.settings import DatabaseSettings
from services.score.checkpoint import Checkpoints
from services.score.followups import Tally
from services.score.limit_book import DEFAULT_BOOK
from services.score.partition import Partition
from tests.integration.care_world import World, settle_in
from tests.unit.services.score.story import minute, uplink


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        await opened.execute("truncate score_positions, score_state, score_days, coverage")
        yield opened


class Home:
    """A partition with the home of one person."""

    def __init__(self, pool: Pool, world: World) -> None:
        self.checkpoints = Checkpoints(pool=pool, sql=load_queries("services.score"), partitions=2)
        self.world, self.partition, self.seq = world, Partition(), 0

    async def load(self) -> None:
        self.partition = await self.checkpoints.load(0, DEFAULT_BOOK)

    def measure(self, first: int, end: int, *, home_no: int = 0) -> None:
        for at in range(first, end):
            self.seq += 1
            record = uplink(self.seq, at, {"heart_rate": 70}, person=self.world.person_no)
            self.partition.take(record._replace(home_no=home_no or self.world.home_no), Tally())
        self.pass_time(end)

    def pass_time(self, at: float) -> None:
        self.partition.position += 1
        self.partition.mark(WatermarkMarker(instance="0", received_at=minute(at)))

    async def save(self) -> None:
        assert await self.checkpoints.save(0, self.partition)


@pytest.fixture
async def home(pool: Pool) -> Home:
    found = Home(pool, await settle_in(pool))
    await found.load()
    return found


async def minutes(pool: Pool, home: Home, kind: Coverage = Coverage.WATCHED) -> int:
    rows = await pool.fetch(
        "select * from coverage where person_no = $1 and vital = $2", home.world.person_no, HEART_RATE.number
    )
    return sum(int(row[kind]).bit_count() for row in rows)


async def test_a_checkpoint_writes_the_minutes_that_have_passed(pool: Pool, home: Home) -> None:
    home.measure(0, 30)
    await home.save()
    # The story begins within a minute, which is watched at its end.
    assert await minutes(pool, home) == 30
    home.measure(30, 90)
    await home.save()
    assert await minutes(pool, home) == 90


async def test_time_alone_is_written_too_and_changes_no_state_of_a_quiet_home(pool: Pool, home: Home) -> None:
    home.measure(0, 30)
    await home.save()
    home.pass_time(120)
    await home.save()
    assert (await minutes(pool, home), await minutes(pool, home, Coverage.HOME_SILENT)) == (89, 31)


async def test_a_restart_writes_nothing_twice_and_loses_nothing(pool: Pool, home: Home) -> None:
    home.measure(0, 90)
    await home.save()
    before = await pool.fetch("select * from coverage order by vital, hour")
    await home.load()
    home.pass_time(90)
    await home.save()
    assert await pool.fetch("select * from coverage order by vital, hour") == before
    home.measure(90, 100)
    await home.save()
    assert await minutes(pool, home) == 100


async def test_only_the_home_where_a_person_lives_writes_of_them(pool: Pool, home: Home) -> None:
    other = await settle_in(pool)
    home.measure(0, 30, home_no=other.home_no)
    await home.save()
    assert await minutes(pool, home) == 0


async def test_what_the_home_before_wrote_of_an_hour_stays(pool: Pool, home: Home) -> None:
    home.measure(0, 10)
    await home.save()
    moved = Home(pool, home.world)
    moved.partition.position = moved.partition.saved = home.partition.saved
    moved.seq = 50
    moved.measure(20, 25)
    await moved.save()
    assert await minutes(pool, home) == 15


async def test_a_checkpoint_that_is_not_written_leaves_the_minutes_to_the_next_one(pool: Pool, home: Home) -> None:
    home.measure(0, 30)
    await pool.execute("update score_positions set position = 99 where partition_no = 0")
    assert not await home.checkpoints.save(0, home.partition)
    assert await minutes(pool, home) == 0
    await pool.execute("update score_positions set position = 0 where partition_no = 0")
    await home.save()
    assert await minutes(pool, home) == 30
