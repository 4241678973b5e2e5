"""Pages about dose plans: list and calendar of a person, a plan with its history, its form. None needs JavaScript."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Final
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from asyncpg import Record
from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from schemas.plan_terms import PlanWish
from services.api.access import Action
from services.api.adherence import adherence_of, supplies_of
from services.api.console import Console, Doctor, console_of
from services.api.inputs import VERSION_LIMIT
from services.api.plan_form import LONGEST_REASON, PlanForm, empty_form, form_of, read_form, typed_form
from services.api.plan_versions import PlanRefusedError, content_of
from services.api.plan_words import amount, changes, schedule
from services.api.plans import (
    Stock,
    count_stock,
    create_plan,
    dispensers_of,
    doses_of,
    edit_plan,
    pause_plan,
    plan_of,
    plans_of,
    resume_plan,
)
from services.api.reads import person_of
from services.api.rendering import page
from services.api.request_checks import check_token
from services.api.sessions import SignedIn

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_DAYS_SHOWN: Final = 7
_MOST_FIELDS: Final = 40
_CHANGED: Final = "changed"


def _in_words(rows: Sequence[Record]) -> list[dict[str, Any]]:
    """Plans or versions with how much and when, in words."""
    contents = [content_of(dict(row)) for row in rows]
    return [
        dict(row) | {"amount": amount(content), "schedule": schedule(content)}
        for row, content in zip(rows, contents, strict=True)
    ]


@router.get("/people/{person_id}/plans")
async def plans(
    request: Request, person_id: UUID, doctor: SignedIn, until: Annotated[date | None, Query()] = None
) -> HTMLResponse:
    """A person's dose plans, and a week of doses. ``until``: its last day."""
    console = console_of(request)
    person = await person_of(console, doctor, person_id, Action.READ_DOSES)
    zone = ZoneInfo(person["time_zone"])
    today = console.now().astimezone(zone).date()
    last = min(until or today, today + timedelta(days=_DAYS_SHOWN))
    days = [last - timedelta(days=back) for back in range(_DAYS_SHOWN)]
    doses = await doses_of(console, person["person_no"], _midnight(days[-1], zone), _midnight(last, zone, days=1))
    by_day = {day: [one for one in doses if one.row["due_at"].astimezone(zone).date() == day] for day in days}
    return page(
        request,
        "plans.html",
        doctor,
        zone=zone,
        person=person,
        plans=_in_words(await plans_of(console, person["person_no"])),
        supplies={one.plan_id: one for one in await supplies_of(console, person["person_no"])},
        kept=await adherence_of(console, person["person_no"], zone),
        by_day=by_day,
        today=today,
        last=last,
        week=timedelta(days=_DAYS_SHOWN),
    )


def _midnight(day: date, zone: ZoneInfo, *, days: int = 0) -> datetime:
    return datetime.combine(day + timedelta(days=days), time(), zone)


@router.get("/people/{person_id}/plans/new")
async def new_plan(request: Request, person_id: UUID, doctor: SignedIn) -> HTMLResponse:
    """The form of a new plan."""
    console = console_of(request)
    person = await person_of(console, doctor, person_id, Action.READ_PLANS)
    devices = await dispensers_of(console, person["person_no"])
    return _form_page(request, doctor, person, devices, empty_form(devices), plan_id=uuid4())


@router.post("/people/{person_id}/plans", response_model=None)
async def begin_plan(request: Request, person_id: UUID, doctor: SignedIn) -> Response:
    """Begins a plan. The form brings the id, so that sending it again begins no second plan."""
    console = console_of(request)
    async with request.form(max_files=0, max_fields=_MOST_FIELDS) as sent:
        check_token(doctor, _text(sent, "csrf"))
        form, plan_id = _typed(sent), _uuid(_text(sent, "plan_id"))
    wish = read_form(form)
    if isinstance(wish, PlanWish):
        try:
            if await create_plan(console, doctor, person_id, plan_id, wish):
                return RedirectResponse(f"/plans/{plan_id}", 303)
            return RedirectResponse(f"/people/{person_id}/plans", 303)
        except PlanRefusedError as error:
            wish = _refused(form, error)
    person = await person_of(console, doctor, person_id, Action.READ_PLANS)
    devices = await dispensers_of(console, person["person_no"])
    return _form_page(request, doctor, person, devices, wish, plan_id=plan_id, status=422)


