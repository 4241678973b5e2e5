"""A doctor's own practice for programs: what came of alerts, the morning's lists, quiet hours."""

from datetime import date, datetime, time
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, HTTPException, Query, Request
from pydantic import BaseModel

from schemas.alerts import AlertState, Severity
from services.api.access import Action, record
from services.api.answers import ANYWHERE, OF_ONE, WRITES
from services.api.console import console_of
from services.api.inputs import Day
from services.api.outcomes import Outcomes
from services.api.own_reads import PERIODS, earlier_lists_of, morning_list_of, outcomes_of_practice
from services.api.quiet_hours import (
    QuietHours,
    TimeOfDay,
    Zone,
    end_quiet_hours,
    held_for,
    quiet_hours_of,
    set_quiet_hours,
)
from services.api.request_checks import check_token
from services.api.sessions import SignedIn

router = APIRouter(prefix="/api/v1", tags=["v1"], responses=ANYWHERE)


class OutcomesOut(BaseModel):
    """Counts of times that an alert began to wait; ``precision``: real among real and false, 0 to 1.

    Null: not known. ``median_s``: seconds until somebody took it on, of those taken on.
    """

    openings: int
    acknowledged: int
    share_handled: float | None
    median_s: float | None
    real: int
    false: int
    unclear: int
    precision: float | None


class RuleOutcomesOut(OutcomesOut):
    """Of a rule; null: of all rules of its kind. ``technical``: it is about devices."""

    rule: str | None
    technical: bool


class DoctorOutcomesOut(OutcomesOut):
    """Of what a doctor took on, among all about people for whom you both care."""

    doctor: str


class PracticeOutcomesOut(BaseModel):
    """What came of alerts about people in your care, in the last ``days``."""

    days: int
    rules: list[RuleOutcomesOut]
    doctors: list[DoctorOutcomesOut]


class EntryOut(BaseModel):
    """What a list names. ``person_id`` is null where it is about a home; ``state`` is the alert's own, now.

    ``rule`` is null of what is held; ``observed_at`` is since when.
    """

    kind: Literal["open", "recovered", "held", "listed", "retrospective"]
    person_id: UUID | None
    subject: str
    rule: str | None
    severity: str
    alert_id: UUID | None
    state: AlertState | None
    observed_at: datetime
    text: str


class SendingOut(BaseModel):
    """Over which channel a list was sent, and how that stands; in real time."""

    channel: str
    state: Literal["pending", "sending", "sent", "failed"]
    attempts: int
    sent_at: datetime | None


class MorningOut(BaseModel):
    """A morning's list. ``hidden``: how many of its entries are about people who have left your care since.

    ``earlier``: the days of lists before it, the newest first.
    """

    day: date
    time_zone: str
    since: datetime
    made_at: datetime
    entries: list[EntryOut]
    hidden: int
    sendings: list[SendingOut]
    earlier: list[date]


class QuietHoursIn(BaseModel):
    """By the wall clock of ``zone``, over midnight where ``ends`` is the earlier. ``zone`` becomes your own."""

    begins: TimeOfDay
    ends: TimeOfDay
    zone: Zone


class QuietHoursOut(QuietHoursIn):
    """Since when they are in force, and how many notifications they hold now."""

    since: datetime
    held: int


def _figures(outcomes: Outcomes) -> dict[str, Any]:
    return {name: getattr(outcomes, name) for name in OutcomesOut.model_fields}


@router.get("/outcomes")
async def outcomes(
    request: Request, doctor: SignedIn, days: Annotated[int, Query(ge=1, le=PERIODS[-1])] = 30
) -> PracticeOutcomesOut:
    """What came of the alerts that began to wait in the last ``days``, by rule and by doctor."""
    found = await outcomes_of_practice(console_of(request), doctor, days)
    return PracticeOutcomesOut(
        days=days,
        rules=[
            RuleOutcomesOut(**_figures(one.outcomes), rule=one.rule, technical=one.technical) for one in found.rules
        ],
        doctors=[DoctorOutcomesOut(**_figures(one.outcomes), doctor=one.name) for one in found.doctors],
    )


@router.get("/morning", responses=OF_ONE)
async def morning(request: Request, doctor: SignedIn, day: Day | None = None) -> MorningOut:
    """Your list of a morning: of ``day``, or the newest."""
    console = console_of(request)
    found = await morning_list_of(console, doctor, day)
    if found is None:
        raise HTTPException(404)
    row = found.row
    earlier = await earlier_lists_of(console, doctor, before=row["day"])
    return MorningOut(
        day=row["day"],
        time_zone=row["zone"],
        since=row["since"],
        made_at=row["made_at"],
        entries=[
            EntryOut(
                **{name: one[name] for name in ("kind", "person_id", "subject", "rule", "alert_id", "state")},
                severity=Severity(one["severity"]).name.lower(),
                observed_at=one["observed_at"],
                text=one["doctor_text"],
            )
            for one in found.entries
        ],
        hidden=found.hidden,
        sendings=[SendingOut(**dict(one)) for one in found.sendings],
        earlier=[one["day"] for one in earlier],
    )


@router.get("/quiet-hours")
async def quiet_hours(request: Request, doctor: SignedIn) -> QuietHoursOut | None:
    """Your quiet hours; null where you have none."""
    console = console_of(request)
    await record(console, doctor, Action.READ_QUIET_HOURS)
    found = await quiet_hours_of(console, doctor)
    return None if found is None else _out(found, (await held_for(console, doctor)).count)


def _out(found: QuietHours, held: int) -> QuietHoursOut:
    return QuietHoursOut(
        begins=f"{found.begins:%H:%M}", ends=f"{found.ends:%H:%M}", zone=found.zone, since=found.since, held=held
    )


@router.put("/quiet-hours", responses=WRITES)
async def put_quiet_hours(
    request: Request, doctor: SignedIn, wish: QuietHoursIn, x_csrf_token: Annotated[str | None, Header()] = None
) -> QuietHoursOut:
    """Sets them, from now on. They hold *medium* notifications, never *high* ones. Repeating it changes nothing."""
    check_token(doctor, x_csrf_token)
    if wish.begins == wish.ends:
        raise HTTPException(422, "'ends' is another time than 'begins'")
    console = console_of(request)
    first, last = time.fromisoformat(wish.begins), time.fromisoformat(wish.ends)
    found = await set_quiet_hours(console, doctor, first, last, wish.zone)
    return _out(found, (await held_for(console, doctor)).count)


@router.delete("/quiet-hours", status_code=204, responses=WRITES)
async def delete_quiet_hours(
    request: Request, doctor: SignedIn, x_csrf_token: Annotated[str | None, Header()] = None
) -> None:
    """Ends them now. Repeating it changes nothing."""
    check_token(doctor, x_csrf_token)
    await end_quiet_hours(console_of(request), doctor)
