"""Store's order of things: rows, then acks, then the offset; a crash between any two repeats the batch."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, cast

import pytest
from pydantic import SecretStr

from schemas.codec import BrokenRecordError, decode_settled, encode_uplink_record
from schemas.metrics import METRICS
from schemas.records import JudgedUplink
from schemas.topics import BUS_TOPICS, UPLINKS_JUDGED, UPLINKS_SETTLED
from services.runtime.bus.memory import MemoryBus
from services.runtime.bus.port import Record
from services.runtime.errors import RetryLaterError
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from services.runtime.settings import DatabaseSettings
from services.store.core import Batch, Cursor, Cursors, cursors_needed, settle
from services.store.database_identity import Placed
from services.store.path import GROUP, StorePath
from services.store.settings import StoreSettings

if TYPE_CHECKING:
    from services.store.writer import BatchWriter


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits a tenth as long as the product, in the same proportions."""
    monkeypatch.setattr("services.store.path._WAIT_S", 0.05)
    monkeypatch.setattr("services.store.path._RETRY_S", 0.025)
    monkeypatch.setattr("services.store.settled_publisher._RETRY_S", 0.025)
    monkeypatch.setattr("services.runtime.consumer._RETRY_S", 0.025)


class MemoryWriter:
    """A database that is a dictionary, and may be away so many times."""

    def __init__(self, *, away: int = 0) -> None:
        self.cursors: Cursors = {}
        self.stored: list[int] = []
        self.away = away

    async def write(self, records: Sequence[Placed]) -> tuple[Batch, int]:
        if self.away:
            self.away -= 1
            raise ConnectionResetError
        for device_no, epoch in cursors_needed(record for _, _, record in records):
            self.cursors.setdefault((device_no, epoch), Cursor(device_no=device_no, epoch=epoch))
        batch = settle(records, self.cursors)
        self.stored += [one.seq for one in batch.new]
        return batch, 4


class FailingBus(MemoryBus):
    """Its settled topic refuses so many appends."""

    def __init__(self, *, rejections: int = 0) -> None:
        super().__init__()
        self.rejections = rejections

    async def append(self, topic: str, records: Sequence[Record]) -> None:
        if topic == UPLINKS_SETTLED.name and self.rejections:
            self.rejections -= 1
            raise RetryLaterError
        await super().append(topic, records)


def uplink(seq: int) -> Record:
    judged = JudgedUplink(
        device_no=7, device="band-7", home_no=3, shard=5, epoch=1, seq=seq, oldest=0, sent_at=1, received_at=2
    )
    return Record(b"3", encode_uplink_record(judged))


async def bus_with(*records: Record, rejections: int = 0) -> FailingBus:
    bus = FailingBus(rejections=rejections)
    await bus.prepare({topic.name: 1 for topic in BUS_TOPICS}, {topic.name: topic.groups for topic in BUS_TOPICS})
    await bus.append(UPLINKS_JUDGED.name, records)
    return bus


async def run(bus: MemoryBus, writer: MemoryWriter, *, for_s: float = 0.05) -> None:
    settings = StoreSettings(
        database=DatabaseSettings(dsn=SecretStr("postgresql://localhost/nowhere")),
        publish_every_s=0,
        most_gather_s=0,
    )
    path = StorePath(bus, cast("BatchWriter", writer), Metrics(METRICS), logger("test"), settings)
    stop = asyncio.Event()
    running = asyncio.create_task(path.run(stop))
    await asyncio.wait({running}, timeout=for_s)
    stop.set()
    await running


async def left(bus: MemoryBus) -> int:
    return len(await (await bus.subscribe(UPLINKS_JUDGED.name, GROUP)).fetch(most=100, wait_s=0))


async def acks(bus: MemoryBus) -> list[tuple[int, int]]:
    acked = [decode_settled(one.value).ack for one in await bus.read(UPLINKS_SETTLED.name, 0, 100, 0)]
    return [(ack.generation, ack.upto) for ack in acked]


async def test_a_batch_is_written_acked_and_passed() -> None:
    bus, writer = await bus_with(uplink(0), uplink(1), uplink(1)), MemoryWriter()
    await run(bus, writer)
    assert (writer.stored, await acks(bus), await left(bus)) == ([0, 1], [(4, 1)], 0)


async def test_while_the_database_is_away_nobody_is_notified_and_no_offset_moves() -> None:
    bus, writer = await bus_with(uplink(0)), MemoryWriter(away=10**6)
    await run(bus, writer)
    assert (writer.stored, await acks(bus), await left(bus)) == ([], [], 1)


async def test_a_database_that_comes_back_gets_the_batch_once() -> None:
    bus, writer = await bus_with(uplink(0)), MemoryWriter(away=1)
    await run(bus, writer, for_s=0.5)
    assert (writer.stored, await acks(bus), await left(bus)) == ([0], [(4, 0)], 0)


