"""Acks: the newest of each device, retained, and the offset only after they are out."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from schemas.codec import decode_ack, encode_settled
from schemas.messages import Ack
from schemas.metrics import METRICS
from schemas.records import SettledRecord
from schemas.topics import ACK, UPLINKS_SETTLED
from services.ingest.acks import GROUP, AckPublisher
from services.runtime.bus.memory import MemoryBus
from services.runtime.bus.port import Record
from services.runtime.errors import RetryLaterError
from services.runtime.logs import logger
from services.runtime.metrics import Metrics

if TYPE_CHECKING:
    from services.runtime.mqtt import Link


class WatchedLink:
    """Keeps what is published while it is online."""

    def __init__(self, *, online: bool = True) -> None:
        self.online = online
        self.out: list[tuple[str, Ack]] = []

    def publish_retained(self, messages: Sequence[tuple[str, bytes]]) -> None:
        if not self.online:
            raise RetryLaterError
        self.out += [(topic, decode_ack(payload)) for topic, payload in messages]


def settled(device: str, upto: int, *, epoch: int = 1) -> Record:
    ack = Ack(generation=1, epoch=epoch, upto=upto)
    return Record(device.encode(), encode_settled(SettledRecord(device=device, shard=9, ack=ack)))


async def bus_with(*records: Record) -> MemoryBus:
    bus = MemoryBus()
    await bus.prepare({UPLINKS_SETTLED.name: 24}, {UPLINKS_SETTLED.name: (GROUP,)})
    await bus.append(UPLINKS_SETTLED.name, records)
    return bus


async def publish(bus: MemoryBus, link: WatchedLink, *, for_s: float = 0.05) -> None:
    """Runs the publisher for a moment, then stops it as a signal does."""
    stop = asyncio.Event()
    publisher = AckPublisher(cast("Link", link), bus, Metrics(METRICS), logger("test"), instance="0", every_s=0.02)
    running = asyncio.create_task(publisher.run(stop))
    await asyncio.sleep(for_s)
    stop.set()
    await running


async def left(bus: MemoryBus) -> int:
    subscription = await bus.subscribe(UPLINKS_SETTLED.name, GROUP)
    return len(await subscription.fetch(most=100, wait_s=0))


async def test_of_each_device_the_newest_ack_is_published_and_retained() -> None:
    bus, link = await bus_with(settled("a", 1), settled("b", 7), settled("a", 2)), WatchedLink()
    await publish(bus, link)
    assert [(topic, ack.upto) for topic, ack in link.out] == [(ACK.of(9, "a"), 2), (ACK.of(9, "b"), 7)]
    assert await left(bus) == 0


async def test_the_epoch_heard_last_is_the_one_retained() -> None:
    bus, link = await bus_with(settled("a", 40, epoch=1), settled("a", 0, epoch=2)), WatchedLink()
    await publish(bus, link)
    assert [ack.epoch for _, ack in link.out] == [2]


async def test_while_the_broker_is_away_no_offset_moves() -> None:
    bus, link = await bus_with(settled("a", 1)), WatchedLink(online=False)
    await publish(bus, link)
    assert await left(bus) == 1


async def test_an_ack_gathered_when_the_signal_comes_is_still_published() -> None:
    bus, link = await bus_with(settled("a", 1)), WatchedLink()
    await publish(bus, link, for_s=0.001)
    assert len(link.out) + await left(bus) == 1


async def test_an_ack_gathered_before_partitions_moved_is_left_to_the_next_owner() -> None:
    """It would be published after a newer one of the same device, and be the one retained."""
    bus, link, other = await bus_with(settled("a", 1)), WatchedLink(online=False), WatchedLink()
    stop = asyncio.Event()
    publishers = [
        AckPublisher(cast("Link", one), bus, Metrics(METRICS), logger("test"), instance=instance, every_s=0.02)
        for one, instance in ((link, "b"), (other, "a"))
    ]
    first = asyncio.create_task(publishers[0].run(stop))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(publishers[1].run(stop))
    await bus.append(UPLINKS_SETTLED.name, [settled("a", 2)])
    await asyncio.sleep(0.05)
    link.online = True
    await asyncio.sleep(0.6)
    stop.set()
    await asyncio.gather(first, second)
    assert [ack.upto for _, ack in other.out] == [2]
    assert link.out == []
    assert bus.committed(UPLINKS_SETTLED.name, GROUP) == {0: 2}
