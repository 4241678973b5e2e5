"""How fast a consumer takes what waits for it at the broker: rows counted by the database while it does."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import asyncpg

from tests.proving.bench.usage import Usage, measure, spent

_INSERTED: Final = """
select coalesce(sum(s.n_tup_ins), 0)::bigint
from timescaledb_information.chunks c
join pg_stat_all_tables s on s.schemaname = c.chunk_schema and s.relname = c.chunk_name
where c.hypertable_name = $1
"""
_EVERY_S: Final = 0.2
_FROM, _TO = 0.1, 0.9
"""The part of the work over which speed is measured: start and end are not at full speed."""


class Seen(NamedTuple):
    """So many rows were there at a time (seconds)."""

    at_s: float
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """Rows a second at full speed, and CPU microseconds a row of each process."""

    rows_per_s: float
    cpu_us: dict[str, float]

    @property
    def cpu_us_per_row(self) -> float:
        """Everything together."""
        return sum(self.cpu_us.values())

    def described(self) -> dict[str, Any]:
        """As the report has it."""
        return {
            "readings_per_s": self.rows_per_s,
            "cpu_us_per_reading": self.cpu_us_per_row,
            "cpu_us_per_reading_of": self.cpu_us,
        }


def speed(seen: Sequence[Seen], rows: int) -> float:
    """Rows a second between a tenth and nine tenths of ``rows``; 0 where too little was seen."""
    full = [one for one in seen if _FROM * rows <= one.rows <= _TO * rows]
    if len(full) < 2 or full[-1].at_s <= full[0].at_s:
        return 0.0
    return (full[-1].rows - full[0].rows) / (full[-1].at_s - full[0].at_s)


async def inserted(dsn: str, table: str) -> int:
    """Rows that ``table`` has got up to a moment ago. Ask before the consumer starts: its first rows come at once."""
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(_INSERTED, table))
    finally:
        await connection.close()


def watch_drain(
    dsn: str,
    table: str,
    rows: int,
    *,
    before: int,
    within_s: float,
    say: Callable[[str], None],
    check: Callable[[], None],
) -> list[Seen]:
    """Looks how many rows ``table`` has got since it had ``before``, until ``rows`` have come.

    Raises what ``check`` raises.
    """
    return asyncio.run(_watch(dsn, table, rows, before, within_s, say, check))


async def _watch(
    dsn: str, table: str, rows: int, before: int, within_s: float, say: Callable[[str], None], check: Callable[[], None]
) -> list[Seen]:
    connection = await asyncpg.connect(dsn)
    seen: list[Seen] = []
    deadline = time.monotonic() + within_s
    try:
        while time.monotonic() < deadline and (not seen or seen[-1].rows < rows):
            check()
            now = await connection.fetchval(_INSERTED, table) - before
            if not seen or now > seen[-1].rows:
                seen.append(Seen(time.monotonic(), now))
            say(f"{now:,} of {rows:,} rows")
            await asyncio.sleep(_EVERY_S)
    finally:
        await connection.close()
    return seen


def cost(
    began: Mapping[str, Usage], drains: Mapping[str, Usage], pids: Mapping[str, int], rows: int
) -> dict[str, float]:
    """CPU microseconds a row: of the broker since it ``began`` to take them in, of the rest since ``drains``."""
    now = measure(pids)
    since = {**drains, "mosquitto": began["mosquitto"]}
    return {name: cpu * 1e6 / rows for name, cpu in spent(since, now).items()}
