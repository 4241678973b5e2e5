"""Wires store: bus to database, then the settled records, then the offset."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

import structlog

from schemas.codec import decode_uplink_record, encode_settled
from schemas.topics import UPLINKS_JUDGED, UPLINKS_SETTLED
from services.runtime.bus.open import open_bus
from services.runtime.bus.port import Bus, Message, Record, Subscription
from services.runtime.clock import Clock
from services.runtime.database import LOST_CONNECTION, open_pool
from services.runtime.errors import RetryLaterError
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from services.store.core import Batch
from services.store.settings import StoreSettings
from services.store.writer import BatchWriter

GROUP: Final = "store"
_WAIT_S: Final = 0.5
_RETRY_S: Final = 0.25


async def run(settings: StoreSettings, *, clock: Clock, stop: asyncio.Event, metrics: Metrics) -> None:
    """One member of the group, until ``stop``."""
    log = logger("store").bind(instance=settings.instance)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings.database, application="hb-store"))
        bus = await stack.enter_async_context(open_bus(settings.bus, pool))
        path = StorePath(bus, BatchWriter(pool, clock, metrics), metrics, log, settings)
        log.info("started", partitions=bus.partitions)
        await path.run(stop)


class StorePath:
    """Fetch, write, tell, commit: a crash between any two repeats a batch, which changes nothing."""

    def __init__(
        self,
        bus: Bus,
        writer: BatchWriter,
        metrics: Metrics,
        log: structlog.typing.FilteringBoundLogger,
        settings: StoreSettings,
    ) -> None:
        self._bus, self._writer, self._metrics, self._log, self._settings = bus, writer, metrics, log, settings

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``. While the bus is away it waits; a record that can't be read ends the process."""
        subscription: Subscription | None = None
        while not stop.is_set():
            try:
                subscription = subscription or await self._bus.subscribe(
                    UPLINKS_JUDGED.name, GROUP, instance=self._settings.instance
                )
                messages = await subscription.fetch(most=self._settings.most, wait_s=_WAIT_S)
            except RetryLaterError as error:
                self._log.warning("bus away", error=str(error))
                await asyncio.sleep(_RETRY_S)
                continue
            if messages:
                await self._pass_on(messages, subscription, stop)
                await asyncio.sleep(self._settings.gather.after(len(messages)))

    async def _pass_on(self, messages: Sequence[Message], subscription: Subscription, stop: asyncio.Event) -> None:
        written = await self._write(messages, subscription, stop)
        if written is None or not await self._tell(*written, subscription, stop):
            return
        positions = {message.partition: message.offset + 1 for message in messages}
        try:
            await subscription.commit(positions)
        except RetryLaterError as error:
            self._log.warning("offset not committed", error=str(error))

    async def _write(
        self, messages: Sequence[Message], subscription: Subscription, stop: asyncio.Event
    ) -> tuple[Batch, int] | None:
        """Tries until the database has the batch; None where ``stop`` came first."""
        records = [(message.partition, message.offset, decode_uplink_record(message.value)) for message in messages]
        while True:
            try:
                return await self._writer.write(records)
            except LOST_CONNECTION as error:
                if isinstance(error, ValueError):
                    raise  # asyncpg's word for an argument that does not fit: ours to mend, not to repeat
                self._metrics.count("hb_store_retries_total")
                self._log.warning("database away", records=len(records), error=type(error).__name__)
            if stop.is_set():
                return None
            await subscription.hold(_RETRY_S)

    async def _tell(self, batch: Batch, generation: int, subscription: Subscription, stop: asyncio.Event) -> bool:
        """Tells every device touched, pure duplicates too: a resend is what repeats a lost ack."""
        records = [
            Record(cursor.device.encode(), encode_settled(cursor.settled_record(generation)))
            for cursor in batch.touched
        ]
        while records:
            try:
                await self._bus.append(UPLINKS_SETTLED.name, records)
            except RetryLaterError:
                self._metrics.count("hb_store_retries_total")
            else:
                return True
            if stop.is_set():
                return False
            await subscription.hold(_RETRY_S)
        return True
