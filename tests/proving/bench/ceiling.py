"""The most that this machine's database takes: plain COPY into an empty table like `readings`."""

import time
from datetime import UTC, datetime
from typing import Final

import asyncpg

_ROWS: Final = 20_000
_SECONDS: Final = 5.0


async def copy_rows_per_s(dsn: str) -> float:
    """Rows a second over five seconds, without keys or conflicts: nothing that keeps guarantees can be faster."""
    now = datetime.now(UTC)
    rows = [(1, 1, now, number, 1, number, 0, 70.0, 0, now) for number in range(_ROWS)]
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("create temporary table ceiling (like readings)")
        copied, began = 0, time.monotonic()
        while time.monotonic() - began < _SECONDS:
            await connection.copy_records_to_table("ceiling", records=rows)
            copied += _ROWS
        return copied / (time.monotonic() - began)
    finally:
        await connection.close()
