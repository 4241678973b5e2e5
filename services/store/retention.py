"""What is rejected does not grow without end: of much junk the bytes are trimmed, old rows are forgotten."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Pool, Queries, transaction
from services.runtime.metrics import Metrics

MOST_WITH_BYTES: Final = 1_000
"""Of a device and day (UTC) the newest so many rows keep their bytes."""
# Rounds come every minute, so whatever is older was trimmed when it was younger than this.
LOOKED_AT: Final = timedelta(days=2)
_MOST: Final = 5_000
"""Rows in one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chores:
    """One store at a time does them. What is unattributed is somebody's readings: it stays until it is assigned."""

    pool: Pool
    sql: Queries
    clock: Clock
    metrics: Metrics
    kept_for: timedelta

    async def look(self) -> int:
        """One round; gives 0 when nothing is left to do. Raises LOST_CONNECTION."""
        now = to_datetime(self.clock.now_ms())
        trimmed = await self._in_turn("trim_bytes", MOST_WITH_BYTES, now - LOOKED_AT, _MOST)
        self.metrics.count("hb_store_trimmed_total", trimmed)
        forgotten = await self._in_turn("forget_rejected", now - self.kept_for, _MOST)
        self.metrics.count("hb_store_forgotten_total", forgotten)
        # Status counts the rows: exactly _MOST means that there are more, and the next round comes
        # at once.
        return _MOST if _MOST in {trimmed, forgotten} else 0

    async def _in_turn(self, chore: str, *arguments: object) -> int:
        async with transaction(self.pool) as connection:
            if not await connection.fetchval(self.sql["one_at_chores"]):
                return 0
            status = await connection.execute(self.sql[chore], *arguments)
        return int(status.rpartition(" ")[2])
