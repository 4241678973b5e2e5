"""Claims findings and opens, raises, ends and closes alerts, each batch in one transaction with its notifications."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg
import structlog

from schemas.alert_concerns import concern_of
from schemas.alert_events import Advance, Found
from schemas.alert_machine import fold
from schemas.alert_rows import alert_of
from schemas.alert_states import LiveAlert
from schemas.alerts import EndReason, Evidence, Finding, Severity
from schemas.rule_names import RESTS_ON
from services.alert.notifications import Moved, NotificationQueue
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
        changes: list[tuple[Advance, int | None]] = []
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

    async def _fold(self, connection: Connection, row: asyncpg.Record) -> tuple[Advance, int | None] | None:
        """What a finding came to, and how many were notified of it; None each where nothing, and nobody."""
        finding = _finding_of(row)
        subject = (finding.home_no, finding.person_no, concern_of(finding), finding.rule, finding.episode)
        found = await connection.fetchrow(self.sql["live_alert"], *subject)
        # Read once the alert is ours: a repetition that held it until now has notified people before.
        now = self.clock.now_ms()
        live = None if found is None else alert_of(found)
        asked = (row["finding_id"], finding.rule, finding.home_no, finding.person_no)
        others = await self.notifications.others_that_go_on(connection, [asked])
        event = Found(
            finding=finding,
            notified_at=None if found is None else _ms_or_none(found["notified_at"]),
            pending_due=None if found is None else _ms_or_none(found["pending_due"]),
            others=others.get(row["finding_id"], ()),
        )
        advance = fold(live, event, now)
        if advance is None:
            return None
        alert = advance.alert
        if alert is not live:
            await self._save(connection, alert, is_new=live is None)
        await connection.execute(self.sql["link_finding"], row["finding_id"], alert.alert_id)
        for step in advance.steps:
            trail = (alert.alert_id, to_datetime(now), step.happened, step.before, step.after, alert.level)
            await connection.execute(self.sql["audit"], *trail)
        if not advance.effects:
            return advance, None
        reached = await self.notifications.carry_out(connection, [Moved(advance)], now)
        return advance, reached.get(alert.alert_id)

    async def _save(self, connection: Connection, alert: LiveAlert, *, is_new: bool) -> None:
        fields = (
            alert.alert_id,
            alert.severity,
            alert.level,
            alert.active_severity,
            alert.active_level,
            alert.state,
            alert.episode,
            alert.episodes,
            alert.episodes_since_open,
            alert.active_episodes,
            to_datetime(alert.opened_at),
            to_datetime(alert.condition_at),
            alert.doctor_text,
            alert.caregiver_text,
            alert.rationale,
            alert.unverified,
            _datetime_or_none(alert.ended_at),
            _datetime_or_none(alert.closed_at),
            alert.version,
        )
        if is_new:
            subject = (alert.home_no, alert.person_no, alert.rule, alert.concern, to_datetime(alert.first_at))
            await connection.execute(self.sql["open_alert"], *fields, *subject)
        else:
            await connection.execute(self.sql["change_alert"], *fields)

    def _report(self, change: Advance, notified: int | None) -> None:
        alert, happened = change.alert, change.steps[0].happened
        self.metrics.count("hb_alert_changes_total", happened=happened)
        self.log.info(
            "alert",
            alert_id=str(alert.alert_id),
            rule=alert.rule,
            happened=happened,
            notifications=notified or 0,
        )
        if notified == 0:
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
        evidence=_evidence_of(row),
        doctor_text=row["doctor_text"],
        caregiver_text=row["caregiver_text"],
        rationale=row["rationale"],
        unverified=row["unverified"],
        end_reason=None if row["end_reason"] is None else EndReason(row["end_reason"]),
        retrospective=row["retrospective"],
        concern=row["concern"],
    )


def _evidence_of(row: asyncpg.Record) -> tuple[Evidence, ...]:
    """Of the evidence, the device alone: no more of it decides what the finding is about."""
    if row["device_no"] is None:
        return ()
    at = to_ms(row["observed_at"])
    return (Evidence(what="", value=None, observed_at=at, device_no=row["device_no"], epoch=0, seq=0, item=0),)


def _ms_or_none(moment: datetime | None) -> int | None:
    return None if moment is None else to_ms(moment)


def _datetime_or_none(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else to_datetime(milliseconds)
