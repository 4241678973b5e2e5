"""Notifies people again about a grave alert that nobody has answered."""

from dataclasses import dataclass
from typing import Final

import asyncpg
import structlog

from schemas.alerts import Severity
from services.alert.notifications import NotificationQueue, NotifiedAlert
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Connection, Pool, Queries, transaction
from services.runtime.metrics import Metrics

_MOST: Final = 50
"""In one transaction: their notifications can be sent only after it, so not too many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """Steps are rows: overdue ones are taken after an outage, an acknowledgement cancels them."""

    pool: Pool
    sql: Queries
    notifications: NotificationQueue
    clock: Clock
    metrics: Metrics
    log: structlog.typing.FilteringBoundLogger

    async def repeat(self) -> int:
        """Takes a batch of steps that are due; says how many. Raises LOST_CONNECTION: none was taken."""
        now = self.clock.now_ms()
        async with transaction(self.pool) as connection:
            rows = await connection.fetch(self.sql["claim_steps"], to_datetime(now), _MOST)
            # Before the next step is planned: an alert has one pending step at a time.
            await connection.executemany(self.sql["step_done"], [(row["alert_id"], row["step"]) for row in rows])
            notified = [(row, await self._notify(connection, row, now)) for row in rows]
            await connection.executemany(
                self.sql["audit"],
                [
                    (row["alert_id"], to_datetime(now), "repeated", row["state"], row["state"], row["level"])
                    for row in rows
                ],
            )
        self.metrics.count("hb_alert_repeats_total", len(rows))
        for row, notifications in notified:
            self.log.info(
                "notified again", alert_id=str(row["alert_id"]), step=row["step"], notifications=notifications
            )
        return len(rows)

    async def _notify(self, connection: Connection, row: asyncpg.Record, now: int) -> int:
        subject = NotifiedAlert(
            alert_id=row["alert_id"],
            home_no=row["home_no"],
            person_no=row["person_no"],
            severity=Severity(row["severity"]),
        )
        return await self.notifications.add(connection, subject, step=row["step"], repeats=row["repeat"], now=now)
