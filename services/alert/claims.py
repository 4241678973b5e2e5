"""Claims findings and opens, raises, ends and closes alerts, each batch in one transaction with its notifications."""

from dataclasses import dataclass

import asyncpg
import structlog

from schemas.alert_machine import Change, LiveAlert, fold, is_said_already, is_withdrawn
from schemas.alert_rows import alert_of
from schemas.alerts import EndReason, Finding, Severity
from schemas.rule_names import RESTS_ON
from services.alert.notifications import NotificationQueue, NotifiedAlert
from services.runtime.clock import Clock, to_datetime, to_ms
from services.runtime.database import Connection, Pool, Queries, transaction
from services.runtime.metrics import Metrics
from services.runtime.wakeups import WakeUp, wake

_MOST = 200
_RESTING = [rule for rule, others in RESTS_ON.items() if others]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingClaims:
    """A crash before the commit leaves findings unclaimed; after it there is nothing to repeat."""

    pool: Pool
    sql: Queries
    notifications: NotificationQueue
    clock: Clock
    metrics: Metrics
    log: structlog.typing.FilteringBoundLogger

    async def claim(self) -> int:
        """One batch; says how many findings it took. Raises LOST_CONNECTION: none."""
        changes: list[tuple[Change, int | None]] = []
        async with transaction(self.pool) as connection:
            # Held until commit, so that findings of one subject are folded in their order by one
            # process.
            await connection.execute(self.sql["take_turn"])
            rows = await connection.fetch(self.sql["claim_findings"], _MOST, _RESTING)
            now = self.clock.now_ms()
            for row in rows:
                changed = await self._fold(connection, row)
                if changed is not None:
                    changes.append(changed)
            if rows:
                ids = [row["finding_id"] for row in rows]
                await connection.execute(self.sql["mark_claimed"], ids, to_datetime(now))
        # After the commit: whoever is woken has to find the rows.
        if changes:
            await wake(self.pool, WakeUp.ALERTS, metrics=self.metrics)
        self.metrics.count("hb_alert_findings_total", len(rows))
        for change, notified in changes:
            self._report(change, notified)
        return len(rows)

    async def _fold(self, connection: Connection, row: asyncpg.Record) -> tuple[Change, int | None] | None:
        found = await connection.fetchrow(self.sql["live_alert"], row["home_no"], row["person_no"], row["rule"])
        # Read once the alert is ours: a repetition that held it until now has notified people before.
        now = self.clock.now_ms()
        live = None if found is None else alert_of(found)
        notified_at = None if found is None or found["notified_at"] is None else to_ms(found["notified_at"])
        change = fold(live, _finding_of(row), now, notified_at=notified_at)
        if change is None:
            return None
        if change.alert is not live:
            await self._save(connection, change.alert, is_new=live is None)
        await connection.execute(self.sql["link_finding"], row["finding_id"], change.alert.alert_id)
        alert, at = change.alert, to_datetime(now)
        for step in change.steps:  # one, of a finding
            await connection.execute(
                self.sql["audit"], alert.alert_id, at, step.happened, step.before, step.after, alert.level
            )
        if live is not None and is_withdrawn(live, alert):
            await connection.execute(self.sql["end_escalation"], alert.alert_id)
        notified = await self._notify(connection, alert, now) if change.notifies else 0
        return change, notified

    async def _notify(self, connection: Connection, alert: LiveAlert, now: int) -> int | None:
        """How many notifications there are; None where another alert says as much already."""
        others = RESTS_ON.get(alert.rule)
        if others:
            rows = await connection.fetch(self.sql["alerts_that_go_on"], alert.home_no, alert.person_no, others)
            if is_said_already(alert, [(row["rule"], Severity(row["severity"])) for row in rows]):
                return None
        # The alert is notified of now: its next repetition counts from here.
        await connection.execute(self.sql["end_escalation"], alert.alert_id)
        step = await self.notifications.add_step(connection, alert.alert_id, repeats=0, due=now, state="done")
        subject = NotifiedAlert(
            alert_id=alert.alert_id, home_no=alert.home_no, person_no=alert.person_no, severity=alert.severity
        )
        return await self.notifications.add(connection, subject, step=step, repeats=0, now=now)

    async def _save(self, connection: Connection, alert: LiveAlert, *, is_new: bool) -> None:
        fields = (
            alert.alert_id,
            alert.severity,
            alert.level,
            alert.state,
            alert.episode,
            alert.episodes,
            alert.active_episodes,
            to_datetime(alert.opened_at),
            to_datetime(alert.condition_at),
            alert.doctor_text,
            alert.caregiver_text,
            alert.rationale,
            alert.unverified,
            None if alert.ended_at is None else to_datetime(alert.ended_at),
            None if alert.closed_at is None else to_datetime(alert.closed_at),
            alert.version,
        )
        if is_new:
            subject = (alert.home_no, alert.person_no, alert.rule)
            await connection.execute(self.sql["open_alert"], *fields, *subject)
        else:
            await connection.execute(self.sql["change_alert"], *fields)

    def _report(self, change: Change, notified: int | None) -> None:
        alert = change.alert
        self.metrics.count("hb_alert_changes_total", happened=change.happened)
        self.log.info(
            "alert",
            alert_id=str(alert.alert_id),
            rule=alert.rule,
            happened=change.happened,
            notifications=notified or 0,
        )
        if change.notifies and notified == 0:
            self.metrics.count("hb_alert_unreachable_total")
            self.log.error("no recipient", alert_id=str(alert.alert_id))


def _finding_of(row: asyncpg.Record) -> Finding:
    return Finding(
        person_no=row["person_no"],
        home_no=row["home_no"],
        rule=row["rule"],
        rule_version=row["rule_version"],
        episode=row["episode"],
        level=row["level"],
        severity=Severity(row["severity"]),
        observed_at=to_ms(row["observed_at"]),
        evidence=(),
        doctor_text=row["doctor_text"],
        caregiver_text=row["caregiver_text"],
        rationale=row["rationale"],
        unverified=row["unverified"],
        end_reason=None if row["end_reason"] is None else EndReason(row["end_reason"]),
        retrospective=row["retrospective"],
    )
