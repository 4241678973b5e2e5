"""Takes notifications from their queue to a channel, until each is sent or can never be."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import asyncpg
import structlog

from schemas.alerts import DeliveryState
from services.alert.channels.port import (
    AttemptOutcome,
    AttemptReason,
    AttemptResult,
    Channel,
    ConfiguredChannel,
    Notification,
)
from services.alert.core import idempotency_key, page_link, retry_after_s
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import LOST_CONNECTION, Pool, Queries
from services.runtime.failpoints import Failpoint, reach
from services.runtime.metrics import Metrics
from services.runtime.rounds import do_rounds

LEASE_S: Final = 60
"""Real seconds after which a notification that was being sent is tried again, flagged as a possible duplicate."""
AT_ONCE: Final = 8
"""Notifications under way on one channel, so that one receiver that hangs does not hold up the others."""
_RECORD_AGAIN_S: Final = 1.0
_STATE_AFTER: Final = {
    AttemptOutcome.SENT: DeliveryState.SENT,
    AttemptOutcome.RETRY: DeliveryState.PENDING,
    AttemptOutcome.FAILED: DeliveryState.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationDelivery:
    """One channel's share of the queue, so that a channel that hangs holds up no other."""

    kind: ConfiguredChannel
    channel: Channel
    pool: Pool
    sql: Queries
    base_url: str
    clock: Clock
    real: Clock
    metrics: Metrics
    log: structlog.typing.FilteringBoundLogger

    async def run(self, stop: asyncio.Event, *, every_s: float, wake: asyncio.Event | None = None) -> None:
        """Until ``stop``; what is under way then is finished first. ``wake``: there may be a notification."""
        under_way: set[asyncio.Task[None]] = set()
        wake = wake or asyncio.Event()

        def ended(task: asyncio.Task[None]) -> None:
            under_way.discard(task)
            wake.set()  # there is room again

        async with asyncio.TaskGroup() as group:

            async def start_due() -> int:
                # No more than there is room for: a lease runs from the claim, and must not run out
                # while waiting.
                rows = await self.claim(AT_ONCE - len(under_way))
                for row in rows:
                    task = group.create_task(self.deliver(row))
                    under_way.add(task)
                    task.add_done_callback(ended)
                return len(rows)

            await do_rounds(
                start_due,
                stop,
                clock=self.clock,
                every_s=every_s,
                log=self.log,
                metrics=self.metrics,
                wake=wake,
            )

    async def claim(self, most: int) -> Sequence[asyncpg.Record]:
        """Takes due notifications under a lease and logs the attempts. Raises LOST_CONNECTION."""
        now = to_datetime(self.real.now_ms())
        if not most:
            return ()
        return await self.pool.fetch(
            self.sql["claim_notifications"], self.kind.name, now, now + timedelta(seconds=LEASE_S), most
        )

    async def deliver(self, row: asyncpg.Record) -> None:
        """Tries a claimed notification once and records how that went."""
        notification = self.notification_of(row)
        if notification is None:
            result = AttemptResult(outcome=AttemptOutcome.FAILED, reason=AttemptReason.NO_ADDRESS)
        elif not self.kind.accepts(notification.address):
            result = AttemptResult(outcome=AttemptOutcome.FAILED, reason=AttemptReason.REFUSED_TARGET)
        else:
            result = await self.channel.send(notification)
            reach(Failpoint.ALERT_SENT)
        await self._record(row, result)
        self.metrics.count(
            "hb_alert_attempts_total", channel=self.kind.name, outcome=result.outcome, reason=result.reason
        )
        speak = self.log.info if result.outcome is AttemptOutcome.SENT else self.log.warning
        speak(
            "notification",
            alert_id=str(row["alert_id"]),
            step=row["step"],
            outcome=result.outcome,
            reason=result.reason,
        )

    def notification_of(self, row: asyncpg.Record) -> Notification | None:
        """What to send; None where the doctor can't be reached that way any more."""
        if row["address"] is None:
            return None
        return Notification(
            key=idempotency_key(row["alert_id"], row["step"], row["doctor_no"], self.kind.name),
            alert_id=row["alert_id"],
            step=row["step"],
            link=page_link(self.base_url, row["alert_id"]),
            address=row["address"],
            handled=row["handled"],
            possible_duplicate=row["possible_duplicate"],
            sealed_secrets=tuple(row["sealed_secrets"]),
        )

    async def _record(self, row: asyncpg.Record, result: AttemptResult) -> None:
        """Tries while the lease lasts; a notification without a recorded outcome is sent again."""
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
            _STATE_AFTER[result.outcome],
            to_datetime(ended_ms),
            None if retry_ms is None else to_datetime(retry_ms),
            platform if result.outcome is AttemptOutcome.SENT else None,
            result.outcome,
            result.reason,
            platform,
        )
        for _ in range(LEASE_S):
            try:
                await self.pool.execute(self.sql["record_attempt"], *arguments)
            except LOST_CONNECTION as error:
                self.log.warning("outcome not recorded yet", error=type(error).__name__)
                await asyncio.sleep(_RECORD_AGAIN_S)
            else:
                return
