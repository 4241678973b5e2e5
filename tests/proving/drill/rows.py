"""Everything that devices sent, as rows, and what became of it when a database was lost and restored."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

_TABLES: Final[Mapping[str, str]] = {
    "readings": "select * from readings",
    "events": "select * from device_events",
    "rejected": "select * from rejected",
    "settled": "select device_no, epoch, settled::text from device_settled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """How often each row is there, by table."""

    tables: Mapping[str, Counter[tuple[Any, ...]]]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        return {name: rows.total() for name, rows in self.tables.items()}


async def load_rows(dsn: str) -> Rows:
    """Reads them all."""
    connection = await asyncpg.connect(dsn)
    try:
        return Rows(
            tables={
                name: Counter(tuple(row) for row in await connection.fetch(query)) for name, query in _TABLES.items()
            }
        )
    finally:
        await connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Rows that were there before and are not now, and rows that are there now too often or were not there at all."""

    lost: int
    duplicated: int


def compare_rows(before: Rows, after: Rows) -> Difference:
    """Holds one against the other."""
    return Difference(
        lost=sum((before.tables[name] - after.tables[name]).total() for name in before.tables),
        duplicated=sum((after.tables[name] - before.tables[name]).total() for name in before.tables),
    )
