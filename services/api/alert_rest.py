"""Alerts for programs: what there is, what it rests on, who was notified, what doctors say came of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from asyncpg import Record
from fastapi import APIRouter, Header, HTTPException, Query, Request
from pydantic import BaseModel, Field

from schemas.alert_events import DoctorAction, Reason, Verdict
from schemas.alerts import AlertState, Severity
from services.api.access import Action, record
from services.api.acknowledge import acknowledge, finish, say_outcome
from services.api.alert_reads import history_of, notified_of, outcomes_of
from services.api.answers import ANYWHERE, OF_ONE, WRITES
from services.api.console import Console, Doctor, console_of
from services.api.inputs import VERSION_LIMIT, AwareMoment, SentAction, SentNote
from services.api.reads import MOST_ALERTS, alert_of, alerts_of, findings_of
from services.api.request_checks import check_token
from services.api.sessions import SignedIn

router = APIRouter(prefix="/api/v1", tags=["v1"], responses=ANYWHERE)
_CHANGED: Final = "the alert has changed since; read it again"


class AlertOut(BaseModel):
    """An alert. ``person_id`` is null where it is about a home.

    ``severity`` and ``level`` are the highest since it last opened, ``active_severity`` is that of what goes on, or
    went on last. ``episodes`` counts from ``first_at``, ``episodes_since_open`` from ``opened_at``. ``ended_at``: when
    it recovered; null: nothing shows that it has.
    """

    alert_id: UUID
    version: int
    person_id: UUID | None
    subject: str
    rule: str
    concern: str
    severity: str
    active_severity: str
    level: int
    state: AlertState
    episodes: int
    episodes_since_open: int
    first_at: datetime
    opened_at: datetime
    condition_at: datetime
    ended_at: datetime | None
    text: str
    rationale: str
    unverified: bool
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    acknowledged_note: str | None


class SaidOut(BaseModel):
    """What a doctor has said of an alert: when taking it on (``acknowledged``), later, or when finishing it."""

    at: datetime
    doctor: str
    what: Literal["acknowledged", "outcome", "finished"]
    verdict: Verdict | None
    action: DoctorAction | None
    note: str


class AlertDetailOut(AlertOut):
    """With the findings it rests on, and what doctors have said of it, in order."""

    findings: list[dict[str, Any]]
    outcomes: list[SaidOut]


class NotificationOut(BaseModel):
    """A time when people were notified, or why nobody was: then ``doctor`` and ``state`` are null.

    ``suppressed``: another alert said as much. ``held_until``: where quiet hours hold it. ``attempt_reason``: what the
    last attempt came to.
    """

    step: int
    reason: Reason
    repeat: int
    due_at: datetime
    suppressed: bool
    doctor: str | None
    channel: str | None
    state: Literal["pending", "sending", "sent", "failed", "held", "withdrawn"] | None
    attempts: int | None
    created_at: datetime | None
    sent_at: datetime | None
    held_until: datetime | None
    possible_duplicate: bool | None
    attempt_reason: str | None


class EpisodeOut(BaseModel):
    """An episode of a concern, and the alert that holds it."""

    alert_id: UUID
    episode: int
    began_at: datetime
    severity: str


class EarlierAlertOut(BaseModel):
    """Another alert of the concern; ``verdict``: what was said last."""

    alert_id: UUID
    first_at: datetime
    severity: str
    state: AlertState
    episodes: int
    verdict: Verdict | None


class HistoryOut(BaseModel):
    """How often the concern came within 30 days, by the home's calendar.

    The newest episode began in a ``part`` of the day that had one so many days ``in_a_row``.
    """

    concern: str
    episodes: list[EpisodeOut]
    days: int
    part: Literal["day", "night"]
    in_a_row: int
    earlier: list[EarlierAlertOut]


class AcknowledgeIn(BaseModel):
    """``version`` is that of the alert as it was read. Verdict and action may be said now, or later."""

    version: int = Field(ge=0, lt=VERSION_LIMIT)
    note: SentNote = ""
    verdict: Verdict | None = None
    action: SentAction | None = None


class OutcomeIn(BaseModel):
    """What came of it: one of verdict, action and note at least. It may be said again, where it was wrong."""

    note: SentNote = ""
    verdict: Verdict | None = None
    action: SentAction | None = None


_SAME: Final = (
    *("alert_id", "version", "person_id", "subject", "rule", "concern", "level", "state", "episodes"),
    *("episodes_since_open", "first_at", "opened_at", "condition_at", "ended_at", "rationale", "unverified"),
    *("acknowledged_at", "acknowledged_note"),
)
_OF_FINDING: Final = (
    *("finding_id", "rule", "rule_version", "episode", "level", "observed_at", "evidence", "doctor_text"),
    *("unverified", "message", "facts", "end_reason"),
)


def _alert(row: Record) -> dict[str, Any]:
    return {name: row[name] for name in _SAME} | {
        "severity": _severity(row["severity"]),
        "active_severity": _severity(row["active_severity"]),
        "text": row["doctor_text"],
        "acknowledged_by": row["acknowledged_by_name"],
    }


def _severity(number: int) -> str:
    return Severity(number).name.lower()


def _said(rows: Sequence[Record]) -> list[SaidOut]:
    names = ("at", "what", "verdict", "action", "note")
    return [SaidOut(**{name: row[name] for name in names}, doctor=row["display_name"]) for row in rows]


@router.get("/alerts")
async def alerts(
    request: Request,
    doctor: SignedIn,
    state: Annotated[list[AlertState] | None, Query()] = None,
    before: AwareMoment | None = None,
    before_id: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ALERTS)] = 50,
) -> list[AlertOut]:
    """Alerts about people in your care, newest first.

    The next page comes ``before`` the ``opened_at`` of the last of this one, with its ``alert_id`` as ``before_id``.
    """
    if (before is None) is not (before_id is None):
        raise HTTPException(422, "'before' and 'before_id' are of the same alert: both or neither")
    page_from = (before, before_id) if before and before_id else None
    rows = await alerts_of(console_of(request), doctor, states=state or tuple(AlertState), before=page_from, most=limit)
    return [AlertOut(**_alert(row)) for row in rows]


@router.get("/alerts/{alert_id}", responses=OF_ONE)
async def alert(request: Request, alert_id: UUID, doctor: SignedIn) -> AlertDetailOut:
    """One alert with what it rests on, and what was said of it."""
    console = console_of(request)
    row = await alert_of(console, doctor, alert_id, Action.READ_ALERT)
    findings = await findings_of(console, row)
    return AlertDetailOut(
        **_alert(row),
        findings=[{name: one[name] for name in _OF_FINDING} for one in findings],
        outcomes=_said(await outcomes_of(console, alert_id)),
    )


@router.get("/alerts/{alert_id}/notifications", responses=OF_ONE)
async def notifications(request: Request, alert_id: UUID, doctor: SignedIn) -> list[NotificationOut]:
    """Who was notified of it, when and why, and how that stands; the newest first, 200 at most."""
    console = console_of(request)
    await alert_of(console, doctor, alert_id, Action.READ_ALERT)
    names = NotificationOut.model_fields.keys() - {"doctor"}
    return [
        NotificationOut(**{name: row[name] for name in names}, doctor=row["display_name"])
        for row in await notified_of(console, alert_id)
    ]


@router.get("/alerts/{alert_id}/history", responses=OF_ONE)
async def history(request: Request, alert_id: UUID, doctor: SignedIn) -> HistoryOut:
    """How often the same has come before: its episodes of 30 days, and its other alerts; the newest first."""
    console = console_of(request)
    row = await alert_of(console, doctor, alert_id, Action.READ_ALERT)
    found = await history_of(console, row)
    kept = ("alert_id", "first_at", "state", "episodes", "verdict")
    return HistoryOut(
        concern=row["concern"],
        episodes=[EpisodeOut(**{**one, "severity": _severity(one["severity"])}) for one in found.episodes],
        days=found.recurrence.days,
        part=found.recurrence.part,
        in_a_row=found.recurrence.in_a_row,
        earlier=[
            EarlierAlertOut(**{name: one[name] for name in kept}, severity=_severity(one["severity"]))
            for one in found.earlier
        ],
    )


async def _as_it_is(console: Console, doctor: Doctor, alert_id: UUID) -> AlertOut:
    """The alert after a doctor's answer."""
    await record(console, doctor, Action.READ_ALERT, alert_id=alert_id)
    row = await console.pool.fetchrow(console.sql["find_alert"], alert_id)
    assert row is not None  # noqa: S101 - it was answered a moment ago
    return AlertOut(**_alert(row))


