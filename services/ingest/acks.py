"""Publishes what store has settled: one retained ack a device, coalesced."""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from schemas.codec import open_settled
from schemas.topics import ACK, UPLINKS_SETTLED
from services.runtime.bus.port import Bus, Subscription
from services.runtime.consumer import GroupMember
from services.runtime.errors import RetryLaterError
from services.runtime.metrics import Metrics
from services.runtime.mqtt import Link
from services.runtime.retry import GaveUpError, Retry

GROUP: Final = "ingest-acks"
_MOST: Final = 5_000
_RETRY_S: Final = 0.5


class AckPublisher:
    """Sends acks with QoS 0: a device that misses one resends, and is acknowledged again."""

    def __init__(
        self,
        link: Link,
        bus: Bus,
        metrics: Metrics,
        log: structlog.typing.FilteringBoundLogger,
        *,
        instance: str,
        every_s: float,
    ) -> None:
        self._link, self._metrics, self._every_s = link, metrics, every_s
        # Whether the bus is there is said by what appends to it: a fetch finds it there for longer.
        self._member = GroupMember(bus=bus, topic=UPLINKS_SETTLED.name, group=GROUP, instance=instance, log=log)
        self._retry = Retry(errors=(RetryLaterError,), every_s=_RETRY_S, log=log)

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``.

        When partitions move, what is gathered is dropped: their new owner publishes it, and an
        older ack of ours must not replace a newer one of theirs.
        """
        await self._member.run(self._publish_newest, stop)

    async def _publish_newest(self, subscription: Subscription, stop: asyncio.Event) -> None:
        """Gathers for a moment, then publishes the newest ack of each device."""
        newest: dict[str, tuple[str, bytes]] = {}
        positions: dict[int, int] = {}
        gathered_under = self._member.assignment
        deadline = asyncio.get_running_loop().time() + self._every_s
        while (left := deadline - asyncio.get_running_loop().time()) > 0 and not stop.is_set():
            messages, assignment = await self._member.fetch(subscription, most=_MOST, wait_s=left)
            if assignment != gathered_under:
                newest, positions, gathered_under = {}, {}, assignment
            for message in messages:
                shard, device, payload = open_settled(message.value)
                newest[device] = (ACK.of(shard, device), payload)
                positions[message.partition] = message.offset + 1
            # A fetch answers as soon as there is one record; waiting lets many share the next one.
            await asyncio.sleep(min(left, self._every_s / 2))
        if newest and await self._publish(list(newest.values()), gathered_under, stop):
            self._metrics.count("hb_ingest_acks_total", len(newest))
            await subscription.commit(positions)

    async def _publish(self, acks: Sequence[tuple[str, bytes]], assignment: int, stop: asyncio.Event) -> bool:
        """Tries until the connection has them; False where ``stop`` or another assignment came first."""

        async def publish() -> None:
            if assignment != self._member.assignment:
                raise GaveUpError
            self._link.publish_retained(acks)

        try:
            await self._retry.until_done(publish, stop)
        except GaveUpError:
            return False
        return True
