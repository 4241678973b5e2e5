"""Wires store: bus to database, then the settled records, then the offset."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Final

import structlog

from schemas.codec import open_uplink_record
from schemas.topics import UPLINKS_JUDGED
from services.runtime.bus.open import open_bus
from services.runtime.bus.port import Bus, Message, Subscription
from services.runtime.clock import Clock, pause
from services.runtime.database import LOST_CONNECTION, Pool, load_queries, open_pool
from services.runtime.errors import RetryLaterError
from services.runtime.failpoints import Failpoint, reach
from services.runtime.logs import logger
from services.runtime.metrics import Metrics, Server
from services.runtime.rounds import do_rounds
from services.store.core import Batch
from services.store.database_identity import ChangedDatabaseError
from services.store.retention import Chores
from services.store.settings import StoreSettings
from services.store.settled_publisher import SettledPublisher
from services.store.writer import BatchWriter

GROUP: Final = "store"
_WAIT_S: Final = 0.5
_RETRY_S: Final = 0.25
_REFUSED_S: Final = 0.5
_REPEAT_S: Final = 30.0


async def run(settings: StoreSettings, *, clock: Clock, stop: asyncio.Event, metrics: Metrics) -> None:
    """One member of the group, until ``stop``."""
    log = logger("store").bind(instance=settings.instance)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings.database, application="hb-store"))
        writer = BatchWriter(pool, clock, metrics, live_epochs=settings.live_epochs)
        chores = Chores(
            pool=pool,
            sql=load_queries("services.store"),
            clock=clock,
            metrics=metrics,
            kept_for=timedelta(days=settings.kept_days),
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(
                do_rounds(chores.look, stop, every_s=settings.chores_every_s, log=log, metrics=metrics), name="chores"
            )
            tasks.create_task(_follow(settings, pool, writer, metrics, log, stop), name="follow")


async def _follow(
    settings: StoreSettings,
    pool: Pool,
    writer: BatchWriter,
    metrics: Metrics,
    log: structlog.typing.FilteringBoundLogger,
    stop: asyncio.Event,
) -> None:
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
    said_at = -_REPEAT_S
    while not await pause(stop, _REFUSED_S):
        try:
            if await writer.is_well(refused):
                return
        except LOST_CONNECTION as error:
            log.warning("database away", error=type(error).__name__)
            continue
        metrics.count("hb_store_refusals_total")
        if asyncio.get_running_loop().time() - said_at >= _REPEAT_S:
            said_at = asyncio.get_running_loop().time()
            log.error("refused to write", error=str(refused))


class StorePath:
    """Fetch, write, publish, commit: a crash between any two repeats a batch, which changes nothing.

    When partitions move, what is under way is finished first. What that takes too long for, or was fetched before, is
    neither published nor committed any more: who has the partition now reads and publishes it, and is not overtaken.
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
        self._publisher = SettledPublisher(bus, metrics, log, every_s=settings.publish_every_s)
        self._at_work = asyncio.Lock()
        self._assignment = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``. While the bus is away it waits; a record that can't be read ends the process.

        Raises ChangedDatabaseError: what was not published yet is not to be published any more.
        """
        try:
            await self._fetch_and_write(stop)
        finally:
            self._publisher.forget()

    async def _fetch_and_write(self, stop: asyncio.Event) -> None:
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
            began_s = time.monotonic()
            await self._take(messages, self._assignment, subscription, stop)
            if messages:
                spent_s = time.monotonic() - began_s
                await asyncio.sleep(self._settings.gather.after(len(messages), spent_s=spent_s))
        if self._subscription is not None:
            async with self._at_work:
                await self._publisher.finish(self._subscription, stop)

    async def _subscribe(self, stop: asyncio.Event) -> Subscription:
        return await self._bus.subscribe(
            UPLINKS_JUDGED.name, GROUP, instance=self._settings.instance, on_revoked=lambda: self._hand_over(stop)
        )

    async def _hand_over(self, stop: asyncio.Event) -> None:
        try:
            async with self._at_work:
                if self._subscription is not None:
                    await self._publisher.finish(self._subscription, stop)
        finally:
            self._assignment += 1
            self._publisher.forget()

    async def _take(
        self, messages: Sequence[Message], assignment: int, subscription: Subscription, stop: asyncio.Event
    ) -> None:
        async with self._at_work:
            if messages and assignment == self._assignment:
                written = await self._write(messages, assignment, subscription, stop)
                reach(Failpoint.STORE_WRITTEN)
                if written is not None and assignment == self._assignment:
                    self._publisher.add(*written, messages)
            self._publisher.start_if_due(subscription, stop)

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
