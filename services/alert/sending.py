"""Works through what waits for one channel: so many at a time, each under a lease, until it is sent or never can be."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

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
from services.runtime.clock import Clock
from services.runtime.database import LOST_CONNECTION
from services.runtime.metrics import Metrics
from services.runtime.rounds import do_rounds

LEASE_S: Final = 60
"""Real seconds after which what was being sent is tried again, flagged as a possible duplicate."""
AT_ONCE: Final = 8
"""Messages under way on one channel, so that one receiver that hangs does not hold up the others."""
_RECORD_AGAIN_S: Final = 1.0
STATE_AFTER: Final = {
    AttemptOutcome.SENT: DeliveryState.SENT,
    AttemptOutcome.RETRY: DeliveryState.PENDING,
    AttemptOutcome.FAILED: DeliveryState.FAILED,
}


class Outgoing(Protocol):
    """A channel's share of a queue."""

    async def claim(self, most: int) -> Sequence[asyncpg.Record]:
        """Takes what is due under a lease. Raises LOST_CONNECTION."""

    async def deliver(self, row: asyncpg.Record) -> None:
        """Tries what was claimed once, and records how that went."""


async def send_due(
    outgoing: Outgoing,
    stop: asyncio.Event,
    *,
    every_s: float,
    clock: Clock,
    metrics: Metrics,
    log: structlog.typing.FilteringBoundLogger,
    wake: asyncio.Event | None = None,
) -> None:
    """Until ``stop``; what is under way then is finished first. ``wake``: there may be something to send."""
    under_way: set[asyncio.Task[None]] = set()
    wake = wake or asyncio.Event()

    def ended(task: asyncio.Task[None]) -> None:
        under_way.discard(task)
        wake.set()  # there is room again

    async with asyncio.TaskGroup() as group:

        async def start_due() -> int:
            # No more than there is room for: a lease runs from the claim, and must not run out
            # while waiting.
            room = AT_ONCE - len(under_way)
            rows = await outgoing.claim(room) if room else ()
            for row in rows:
                task = group.create_task(outgoing.deliver(row))
                under_way.add(task)
                task.add_done_callback(ended)
            return len(rows)

        await do_rounds(start_due, stop, clock=clock, every_s=every_s, log=log, metrics=metrics, wake=wake)


async def attempt(kind: ConfiguredChannel, channel: Channel, notification: Notification | None) -> AttemptResult:
    """Tries once; None: the doctor can't be reached that way any more."""
    if notification is None:
        return AttemptResult(outcome=AttemptOutcome.FAILED, reason=AttemptReason.NO_ADDRESS)
    if not kind.accepts(notification.address):
        return AttemptResult(outcome=AttemptOutcome.FAILED, reason=AttemptReason.REFUSED_TARGET)
    return await channel.send(notification)


async def record_within_lease(
    record: Callable[[], Awaitable[asyncpg.Record | None]], log: structlog.typing.FilteringBoundLogger
) -> asyncpg.Record | None:
    """What ``record`` gives, tried while the lease lasts. What has no recorded outcome is sent again."""
    for _ in range(LEASE_S):
        try:
            return await record()
        except LOST_CONNECTION as error:
            log.warning("outcome not recorded yet", error=type(error).__name__)
            await asyncio.sleep(_RECORD_AGAIN_S)
    return None
