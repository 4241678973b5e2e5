"""A person's days on a real database: written when an hour closes, and with them wherever they live."""

from collections.abc import AsyncIterator, Sequence
from itertools import count

import pytest
from pydantic import SecretStr

from schemas.records import JudgedUplink, WatermarkMarker
from schemas.vitals import HEART_RATE
from services.runtime.database import Pool, load_queries, open_pool
from services.runtime.settings import DatabaseSettings
from services.score.checkpoint import Checkpoints
from services.score.days import Days
from services.score.followups import Tally
from services.score.limit_book import DEFAULT_BOOK
from services.score.partition import Partition
from tests.integration.care_world import World, settle_in
from tests.unit.services.score.story import minute, uplink

DAY_MIN = 24 * 60
SEQ = count()
"""Every uplink of this module has a number of its own."""


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        await opened.execute("truncate score_positions, score_state, score_days")
        yield opened


@pytest.fixture
async def worlds(pool: Pool) -> list[World]:
    return [await settle_in(pool) for _ in range(2)]


class OneHome:
    """A partition with nobody but one home, where the person of ``whose`` lives just now."""

    def __init__(self, pool: Pool, number: int, home_no: int, whose: World) -> None:
        self.checkpoints = Checkpoints(pool=pool, sql=load_queries("services.score"), partitions=2)
        self.number, self.home_no, self.person_no = number, home_no, whose.person_no
        self.partition = Partition()

    async def load(self) -> None:
        self.partition = await self.checkpoints.load(self.number, DEFAULT_BOOK)

    async def welcome(self) -> None:
        await self.checkpoints.welcome([(self.person_no, self.home_no, self.partition.home(self.home_no))])

    def measure(self, *pulses: tuple[float, float]) -> None:
        """(minute, pulse), received at once."""
        records: list[JudgedUplink] = [
            uplink(next(SEQ), at, {"heart_rate": pulse}, person=self.person_no)._replace(home_no=self.home_no)
            for at, pulse in pulses
        ]
        for record in records:
            self.partition.take(record, Tally())

    def measure_and_close(self, *pulses: tuple[float, float]) -> None:
        """The same, and a marker closes the hour of the last one."""
        self.measure(*pulses)
        self.pass_time(pulses[-1][0] + 61)

    def pass_time(self, at: float) -> None:
        self.partition.position += 1
        self.partition.mark(WatermarkMarker(instance="0", received_at=minute(at)))

    async def save(self) -> None:
        assert await self.checkpoints.save(self.number, self.partition)

    @property
    def days(self) -> Days:
        return self.partition.homes[self.home_no].subject(self.person_no).recent.days


@pytest.fixture
async def homes(pool: Pool, worlds: Sequence[World]) -> list[OneHome]:
    """Two homes, each on a partition of its own, for the person of the first one."""
    found = [OneHome(pool, number, world.home_no, worlds[0]) for number, world in enumerate(worlds)]
    for home in found:
        await home.load()
    return found


async def counted(pool: Pool, person_no: int) -> int:
    """Values of the pulse in open and closed days, as they are written."""
    state = await pool.fetchval("select state from score_days where person_no = $1", person_no)
    opened = sum(sum(counts[1::2]) for _, code, counts, _ in state["open"] if code == HEART_RATE.code)
    return int(opened + sum(number for _, number, *_ in state["closed"].get(HEART_RATE.code, ())))


async def test_days_are_written_when_an_hour_closes_and_read_with_the_checkpoint(
    pool: Pool, homes: Sequence[OneHome]
) -> None:
    here = homes[0]
    here.measure_and_close((0, 70), (1, 80))
    await here.save()
    assert await counted(pool, here.person_no) == 2
    here.pass_time(3 * DAY_MIN)
    await here.save()
    written = here.days.to_plain()
    await here.load()
    assert here.days.to_plain() == written
    assert [(one.values, one.median) for one in here.days.closed(HEART_RATE.number)] == [(2, 75)]
    assert (here.days.revision, here.partition.time.now) == (2, minute(3 * DAY_MIN))


async def test_nothing_is_written_while_no_hour_has_closed(homes: Sequence[OneHome]) -> None:
    here = homes[0]
    here.measure_and_close((0, 70))
    await here.save()
    here.measure((62, 71))
    here.pass_time(62.1)
    await here.save()
    assert here.days.revision == 1


async def test_a_person_who_moves_takes_their_days_with_them(pool: Pool, homes: Sequence[OneHome]) -> None:
    before, after = homes
    before.measure_and_close((0, 70), (1, 80))
    await before.save()
    await after.welcome()
    assert after.days.to_plain() == before.days.to_plain()
    after.measure_and_close((200, 90))
    await after.save()
    assert await counted(pool, after.person_no) == 3


async def test_a_restart_before_the_new_home_has_written_loses_no_days(homes: Sequence[OneHome]) -> None:
    before, after = homes
    before.measure_and_close((0, 70), (1, 80))
    await before.save()
    await after.welcome()
    after.measure((200, 90))
    after.partition.position += 1
    await after.save()
    await after.load()
    assert after.days.to_plain() == before.days.to_plain()


async def test_two_homes_that_wrote_the_same_person_lose_nothing_of_each_other(
    pool: Pool, homes: Sequence[OneHome]
) -> None:
    before, after = homes
    before.measure_and_close((0, 70))
    await before.save()
    await after.welcome()
    # The last hour in the old home closes when the new one has read the days already; and the person comes back.
    before.measure_and_close((70, 71), (71, 72))
    await before.save()
    after.measure_and_close((200, 90))
    await after.save()
    before.measure_and_close((300, 73))
    await before.save()
    assert await counted(pool, before.person_no) == 5
    assert before.days.to_plain() == await pool.fetchval(
        "select state from score_days where person_no = $1", before.person_no
    )
    assert before.days.revision == 4


async def test_two_homes_of_one_partition_write_the_same_person_at_once(pool: Pool, homes: Sequence[OneHome]) -> None:
    before, after = homes
    after.partition, after.number = before.partition, before.number
    before.measure((0, 70))
    after.measure_and_close((1, 71), (2, 72))
    await after.save()
    assert await counted(pool, after.person_no) == 3


async def test_a_checkpoint_that_is_not_written_leaves_the_days_to_the_next_one(
    pool: Pool, homes: Sequence[OneHome]
) -> None:
    here = homes[0]
    here.measure_and_close((0, 70))
    await pool.execute("update score_positions set position = 99 where partition_no = 0")
    assert not await here.checkpoints.save(0, here.partition)
    assert await pool.fetchval("select count(*) from score_days") == 0
    await pool.execute("update score_positions set position = 0 where partition_no = 0")
    await here.save()
    assert await counted(pool, here.person_no) == 1
