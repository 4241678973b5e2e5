"""Pages about a doctor's own practice: what came of alerts, the morning's list, quiet hours."""

from datetime import time
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import AfterValidator, TypeAdapter, ValidationError

from services.api.access import Action, NotInCareError, record
from services.api.console import Doctor, console_of
from services.api.inputs import Day, Text
from services.api.own_reads import PERIODS, earlier_lists_of, morning_list_of, outcomes_of_practice
from services.api.quiet_hours import (
    LONGEST_ZONE,
    TypedTime,
    Zone,
    end_quiet_hours,
    held_for,
    quiet_hours_of,
    set_quiet_hours,
    time_zone_of,
    zones,
)
from services.api.reads import zone_of
from services.api.rendering import page
from services.api.request_checks import check_token
from services.api.sessions import SignedIn

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_TIME: Final = TypeAdapter[str](TypedTime)
_ZONE: Final = TypeAdapter[str](Zone)


def _offered(days: int) -> int:
    if days not in PERIODS:
        raise ValueError("not a period of the page")
    return days


@router.get("/outcomes")
async def outcomes(
    request: Request, doctor: SignedIn, days: Annotated[int, Query(), AfterValidator(_offered)] = 30
) -> HTMLResponse:
    """What came of alerts: how many were real, how fast they were taken on, how many nobody took on."""
    console = console_of(request)
    found = await outcomes_of_practice(console, doctor, days)
    zone = await zone_of(console, doctor)
    return page(request, "outcomes.html", doctor, zone=zone, practice=found, periods=PERIODS)


@router.get("/morning")
async def morning(request: Request, doctor: SignedIn, day: Day | None = None) -> HTMLResponse:
    """The list of a morning, the newest where no day is said; and the days that have one."""
    console = console_of(request)
    found = await morning_list_of(console, doctor, day)
    if found is None and day is not None:
        raise NotInCareError
    zone = await time_zone_of(console, doctor) if found is None else ZoneInfo(found.row["zone"])
    return page(
        request, "morning.html", doctor, zone=zone, morning=found, lists=await earlier_lists_of(console, doctor)
    )


@router.get("/quiet-hours")
async def quiet_hours(request: Request, doctor: SignedIn, outcome: str = "") -> HTMLResponse:
    """When the doctor is not to be disturbed by what is not urgent."""
    return await _quiet_page(request, doctor, outcome=outcome)


async def _quiet_page(
    request: Request, doctor: Doctor, *, outcome: str = "", problems: dict[str, str] | None = None, **typed: str
) -> HTMLResponse:
    console = console_of(request)
    await record(console, doctor, Action.READ_QUIET_HOURS)
    quiet, zone = await quiet_hours_of(console, doctor), await time_zone_of(console, doctor)
    shown = {
        "begins": f"{quiet.begins:%H:%M}" if quiet else "22:00",
        "ends": f"{quiet.ends:%H:%M}" if quiet else "07:00",
        "zone": quiet.zone if quiet else zone.key,
    }
    return page(
        request,
        "quiet_hours.html",
        doctor,
        status=422 if problems else 200,
        zone=zone,
        quiet=quiet,
        held=await held_for(console, doctor),
        form=shown | typed,
        problems=problems or {},
        outcome=outcome,
        zones=zones(),
    )


@router.post("/quiet-hours", response_model=None)
async def set_them(
    request: Request,
    doctor: SignedIn,
    csrf: Annotated[str, Form()] = "",
    begins: Annotated[Text, Form(max_length=16)] = "",
    ends: Annotated[Text, Form(max_length=16)] = "",
    zone: Annotated[Text, Form(max_length=LONGEST_ZONE)] = "",
) -> HTMLResponse | RedirectResponse:
    """From now on. What can't be read comes back in the form, with what is wrong beside its field."""
    check_token(doctor, csrf)
    typed = {"begins": begins, "ends": ends, "zone": zone.strip()}
    problems = {name: problem for name, problem in (
        ("begins", _problem(_TIME, typed["begins"], "a time of day, such as 22:00")),
        ("ends", _problem(_TIME, typed["ends"], "a time of day, such as 07:00")),
        ("zone", _problem(_ZONE, typed["zone"], "a time zone by its name, such as Europe/Berlin")),
    ) if problem}  # fmt: skip
    if not problems and _TIME.validate_python(begins) == _TIME.validate_python(ends):
        problems["ends"] = "another time than the one when they begin"
    if problems:
        return await _quiet_page(request, doctor, problems=problems, **typed)
    first, last = (time.fromisoformat(_TIME.validate_python(one)) for one in (begins, ends))
    await set_quiet_hours(console_of(request), doctor, first, last, typed["zone"])
    return RedirectResponse("/quiet-hours?outcome=set", 303)


def _problem(kind: TypeAdapter[Any], said: str, wanted: str) -> str:
    """What should stand there; "" where it does."""
    try:
        kind.validate_python(said)
    except ValidationError:
        return wanted
    return ""


@router.post("/quiet-hours/end")
async def end_them(request: Request, doctor: SignedIn, csrf: Annotated[str, Form()] = "") -> RedirectResponse:
    """There are none from now on."""
    check_token(doctor, csrf)
    await end_quiet_hours(console_of(request), doctor)
    return RedirectResponse("/quiet-hours?outcome=ended", 303)
