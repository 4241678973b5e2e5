"""A doctor takes an alert on, says what came of it, finishes it: admission, decision, and what is written of it."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from schemas.alert_events import Acknowledged, Advance, CancelSteps, DoctorAction, Finished, OutcomeSaid, Verdict
from schemas.alert_machine import advance
from schemas.alert_rows import alert_of
from schemas.alert_states import Happened, IllegalTransitionError, LiveAlert
from schemas.alerts import AlertState
from services.api.access import Action, AuditSubject, NotInCareError, admit_within, record_refusal
from services.api.console import Console, Doctor
from services.runtime.clock import to_datetime
from services.runtime.database import Connection, Pool, Queries, transaction
from services.runtime.failpoints import Failpoint, reach
from services.runtime.wakeups import WakeUp, wake

Said = Acknowledged | OutcomeSaid | Finished
_ACTIONS: Final = MappingProxyType(
    {Acknowledged: Action.ACKNOWLEDGE, OutcomeSaid: Action.SAY_OUTCOME, Finished: Action.FINISH}
)
_WHAT: Final = MappingProxyType({Acknowledged: "acknowledged", OutcomeSaid: "outcome", Finished: "finished"})
"""The ``what`` of ``alert_outcomes``."""
_BY_DOCTORS: Final = frozenset({Happened.ACKNOWLEDGED, Happened.OUTCOME_SAID, Happened.FINISHED})


async def acknowledge(
    console: Console,
    doctor: Doctor,
    alert_id: UUID,
    *,
    version: int,
    note: str,
    verdict: Verdict | None = None,
    action: DoctorAction | None = None,
) -> bool:
    """Acknowledges what the doctor saw (``version``) and cares for; True again when they already had.

    False: it has changed since, or somebody else was first. Raises NotInCareError.
    """
    event = Acknowledged(doctor_no=doctor.doctor_no, note=note, verdict=verdict, action=action)
    if await _say(console, doctor, alert_id, event, seen=version):
        reach(Failpoint.API_ACKNOWLEDGED)
        await _make_known(console)
        console.metrics.count("hb_api_acknowledgements_total")
        return True
    # A form sent twice must not look like a conflict: they have it, whatever happened to it since.
    now = await console.pool.fetchrow(console.sql["find_alert"], alert_id)
    assert now is not None  # noqa: S101 - alerts are never deleted
    return bool(now["acknowledged_by"] == doctor.doctor_no and now["state"] != AlertState.OPEN)


async def say_outcome(
    console: Console,
    doctor: Doctor,
    alert_id: UUID,
    *,
    note: str = "",
    verdict: Verdict | None = None,
    action: DoctorAction | None = None,
) -> bool:
    """What came of an alert that somebody has taken on, said later or corrected; True again when they last said so.

    False: nobody has taken it on yet. Raises NotInCareError.
    """
    event = OutcomeSaid(doctor_no=doctor.doctor_no, note=note, verdict=verdict, action=action)
    if await _say(console, doctor, alert_id, event, seen=None):
        await _make_known(console)
        return True
    return await _is_said(console.pool, console, alert_id, event)


async def finish(
    console: Console,
    doctor: Doctor,
    alert_id: UUID,
    *,
    version: int,
    note: str,
    verdict: Verdict | None = None,
    action: DoctorAction | None = None,
) -> bool:
    """Closes an acknowledged alert whose condition nobody will see recover; True again when they already had.

    False: it has changed since, or is not acknowledged. Raises NotInCareError.
    """
    event = Finished(doctor_no=doctor.doctor_no, note=note, verdict=verdict, action=action)
    if await _say(console, doctor, alert_id, event, seen=version):
        await _make_known(console)
        return True
    return await _is_said(console.pool, console, alert_id, event)


async def write_change(connection: Connection, sql: Queries, before: LiveAlert, event: Said, now: int) -> bool:
    """Writes what ``event`` makes of ``before`` if the alert is still of that version; False: nothing was written.

    Every change of an alert raises its version. So with the same version, everything that the
    decision rests on is still the same. Raises IllegalTransitionError.
    """
    after, at = advance(before, event, now), to_datetime(now)
    assert after is not None  # noqa: S101 - of a finding alone there may be nothing to say
    alert = after.alert
    stands = (
        alert.state,
        _datetime_or_none(alert.closed_at),
        _datetime_or_none(alert.acknowledged_at),
        alert.acknowledged_by,
        alert.acknowledged_note,
        alert.version,
    )
    if await connection.fetchval(sql["move_alert"], alert.alert_id, before.version, *stands) is None:
        return False
    if CancelSteps() in after.effects:
        # Statements of their own, with a snapshot of their own: while the one before waited for the
        # row, alert may have planned a step, which that one would not see.
        await connection.execute(sql["cancel_steps"], alert.alert_id)
        await connection.execute(sql["withdraw_held"], alert.alert_id)
    said = (event.doctor_no, _WHAT[type(event)], event.verdict, event.action, event.note)
    seen = (before.version, to_datetime(before.opened_at), before.severity)
    await connection.execute(sql["write_outcome"], alert.alert_id, at, *said, *seen)
    await connection.executemany(sql["write_trail"], _trail(event, after, at))
    return True


async def _say(console: Console, doctor: Doctor, alert_id: UUID, event: Said, *, seen: int | None) -> bool:
    """One transaction. ``seen``: the version that the doctor saw, None where any will do. False: nothing was done."""
    row = await console.pool.fetchrow(console.sql["find_alert"], alert_id)
    subject = AuditSubject(person_no=row["person_no"], home_no=row["home_no"], alert_id=alert_id) if row else None
    action = _ACTIONS[type(event)]
    try:
        async with transaction(console.pool) as connection:
            await admit_within(connection, console, doctor, action, subject)
            held = await connection.fetchrow(console.sql["hold_alert"], alert_id)
            assert held is not None  # noqa: S101 - admit_within refuses nothing
            alert = alert_of(held)
            if seen not in {None, alert.version} or await _is_said(connection, console, alert_id, event):
                return False
            with suppress(IllegalTransitionError):
                done = await write_change(connection, console.sql, alert, event, console.clock.now_ms())
                if done and isinstance(event, Acknowledged):
                    reach(Failpoint.API_ACKNOWLEDGING)
                return done
    except NotInCareError:
        await record_refusal(console, doctor, action, subject)
        raise
    return False


async def _is_said(on: Pool | Connection, console: Console, alert_id: UUID, event: Said) -> bool:
    """Whether the last that was said of the alert is the same, by the same doctor: the request came twice."""
    if isinstance(event, Acknowledged):
        return False
    last = await on.fetchrow(console.sql["last_outcome"], alert_id)
    same = (event.doctor_no, _WHAT[type(event)], event.verdict, event.action, event.note)
    return last is not None and tuple(last) == same


async def _make_known(console: Console) -> None:
    await wake(console.pool, WakeUp.ALERTS, metrics=console.metrics)


def _trail(event: Said, after: Advance, at: datetime) -> Iterable[tuple[Any, ...]]:
    """A line a step. That it closes because its condition is over is the platform's doing, not the doctor's."""
    alert = after.alert
    for step in after.steps:
        who, note = (event.doctor_no, event.note) if step.happened in _BY_DOCTORS else (None, None)
        yield (alert.alert_id, at, step.happened, step.before, step.after, alert.level, who, note)


def _datetime_or_none(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else to_datetime(milliseconds)
