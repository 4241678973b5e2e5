"""The path of a batch: fetched, written, published to devices, committed."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import structlog

from schemas.codec import open_uplink_record
from schemas.topics import UPLINKS_JUDGED
from services.runtime.bus.port import Bus, Message, Subscription
from services.runtime.consumer import Fetched, GroupMember
from services.runtime.failpoints import Failpoint, reach
from services.runtime.metrics import Metrics, Server
from services.runtime.retry import GaveUpError, Retry
from services.store.core import Batch
from services.store.settings import StoreSettings
from services.store.settled_publisher import SettledPublisher
from services.store.writer import BatchWriter

GROUP: Final = "store"
_WAIT_S: Final = 0.5
_RETRY_S: Final = 0.25


class StorePath:
    """Fetch, write, publish, commit.

    A crash between any two of these repeats a batch, which changes nothing. When partitions move,
    the batch under way is finished first. A batch that takes too long for that, or was fetched
    before the move, is neither published nor committed: the new owner reads and publishes it, and
    an old acknowledgement of ours must not come after a newer one of theirs.
    """

    def __init__(
        self,
        bus: Bus,
        writer: BatchWriter,
        metrics: Metrics,
        log: structlog.typing.FilteringBoundLogger,
        settings: StoreSettings,
    ) -> None:
        self._writer, self._settings = writer, settings
        self._publisher = SettledPublisher(bus, metrics, log, every_s=settings.publish_every_s)
        self._member = GroupMember(
            bus=bus,
            topic=UPLINKS_JUDGED.name,
            group=GROUP,
            instance=settings.instance,
            log=log,
            metrics=metrics,
            finish=self._publisher.finish,
            forget=self._publisher.forget,
        )
        self._retry = Retry(
            every_s=_RETRY_S,
            log=log,
            metrics=metrics,
            on=Server.DATABASE,
            counter="hb_store_retries_total",
            says="database away",
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``. While the bus is away it waits; a record that can't be read ends the process.

        Raises ChangedDatabaseError; what was not published yet is dropped then.
        """
        try:
            await self._member.run(self._fetch_and_write, stop)
        finally:
            self._publisher.forget()

    async def _fetch_and_write(self, subscription: Subscription, stop: asyncio.Event) -> None:
        fetched = await self._member.fetch(subscription, most=self._settings.most, wait_s=_WAIT_S)
        began_s = time.monotonic()
        await self._take(fetched, subscription, stop)
        if fetched.messages:
            spent_s = time.monotonic() - began_s
            await asyncio.sleep(self._settings.gather.after(len(fetched.messages), spent_s=spent_s))

    async def _take(self, fetched: Fetched, subscription: Subscription, stop: asyncio.Event) -> None:
        messages, assignment = fetched
        async with self._member.at_work:
            # The lock was perhaps waited for while partitions moved; the new owner reads these
            # records again.
            if messages and assignment == self._member.assignment:
                written = await self._write(messages, assignment, subscription, stop)
                if written is not None:
                    reach(Failpoint.STORE_WRITTEN)
                # Moved while it was written: the rows are there, but the new owner publishes what
                # they settle.
                if written is not None and assignment == self._member.assignment:
                    self._publisher.add(*written, messages)
            # Also without new records: acks of the last batches must not wait for the next one.
            self._publisher.start_if_due(subscription, stop)

    async def _write(
        self, messages: Sequence[Message], assignment: int, subscription: Subscription, stop: asyncio.Event
    ) -> tuple[Batch, int] | None:
        """Tries until the database has the batch; None where ``stop`` or another assignment came first."""
        records = [(message.partition, message.offset, open_uplink_record(message.value)) for message in messages]

        async def write() -> tuple[Batch, int]:
            if assignment != self._member.assignment:
                raise GaveUpError
            return await self._writer.write(records)

        try:
            return await self._retry.until_done(write, stop, rest=subscription.hold, records=len(records))
        except GaveUpError:
            return None
