"""Lets go what quiet hours have held: to be sent now, or withdrawn where nobody needs it any more."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import structlog

from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Pool, Queries
from services.runtime.metrics import Metrics

_MOST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldNotifications:
    """What is held is a row with its end: an outage makes it late, and loses nothing."""

    pool: Pool
    sql: Queries
    clock: Clock
    real: Clock
    metrics: Metrics
    log: structlog.typing.FilteringBoundLogger

    async def release(self) -> int:
        """Those whose quiet hours have ended, or have been given up; says how many. Raises LOST_CONNECTION."""
        now, real = to_datetime(self.clock.now_ms()), to_datetime(self.real.now_ms())
        rows = await self.pool.fetch(self.sql["release_held"], now, real, _MOST)
        for state, number in Counter(row["state"] for row in rows).items():
            self.metrics.count("hb_alert_held_total", number, state=state)
        for row in rows:
            self.log.info("quiet hours over", alert_id=str(row["alert_id"]), step=row["step"], state=row["state"])
        return len(rows)
