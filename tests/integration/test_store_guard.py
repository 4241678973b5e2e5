"""Store on a database that is another one or an earlier state: it refuses, and goes on once that is mended."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from pydantic import SecretStr

from schemas.codec import decode_settled, encode_uplink_record
from schemas.metrics import METRICS
from schemas.records import JudgedUplink
from schemas.topics import UPLINKS_JUDGED, UPLINKS_SETTLED, home_key
from services.prepare import prepare
from services.restore import restore
from services.runtime.bus.port import Record
from services.runtime.bus.postgres import open_postgres_bus
from services.runtime.clock import FakeClock
from services.runtime.database import Pool, open_pool
from services.runtime.metrics import Metrics
from services.runtime.settings import BusSettings, ClockSettings, DatabaseSettings, LogSettings
from services.store import app
from services.store.settings import StoreSettings
from tests.integration.care_world import START_MS, World, settle_in

PATIENCE_S = 20.0


@dataclass(slots=True)
class Bench:
    """A store that runs, on a database whose past the tests change."""

    pool: Pool
    world: World
    database: DatabaseSettings
    metrics: Metrics = field(default_factory=lambda: Metrics(METRICS))

    async def send(self, *seqs: int, device_no: int | None = None) -> None:
        """Puts uplinks on the bus, as ingest would."""
        async with open_postgres_bus(self.pool) as bus:
            records = [
                JudgedUplink(
                    device_no=self.world.device_no if device_no is None else device_no, device=self.world.device,
                    home_no=self.world.home_no, shard=5, epoch=1, seq=seq, oldest=0, sent_at=1, received_at=START_MS,
                )
                for seq in seqs
            ]  # fmt: skip
            await bus.append(
                UPLINKS_JUDGED.name,
                [Record(home_key(self.world.home_no), encode_uplink_record(one)) for one in records],
            )

    async def settled(self) -> list[tuple[int, int]]:
        """What is settled of the device."""
        found = await self.pool.fetchval(
            "select settled from device_cursor where device_no = $1 and epoch = 1", self.world.device_no
        )
        return [(part.lower, part.upper - 1) for part in found or []]

    async def acked(self) -> list[tuple[int, int]]:
        """Generation and upto of every ack of the device so far."""
        rows = await self.pool.fetch(
            "select value from bus_log where topic = $1 order by log_offset", UPLINKS_SETTLED.name
        )
        records = [decode_settled(row["value"]) for row in rows]
        return [(one.ack.generation, one.ack.upto) for one in records if one.device == self.world.device]

    def rejections(self) -> float:
        """How often store has looked at a database that it does not write to."""
        return self.metrics.registry.get_sample_value("hb_store_refusals_total") or 0.0

    async def go_back(self) -> None:
        """As if the data directory of an earlier moment were put back, which keeps cluster and timeline.

        The offset of the group is Kafka's in a real platform, and stays.
        """
        await self.pool.execute("update store_positions set position = position - 2")
        await self.pool.execute(
            "update device_cursor set settled = settled - '{[2,10)}'::int8multirange where device_no = $1",
            self.world.device_no,
        )


@pytest.fixture
async def bench(dsn: str) -> AsyncIterator[Bench]:
    database, bus = DatabaseSettings(dsn=SecretStr(dsn)), BusSettings(kind="postgres")
    async with open_pool(database, application="test") as pool:
        await pool.execute(
            "truncate bus_log, bus_topics, bus_offsets, store_positions, score_positions, score_state, score_days"
            " cascade"
        )
        await pool.execute("update platform set generation = 1, cluster = null, restored_at = null")
        await prepare(database, bus)
        yield Bench(pool=pool, world=await settle_in(pool), database=database)


@pytest.fixture
async def store(bench: Bench) -> AsyncIterator[None]:
    """Runs."""
    settings = StoreSettings(
        database=bench.database, bus=BusSettings(kind="postgres"), clock=ClockSettings(), log=LogSettings(),
        publish_every_s=0,
    )  # fmt: skip
    stop = asyncio.Event()
    running = asyncio.create_task(app.run(settings, clock=FakeClock(), stop=stop, metrics=bench.metrics))
    yield
    stop.set()
    await running


async def until_settled(bench: Bench, *ranges: tuple[int, int]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await bench.settled() != list(ranges):
            await asyncio.sleep(0.02)


async def until_acked(bench: Bench, upto: int) -> None:
    """Store publishes after its commit: what is settled may not have been said yet."""
    async with asyncio.timeout(PATIENCE_S):
        while not any(said == upto for _, said in await bench.acked()):
            await asyncio.sleep(0.02)


async def bring_back(bench: Bench) -> None:
    """The restore command."""
    await restore(bench.database, BusSettings(kind="postgres"), FakeClock(at_ms=START_MS))


async def refused(bench: Bench) -> None:
    """Waits until store has refused."""
    before = bench.rejections()
    async with asyncio.timeout(PATIENCE_S):
        while bench.rejections() == before:
            await asyncio.sleep(0.02)


@pytest.mark.usefixtures("store")
async def test_a_database_that_went_back_is_not_written_to_until_it_was_restored(bench: Bench) -> None:
    await bench.send(0, 1, 2, 3)
    await until_settled(bench, (0, 3))
    await bench.go_back()
    await bench.send(4)
    await refused(bench)
    assert await bench.settled() == [(0, 1)]

    await bring_back(bench)

    await until_settled(bench, (0, 4))


@pytest.mark.usefixtures("store")
async def test_another_cluster_is_not_written_to_until_the_platform_takes_it_over(bench: Bench) -> None:
    await bench.pool.execute("update platform set cluster = '1/00000001'")
    await bench.send(0)
    await refused(bench)
    assert await bench.settled() == []

    await bring_back(bench)

    await until_settled(bench, (0, 0))


@pytest.mark.usefixtures("store")
async def test_store_goes_on_by_itself_when_the_right_database_is_back(bench: Bench) -> None:
    own = await bench.pool.fetchval("select cluster from platform")
    await bench.pool.execute("update platform set cluster = '1/00000001'")
    await bench.send(0)
    await refused(bench)
    await bench.pool.execute("update platform set cluster = $1", own)
    await until_settled(bench, (0, 0))


@pytest.mark.usefixtures("store")
async def test_every_device_hears_the_new_generation_at_once(bench: Bench) -> None:
    await bench.send(0, 1, 2, 3)
    await until_settled(bench, (0, 3))
    await until_acked(bench, 3)
    await bench.go_back()
    heard = len(await bench.acked())
    await bring_back(bench)
    news = (await bench.acked())[heard:]
    assert news
    assert all(generation > 1_700_000_000 for generation, _ in news)
    assert news[0][1] == 1


async def test_a_second_restore_raises_the_generation_again_and_changes_nothing_else(bench: Bench) -> None:
    await bring_back(bench)
    first = await bench.pool.fetchval("select generation from platform")
    positions = await bench.pool.fetch("select * from store_positions")
    await bring_back(bench)
    assert await bench.pool.fetchval("select generation from platform") > first
    assert await bench.pool.fetch("select * from store_positions") == positions


@pytest.mark.usefixtures("store")
async def test_where_the_log_begins_later_than_the_rows_end_both_go_on_at_its_beginning(bench: Bench) -> None:
    await bench.send(0, 1, 2, 3)
    await until_settled(bench, (0, 3))
    await bench.go_back()
    await bench.pool.execute("insert into score_positions (partition_no, position) values (0, 1)")
    await bench.pool.execute("delete from bus_log where topic = $1", UPLINKS_JUDGED.name)
    done = await restore(bench.database, BusSettings(kind="postgres"), FakeClock())
    await bench.send(4)
    await until_settled(bench, (0, 1), (4, 4))
    assert done.beyond_log == 2
    assert await bench.pool.fetchval("select position from score_positions where partition_no = 0") == 4
    assert (await bench.acked())[-1] == (done.generation, 1)


@pytest.mark.usefixtures("store")
async def test_a_device_that_the_restored_register_does_not_know_is_not_settled(bench: Bench) -> None:
    await bench.send(0, device_no=2_000_000)
    await bench.send(0)
    await until_settled(bench, (0, 0))
    assert await bench.pool.fetchval("select count(*) from device_cursor where device_no = 2000000") == 0
    assert bench.metrics.registry.get_sample_value("hb_store_unregistered_total") == 1


async def test_numbers_in_the_log_are_never_given_to_anybody_else(bench: Bench) -> None:
    await bring_back(bench)
    later = await settle_in(bench.pool)
    assert later.person_no > bench.world.person_no + 1000
    assert later.device_no > bench.world.device_no + 1000
    assert later.home_no > bench.world.home_no + 1000


@pytest.mark.usefixtures("store")
async def test_an_outbox_first_heard_after_the_backup_hears_of_the_restore_too(bench: Bench) -> None:
    await bench.send(0, 1)
    await until_settled(bench, (0, 1))
    while not await bench.acked():
        await asyncio.sleep(0.02)
    await bench.pool.execute("delete from device_cursor where device_no = $1", bench.world.device_no)
    await bring_back(bench)
    acked = await bench.acked()
    assert acked[-1][0] > 1_700_000_000
    assert acked[-1][1] == -1
