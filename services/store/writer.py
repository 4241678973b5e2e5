"""One transaction a batch: lock the cursors, settle, insert, save."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from asyncpg import Record, UniqueViolationError

from schemas.codec import write_json
from schemas.messages import EPOCH_LIVES_MS, MAX_LIVE_EPOCHS
from schemas.reasons import UNSETTLED, Flag
from schemas.records import Rejection, SealedUplink
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Connection, Pool, load_queries, transaction
from services.runtime.metrics import Metrics
from services.store.core import LOW_RANGES, Batch, Cursor, Cursors, Ranges, cursors_needed, is_emergency, settle
from services.store.database_identity import ChangedDatabaseError, DatabaseIdentity, Placed, first_offsets, next_offsets
from services.store.repetitions import ASKED_OF_REPEATED, NewestReadings, flag, repeated_here
from services.store.rows import READING_COLUMNS, ReadingRows, binary_copy, reading_rows

PutReadings = Callable[[Connection, ReadingRows], Awaitable[tuple[int, int]]]
Key = tuple[int, int]
"""``(device_no, epoch)``."""
Away = dict[Key, Ranges]


class BatchWriter:
    """Turns records into rows, all or nothing."""

    def __init__(self, pool: Pool, clock: Clock, metrics: Metrics, *, live_epochs: int = MAX_LIVE_EPOCHS) -> None:
        self._pool, self._clock, self._metrics, self._live_epochs = pool, clock, metrics, live_epochs
        self._sql = load_queries("services.store")
        self._identity = DatabaseIdentity(sql=self._sql)
        self._newest = NewestReadings()

    async def write(self, records: Sequence[Placed]) -> tuple[Batch, int]:
        """What was written, and the generation to acknowledge with.

        Raises what ``LOST_CONNECTION`` lists, ChangedDatabaseError.
        """
        try:
            return await self._write(records, self._copy_readings)
        # PostgreSQL has undone the transaction, so it is repeated as a whole, with the tolerant
        # insert.
        except UniqueViolationError:
            return await self._write(records, self._insert_readings)

    async def _write(self, records: Sequence[Placed], put_readings: PutReadings) -> tuple[Batch, int]:
        async with transaction(self._pool) as connection:
            generation, cursors, too_many = await self._lock(connection, records)
            away = await self._load_near(connection, records, cursors)
            batch = settle(records, cursors, too_many)
            rows = reading_rows(batch.new)
            await self._flag_repeated(connection, rows, first_offsets(records))
            stored, conflicts = await put_readings(connection, rows)
            await self._insert_events(connection, batch)
            await self._insert_rejected(connection, batch)
            await self._forget_refusals(connection, batch, cursors)
            await self._note_words(connection, batch)
            # Takes ranges out of the cursors, so it comes before these are saved.
            await self._put_away(connection, batch.touched, away)
            await self._save_progress(connection, batch.touched, next_offsets(records), batch.markers)
        self._newest.written(rows, next_offsets(records))
        self._count(batch, stored, conflicts)
        return batch, generation

    async def is_well(self, refused: ChangedDatabaseError) -> bool:
        """Whether to go on after a refusal. Raises what ``LOST_CONNECTION`` lists."""
        async with self._pool.acquire() as connection:
            return await self._identity.is_well(connection, refused)

    async def _lock(self, connection: Connection, records: Sequence[Placed]) -> tuple[int, Cursors, set[Key]]:
        """The generation, the cursors of a batch, those of newcomers too, and the epochs that may not begin now.

        Raises ChangedDatabaseError.
        """
        firsts, needed = first_offsets(records), cursors_needed(record for _, _, record in records)
        generation, rows = await self._identity.look_and_lock(connection, firsts, needed)
        cursors = _cursors(rows)
        # Nearly always: one round trip is enough.
        if len(cursors) == len(needed):
            return generation, cursors, set()
        unheard = _in_order(records, cursors)
        live_since = to_datetime(self._clock.now_ms() - EPOCH_LIVES_MS)
        asked = await connection.fetch(
            self._sql["begin_epochs"],
            *_columns([(*key, emergency) for key, emergency in unheard.items()], 3),
            live_since,
            self._live_epochs,
        )
        too_many = {(row["device_no"], row["epoch"]) for row in asked if not row["allowed"]}
        elsewhere = []
        for row in asked:
            key = (row["device_no"], row["epoch"])
            # Begun by this very statement; ``refused`` is null where the row was there already.
            if row["refused"] is not None:
                cursors[key] = Cursor(device_no=key[0], epoch=key[1], refused=row["refused"])
            elif row["allowed"]:
                elsewhere.append(key)
        if elsewhere:
            # Another store began these between our two statements. ``on conflict`` has waited for
            # its commit, so they can be read and locked now.
            cursors |= _cursors((await self._identity.look_and_lock(connection, firsts, sorted(elsewhere)))[1])
        return generation, cursors, too_many

    async def _load_near(self, connection: Connection, records: Sequence[Placed], cursors: Cursors) -> Away:
        """Loads of the ranges put away those that the batch may touch; gives them as they are."""
        wanted = []
        for _, _, record in records:
            if isinstance(record, SealedUplink):
                cursor = cursors.get((record.device_no, record.epoch))
                if cursor is None:
                    continue
                if record.seq < cursor.boundary:
                    wanted.append((record.device_no, record.epoch, record.seq))
                # The device has evicted more: ``upto`` is counted from the range at its new floor.
                if cursor.floor < record.oldest < cursor.boundary:
                    wanted.append((record.device_no, record.epoch, record.oldest))
        if not wanted:
            return {}
        for row in await connection.fetch(self._sql["near_ranges"], *_columns(wanted, 3)):
            cursors[row["device_no"], row["epoch"]].near.append((row["first_seq"], row["end_seq"]))
        # A copy: ``settle`` changes ``near`` in place, and _put_away compares the two.
        return {key: list(cursor.near) for key, cursor in cursors.items() if cursor.near}

    async def _put_away(self, connection: Connection, touched: Sequence[Cursor], before: Away) -> None:
        """Moves old ranges out of rows that are too long; writes what changed of earlier ones."""
        gone: list[tuple[int, ...]] = []
        come: list[tuple[int, ...]] = []
        for cursor in touched:
            key = (cursor.device_no, cursor.epoch)
            was, now = set(before.get(key, ())), set(cursor.near)
            gone += [(*key, first) for first, _ in was - now]
            come += [(*key, *part) for part in (*(now - was), *cursor.put_old_ranges_away())]
        if gone:
            await connection.execute(self._sql["drop_ranges"], *_columns(gone, 3))
        if come:
            await connection.execute(self._sql["put_ranges_away"], *_columns(come, 4))

    async def _flag_repeated(self, connection: Connection, rows: ReadingRows, firsts: dict[int, int]) -> None:
        """Marks what was stored before, under another epoch or number."""
        flag(rows, repeated_here(rows))
        self._newest.begin(firsts)
        doubtful = self._newest.doubtful(rows)
        if doubtful.size:
            asked = rows[doubtful]
            found = await connection.fetch(
                self._sql["stored_before"], *(asked[name].tolist() for name in ASKED_OF_REPEATED)
            )
            flag(rows, doubtful[[row["place"] - 1 for row in found]])

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
            await connection.execute(self._sql["insert_events"], *_columns(rows, 11), int(Flag.REPEATED))

    async def _insert_rejected(self, connection: Connection, batch: Batch) -> None:
        refused = batch.unsettled + [(uplink, rejection) for uplink in batch.new for rejection in uplink.rejections]
        rows = [_rejected(uplink, rejection, uplink.epoch, uplink.seq) for uplink, rejection in refused]
        rows += [
            _rejected(uplink, rejection, partition, offset)
            for partition, offset, uplink in batch.anonymous
            for rejection in uplink.rejections
        ]
        if rows:
            # One command can't write a row twice: what was refused for a time may be settled in the same batch.
            once = {row[:4]: row for row in rows}
            await connection.execute(self._sql["insert_rejected"], *_columns(list(once.values()), 11), UNSETTLED)

    async def _forget_refusals(self, connection: Connection, batch: Batch, cursors: Cursors) -> None:
        again = [(one.device_no, one.epoch, one.seq) for one in batch.new if cursors[one.device_no, one.epoch].refused]
        if again:
            await connection.execute(self._sql["settled_after_all"], *_columns(again, 3), UNSETTLED)

    async def _note_words(self, connection: Connection, batch: Batch) -> None:
        if batch.words:
            rows = [
                (one.device_no, one.state, one.leaving, one.received_at, one.battery_percent, one.firmware)
                for one in sorted(batch.words, key=lambda one: one.device_no)
            ]
            # One at a time, as one command can't write a row twice; devices say few of them.
            await connection.executemany(self._sql["note_word"], rows)

    async def _save_progress(
        self,
        connection: Connection,
        touched: Sequence[Cursor],
        positions: Mapping[int, int],
        markers: Mapping[tuple[str, int], int],
    ) -> None:
        cursors = [
            (one.device_no, one.epoch, _multirange(one.settled), one.boundary, one.put_away, one.refused, one.floor,
             write_json(one.rejected).decode(), one.last_received_at)
            for one in touched
        ]  # fmt: skip
        marks = [(instance, partition, at) for (instance, partition), at in sorted(markers.items())]
        await connection.execute(
            self._sql["save_progress"],
            *_columns(cursors, 9),
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
        refused = sum(len(one.rejections) for one in batch.new) + len(batch.unsettled) + len(batch.anonymous)
        self._metrics.count("hb_store_rejected_total", refused)
        self._metrics.count("hb_store_duplicates_total", batch.duplicates)
        self._metrics.count("hb_store_key_conflicts_total", conflicts)
        self._metrics.count("hb_store_unregistered_total", batch.unregistered)


def _cursors(rows: Iterable[Record]) -> Cursors:
    return {
        (row["device_no"], row["epoch"]): Cursor(
            device_no=row["device_no"],
            epoch=row["epoch"],
            settled=[(part.lower, part.upper) for part in row["settled"]],
            boundary=row["boundary"],
            put_away=row["put_away"],
            counted=row["counted"],
            low=[(part.lower, part.upper) for part in row["low"] or ()],
            low_is_all=len(row["low"] or ()) < LOW_RANGES,
            refused=row["refused"],
            floor=row["floor"],
            rejected=[(seq, item, reason) for seq, item, reason in row["rejected"]],
            last_received_at=row["last_received_at"],
        )
        for row in rows
    }


def _rejected(uplink: SealedUplink, rejection: Rejection, epoch: int, seq: int) -> tuple[Any, ...]:
    # A 0 for ``observed_at`` and a -1 for ``flags`` become null in insert_rejected.
    return (
        uplink.device_no, epoch, seq, rejection.item, uplink.device, rejection.reason, rejection.field, rejection.raw,
        uplink.received_at, rejection.observed_at, rejection.flags if rejection.observed_at else -1,
    )  # fmt: skip


def _in_order(records: Sequence[Placed], cursors: Cursors) -> dict[Key, bool]:
    """The epochs without a cursor as they are heard, and whether there is an emergency in them."""
    unheard: dict[Key, bool] = {}
    for _, _, record in records:
        if isinstance(record, SealedUplink) and record.device_no:
            key = (record.device_no, record.epoch)
            if key not in cursors:
                unheard[key] = unheard.get(key, False) or is_emergency(record)
    return unheard


def _multirange(ranges: Ranges) -> str:
    """As PostgreSQL writes it."""
    return "{" + ",".join(f"[{first},{end})" for first, end in ranges) + "}"


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Rows turned into ``width`` columns, as ``unnest`` takes them; empty ones for no rows."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