async def test_an_ack_that_could_not_be_published_holds_the_offset_back() -> None:
    bus, writer = await bus_with(uplink(0), rejections=10**6), MemoryWriter()
    await run(bus, writer)
    assert (writer.stored, await left(bus)) == ([0], 1)
    bus.rejections = 0
    await run(bus, writer)
    assert (writer.stored, await acks(bus), await left(bus)) == ([0], [(4, 0)], 0)


async def test_while_acks_cannot_be_published_the_next_batches_are_written_and_then_all_are_published_in_order() -> (
    None
):
    bus, writer = await bus_with(uplink(0), rejections=10**6), MemoryWriter()
    task, stop = await a_store(bus, writer, "0", publish_every_s=0)
    await until(lambda: _given(writer.stored))
    await bus.append(UPLINKS_JUDGED.name, [uplink(1), uplink(2)])
    await until(lambda: _given(writer.stored[2:]))
    assert await acks(bus) == []
    bus.rejections = 0
    await until(lambda: _acked_upto(bus, 2))
    stop.set()
    await task
    assert (await acks(bus), await left(bus)) == ([(4, 0), (4, 2)], 0)


async def test_a_record_that_cannot_be_read_stops_the_service_and_stays() -> None:
    bus, writer = await bus_with(Record(b"3", b'["uplink"]')), MemoryWriter()
    with pytest.raises(BrokenRecordError):
        await run(bus, writer)
    assert (writer.stored, await left(bus)) == ([], 1)


class GatedWriter(MemoryWriter):
    """Writes when the gate is open; whoever waits is noted."""

    def __init__(self, cursors: Cursors) -> None:
        super().__init__()
        self.cursors = cursors
        self.gate, self.waiting = asyncio.Event(), asyncio.Event()

    async def write(self, records: Sequence[Placed]) -> tuple[Batch, int]:
        self.waiting.set()
        await self.gate.wait()
        return await super().write(records)


async def a_store(
    bus: MemoryBus, writer: MemoryWriter, instance: str, *, publish_every_s: float = 60
) -> tuple[asyncio.Task[None], asyncio.Event]:
    settings = StoreSettings(
        instance=instance,
        database=DatabaseSettings(dsn=SecretStr("postgresql://localhost/nowhere")),
        publish_every_s=publish_every_s,
        most_gather_s=0,
    )
    path = StorePath(bus, cast("BatchWriter", writer), Metrics(METRICS), logger("test"), settings)
    stop = asyncio.Event()
    return asyncio.create_task(path.run(stop)), stop


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while not await condition():
            await asyncio.sleep(0.005)


async def test_before_partitions_move_the_batch_under_way_is_written_acked_and_passed() -> None:
    bus, first = await bus_with(uplink(0), uplink(1)), GatedWriter({})
    task, stop = await a_store(bus, first, "b")
    await first.waiting.wait()
    joining = asyncio.create_task(a_store(bus, second := MemoryWriter(), "a"))
    await asyncio.sleep(0.02)
    first.gate.set()
    other, other_stop = await joining
    await bus.append(UPLINKS_JUDGED.name, [uplink(2)])
    await until(lambda: _given(second.stored))
    stop.set()
    other_stop.set()
    await asyncio.gather(task, other)
    assert (first.stored, second.stored) == ([0, 1], [2])
    assert (await acks(bus))[0] == (4, 1)


async def _given(found: Sequence[object]) -> bool:
    return bool(found)


async def test_an_ack_that_came_too_late_is_not_published_and_overtakes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its partition has gone to another store meanwhile, which has published more."""
    monkeypatch.setattr("services.runtime.bus.memory.REVOKE_S", 0.01)
    bus, writer = await bus_with(uplink(0), uplink(1)), MemoryWriter()
    deaf = FailingBus()
    deaf.__dict__.update(bus.__dict__ | {"rejections": 10**6})
    task, stop = await a_store(deaf, writer, "b", publish_every_s=0)
    await until(lambda: _given(writer.stored))
    other, other_stop = await a_store(bus, writer, "a", publish_every_s=0)
    await bus.append(UPLINKS_JUDGED.name, [uplink(2)])
    await until(lambda: _acked_upto(bus, 2))
    deaf.rejections = 0
    await asyncio.sleep(0.7)
    stop.set()
    other_stop.set()
    await asyncio.gather(task, other)
    acked = [upto for _, upto in await acks(bus)]
    assert acked[-1] == 2
    assert acked == sorted(acked)
    assert bus.committed(UPLINKS_JUDGED.name, GROUP) == {0: 3}


async def _acked_upto(bus: MemoryBus, upto: int) -> bool:
    return (4, upto) in await acks(bus)