@router.post("/alerts/{alert_id}/acknowledge", responses=OF_ONE | WRITES)
async def acknowledge_alert(
    request: Request,
    alert_id: UUID,
    doctor: SignedIn,
    wish: AcknowledgeIn,
    x_csrf_token: Annotated[str | None, Header()] = None,
) -> AlertOut:
    """Takes an alert on. Repeating it changes nothing; 409 where it has changed since ``version``."""
    check_token(doctor, x_csrf_token)
    console = console_of(request)
    done = await acknowledge(
        console,
        doctor,
        alert_id,
        version=wish.version,
        note=wish.note.strip(),
        verdict=wish.verdict,
        action=wish.action,
    )
    if not done:
        raise HTTPException(409, _CHANGED)
    return await _as_it_is(console, doctor, alert_id)


@router.post("/alerts/{alert_id}/outcome", responses=OF_ONE | WRITES)
async def say_outcome_of_alert(
    request: Request,
    alert_id: UUID,
    doctor: SignedIn,
    wish: OutcomeIn,
    x_csrf_token: Annotated[str | None, Header()] = None,
) -> AlertOut:
    """Says what came of it, or corrects what was said. Repeating it changes nothing; 409 where nobody took it on."""
    check_token(doctor, x_csrf_token)
    if wish.verdict is None and wish.action is None and not wish.note.strip():
        raise HTTPException(422, "'verdict', 'action' or 'note': one of them says what came of it")
    console = console_of(request)
    done = await say_outcome(
        console, doctor, alert_id, note=wish.note.strip(), verdict=wish.verdict, action=wish.action
    )
    if not done:
        raise HTTPException(409, "nobody has taken the alert on yet")
    return await _as_it_is(console, doctor, alert_id)


@router.post("/alerts/{alert_id}/finish", responses=OF_ONE | WRITES)
async def finish_alert(
    request: Request,
    alert_id: UUID,
    doctor: SignedIn,
    wish: AcknowledgeIn,
    x_csrf_token: Annotated[str | None, Header()] = None,
) -> AlertOut:
    """Closes an alert that was taken on. Repeating it changes nothing; 409 where it is open, or has changed since."""
    check_token(doctor, x_csrf_token)
    console = console_of(request)
    done = await finish(
        console,
        doctor,
        alert_id,
        version=wish.version,
        note=wish.note.strip(),
        verdict=wish.verdict,
        action=wish.action,
    )
    if not done:
        raise HTTPException(409, _CHANGED)
    return await _as_it_is(console, doctor, alert_id)
