"""One transaction a batch: lock the cursors, settle, insert, save."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from asyncpg import Record, UniqueViolationError

from schemas.codec import write_json
from schemas.records import Refused, SealedUplink
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Connection, Pool, load_queries, transaction
from services.runtime.metrics import Metrics
from services.store.core import Batch, Cursor, Cursors, Ranges, cursors_needed, settle
from services.store.guard import ChangedDatabaseError, Guard, Placed, first_offsets, next_offsets
from services.store.rows import READING_COLUMNS, ReadingRows, binary_copy, reading_rows

PutReadings = Callable[[Connection, ReadingRows], Awaitable[tuple[int, int]]]


class BatchWriter:
    """Turns records into rows, all or nothing."""

    def __init__(self, pool: Pool, clock: Clock, metrics: Metrics) -> None:
        self._pool, self._clock, self._metrics = pool, clock, metrics
        self._sql = load_queries("services.store")
        self._guard = Guard(sql=self._sql)

    async def write(self, records: Sequence[Placed]) -> tuple[Batch, int]:
        """What was written, and the generation to acknowledge with.

        Raises what ``LOST_CONNECTION`` lists, ChangedDatabaseError.
        """
        try:
            return await self._write(records, self._copy_readings)
        except UniqueViolationError:
            return await self._write(records, self._insert_readings)

    async def _write(self, records: Sequence[Placed], put_readings: PutReadings) -> tuple[Batch, int]:
        async with transaction(self._pool) as connection:
            generation, cursors = await self._lock(connection, records)
            batch = settle(records, cursors)
            stored, conflicts = await put_readings(connection, reading_rows(batch.new))
            await self._insert_events(connection, batch)
            await self._insert_set_aside(connection, batch)
            await self._save_progress(connection, batch.touched, next_offsets(records), batch.canaries)
        self._count(batch, stored, conflicts)
        return batch, generation

    async def is_well(self, refused: ChangedDatabaseError) -> bool:
        """Whether to go on after a refusal. Raises what ``LOST_CONNECTION`` lists."""
        async with self._pool.acquire() as connection:
            return await self._guard.is_well(connection, refused)

    async def _lock(self, connection: Connection, records: Sequence[Placed]) -> tuple[int, Cursors]:
        """The generation, and the cursors of a batch, those of newcomers too. Raises ChangedDatabaseError."""
        firsts, needed = first_offsets(records), cursors_needed(record for _, _, record in records)
        generation, rows = await self._guard.look_and_lock(connection, firsts, needed)
        cursors = _cursors(rows)
        unheard = [key for key in needed if key not in cursors]
        if unheard:
            await connection.execute(self._sql["create_cursors"], *_columns(unheard, 2))
            cursors |= _cursors((await self._guard.look_and_lock(connection, firsts, unheard))[1])
        return generation, cursors

    async def _copy_readings(self, connection: Connection, rows: ReadingRows) -> tuple[int, int]:
        """Straight into the table: the cursors have removed every duplicate. Raises UniqueViolationError if not."""
        if rows.size:
            await connection.copy_to_table(
                "readings", source=binary_copy(rows), columns=READING_COLUMNS, format="binary"
            )
        return rows.size, 0

    async def _insert_readings(self, connection: Connection, rows: ReadingRows) -> tuple[int, int]:
        """The safety net: keeps what is there already, and notes the bug. Gives rows stored and conflicts."""
        columns = [rows[name].tolist() for name in READING_COLUMNS]
        status = await connection.execute(self._sql["insert_readings"], *columns)
        stored = int(status.rpartition(" ")[2])
        conflicts = rows.size - stored
        await connection.execute(self._sql["note_conflicts"], to_datetime(self._clock.now_ms()), conflicts)
        return stored, conflicts

    async def _insert_events(self, connection: Connection, batch: Batch) -> None:
        rows = [
            (uplink.device_no, uplink.epoch, uplink.seq, one.item, uplink.home_no, one.person_no, one.kind,
             one.observed_at, uplink.received_at, one.flags, write_json(one.details).decode())
            for uplink in batch.new
            for one in uplink.events
        ]  # fmt: skip
        if rows:
            await connection.execute(self._sql["insert_events"], *_columns(rows, 11))

    async def _insert_set_aside(self, connection: Connection, batch: Batch) -> None:
        refused = [(uplink, refusal) for uplink in batch.new for refusal in uplink.refusals]
        rows = [_set_aside(uplink, refusal, uplink.epoch, uplink.seq) for uplink, refusal in refused + batch.jumped]
        rows += [
            _set_aside(uplink, refusal, partition, offset)
            for partition, offset, uplink in batch.anonymous
            for refusal in uplink.refusals
        ]
        if rows:
            await connection.execute(self._sql["insert_set_aside"], *_columns(rows, 9))

    async def _save_progress(
        self,
        connection: Connection,
        touched: Sequence[Cursor],
        positions: Mapping[int, int],
        canaries: Mapping[tuple[str, int], int],
    ) -> None:
        cursors = [
            (one.device_no, one.epoch, _multirange(one.settled), one.floor, write_json(one.rejected).decode(),
             one.last_received_at)
            for one in touched
        ]  # fmt: skip
        marks = [(instance, partition, at) for (instance, partition), at in sorted(canaries.items())]
        await connection.execute(
            self._sql["save_progress"],
            *_columns(cursors, 6),
            list(positions),
            list(positions.values()),
            *_columns(marks, 3),
        )

    def _count(self, batch: Batch, stored: int, conflicts: int) -> None:
        now = self._clock.now_ms()
        per_real_second = 1000 * self._clock.rate
        self._metrics.observe(
            "hb_store_device_to_row_seconds", [max(0, now - one.sent_at) / per_real_second for one in batch.new]
        )
        self._metrics.count("hb_store_readings_total", stored)
        self._metrics.count("hb_store_events_total", sum(len(one.events) for one in batch.new))
        refused = sum(len(one.refusals) for one in batch.new) + len(batch.jumped) + len(batch.anonymous)
        self._metrics.count("hb_store_set_aside_total", refused)
        self._metrics.count("hb_store_duplicates_total", batch.duplicates)
        self._metrics.count("hb_store_key_conflicts_total", conflicts)
        self._metrics.count("hb_store_strangers_total", batch.strangers)


def _cursors(rows: Iterable[Record]) -> Cursors:
    return {
        (row["device_no"], row["epoch"]): Cursor(
            device_no=row["device_no"],
            epoch=row["epoch"],
            settled=[(part.lower, part.upper) for part in row["settled"]],
            floor=row["floor"],
            rejected=[(seq, item, reason) for seq, item, reason in row["rejected"]],
            last_received_at=row["last_received_at"],
        )
        for row in rows
    }


def _set_aside(uplink: SealedUplink, refusal: Refused, epoch: int, seq: int) -> tuple[Any, ...]:
    return (
        uplink.device_no, epoch, seq, refusal.item, uplink.device, refusal.reason, refusal.field, refusal.raw,
        uplink.received_at,
    )  # fmt: skip


def _multirange(ranges: Ranges) -> str:
    """As PostgreSQL writes it."""
    return "{" + ",".join(f"[{first},{end})" for first, end in ranges) + "}"


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Rows turned into ``width`` columns, as ``unnest`` takes them."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
