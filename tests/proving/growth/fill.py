"""Fills a database: the fleet and its alerts once, then day after day of readings."""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from schemas.named_sql import named_queries
from tests.proving.growth.plan import BEGIN, SOURCES, Step

SQL: Final = named_queries(Path(__file__).with_name("fill.sql").read_text("utf-8"))
COLUMNS: Final = (
    "person_no", "vital", "observed_at", "device_no", "epoch", "seq", "item", "value", "flags", "received_at",
)  # fmt: skip
"""In the order of ``readings_of_a_day``, and of ``services.store.rows``."""
PRODUCT_SESSION: Final = {"timezone": "UTC", "jit": "off"}
"""The sessions of the services."""
BATCH_ROWS: Final = 2_000
"""Of one transaction: 500 uplinks of four readings, what store finds under a steady load."""

_FILLER_SESSION: Final = PRODUCT_SESSION | {"synchronous_commit": "off", "work_mem": "64MB"}
_ROW_BYTES: Final = 98
"""On the wire of a binary COPY: no field of a reading is null or of varying length."""
_HEADER_BYTES: Final = 19
_TRAILER: Final = b"\xff\xff"
_HAVE_A_DISPENSER: Final = (3, 0)

Done = Callable[[int], None]
"""Hears how many rows were written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Rows, and the seconds that it took to write them."""

    rows: int
    seconds: float

    @property
    def rows_per_s(self) -> float:
        return self.rows / self.seconds


async def make_world(dsn: str, *, people: int, listed: int, days: int) -> None:
    """Homes, people, devices, doses and alerts; ``listed`` people are in the care of the first doctor."""
    connection = await asyncpg.connect(dsn, server_settings=_FILLER_SESSION)
    try:
        await connection.execute(SQL["tables"])
        await connection.execute(SQL["homes"], people)
        await connection.execute(SQL["people"], people)
        for source in SOURCES:
            where = (source.one_in, source.rest % source.one_in)
            await connection.execute(SQL["devices"], source.code, source.device_type, *where, BEGIN)
        await connection.execute(SQL["devices"], "dispenser", "pill_dispenser", *_HAVE_A_DISPENSER, BEGIN)
        await connection.execute(SQL["bindings"], BEGIN)
        for source in SOURCES:
            await connection.execute(SQL["sources"], source.code, source.every_s, list(source.vitals), source.worn)
        await connection.execute(SQL["doctors"], listed, BEGIN)
        for name in ("findings", "alerts", "alert_findings"):
            await connection.execute(SQL[name], *([BEGIN] if name == "findings" else []))
        await connection.execute(SQL["dose_plans"], BEGIN)
        await connection.execute(SQL["doses"], BEGIN, days)
        await connection.execute(SQL["dose_evidence"])
    finally:
        await connection.close()


async def generate(dsn: str, step: Step, done: Done) -> int:
    """Days that the database makes up by itself; gives how many rows.

    One after the other: two at a time would lie mixed in a chunk, and no block range would hold one hour alone.
    """
    connection = await asyncpg.connect(dsn, server_settings=_FILLER_SESSION)
    written = 0
    try:
        for day in range(step.first, step.copied_from):
            insert = f"insert into readings ({', '.join(COLUMNS)}) {_day(day)}"
            rows = int((await connection.execute(insert)).rpartition(" ")[2])
            written += rows
            done(rows)
    finally:
        await connection.close()
    return written


def _day(day: int) -> str:
    """The query for one day; COPY and INSERT take no parameters in all places, and these two are ours."""
    return SQL["readings_of_a_day"].replace("$1", f"'{BEGIN.isoformat()}'").replace("$2", str(day))


async def copy_days(dsn: str, step: Step, done: Done) -> Written:
    """Days written as store writes: binary COPY straight into ``readings``, one transaction a batch, fsync on.

    Autovacuum's work is done before the last half day: newer rows are rarely cleaned and counted yet.
    """
    reader = await asyncpg.connect(dsn, server_settings=_FILLER_SESSION)
    writer = await asyncpg.connect(dsn, server_settings=PRODUCT_SESSION)
    rows, seconds = 0, 0.0
    try:
        for day in range(step.copied_from, step.until):
            batches = await _batches(reader, day)
            for number, batch in enumerate(batches):
                if day == step.until - 1 and number == len(batches) // 2:
                    await clean_up(dsn)
                began = time.perf_counter()
                await _copy(writer, batch)
                seconds += time.perf_counter() - began
                rows += _rows_of(batch)
            done(sum(map(_rows_of, batches)))
    finally:
        await reader.close()
        await writer.close()
    return Written(rows=rows, seconds=seconds)


async def _batches(connection: asyncpg.Connection, day: int) -> list[bytes]:
    """The streams of binary COPY for a day."""
    ready = io.BytesIO()
    await connection.copy_from_query(_day(day), output=ready, format="binary")
    head, body = ready.getvalue()[:_HEADER_BYTES], ready.getvalue()[_HEADER_BYTES : -len(_TRAILER)]
    size = BATCH_ROWS * _ROW_BYTES
    return [head + body[at : at + size] + _TRAILER for at in range(0, len(body), size)]


def _rows_of(batch: bytes) -> int:
    return (len(batch) - _HEADER_BYTES - len(_TRAILER)) // _ROW_BYTES


async def _copy(connection: asyncpg.Connection, batch: bytes) -> None:
    async with connection.transaction():
        await connection.copy_to_table("readings", source=io.BytesIO(batch), columns=COLUMNS, format="binary")


async def clean_up(dsn: str) -> int:
    """VACUUM and ANALYZE of what autovacuum would have done by now; gives how many tables."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("select pg_stat_force_next_flush()")
        names = [row["name"] for row in await connection.fetch(SQL["worn_out"])]
        for name in names:
            await connection.execute(f"vacuum (analyze) {name}")
    finally:
        await connection.close()
    return len(names)


async def set_present(dsn: str, step: Step) -> None:
    """Moves the platform's present to the end of the step."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(SQL["present"], step.ends_at)
        await connection.execute(SQL["sum_up"])
    finally:
        await connection.close()


async def sizes(dsn: str) -> dict[str, int]:
    """Bytes of the readings and of their indexes, and how many chunks."""
    connection = await asyncpg.connect(dsn)
    try:
        return dict(await connection.fetchrow(SQL["sizes"]) or {})
    finally:
        await connection.close()