@router.get("/plans/{plan_id}")
async def plan(request: Request, plan_id: UUID, doctor: SignedIn, outcome: str = "") -> HTMLResponse:
    """A plan: what it says, its pause, its stock, and who changed what when."""
    row = await plan_of(console_of(request), doctor, plan_id)
    return await _plan_page(request, doctor, row, outcome=outcome)


@router.get("/plans/{plan_id}/edit")
async def edit_form(request: Request, plan_id: UUID, doctor: SignedIn) -> HTMLResponse:
    """The form with what the plan says now."""
    console = console_of(request)
    row = await plan_of(console, doctor, plan_id)
    form = form_of(content_of(dict(row)))
    devices = await dispensers_of(console, row["person_no"])
    return _form_page(request, doctor, row, devices, form, plan_id=plan_id, version_no=row["version_no"])


@router.post("/plans/{plan_id}/edit", response_model=None)
async def change_plan(request: Request, plan_id: UUID, doctor: SignedIn) -> Response:
    """Begins the next version of a plan."""
    console = console_of(request)
    async with request.form(max_files=0, max_fields=_MOST_FIELDS) as sent:
        check_token(doctor, _text(sent, "csrf"))
        form, seen = _typed(sent), _number(_text(sent, "version_no"))
    wish = read_form(form)
    if isinstance(wish, PlanWish):
        try:
            done = await edit_plan(console, doctor, plan_id, wish, seen=seen)
            return RedirectResponse(f"/plans/{plan_id}" + ("" if done else f"?outcome={_CHANGED}"), 303)
        except PlanRefusedError as error:
            wish = _refused(form, error)
    row = await plan_of(console, doctor, plan_id)
    devices = await dispensers_of(console, row["person_no"])
    return _form_page(request, doctor, row, devices, wish, plan_id=plan_id, version_no=seen, status=422)


@router.post("/plans/{plan_id}/pause", response_model=None)
async def pause(
    request: Request,
    plan_id: UUID,
    doctor: SignedIn,
    csrf: Annotated[str, Form()] = "",
    why: Annotated[str, Form()] = "",
    until: Annotated[str, Form()] = "",
) -> Response:
    """Holds the doses. ``until`` is wall-clock time of the home; empty: until somebody resumes the plan."""
    check_token(doctor, csrf)
    console = console_of(request)
    row = await plan_of(console, doctor, plan_id)
    typed, problems = {"why": why, "until": until}, {}
    if not why.strip() or len(why) > LONGEST_REASON or "\0" in why:
        problems["why"] = f"Say why, in at most {LONGEST_REASON} characters."
    ends_at = _wall_clock(until, ZoneInfo(row["time_zone"]))
    if until.strip() and ends_at is None:
        problems["until"] = "A day and a time, such as 2026-12-01 08:00."
    if not problems:
        try:
            done = await pause_plan(console, doctor, plan_id, why=why.strip(), until=ends_at)
            return RedirectResponse(f"/plans/{plan_id}" + ("" if done else f"?outcome={_CHANGED}"), 303)
        except PlanRefusedError as error:
            problems["until" if error.field == "until" else "why"] = f"{error.reason.capitalize()}."
    return await _plan_page(request, doctor, row, typed=typed, problems=problems, status=422)


@router.post("/plans/{plan_id}/resume")
async def resume(
    request: Request, plan_id: UUID, doctor: SignedIn, csrf: Annotated[str, Form()] = ""
) -> RedirectResponse:
    """Ends the pause."""
    check_token(doctor, csrf)
    await resume_plan(console_of(request), doctor, plan_id)
    return RedirectResponse(f"/plans/{plan_id}", 303)


