"""Queues notifications: one step of the escalation, a row for each doctor and channel, the next step."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from schemas.alerts import Severity
from services.alert.core import SHORTEST_REPEAT_S, next_repeat
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Connection, Pool, Queries
from services.runtime.retry import GaveUpError, Retry

_RETRY_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifiedAlert:
    """The alert that people are notified about."""

    alert_id: UUID
    home_no: int
    person_no: int
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationQueue:
    """Works inside the transaction that changes the alert. ``channels``: those switched on.

    ``shortest_repeat_s``: the least real time between two notifications of one alert.
    """

    sql: Queries
    channels: Sequence[str]
    clock: Clock
    real: Clock
    shortest_repeat_s: float = SHORTEST_REPEAT_S

    async def add(self, connection: Connection, subject: NotifiedAlert, *, step: int, repeats: int, now: int) -> int:
        """Queues the notifications of ``step`` and plans the next repetition. Says how many notifications there are."""
        at, real = to_datetime(now), to_datetime(self.real.now_ms())
        contacts = await connection.fetch(self.sql["contacts"], subject.home_no, subject.person_no, at, self.channels)
        notifications = [(subject.alert_id, step, row["doctor_no"], row["channel"], at, real) for row in contacts]
        await connection.executemany(self.sql["queue_notification"], notifications)
        shortest_ms = round(1000 * self.shortest_repeat_s * self.clock.rate)
        due = next_repeat(subject.severity, repeats, now, shortest_ms=shortest_ms)
        if due is not None:
            await self.add_step(connection, subject.alert_id, repeats=repeats + 1, due=due, state="pending")
        return len(notifications)

    async def add_step(self, connection: Connection, alert_id: UUID, *, repeats: int, due: int, state: str) -> int:
        """A new step of the escalation; gives its number."""
        number: int = await connection.fetchval(self.sql["add_step"], alert_id, repeats, to_datetime(due), state)
        return number


async def write_channels(
    pool: Pool,
    sql: Queries,
    channels: Sequence[str],
    stop: asyncio.Event,
    log: structlog.typing.FilteringBoundLogger,
) -> None:
    """Says in the database, once, which ``channels`` there are; waits for it, unless ``stop`` comes."""
    with suppress(GaveUpError):
        await Retry(every_s=_RETRY_S, log=log).until_done(lambda: pool.execute(sql["write_channels"], channels), stop)
