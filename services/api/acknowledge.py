"""A doctor takes an alert on: admission, decision and what is written of it, in one transaction."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from schemas import alert_machine
from schemas.alert_machine import Change, Happened
from schemas.alert_rows import alert_of
from schemas.alerts import AlertState
from services.api.access import Action, AuditSubject, NotInCareError, admit_within, record_refusal
from services.api.console import Console, Doctor
from services.runtime.clock import to_datetime
from services.runtime.database import Connection, Queries, transaction
from services.runtime.failpoints import Failpoint, reach
from services.runtime.wakeups import WakeUp, wake


async def acknowledge(console: Console, doctor: Doctor, alert_id: UUID, *, version: int, note: str) -> bool:
    """Acknowledges what the doctor saw (``version``) and cares for; True again when they already had.

    False: it has changed since, or somebody else was first. Raises NotInCareError.
    """
    row = await console.pool.fetchrow(console.sql["find_alert"], alert_id)
    subject = AuditSubject(person_no=row["person_no"], home_no=row["home_no"], alert_id=alert_id) if row else None
    done = False
    try:
        async with transaction(console.pool) as connection:
            await admit_within(connection, console, doctor, Action.ACKNOWLEDGE, subject)
            assert row is not None  # noqa: S101 - admit_within refuses nothing
            alert = alert_of(row)
            if alert.state is AlertState.OPEN and alert.version == version:
                change = alert_machine.acknowledge(alert, doctor.doctor_no, note, console.clock.now_ms())
                done = await write_acknowledgement(connection, console.sql, change, seen=version)
            if done:
                reach(Failpoint.API_ACKNOWLEDGING)
    except NotInCareError:
        await record_refusal(console, doctor, Action.ACKNOWLEDGE, subject)
        raise
    # A form sent twice must not look like a conflict: they have it, whatever happened to it since.
    if not done:
        now = await console.pool.fetchrow(console.sql["find_alert"], alert_id)
        assert now is not None  # noqa: S101 - alerts are never deleted
        return bool(now["acknowledged_by"] == doctor.doctor_no and now["state"] != AlertState.OPEN)
    reach(Failpoint.API_ACKNOWLEDGED)
    await wake(console.pool, WakeUp.ALERTS, metrics=console.metrics)
    console.metrics.count("hb_api_acknowledgements_total")
    return True


async def write_acknowledgement(connection: Connection, sql: Queries, change: Change, *, seen: int) -> bool:
    """Writes ``change`` if the alert is still of the version ``seen``; False: nothing was written.

    Every change of an alert raises its version. So with the same version, everything that the
    decision rests on is still the same.
    """
    alert = change.alert
    at = None if alert.acknowledged_at is None else to_datetime(alert.acknowledged_at)
    closed_at = None if alert.closed_at is None else to_datetime(alert.closed_at)
    stands = (alert.state, closed_at, at, alert.acknowledged_by, alert.acknowledged_note, alert.version)
    if await connection.fetchval(sql["acknowledge"], alert.alert_id, seen, *stands) is None:
        return False
    # A statement of its own, with a snapshot of its own: while the one before waited for the row,
    # alert may have planned a step, which that one would not see.
    await connection.execute(sql["cancel_steps"], alert.alert_id)
    await connection.executemany(sql["write_trail"], _trail(change, at))
    return True


def _trail(change: Change, at: datetime | None) -> Iterable[tuple[Any, ...]]:
    """A line a step. That it closes because its condition is over is the platform's doing, not the doctor's."""
    alert = change.alert
    for step in change.steps:
        is_doctors = step.happened is Happened.ACKNOWLEDGED
        who, note = (alert.acknowledged_by, alert.acknowledged_note) if is_doctors else (None, None)
        yield (alert.alert_id, at, step.happened, step.before, step.after, alert.level, who, note)
