"""Who may do what with whom: the one place that decides, and that writes down what it decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from services.api.console import Console, Doctor
from services.runtime.clock import to_datetime
from services.runtime.database import Connection, Pool
from services.runtime.errors import HearthBeatError


class NotInCareError(HearthBeatError):
    """There is nothing here for you."""


class Action(StrEnum):
    """What a doctor does. Everything about a person needs a care relation in force; the rest is their own."""

    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    CONFIRM = "confirm"
    GIVE_CODE = "give_code"
    USE_RECOVERY_CODE = "use_recovery_code"
    USE_RESET_LINK = "use_reset_link"
    READ_SECOND_FACTOR = "read_second_factor"
    BEGIN_SECOND_FACTOR = "begin_second_factor"
    CONFIRM_SECOND_FACTOR = "confirm_second_factor"
    RENEW_RECOVERY_CODES = "renew_recovery_codes"
    END_SECOND_FACTOR = "end_second_factor"
    READ_WORKLIST = "read_worklist"
    READ_PEOPLE = "read_people"
    READ_PERSON = "read_person"
    READ_READINGS = "read_readings"
    READ_ALERTS = "read_alerts"
    READ_ALERT = "read_alert"
    ACKNOWLEDGE = "acknowledge"
    SAY_OUTCOME = "say_outcome"
    FINISH = "finish"
    READ_OUTCOMES = "read_outcomes"
    READ_MORNING = "read_morning"
    READ_QUIET_HOURS = "read_quiet_hours"
    SET_QUIET_HOURS = "set_quiet_hours"
    END_QUIET_HOURS = "end_quiet_hours"
    READ_PLANS = "read_plans"
    READ_DOSES = "read_doses"
    EDIT_PLAN = "edit_plan"
    PAUSE_PLAN = "pause_plan"
    RESUME_PLAN = "resume_plan"
    COUNT_STOCK = "count_stock"
    DECIDE_HELD = "decide_held"
    READ_LIMITS = "read_limits"
    TRY_LIMITS = "try_limits"
    CHANGE_LIMITS = "change_limits"
    READ_MODELS = "read_models"
    PROMOTE_MODEL = "promote_model"
    ROLL_BACK_MODEL = "roll_back_model"


NEEDS_CARE = frozenset(
    {
        Action.READ_PERSON,
        Action.READ_READINGS,
        Action.READ_ALERT,
        Action.ACKNOWLEDGE,
        Action.SAY_OUTCOME,
        Action.FINISH,
        Action.READ_PLANS,
        Action.READ_DOSES,
        Action.EDIT_PLAN,
        Action.PAUSE_PLAN,
        Action.RESUME_PLAN,
        Action.COUNT_STOCK,
        Action.DECIDE_HELD,
        Action.READ_LIMITS,
        Action.TRY_LIMITS,
        Action.CHANGE_LIMITS,
    }
)
"""Lists are filtered by the same SQL function, ``in_care``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSubject:
    """Whom an action is about: a person, or with ``person_no`` 0 everybody of a home."""

    person_no: int
    home_no: int
    alert_id: UUID | None = None


async def can(
    console: Console, doctor: Doctor, action: Action, subject: AuditSubject, now: datetime, *, on: Pool | Connection
) -> bool:
    """Whether ``doctor`` may do ``action`` with ``subject`` at platform time ``now``. Unlisted actions: no."""
    if action not in NEEDS_CARE:
        return False
    allowed: bool = await on.fetchval(console.sql["in_care"], doctor.doctor_no, subject.person_no, subject.home_no, now)
    return allowed


async def admit(console: Console, doctor: Doctor, action: Action, subject: AuditSubject | None) -> None:
    """Asks ``can`` and writes the answer to the audit trail before anything is shown.

    Raises NotInCareError where there is no such subject or it is not in the doctor's care: one answer for both.
    """
    try:
        await admit_within(console.pool, console, doctor, action, subject)
    except NotInCareError:
        await record_refusal(console, doctor, action, subject)
        raise


async def admit_within(
    on: Pool | Connection, console: Console, doctor: Doctor, action: Action, subject: AuditSubject | None
) -> None:
    """As ``admit``, within the caller's transaction; the caller records a refusal after its end.

    A refusal undoes the transaction, so it can't be recorded in it. Nor on a second connection
    while this one is held: if every connection of the pool did that, all would wait for each other.
    """
    now = to_datetime(console.clock.now_ms())
    if subject is None or not await can(console, doctor, action, subject, now, on=on):
        raise NotInCareError
    await record(console, doctor, action, [subject.person_no], alert_id=subject.alert_id, on=on)


async def record_refusal(console: Console, doctor: Doctor, action: Action, subject: AuditSubject | None) -> None:
    """Adds to the audit trail that somebody was not admitted."""
    people = [subject.person_no] if subject else []
    await record(console, doctor, action, people, allowed=False, alert_id=subject.alert_id if subject else None)


async def record(
    console: Console,
    doctor: Doctor | None,
    action: Action,
    people: Sequence[int] = (),
    *,
    allowed: bool = True,
    alert_id: UUID | None = None,
    address: str = "",
    on: Pool | Connection | None = None,
) -> None:
    """Adds to the audit trail. Raises where it can't, and then nothing is shown or done."""
    await (on or console.pool).execute(
        console.sql["write_audit"],
        to_datetime(console.clock.now_ms()),
        datetime.now(UTC),
        doctor.doctor_no if doctor else None,
        action,
        allowed,
        sorted({person for person in people if person}),
        alert_id,
        doctor.address if doctor else address,
    )
