"""Notifies people again about alerts that nobody has answered, as their steps fall due."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from schemas.alert_events import Reason, StepDue
from schemas.alert_machine import plan_missing, take_step
from schemas.alert_rows import alert_of
from schemas.rule_names import LISTED
from services.alert.notifications import Moved, NotificationQueue
from services.runtime.clock import Clock, to_datetime, to_ms
from services.runtime.database import Pool, Queries, transaction
from services.runtime.metrics import Metrics

_MOST: Final = 250
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
        async with transaction(self.pool) as connection:
            rows = await connection.fetch(self.sql["claim_steps"], to_datetime(self.clock.now_ms()), _MOST)
            if not rows:
                return 0
            # Read once the alerts are ours: nothing that was written before can have a later time.
            now = self.clock.now_ms()
            others = await self.notifications.others_that_go_on(
                connection, [(row["alert_id"], row["rule"], row["home_no"], row["person_no"]) for row in rows]
            )
            moved = [
                Moved(
                    take_step(
                        alert_of(row),
                        StepDue(
                            reason=Reason(row["reason"]),
                            repeats=row["repeat"],
                            others=others.get(row["alert_id"], ()),
                        ),
                        now,
                    ),
                    row["step"],
                )
                for row in rows
            ]
            reached = await self.notifications.carry_out(connection, moved, now)
            await connection.executemany(
                self.sql["audit"],
                [
                    (one.alert.alert_id, to_datetime(now), step.happened, step.before, step.after, one.alert.level)
                    for one, _ in moved
                    for step in one.steps
                ],
            )
        self._report(moved, reached)
        return len(rows)

    async def heal(self) -> int:
        """Plans what is missing of alerts that an older version left without; says how many. Raises LOST_CONNECTION."""
        async with transaction(self.pool) as connection:
            rows = await connection.fetch(self.sql["alerts_without_step"], sorted(LISTED), _MOST)
            now = self.clock.now_ms()
            plans = [
                (row["alert_id"], plan)
                for row in rows
                if (plan := plan_missing(alert_of(row), to_ms(row["notified_at"]) if row["notified_at"] else None, now))
            ]
            planned = await self.notifications.plan(connection, plans)
        if planned:
            self.log.info("planned what was missing", steps=planned)
        return planned

    def _report(self, moved: Sequence[Moved], reached: Mapping[UUID, int]) -> None:
        self.metrics.count("hb_alert_repeats_total", len(reached))
        for advance, step in moved:
            alert_id = advance.alert.alert_id
            if alert_id in reached:
                self.log.info("notified again", alert_id=str(alert_id), step=step, notifications=reached[alert_id])
