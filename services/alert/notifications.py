"""Does what a change of alerts asks for: notifications to the doctors, the step that they belong to, the next one."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg
import structlog

from schemas.alert_events import Advance, CancelSteps, Notify, PlanStep, Suppress, WithdrawHeld
from schemas.alert_states import LiveAlert
from schemas.alerts import DeliveryState, Severity
from schemas.rule_names import RESTS_ON
from services.alert.core import SHORTEST_REPEAT_S
from services.alert.quiet_hours import QuietHours, held_until
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Connection, Pool, Queries
from services.runtime.retry import GaveUpError, Retry

_RETRY_S: Final = 1.0
_RESTED_ON: Final = sorted({rule for rules in RESTS_ON.values() for rule in rules})


class Moved(NamedTuple):
    """A change of an alert; ``step`` is the planned step that asked for it, None where something else did."""

    advance: Advance
    step: int | None = None


class Recipient(NamedTuple):
    """Who is notified of an alert over which channel: at once, or when their quiet hours end, in platform ms."""

    alert_id: UUID
    doctor_no: int
    channel: str
    state: DeliveryState = DeliveryState.PENDING
    held_until: int | None = None


class _NewStep(NamedTuple):
    alert_id: UUID
    repeat: int
    due_at: datetime
    state: str
    reason: str
    suppressed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationQueue:
    """Works inside the transaction that changes the alerts. ``channels``: those switched on.

    ``shortest_repeat_s``: the least real time between two notifications of one alert.
    """

    sql: Queries
    channels: Sequence[str]
    clock: Clock
    real: Clock
    shortest_repeat_s: float = SHORTEST_REPEAT_S

    async def others_that_go_on(
        self, connection: Connection, alerts: Iterable[tuple[UUID, str, int, int]]
    ) -> Mapping[UUID, tuple[tuple[str, Severity], ...]]:
        """What else goes on about the people of ``alerts`` (id, rule, home, person), where a rule rests on others."""
        asked = [(alert_id, home_no, person_no) for alert_id, rule, home_no, person_no in alerts if RESTS_ON.get(rule)]
        if not asked:
            return {}
        found: dict[UUID, tuple[tuple[str, Severity], ...]] = {}
        for row in await connection.fetch(self.sql["alerts_that_go_on"], *_columns(asked), _RESTED_ON):
            other = (row["rule"], Severity(row["active_severity"]))
            found[row["alert_id"]] = (*found.get(row["alert_id"], ()), other)
        return found

    async def carry_out(self, connection: Connection, moved: Sequence[Moved], now: int) -> Mapping[UUID, int]:
        """Does what the changes ask for, each of another alert. Says how many recipients each notification has."""
        await self._end(connection, moved)
        steps = {one.advance.alert.alert_id: one.step for one in moved if one.step is not None}
        fresh = [_made(one, now) for one in moved if one.step is None]
        steps |= await self._add(connection, [step for step in fresh if step is not None])
        alerts = [one.advance.alert for one in moved if one.advance.notification is not None]
        found = await self.recipients(connection, alerts, now) if alerts else []
        await self._queue(connection, [(steps[one.alert_id], one) for one in found], now)
        await self._add(connection, [self._planned(alert_id, plan) for alert_id, plan in _plans(moved)])
        reached = {alert.alert_id: 0 for alert in alerts}
        for one in found:
            reached[one.alert_id] += 1
        return reached

    async def recipients(self, connection: Connection, alerts: Sequence[LiveAlert], now: int) -> list[Recipient]:
        """Who is notified of ``alerts`` now, over which channels, and in which state their notifications begin."""
        about = _columns([(one.alert_id, one.home_no, one.person_no) for one in alerts])
        rows = await connection.fetch(self.sql["contacts"], *about, to_datetime(now), self.channels)
        severities = {one.alert_id: one.active_severity for one in alerts}
        return [_recipient(row, severities[row["alert_id"]], now) for row in rows]

    async def plan(self, connection: Connection, plans: Sequence[tuple[UUID, PlanStep]]) -> int:
        """Plans steps of alerts that have none; says how many it planned."""
        return len(await self._add(connection, [self._planned(alert_id, plan) for alert_id, plan in plans]))

    async def _end(self, connection: Connection, moved: Sequence[Moved]) -> None:
        """Ends the steps whose time has come, then what else was planned, and takes back what is held."""
        taken = [
            (one.advance.alert.alert_id, one.step, *_outcome(one.advance)) for one in moved if one.step is not None
        ]
        if taken:
            await connection.execute(self.sql["end_steps"], *_columns(taken))
        for effect, query in ((CancelSteps(), "cancel_steps"), (WithdrawHeld(), "withdraw_held")):
            ids = [one.advance.alert.alert_id for one in moved if effect in one.advance.effects]
            if ids:
                await connection.execute(self.sql[query], ids)

    async def _add(self, connection: Connection, steps: Sequence[_NewStep]) -> dict[UUID, int]:
        if not steps:
            return {}
        rows = await connection.fetch(self.sql["add_steps"], *_columns(steps))
        return {row["alert_id"]: row["step"] for row in rows}

    async def _queue(self, connection: Connection, queued: Sequence[tuple[int, Recipient]], now: int) -> None:
        if not queued:
            return
        columns = _columns(
            [
                (
                    one.alert_id,
                    step,
                    one.doctor_no,
                    one.channel,
                    one.state,
                    None if one.held_until is None else to_datetime(one.held_until),
                )
                for step, one in queued
            ]
        )
        await connection.execute(
            self.sql["withdraw_earlier"], *_columns([(one.alert_id, one.doctor_no, one.channel) for _, one in queued])
        )
        real = to_datetime(self.real.now_ms())
        await connection.execute(self.sql["queue_notifications"], *columns, to_datetime(now), real)

    def _planned(self, alert_id: UUID, plan: PlanStep) -> _NewStep:
        # However fast the platform's clock runs, people are not flooded.
        soonest = plan.since + round(1000 * self.shortest_repeat_s * self.clock.rate)
        return _NewStep(alert_id, plan.repeats, to_datetime(max(plan.due, soonest)), "pending", plan.reason)


def _recipient(row: asyncpg.Record, severity: Severity, now: int) -> Recipient:
    """Whom a row of ``contacts`` names: held back where it is within their quiet hours."""
    quiet = None if row["zone"] is None else QuietHours(begins=row["begins"], ends=row["ends"], zone=row["zone"])
    until = held_until(severity, quiet, now)
    state = DeliveryState.PENDING if until is None else DeliveryState.HELD
    return Recipient(row["alert_id"], row["doctor_no"], row["channel"], state, until)


def _plans(moved: Iterable[Moved]) -> Iterable[tuple[UUID, PlanStep]]:
    for one in moved:
        if one.advance.plan is not None:
            yield one.advance.alert.alert_id, one.advance.plan


def _made(moved: Moved, now: int) -> _NewStep | None:
    """The step that a change makes for what people are notified of at once; None where they are not."""
    for effect in moved.advance.effects:
        if isinstance(effect, Notify | Suppress):
            suppressed = isinstance(effect, Suppress)
            alert_id = moved.advance.alert.alert_id
            return _NewStep(alert_id, effect.repeats, to_datetime(now), "done", effect.reason, suppressed)
    return None


def _outcome(advance: Advance) -> tuple[str, bool]:
    """The state of the step that asked for ``advance``, and whether another alert said as much."""
    suppressed = any(isinstance(effect, Suppress) for effect in advance.effects)
    is_done = suppressed or advance.notification is not None
    return "done" if is_done else "cancelled", suppressed


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


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
