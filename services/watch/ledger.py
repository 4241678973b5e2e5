"""The incidents as rows: kept in memory while the database is away, written as soon as it is there."""

from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from services.runtime.clock import to_datetime, to_ms
from services.runtime.database import Pool, Queries
from services.watch.core import Incident, Kind, is_over


@dataclass(slots=True, kw_only=True)
class Ledger:
    """``live``: open, or over and not notified. ``counters``: the last value of each. Both as known here."""

    pool: Pool
    sql: Queries
    live: list[Incident] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    _loaded: bool = False
    _unsaved: dict[UUID, Incident] = field(default_factory=dict)
    _counters_saved: dict[str, int] = field(default_factory=dict)

    def replace(self, incidents: list[Incident]) -> None:
        """The incidents as they are now."""
        known = {one.incident_id: one for one in self.live}
        for one in incidents:
            if known.get(one.incident_id) != one:
                self._unsaved[one.incident_id] = one
        self.live = [one for one in incidents if not is_over(one)]

    async def load(self) -> None:
        """Reads, once, what an earlier watch left. Raises LOST_CONNECTION."""
        if self._loaded:
            return
        stored = [_incident_of(row) for row in await self.pool.fetch(self.sql["live_incidents"])]
        counters = {row["counter"]: row["value"] for row in await self.pool.fetch(self.sql["counters"])}
        # While the database was away, incidents were opened here that an earlier watch may have
        # stored: the stored row wins, and what is known here of the same condition is dropped.
        taken = {one.key for one in stored if one.ended_at is None}
        fresh = [one for one in self.live if one.ended_at is not None or one.key not in taken]
        kept = {one.incident_id for one in fresh}
        self._unsaved = {key: one for key, one in self._unsaved.items() if key in kept}
        self.live, self.counters, self._loaded = stored + fresh, counters | self.counters, True

    async def save(self) -> None:
        """Writes what changed. Raises LOST_CONNECTION: it is written later."""
        if not self._loaded:
            return
        unsaved = sorted(self._unsaved.values(), key=lambda one: one.ended_at is None)  # ends first: keys are unique
        for one in unsaved:
            times = (one.opened_at, one.last_seen_at, one.ended_at, one.notified_at, one.end_notified_at)
            row = (
                one.incident_id,
                one.kind,
                one.subject,
                one.detail,
                *(t if t is None else to_datetime(t) for t in times),
            )
            await self.pool.execute(self.sql["save_incident"], *row)
            # Only what was written is done with; it may have changed during the write.
            if self._unsaved.get(one.incident_id) == one:
                del self._unsaved[one.incident_id]
        if self.counters != self._counters_saved:
            counters = dict(self.counters)
            await self.pool.execute(self.sql["save_counters"], list(counters), list(counters.values()))
            self._counters_saved = counters


def _incident_of(row: asyncpg.Record) -> Incident:
    return Incident(
        incident_id=row["incident_id"],
        kind=Kind(row["kind"]),
        subject=row["subject"],
        detail=row["detail"],
        opened_at=to_ms(row["opened_at"]),
        last_seen_at=to_ms(row["last_seen_at"]),
        ended_at=None if row["ended_at"] is None else to_ms(row["ended_at"]),
        notified_at=None if row["notified_at"] is None else to_ms(row["notified_at"]),
        end_notified_at=None if row["end_notified_at"] is None else to_ms(row["end_notified_at"]),
    )
