"""Tells people again about a grave alert that nobody has answered."""

from dataclasses import dataclass

import structlog

from schemas.alerts import Severity
from services.alert.pages import PageQueue, Subject
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Pool, Queries
from services.runtime.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationLadder:
    """Steps are rows: overdue ones are taken at once after any outage, an acknowledgement cancels them."""

    pool: Pool
    sql: Queries
    pages: PageQueue
    clock: Clock
    metrics: Metrics
    log: structlog.typing.FilteringBoundLogger

    async def climb(self) -> int:
        """Takes one step that is due; says whether there was one. Raises LOST_CONNECTION: not taken."""
        now = self.clock.now_ms()
        async with self.pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(self.sql["claim_step"], to_datetime(now))
            if row is None:
                return 0
            subject = Subject(
                alert_id=row["alert_id"],
                home_no=row["home_no"],
                person_no=row["person_no"],
                severity=Severity(row["severity"]),
            )
            await connection.execute(self.sql["step_done"], row["alert_id"], row["step"])
            told = await self.pages.add(connection, subject, step=row["step"], repeats=row["repeat"], now=now)
            await connection.execute(
                self.sql["audit"],
                row["alert_id"],
                to_datetime(now),
                "told_again",
                row["state"],
                row["state"],
                row["level"],
            )
        self.metrics.count("hb_alert_repeats_total")
        self.log.info("told again", alert_id=str(row["alert_id"]), step=row["step"], pages=told)
        return 1
