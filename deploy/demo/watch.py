"""What a person sees while a demo runs: readings coming in, alerts appearing."""

from dataclasses import dataclass
from typing import Final

import asyncpg

from deploy.demo.world import World
from services.runtime.clock import to_datetime

_FIRST: Final = """
select exists (select from readings where received_at >= $1) as readings, exists (select from alerts) as alerts
"""
_COUNTS: Final = """
select (select count(*) from readings where received_at >= $1) as readings,
       (select count(*) from device_events where received_at >= $1) as events,
       (select count(*) from rejected) as rejected,
       (select count(*) from alerts) as alerts,
       (select count(*) from alerts where state = 'open') as open_alerts
"""
_NEWEST: Final = """
select a.doctor_text, h.label from alerts a join homes h using (home_no) order by a.opened_at desc limit 1
"""
_WATERMARK: Final = "select (extract(epoch from received_at) * 1000)::bigint from watermark"


@dataclass(slots=True)
class Seen:
    """The first times of a demo, in real seconds since the command."""

    first_screen_s: float | None = None
    first_alert_s: float | None = None


class Watcher:
    """Looks into the database of a demo."""

    def __init__(self, world: World, connection: asyncpg.Connection) -> None:
        self._world, self._connection = world, connection
        self.seen = Seen()
        self._since = to_datetime(world.clock.origin_ms)

    async def look(self) -> None:
        """Notes first times, of what is live: the past does not count."""
        if self.seen.first_screen_s is not None and self.seen.first_alert_s is not None:
            return
        found = await self._connection.fetchrow(_FIRST, self._since)
        assert found is not None  # noqa: S101 - the query has no from
        if found["readings"] and self.seen.first_screen_s is None:
            self.seen.first_screen_s = self._world.since_start_s
        if found["alerts"] and self.seen.first_alert_s is None:
            self.seen.first_alert_s = self._world.since_start_s

    async def line(self) -> str:
        """One line of progress."""
        counts = await self._connection.fetchrow(_COUNTS, self._since)
        assert counts is not None  # noqa: S101 - the query has no from
        filled = self._world.filled
        return (
            f"{counts['readings']:,} readings, {counts['events']:,} events, {counts['rejected']:,} rejected; "
            f"{counts['open_alerts']} open alerts of {counts['alerts']}" + (f"; {filled.said()}" if filled else "")
        )

    async def newest_alert(self) -> str | None:
        """The reason of the newest alert."""
        row = await self._connection.fetchrow(_NEWEST)
        return f"{row['label']}: {row['doctor_text']}" if row else None

    async def watermark_ms(self) -> int:
        """How far store and score have come, in platform milliseconds; 0 before the first."""
        return await self._connection.fetchval(_WATERMARK) or 0
