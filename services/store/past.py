"""What devices sent before the platform knew them, written as store writes all else; nobody is notified of it.

It comes by no log, so there is no position to move and no ack to give: what is settled keeps the same uplink from being
written twice.
"""

from collections.abc import Sequence
from typing import NamedTuple

from schemas.records import SealedUplink
from services.runtime.clock import to_datetime
from services.runtime.database import Connection, load_queries, transaction
from services.store.core import settle
from services.store.rows import reading_rows
from services.store.writer import BatchWriter

_NOWHERE = -1
"""In the place of a partition: the log has none of that number."""


class Written(NamedTuple):
    """How many rows came new."""

    readings: int
    events: int
    rejections: int


class PastWriter(BatchWriter):
    """Writes uplinks of the past, each batch all or nothing."""

    async def write_past(self, uplinks: Sequence[SealedUplink]) -> Written:
        """What was not settled yet. Raises what ``LOST_CONNECTION`` lists, ChangedDatabaseError."""
        records = [(_NOWHERE, 0, uplink) for uplink in uplinks]
        async with transaction(self._pool) as connection:
            _, cursors, too_many = await self._lock(connection, records)
            away = await self._load_near(connection, records, cursors)
            batch = settle(records, cursors, too_many)
            stored, _ = await self._copy_readings(connection, reading_rows(batch.new))
            await self._insert_events(connection, batch)
            await self._insert_rejected(connection, batch)
            await self._put_away(connection, batch.touched, away)
            await self._save_progress(connection, batch.touched, {}, {})
        events = sum(len(uplink.events) for uplink in batch.new)
        return Written(stored, events, sum(len(uplink.rejections) for uplink in batch.new))


async def begin_past(connection: Connection, epoch: int, heard_at: int) -> None:
    """Each device has been heard until ``heard_at``, in ms, under ``epoch``: so none is silent before it can be heard.

    Once only: what is there already stays.
    """
    sql = load_queries("services.store", "past.sql")
    await connection.execute(sql["begin_past"], epoch, to_datetime(heard_at))
    await connection.execute(sql["note_past"], epoch, to_datetime(heard_at))
