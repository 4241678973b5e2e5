"""Publishes to devices what the database has, beside the writing of the next batches, and then commits the offset."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

import structlog

from schemas.codec import encode_settled
from schemas.records import SettledRecord
from schemas.topics import UPLINKS_SETTLED
from services.runtime.bus.port import Bus, Message, Record, Subscription
from services.runtime.errors import RetryLaterError
from services.runtime.metrics import Metrics, Server
from services.runtime.retry import GaveUpError, Retry
from services.store.core import Batch, Cursor

_RETRY_S: Final = 0.25


class Unpublished:
    """What the database has and no device has heard yet: the newest cursor of each, and how far the log is done."""

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
        for cursor in (*batch.touched, *batch.turned_away.values()):
            key = (cursor.device_no, cursor.epoch)
            # Taken out and put in again, to move it to the end.
            self._cursors.pop(key, None)
            self._cursors[key] = cursor
        self.positions.update({message.partition: message.offset + 1 for message in messages})

    def due(self, now_s: float, every_s: float) -> bool:
        """Whether it is time to publish; acks of many batches make one a device."""
        return bool(self.positions) and now_s - self._since_s >= every_s

    def settled_records(self) -> list[SettledRecord]:
        """One a device and epoch."""
        return [cursor.settled_record(self._generation) for cursor in self._cursors.values()]


class SettledPublisher:
    """One publishing at a time, in order; what is written meanwhile gathers for the next."""

    def __init__(
        self, bus: Bus, metrics: Metrics, log: structlog.typing.FilteringBoundLogger, *, every_s: float
    ) -> None:
        self._bus, self._log, self._every_s = bus, log, every_s
        self._retry = Retry(
            errors=(RetryLaterError,),
            every_s=_RETRY_S,
            log=log,
            metrics=metrics,
            on=Server.BUS,
            counter="hb_store_retries_total",
        )
        self._unpublished = Unpublished()
        self._under_way: asyncio.Task[None] | None = None

    def add(self, batch: Batch, generation: int, messages: Sequence[Message]) -> None:
        """A batch that was committed."""
        self._unpublished.add(batch, generation, messages)

    def start_if_due(self, subscription: Subscription, stop: asyncio.Event) -> None:
        """Begins to publish, unless that is under way. Raises what ended the publishing before."""
        if self._under_way is not None and self._under_way.done():
            # Raises what ended the task; otherwise its error would be lost and nothing be published
            # any more.
            self._under_way.result()
            self._under_way = None
        if self._under_way is None and self._unpublished.due(asyncio.get_running_loop().time(), self._every_s):
            unpublished, self._unpublished = self._unpublished, Unpublished()
            self._under_way = asyncio.create_task(self._pass_on(unpublished, subscription, stop), name="settled")

    async def finish(self, subscription: Subscription, stop: asyncio.Event) -> None:
        """Ends the publishing under way, and publishes the rest."""
        if self._under_way is not None:
            await self._under_way
            self._under_way = None
        unpublished, self._unpublished = self._unpublished, Unpublished()
        if unpublished.positions:
            await self._pass_on(unpublished, subscription, stop)

    def forget(self) -> None:
        """Drops it all: no offset was committed, so the partitions' new owner reads it again."""
        if self._under_way is not None:
            self._under_way.cancel()
        self._under_way, self._unpublished = None, Unpublished()

    async def _pass_on(self, unpublished: Unpublished, subscription: Subscription, stop: asyncio.Event) -> None:
        """Publishes, then commits: an offset is never ahead of what was published to its devices."""
        if not await self._publish(unpublished, stop):
            return
        try:
            await subscription.commit(unpublished.positions)
        # No harm: after a restart the batch is read again, and everything in it is a duplicate.
        except RetryLaterError as error:
            self._log.warning("offset not committed", error=str(error))

    async def _publish(self, unpublished: Unpublished, stop: asyncio.Event) -> bool:
        """An ack for every device touched, pure duplicates too: a resend repeats a lost ack. False: asked to stop."""
        records = [Record(one.device.encode(), encode_settled(one)) for one in unpublished.settled_records()]
        if not records:
            return True
        try:
            await self._retry.until_done(partial(self._bus.append, UPLINKS_SETTLED.name, records), stop)
        except GaveUpError:
            return False
        return True
