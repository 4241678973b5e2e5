"""The pages for doctors: worklist, alert, people, person. Plain HTML; none of them needs JavaScript."""

from datetime import timedelta
from typing import Annotated, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse

from schemas.alerts import AlertState, Severity
from services.api.access import Action, record
from services.api.anomaly import anomaly_of
from services.api.charts import Window
from services.api.console import Doctor, console_of
from services.api.held_readings import held_of
from services.api.held_rest import SHOWN_FOR
from services.api.inputs import Moment, Text
from services.api.live import worklist_fragment
from services.api.news2 import news2_of
from services.api.person_limits import limits_of_person
from services.api.reads import (
    MOST_PEOPLE,
    alerts_of,
    asks_of,
    charts_of,
    latest_of,
    people_of,
    person_of,
    standings_of,
    watched_by,
    worklist_of,
    zone_of,
)
from services.api.rendering import page
from services.api.request_checks import check_token
from services.api.sessions import BY_ITSELF, SignedIn, SignedInUnlessByItself

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_FINDINGS_KEPT: Final = timedelta(days=7)
_BEFORE_ALERT: Final = timedelta(hours=3)
_AFTER_ALERT: Final = timedelta(hours=1)
_MOST_ALERTS: Final = 20


@router.get("/")
async def worklist(request: Request, doctor: SignedInUnlessByItself) -> HTMLResponse:
    """What waits, across all patients."""
    console = console_of(request)
    waiting = await worklist_of(console, doctor)
    await record(console, doctor, Action.READ_WORKLIST, sorted(waiting.people))
    zone = await zone_of(console, doctor)
    return page(
        request, "worklist.html", doctor, zone=zone, worklist=worklist_fragment(console, waiting), by_itself=BY_ITSELF
    )


@router.get("/people")
async def people(request: Request, doctor: SignedIn, after: UUID | None = None) -> HTMLResponse:
    """Everybody in the doctor's care; ``after``: the last person of the page before."""
    return await _people_page(request, doctor, after)


@router.post("/people")
async def find_people(
    request: Request,
    doctor: SignedIn,
    csrf: Annotated[str, Form()] = "",
    search: Annotated[Text, Form(max_length=120)] = "",
    after: Annotated[UUID | None, Form()] = None,
) -> HTMLResponse:
    """Those of a name. By POST, because what stands in a URL stands in histories and logs."""
    check_token(doctor, csrf)
    return await _people_page(request, doctor, after, search.strip())


async def _people_page(request: Request, doctor: Doctor, after: UUID | None, search: str = "") -> HTMLResponse:
    console = console_of(request)
    rows = await people_of(console, doctor, after=after, search=search)
    zone = await zone_of(console, doctor)
    return page(request, "people.html", doctor, zone=zone, people=rows, search=search, is_full=len(rows) == MOST_PEOPLE)


@router.get("/people/{person_id}")
async def person(
    request: Request, person_id: UUID, doctor: SignedIn, until: Annotated[Moment | None, Query()] = None
) -> HTMLResponse:
    """One patient: what is known now, the last day, alerts and doses. ``until``: the end of an earlier day."""
    console = console_of(request)
    row = await person_of(console, doctor, person_id, Action.READ_PERSON)
    zone, now = ZoneInfo(row["time_zone"]), console.now()
    ends_at = min(until, now) if until is not None and until.tzinfo is not None else now
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    sql, pool, person_no = console.sql, console.pool, row["person_no"]
    window = Window(starts_at=ends_at - timedelta(hours=24), ends_at=ends_at, zone=zone)
    alerts = await alerts_of(console, doctor, person_no=person_no, most=_MOST_ALERTS)
    known = await limits_of_person(console, person_no)
    return page(
        request,
        "person.html",
        doctor,
        zone=zone,
        person=row,
        latest=await latest_of(console, person_no),
        charts=await charts_of(console, person_no, window),
        watched=await watched_by(console, person_no, window),
        news2=await news2_of(console, person_no, window),
        anomaly=await anomaly_of(console, person_no, window),
        window=window,
        is_now=ends_at == now,
        standings=await standings_of(console, alerts),
        live_alerts=[one for one in alerts if one["state"] != AlertState.CLOSED],
        past_alerts=[one for one in alerts if one["state"] == AlertState.CLOSED],
        noticed=await pool.fetch(sql["low_findings"], person_no, now - _FINDINGS_KEPT, now, Severity.LOW),
        asks=await asks_of(console, person_no, now - _FINDINGS_KEPT),
        held=await held_of(console, doctor, person_no, now - SHOWN_FOR),
        limits=known.in_force,
        muted=known.muted,
        doses=await pool.fetch(sql["doses_between"], person_no, midnight, midnight + timedelta(days=1)),
        devices=await pool.fetch(sql["devices_of_person"], person_no, now),
    )
