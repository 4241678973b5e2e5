"""Wires store: bus to database, then the settled records, then the offset."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

import structlog

from schemas.codec import encode_settled, open_uplink_record
from schemas.records import SettledRecord
from schemas.topics import UPLINKS_JUDGED, UPLINKS_SETTLED
from services.runtime.bus.open import open_bus
from services.runtime.bus.port import Bus, Message, Record, Subscription
from services.runtime.clock import Clock, pause
from services.runtime.database import LOST_CONNECTION, open_pool
from services.runtime.errors import RetryLaterError
from services.runtime.failpoints import Failpoint, reach
from services.runtime.logs import logger
from services.runtime.metrics import Metrics, Server
from services.store.core import Batch, Cursor
from services.store.guard import ChangedDatabaseError
from services.store.settings import StoreSettings
from services.store.writer import BatchWriter

GROUP: Final = "store"
_WAIT_S: Final = 0.5
_RETRY_S: Final = 0.25
_REFUSED_S: Final = 0.5
_TELL_AGAIN_S: Final = 30.0


async def run(settings: StoreSettings, *, clock: Clock, stop: asyncio.Event, metrics: Metrics) -> None:
    """One member of the group, until ``stop``."""
    log = logger("store").bind(instance=settings.instance)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings.database, application="hb-store"))
        writer = BatchWriter(pool, clock, metrics)
        while not stop.is_set():
            try:
                async with open_bus(settings.bus, pool) as bus:
                    log.info("started", partitions=bus.partitions)
                    await StorePath(bus, writer, metrics, log, settings).run(stop)
            except ChangedDatabaseError as error:
                await until_well(writer, error, metrics, log, stop)


async def until_well(
    writer: BatchWriter,
    refused: ChangedDatabaseError,
    metrics: Metrics,
    log: structlog.typing.FilteringBoundLogger,
    stop: asyncio.Event,
) -> None:
    """Writes nothing until the platform was restored or the database is the right one again; says so, loudly."""
    told_at = -_TELL_AGAIN_S
    while not await pause(stop, _REFUSED_S):
        try:
            if await writer.is_well(refused):
                return
        except LOST_CONNECTION as error:
            log.warning("database away", error=type(error).__name__)
            continue
        metrics.count("hb_store_refusals_total")
        if asyncio.get_running_loop().time() - told_at >= _TELL_AGAIN_S:
            told_at = asyncio.get_running_loop().time()
            log.error("refused to write", error=str(refused))


class StorePath:
    """Fetch, write, tell, commit: a crash between any two repeats a batch, which changes nothing.

    When partitions move, what is under way is finished first. What that takes too long for, or was fetched before, is
    neither told nor committed any more: whoever has the partition now reads it again, tells it, and is not overtaken.
    """

    def __init__(
        self,
        bus: Bus,
        writer: BatchWriter,
        metrics: Metrics,
        log: structlog.typing.FilteringBoundLogger,
        settings: StoreSettings,
    ) -> None:
        self._bus, self._writer, self._metrics, self._log, self._settings = bus, writer, metrics, log, settings
        self._subscription: Subscription | None = None
        self._untold = Untold()
        self._at_work = asyncio.Lock()
        self._assignment = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``. While the bus is away it waits; a record that can't be read ends the process.

        Raises ChangedDatabaseError: what was not told yet is not to be told any more.
        """
        while not stop.is_set():
            try:
                subscription = self._subscription = self._subscription or await self._subscribe(stop)
                messages = await subscription.fetch(most=self._settings.most, wait_s=_WAIT_S)
            except RetryLaterError as error:
                self._metrics.waits(on=Server.BUS, now=True)
                self._log.warning("bus away", error=str(error))
                await asyncio.sleep(_RETRY_S)
                continue
            self._metrics.waits(on=Server.BUS, now=False)
            await self._take(messages, self._assignment, subscription, stop)
            if messages:
                await asyncio.sleep(self._settings.gather.after(len(messages)))
        if self._subscription is not None:
            async with self._at_work:
                await self._pass_on(self._subscription, stop)

    async def _subscribe(self, stop: asyncio.Event) -> Subscription:
        return await self._bus.subscribe(
            UPLINKS_JUDGED.name, GROUP, instance=self._settings.instance, on_revoked=lambda: self._hand_over(stop)
        )

    async def _hand_over(self, stop: asyncio.Event) -> None:
        try:
            async with self._at_work:
                if self._subscription is not None:
                    await self._pass_on(self._subscription, stop)
        finally:
            self._assignment += 1
            self._untold = Untold()

    async def _take(
        self, messages: Sequence[Message], assignment: int, subscription: Subscription, stop: asyncio.Event
    ) -> None:
        async with self._at_work:
            if messages and assignment == self._assignment:
                written = await self._write(messages, assignment, subscription, stop)
                reach(Failpoint.STORE_WRITTEN)
                if written is not None and assignment == self._assignment:
                    self._untold.add(*written, messages)
            if self._untold.due(asyncio.get_running_loop().time(), self._settings.tell_every_s):
                await self._pass_on(subscription, stop)

    async def _pass_on(self, subscription: Subscription, stop: asyncio.Event) -> None:
        """Tells, then commits: an offset is never ahead of what its devices were told."""
        untold, assignment = self._untold, self._assignment
        if not await self._tell(untold, assignment, subscription, stop):
            return
        if assignment == self._assignment:
            try:
                await subscription.commit(untold.positions)
            except RetryLaterError as error:
                self._log.warning("offset not committed", error=str(error))
        untold.clear()

    async def _write(
        self, messages: Sequence[Message], assignment: int, subscription: Subscription, stop: asyncio.Event
    ) -> tuple[Batch, int] | None:
        """Tries until the database has the batch; None where ``stop`` or another assignment came first."""
        records = [(message.partition, message.offset, open_uplink_record(message.value)) for message in messages]
        while assignment == self._assignment:
            try:
                written = await self._writer.write(records)
            except LOST_CONNECTION as error:
                if isinstance(error, ValueError):
                    raise  # asyncpg's word for an argument that does not fit: ours to mend, not to repeat
                self._metrics.waits(on=Server.DATABASE, now=True)
                self._metrics.count("hb_store_retries_total")
                self._log.warning("database away", records=len(records), error=type(error).__name__)
            else:
                self._metrics.waits(on=Server.DATABASE, now=False)
                return written
            if stop.is_set():
                break
            await subscription.hold(_RETRY_S)
        return None

    async def _tell(self, untold: "Untold", assignment: int, subscription: Subscription, stop: asyncio.Event) -> bool:
        """Tells every device touched, pure duplicates too: a resend is what repeats a lost ack."""
        records = [Record(one.device.encode(), encode_settled(one)) for one in untold.settled_records()]
        while records and assignment == self._assignment:
            try:
                await self._bus.append(UPLINKS_SETTLED.name, records)
            except RetryLaterError:
                self._metrics.waits(on=Server.BUS, now=True)
                self._metrics.count("hb_store_retries_total")
            else:
                self._metrics.waits(on=Server.BUS, now=False)
                return True
            if stop.is_set():
                break
            await subscription.hold(_RETRY_S)
        return not records


class Untold:
    """What the database has and devices were not told yet: the newest cursor of each, and how far the log is done."""

    def __init__(self) -> None:
        self.positions: dict[int, int] = {}
        self._cursors: dict[tuple[int, int], Cursor] = {}
        self._generation = 0
        self._since_s = 0.0

    def add(self, batch: Batch, generation: int, messages: Sequence[Message]) -> None:
        """A batch that was committed. Devices stay in the order in which they were last heard."""
        if not self.positions:
            self._since_s = asyncio.get_running_loop().time()
        self._generation = generation
        for cursor in batch.touched:
            key = (cursor.device_no, cursor.epoch)
            self._cursors.pop(key, None)
            self._cursors[key] = cursor
        self.positions.update({message.partition: message.offset + 1 for message in messages})

    def due(self, now_s: float, every_s: float) -> bool:
        """Whether it is time to tell; acks of many batches make one a device."""
        return bool(self.positions) and now_s - self._since_s >= every_s

    def settled_records(self) -> list[SettledRecord]:
        """One a device and epoch."""
        return [cursor.settled_record(self._generation) for cursor in self._cursors.values()]

    def clear(self) -> None:
        """They were told."""
        self.positions.clear()
        self._cursors.clear()