@router.post("/plans/{plan_id}/stock", response_model=None)
async def stock(
    request: Request,
    plan_id: UUID,
    doctor: SignedIn,
    csrf: Annotated[str, Form()] = "",
    count: Annotated[str, Form()] = "",
    what: Annotated[str, Form(pattern="^(counted|refilled)$")] = "counted",
    seen: Annotated[int, Form(ge=0, lt=VERSION_LIMIT)] = 0,
) -> Response:
    """Writes down what is in the house, or what was brought."""
    check_token(doctor, csrf)
    console = console_of(request)
    counted = _amount(count)
    if counted is None:
        row = await plan_of(console, doctor, plan_id)
        problems = {"count": "A number from 0 to 100000."}
        return await _plan_page(request, doctor, row, typed={"count": count}, problems=problems, status=422)
    done = await count_stock(console, doctor, plan_id, Stock(counted, what, seen))
    return RedirectResponse(f"/plans/{plan_id}" + ("" if done else f"?outcome={_CHANGED}"), 303)


async def _plan_page(
    request: Request,
    doctor: Doctor,
    row: Record,
    *,
    outcome: str = "",
    typed: dict[str, str] | None = None,
    problems: dict[str, str] | None = None,
    status: int = 200,
) -> HTMLResponse:
    console, plan_id = console_of(request), row["plan_id"]
    sql, pool = console.sql, console.pool
    (shown,) = _in_words([row])
    return page(
        request,
        "plan.html",
        doctor,
        status=status,
        zone=ZoneInfo(row["time_zone"]),
        plan=shown,
        outcome=outcome,
        typed={"why": "", "until": "", "count": ""} | (typed or {}),
        problems=problems or {},
        versions=await _history(console, plan_id),
        pauses=await pool.fetch(sql["pauses_of_plan"], plan_id),
        stocks=await pool.fetch(sql["stock_of_plan"], plan_id),
        longest_reason=LONGEST_REASON,
    )


async def _history(console: Console, plan_id: UUID) -> list[dict[str, Any]]:
    """The versions, the newest first, each with what it says otherwise than the one before."""
    rows = await console.pool.fetch(console.sql["versions_of_plan"], plan_id)
    shown = _in_words(rows)
    contents = [content_of(dict(row)) for row in rows]
    for one, content, before in zip(shown, contents, [*contents[1:], None], strict=True):
        one["changes"] = [] if before is None else changes(before, content)
    return shown


def _form_page(
    request: Request,
    doctor: Doctor,
    person: Record,
    devices: Sequence[str],
    form: PlanForm,
    *,
    plan_id: UUID,
    version_no: int | None = None,
    status: int = 200,
) -> HTMLResponse:
    return page(
        request,
        "plan_form.html",
        doctor,
        status=status,
        zone=ZoneInfo(person["time_zone"]),
        person=person,
        # A plan stays where it is, even if that dispenser is nobody's any more.
        devices=sorted({*devices, *([form["device"]] if version_no is not None and form["device"] else [])}),
        form=form,
        plan_id=plan_id,
        version_no=version_no,
        longest_reason=LONGEST_REASON,
    )


def _refused(form: PlanForm, error: PlanRefusedError) -> PlanForm:
    return PlanForm(values=form.values, weekdays=form.weekdays, problems={error.field: f"{error.reason}."})


def _typed(sent: FormData) -> PlanForm:
    values = {name: value.replace("\0", "") for name, value in sent.items() if isinstance(value, str)}
    return typed_form(values, [day for day in sent.getlist("weekdays") if isinstance(day, str)])


def _text(sent: FormData, name: str) -> str:
    value = sent.get(name, "")
    return value if isinstance(value, str) else ""


def _uuid(text: str) -> UUID:
    """The id that the form brought; another one where it is none."""
    try:
        return UUID(text)
    except ValueError:
        return uuid4()


def _number(text: str) -> int:
    """A version's number; -1, which none has, where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1  # noqa: PLR2004 - fits 32 bits


def _wall_clock(text: str, zone: ZoneInfo) -> datetime | None:
    """A moment as a form sends it, in the home's zone; None where it is none."""
    try:
        typed = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return typed.replace(tzinfo=zone) if typed.tzinfo is None else None


def _amount(text: str) -> float | None:
    try:
        found = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return found if 0 <= found <= 100_000 else None  # noqa: PLR2004 - as for programs
