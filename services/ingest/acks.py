"""Publishes what store has settled: one retained ack a device, coalesced."""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from schemas.codec import open_settled
from schemas.topics import ACK, UPLINKS_SETTLED
from services.runtime.bus.port import Bus, Subscription
from services.runtime.clock import pause
from services.runtime.errors import RetryLaterError
from services.runtime.metrics import Metrics
from services.runtime.mqtt import Link

GROUP: Final = "ingest-acks"
_MOST: Final = 5_000
_RETRY_S: Final = 0.5


class AckPublisher:
    """Acks may be lost (QoS 0): a device that hears none sends again, and its resend is acknowledged again."""

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
        self._link, self._bus, self._metrics, self._log = link, bus, metrics, log
        self._instance, self._every_s = instance, every_s
        self._assignment = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``."""
        subscription: Subscription | None = None
        while not stop.is_set():
            try:
                subscription = subscription or await self._bus.subscribe(
                    UPLINKS_SETTLED.name, GROUP, instance=self._instance, on_revoked=self._hand_over
                )
                await self._publish_newest(subscription, stop)
            except RetryLaterError as error:
                self._log.info("acks wait", error=str(error))
                await pause(stop, _RETRY_S)

    async def _hand_over(self) -> None:
        """What is gathered is forgotten: whoever has the partition now publishes it, and is not overtaken."""
        self._assignment += 1

    async def _publish_newest(self, subscription: Subscription, stop: asyncio.Event) -> None:
        """Gathers for a moment, then publishes the newest ack of each device."""
        newest: dict[str, tuple[str, bytes]] = {}
        positions: dict[int, int] = {}
        assignment = self._assignment
        deadline = asyncio.get_running_loop().time() + self._every_s
        while (left := deadline - asyncio.get_running_loop().time()) > 0 and not stop.is_set():
            found = await subscription.fetch(most=_MOST, wait_s=left)
            if assignment != self._assignment:
                newest, positions, assignment = {}, {}, self._assignment
            for message in found:
                shard, device, payload = open_settled(message.value)
                newest[device] = (ACK.of(shard, device), payload)
                positions[message.partition] = message.offset + 1
            await asyncio.sleep(min(left, self._every_s / 2))
        if newest and await self._publish(list(newest.values()), assignment, stop):
            self._metrics.count("hb_ingest_acks_total", len(newest))
            await subscription.commit(positions)

    async def _publish(self, acks: Sequence[tuple[str, bytes]], assignment: int, stop: asyncio.Event) -> bool:
        """Tries until the connection has them; False where ``stop`` or another assignment came first."""
        while assignment == self._assignment:
            try:
                self._link.publish_retained(acks)
            except RetryLaterError:
                if await pause(stop, _RETRY_S):
                    return False
            else:
                return True
        return False
