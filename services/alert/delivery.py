"""Takes notifications from their queue to a channel, until each is sent, not needed any more, or can never be."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import structlog

from schemas.alerts import AlertState, Severity
from services.alert.channels.port import (
    AttemptOutcome,
    AttemptResult,
    Channel,
    ConfiguredChannel,
    MessageKind,
    Notification,
)
from services.alert.core import idempotency_key, page_link, retry_after_s
from services.alert.sending import LEASE_S, STATE_AFTER, attempt, record_within_lease, send_due
from services.alert.words import Details, NotificationFacts, Standing, notification_words, words_of
from services.runtime.clock import Clock, to_datetime, to_ms
from services.runtime.database import Pool, Queries
from services.runtime.failpoints import Failpoint, reach
from services.runtime.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationDelivery:
    """One channel's share of the queue, so that a channel that hangs holds up no other.

    ``others``: set when a receiver has refused for good, so that those who wait their turn are tried at once.
    """

    kind: ConfiguredChannel
    channel: Channel
    pool: Pool
    sql: Queries
    base_url: str
    clock: Clock
    real: Clock
    metrics: Metrics
    log: structlog.typing.FilteringBoundLogger
    others: Collection[asyncio.Event] = ()

    async def run(self, stop: asyncio.Event, *, every_s: float, wake: asyncio.Event | None = None) -> None:
        """Until ``stop``; what is under way then is finished first. ``wake``: there may be a notification."""
        await send_due(self, stop, every_s=every_s, clock=self.clock, metrics=self.metrics, log=self.log, wake=wake)

    async def claim(self, most: int) -> Sequence[asyncpg.Record]:
        """Takes due notifications under a lease and logs the attempts. Raises LOST_CONNECTION.

        A repetition of what somebody has answered meanwhile, or has recovered, is withdrawn.
        """
        now = to_datetime(self.real.now_ms())
        withdrawn = await self.pool.fetch(self.sql["withdraw_needless"], self.kind.name, now)
        self.metrics.count("hb_alert_withdrawn_total", len(withdrawn))
        return await self.pool.fetch(
            self.sql["claim_notifications"], self.kind.name, now, now + timedelta(seconds=LEASE_S), most
        )

    async def deliver(self, row: asyncpg.Record) -> None:
        """Tries a claimed notification once and records how that went."""
        result = await attempt(self.kind, self.channel, self.notification_of(row))
        reach(Failpoint.ALERT_SENT)
        recorded = await self._record(row, result)
        self.metrics.count(
            "hb_alert_attempts_total", channel=self.kind.name, outcome=result.outcome, reason=result.reason
        )
        log = self.log.bind(alert_id=str(row["alert_id"]), step=row["step"])
        speak = log.info if result.outcome is AttemptOutcome.SENT else log.warning
        speak("notification", outcome=result.outcome, reason=result.reason)
        if result.outcome is not AttemptOutcome.FAILED or recorded is None or not recorded["done"]:
            return
        for other in self.others:
            other.set()
        if recorded["reachable"] == 0:
            self.metrics.count("hb_alert_unreachable_total")
            log.error("no recipient")

    def notification_of(self, row: asyncpg.Record) -> Notification | None:
        """What to send; None where the doctor can't be reached that way any more."""
        if row["address"] is None:
            return None
        link = page_link(self.base_url, row["alert_id"])
        facts = facts_of(row)
        words = notification_words(facts, words_of(row["language"]), alert_id=row["alert_id"], link=link)
        return Notification(
            kind=MessageKind.ALERT,
            key=idempotency_key(row["alert_id"], row["step"], row["doctor_no"], self.kind.name),
            subject=words.subject,
            text=words.text,
            link=link,
            address=row["address"],
            possible_duplicate=row["possible_duplicate"],
            facts={
                "alert_id": str(row["alert_id"]),
                "step": row["step"],
                "severity": facts.severity.name.lower(),
                "reason": facts.reason,
                "standing": facts.standing,
                "times": facts.times,
            },
            sealed_secrets=tuple(row["sealed_secrets"]),
        )

    async def _record(self, row: asyncpg.Record, result: AttemptResult) -> asyncpg.Record | None:
        ended_ms = self.real.now_ms()
        # Real time, as servers mend themselves in real time, however fast the platform's clock
        # runs.
        retry_ms = ended_ms + 1000 * retry_after_s(row["attempts"]) if result.outcome is AttemptOutcome.RETRY else None
        platform = to_datetime(self.clock.now_ms())
        arguments = (
            row["alert_id"],
            row["step"],
            row["doctor_no"],
            self.kind.name,
            # Part of the key: if the lease has run out, another attempt has begun, and this outcome
            # is not its.
            row["attempts"],
            STATE_AFTER[result.outcome],
            to_datetime(ended_ms),
            None if retry_ms is None else to_datetime(retry_ms),
            platform if result.outcome is AttemptOutcome.SENT else None,
            result.outcome,
            result.reason,
            platform,
        )
        return await record_within_lease(lambda: self.pool.fetchrow(self.sql["record_attempt"], *arguments), self.log)


def facts_of(row: asyncpg.Record) -> NotificationFacts:
    """What the words about a claimed notification are made of."""
    return NotificationFacts(
        severity=Severity(row["severity"]),
        reason=row["reason"],
        standing=_standing_of(row),
        times=row["times"],
        opened_at=to_ms(row["opened_at"]),
        observed_at=to_ms(row["observed_at"]),
        found_at=to_ms(row["found_at"]),
        queued_at=to_ms(row["queued_at"]),
        zone=row["zone"],
        details=Details(name=row["name"], text=row["doctor_text"]) if row["details"] else None,
    )


def _standing_of(row: asyncpg.Record) -> Standing:
    if row["state"] != AlertState.OPEN:
        return Standing.ANSWERED
    return Standing.WAITING if row["ended_at"] is None else Standing.RECOVERED
