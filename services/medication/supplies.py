"""Keeps the forecast of each plan whose stock somebody has counted: what is left, and when it runs out."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from services.medication.recurrence import Recurrence, due_moments
from services.medication.stock import FORECAST_DAYS, StockEntry, StockWhat, Used, left_of, supply_of
from services.runtime.database import Connection, Pool, Queries, transaction

_LOOKS_EVERY: Final = timedelta(minutes=1)
_BATCH: Final = 200
_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)
Span = tuple[datetime, datetime | None]


@dataclass(slots=True)
class _Seen:
    """How far this process has looked: at stock, and at what was taken of it."""

    stock_no: int = 0
    looked_at: datetime = _BEFORE_ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplies:
    """The same again changes nothing; a plan is forecast anew when anything that it was made from has changed."""

    pool: Pool
    sql: Queries
    seen: _Seen = field(default_factory=_Seen)

    async def forecast(self, settled_through: datetime) -> int:
        """At once after a count or a refill, else once a minute; says how many plans. Raises LOST_CONNECTION."""
        stock_no = await self.pool.fetchval(self.sql["newest_stock"])
        if stock_no == self.seen.stock_no and settled_through < self.seen.looked_at + _LOOKS_EVERY:
            return 0
        found = 0
        while batch := await self._forecast_some(settled_through):
            found += batch
        self.seen.stock_no, self.seen.looked_at = stock_no, settled_through
        return found

    async def _forecast_some(self, now: datetime) -> int:
        async with transaction(self.pool) as connection:
            rows = await connection.fetch(self.sql["supplies_to_forecast"], now, _BATCH)
            if not rows:
                return 0
            plans = [row["plan_id"] for row in rows]
            entries, used = await self._stock(connection, plans), await self._used(connection, plans)
            versions = await _by_plan(connection, self.sql["versions_to_come"], plans, now)
            pauses = await _by_plan(connection, self.sql["pauses_to_come"], plans, now)
            ahead = await _by_plan(connection, self.sql["taken_ahead"], plans, now)
            kept = []
            for row in rows:
                plan_id = row["plan_id"]
                spans = [(one["starts"], one["ends"]) for one in pauses[plan_id]]
                taken = {one["due_at"] for one in ahead[plan_id]}
                to_come = (due for due in doses_to_come(versions[plan_id], spans, now) if due.at not in taken)
                supply = supply_of(left_of(entries[plan_id], used[plan_id]), to_come, now)
                kept.append((plan_id, now, supply.left, supply.runs_out_at, supply.refill_due, row["state_key"]))
            await connection.executemany(self.sql["keep_supply"], kept)
        return len(kept)

    async def _stock(self, connection: Connection, plans: Sequence[UUID]) -> dict[UUID, list[StockEntry]]:
        found: dict[UUID, list[StockEntry]] = defaultdict(list)
        for row in await connection.fetch(self.sql["stock_of_plans"], plans):
            entry = StockEntry(row["stock_no"], row["at"], row["count"], StockWhat(row["what"]))
            found[row["plan_id"]].append(entry)
        return found

    async def _used(self, connection: Connection, plans: Sequence[UUID]) -> dict[UUID, list[Used]]:
        found: dict[UUID, list[Used]] = defaultdict(list)
        for row in await connection.fetch(self.sql["used_of_plans"], plans):
            found[row["plan_id"]].append(Used(row["at"], row["count"]))
        return found


def doses_to_come(versions: Sequence[asyncpg.Record], pauses: Sequence[Span], now: datetime) -> Iterator[Used]:
    """What the versions of a plan ask for from ``now`` on, in order of time; nothing while a doctor has paused it."""
    horizon = now + timedelta(days=FORECAST_DAYS)
    for row in versions:
        recurrence = Recurrence(
            zone=row["zone"],
            at_times=tuple(row["at_times"]),
            weekdays=tuple(row["weekdays"] or ()),
            every_days=row["every_days"],
            anchor=row["anchor"],
            from_day=row["from_day"],
            until_day=row["until_day"],
        )
        since, until = max(now, row["starts"] or now), min(horizon, row["ends"] or horizon)
        for due in due_moments(recurrence, since, until):
            if not any(starts <= due and (ends is None or due < ends) for starts, ends in pauses):
                yield Used(due, row["count"])


async def _by_plan(
    connection: Connection, query: str, plans: Sequence[UUID], now: datetime
) -> dict[UUID, list[asyncpg.Record]]:
    found: dict[UUID, list[asyncpg.Record]] = defaultdict(list)
    for row in await connection.fetch(query, plans, now):
        found[row["plan_id"]].append(row)
    return found
