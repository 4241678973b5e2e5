"""An alert's own page: why somebody should look, who was notified, how often it came; and what doctors answer there."""

from datetime import timedelta
from typing import Annotated, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from schemas.presentation import figures_beside
from services.api.access import Action
from services.api.acknowledge import acknowledge, finish, say_outcome
from services.api.alert_reads import history_of, notified_of, outcomes_of
from services.api.charts import Window
from services.api.console import console_of
from services.api.inputs import LONGEST_NOTE, VERSION_LIMIT, TypedAction, TypedNote, TypedVerdict
from services.api.reads import alert_of, charts_of, findings_of, standings_of
from services.api.rendering import page
from services.api.request_checks import check_token
from services.api.sessions import SignedIn

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_BEFORE_ALERT: Final = timedelta(hours=3)
_AFTER_ALERT: Final = timedelta(hours=1)
Version = Annotated[int, Form(ge=0, lt=VERSION_LIMIT)]


@router.get("/alerts/{alert_id}")
async def alert(request: Request, alert_id: UUID, doctor: SignedIn, outcome: str = "") -> HTMLResponse:
    """Why somebody should look, and the forms that say that somebody does, and what came of it."""
    console = console_of(request)
    row = await alert_of(console, doctor, alert_id, Action.READ_ALERT)
    zone = ZoneInfo(row["time_zone"])
    sql, pool = console.sql, console.pool
    window = Window(
        starts_at=row["condition_at"] - _BEFORE_ALERT,
        # Not beyond now, where the chart would be empty; nor before the alert, since a device's
        # stamp may lie a little ahead of now.
        ends_at=max(min(row["condition_at"] + _AFTER_ALERT, console.now()), row["condition_at"]),
        zone=zone,
    )
    return page(
        request,
        "alert.html",
        doctor,
        zone=zone,
        alert=row,
        outcome=outcome,
        standing=(await standings_of(console, [row]))[alert_id],
        findings=await findings_of(console, row),
        trail=await pool.fetch(sql["trail_of_alert"], alert_id),
        readers=await pool.fetch(sql["readers_of_alert"], alert_id),
        notified=await notified_of(console, alert_id),
        said=await outcomes_of(console, alert_id),
        history=await history_of(console, row),
        repeated_at=await pool.fetchval(sql["next_repeat_of_alert"], alert_id),
        charts=await charts_of(
            console, row["person_no"], window, figures=figures_beside(row["rule"]), marks=[row["condition_at"]]
        ),
        longest_note=LONGEST_NOTE,
    )


@router.post("/alerts/{alert_id}/acknowledge")
async def acknowledge_alert(
    request: Request,
    alert_id: UUID,
    doctor: SignedIn,
    csrf: Annotated[str, Form()] = "",
    version: Version = 0,
    note: Annotated[TypedNote, Form()] = "",
    verdict: Annotated[TypedVerdict, Form()] = None,
    action: Annotated[TypedAction, Form()] = None,
) -> RedirectResponse:
    """The doctor takes it on, and says what it was where they know already."""
    check_token(doctor, csrf)
    done = await acknowledge(
        console_of(request), doctor, alert_id, version=version, note=note.strip(), verdict=verdict, action=action
    )
    return _back(alert_id, "" if done else "changed")


@router.post("/alerts/{alert_id}/outcome")
async def say_outcome_of_alert(
    request: Request,
    alert_id: UUID,
    doctor: SignedIn,
    csrf: Annotated[str, Form()] = "",
    note: Annotated[TypedNote, Form()] = "",
    verdict: Annotated[TypedVerdict, Form()] = None,
    action: Annotated[TypedAction, Form()] = None,
) -> RedirectResponse:
    """The doctor says what came of it, or corrects what was said."""
    check_token(doctor, csrf)
    if verdict is None and action is None and not note.strip():
        return _back(alert_id, "empty")
    done = await say_outcome(console_of(request), doctor, alert_id, note=note.strip(), verdict=verdict, action=action)
    return _back(alert_id, "" if done else "unanswered")


@router.post("/alerts/{alert_id}/finish")
async def finish_alert(
    request: Request,
    alert_id: UUID,
    doctor: SignedIn,
    csrf: Annotated[str, Form()] = "",
    version: Version = 0,
    note: Annotated[TypedNote, Form()] = "",
    verdict: Annotated[TypedVerdict, Form()] = None,
    action: Annotated[TypedAction, Form()] = None,
) -> RedirectResponse:
    """The doctor closes what nobody will see end."""
    check_token(doctor, csrf)
    done = await finish(
        console_of(request), doctor, alert_id, version=version, note=note.strip(), verdict=verdict, action=action
    )
    return _back(alert_id, "" if done else "unfinished")


def _back(alert_id: UUID, outcome: str) -> RedirectResponse:
    return RedirectResponse(f"/alerts/{alert_id}" + (f"?outcome={outcome}" if outcome else ""), 303)
