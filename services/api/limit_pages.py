"""Pages about one person's limits: what holds, trying another on the past, saving it, who changed what."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from math import isfinite
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from asyncpg import Record
from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from schemas.limits import CONCERN_BY_NAME, Limits, LimitsError
from services.api.access import Action, NotInCareError
from services.api.back_test_words import MOST_SHOWN, outcome_of
from services.api.confirmation import Confirmed
from services.api.console import Doctor, console_of
from services.api.inputs import VERSION_LIMIT, Text
from services.api.limit_changes import Choice, MuteRefusedError, choices_of, moved, muted_words
from services.api.limit_rows import LIMITS_LEAD_S
from services.api.person_limits import (
    SET_BY_DOCTOR,
    BackTest,
    LimitsWish,
    OfPerson,
    ask_back_test,
    back_test_of,
    give_back,
    limits_of_person,
    set_limits,
)
from services.api.reads import person_of
from services.api.rendering import page
from services.api.request_checks import check_token
from services.api.sessions import BY_ITSELF, SignedIn, SignedInUnlessByItself

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
LONGEST_REASON: Final = 500
_DAYS: Final = (30, 90)
_HOURS: Final = (1, 4, 8, 12, 24)
_MANY: Final = 64
_BUSY: Final = "What you have tried before is still being computed. Try this one in a moment."
_OTHERS: Final = "They have been changed in the meantime. See what holds now, and change it again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What stands in the fields. ``problems``: what is wrong, by field."""

    limit: str = ""
    value: str = ""
    reason: str = ""
    hours: str = ""
    confirmed: bool = False
    seen: int = 0
    problems: Mapping[str, str] = field(default_factory=dict)

    what: str = ""

    @property
    def mutes(self) -> bool:
        """Whether it was found to mute what is urgent: ``what``, in words."""
        return bool({"until", "confirmed"} & self.problems.keys())


class _Wanted(NamedTuple):
    choice: Choice
    limits: Limits


class _Refused(NamedTuple):
    typed: Typed


async def _typed(
    limit: Annotated[Text, Form(max_length=_MANY)] = "",
    value: Annotated[Text, Form(max_length=_MANY)] = "",
    reason: Annotated[Text, Form(max_length=LONGEST_REASON)] = "",
    hours: Annotated[Text, Form(max_length=_MANY)] = "",
    confirmed: Annotated[Text, Form(max_length=_MANY)] = "",
    seen: Annotated[int, Form(ge=0, lt=VERSION_LIMIT)] = 0,
) -> Typed:
    return Typed(
        limit=limit, value=value.strip(), reason=reason.strip(), hours=hours, confirmed=confirmed == "yes", seen=seen
    )


def _read(known: OfPerson, typed: Typed, doctor: Doctor, *, needs_reason: bool) -> _Wanted | _Refused:
    """The limits that are wanted, or the fields with what is wrong."""
    choice = next((one for one in choices_of(known.coming) if one.name == typed.limit), None)
    problems = {} if choice else {"limit": "Choose one of the limits."}
    try:
        value = float(typed.value.replace(",", "."))
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        problems["value"] = "A number, such as 150 or 38.5."
    if needs_reason and not typed.reason:
        problems["reason"] = "Say why; colleagues read it."
    before = known.limits(choice.concern) if choice else None
    if choice is None or before is None or problems:
        return _Refused(replace(typed, problems=problems))
    try:
        limits = moved(before, choice.place, value, source=SET_BY_DOCTOR, signed_off_by=doctor.name)
    except LimitsError as error:
        return _Refused(replace(typed, problems={"value": _beside(error)}))
    return _Wanted(choice, limits)


def _beside(error: LimitsError) -> str:
    """What is wrong, with the limit that it contradicts as the page counts them."""
    return f"That can't be: {str(error).partition(': ')[2]}. Limits of one vital stay in their order."


@router.get("/people/{person_id}/limits")
async def limits(request: Request, person_id: UUID, doctor: SignedIn, outcome: str = "") -> HTMLResponse:
    """What holds, the form of a change, and who has changed what."""
    person = await person_of(console_of(request), doctor, person_id, Action.READ_LIMITS)
    return await _page(request, doctor, person, Typed(), outcome=outcome)


@router.post("/people/{person_id}/limits/try", response_model=None)
async def try_on_the_past(
    request: Request,
    person_id: UUID,
    doctor: SignedIn,
    typed: Annotated[Typed, Depends(_typed)],
    csrf: Annotated[str, Form()] = "",
    days: Annotated[int, Form()] = _DAYS[0],
) -> Response:
    """Asks what it would have made of the past; the page that comes next shows how far the answer is."""
    check_token(doctor, csrf)
    console, back_test_id = console_of(request), uuid4()
    person = await person_of(console, doctor, person_id, Action.TRY_LIMITS)
    known = await limits_of_person(console, person["person_no"])
    wanted = _read(known, typed, doctor, needs_reason=False)
    if isinstance(wanted, _Refused):
        return await _page(request, doctor, person, wanted.typed)
    span = days if days in _DAYS else _DAYS[0]
    if not await ask_back_test(console, doctor, person, back_test_id, wanted.limits, days=span, reason=typed.reason):
        return await _page(request, doctor, person, replace(typed, problems={"limit": _BUSY}))
    return RedirectResponse(f"/people/{person_id}/limits/tests/{back_test_id}", 303)


@router.get("/people/{person_id}/limits/tests/{back_test_id}")
async def back_test(
    request: Request, person_id: UUID, back_test_id: UUID, doctor: SignedInUnlessByItself
) -> HTMLResponse:
    """How much of it is done, and once it is, what came of it, and the button that saves."""
    console = console_of(request)
    person = await person_of(console, doctor, person_id, Action.READ_LIMITS)
    tried = await back_test_of(console, person["person_no"], back_test_id)
    known = await limits_of_person(console, person["person_no"])
    return await _page(request, doctor, person, _as_tried(tried, known), tried=tried, known=known)


def _as_tried(tried: BackTest, known: OfPerson) -> Typed:
    """The fields by which what was tried is saved; empty where they would say something else by now.

    So it is where a program has tried more than one of them, and where the limits have changed since.
    """
    levels, now = tried.limits.levels, known.limits(tried.limits.concern)
    old = now.levels if now else ()
    pairs = enumerate(zip(levels, old, strict=False))
    place = next((number for number, (new, was) in pairs if new != was), 0)
    if now is not None:
        try:
            found = moved(now, place, levels[place].on, source=now.source, signed_off_by=now.signed_off_by)
        except LimitsError:
            return Typed()
        if found.numbers == tried.limits.numbers:
            return Typed(limit=f"{tried.limits.concern}/{place}", value=f"{levels[place].on:g}", reason=tried.reason)
    return Typed()


@router.post("/people/{person_id}/limits", response_model=None)
async def save(
    request: Request,
    person_id: UUID,
    doctor: Confirmed,
    typed: Annotated[Typed, Depends(_typed)],
    csrf: Annotated[str, Form()] = "",
) -> Response:
    """Sets it. What can't be comes back in the form; what mutes asks for an end, and to confirm, first."""
    check_token(doctor, csrf)
    console = console_of(request)
    person = await person_of(console, doctor, person_id, Action.READ_LIMITS)
    known = await limits_of_person(console, person["person_no"])
    wanted = _read(known, typed, doctor, needs_reason=True)
    if isinstance(wanted, _Refused):
        return await _page(request, doctor, person, wanted.typed)
    hours = int(typed.hours) if typed.hours in map(str, _HOURS) else 0
    newest = known.newest.get(wanted.choice.concern, 0)
    wish = LimitsWish(
        limits=wanted.limits, reason=typed.reason, seen=min(newest, typed.seen),
        until=console.now() + timedelta(hours=hours) if hours else None, confirmed=typed.confirmed,
    )  # fmt: skip
    try:
        done = await set_limits(console, doctor, person, wish)
    except MuteRefusedError as error:
        what = muted_words(known.usual.get(wanted.choice.concern), wanted.limits)
        return await _page(request, doctor, person, replace(typed, problems={error.field: str(error)}, what=what))
    if not done:
        return await _page(request, doctor, person, replace(typed, problems={"limit": _OTHERS}))
    return RedirectResponse(f"/people/{person_id}/limits?outcome=saved", 303)


@router.post("/people/{person_id}/limits/give-back", response_model=None)
async def end_own(
    request: Request,
    person_id: UUID,
    doctor: Confirmed,
    csrf: Annotated[str, Form()] = "",
    concern: Annotated[Text, Form(max_length=_MANY)] = "",
    reason: Annotated[Text, Form(max_length=LONGEST_REASON)] = "",
    seen: Annotated[int, Form(ge=0, lt=VERSION_LIMIT)] = 0,
) -> Response:
    """What holds for everybody holds again."""
    check_token(doctor, csrf)
    if concern not in CONCERN_BY_NAME:
        raise NotInCareError
    console = console_of(request)
    person = await person_of(console, doctor, person_id, Action.READ_LIMITS)
    if not reason.strip():
        return await _page(request, doctor, person, Typed(problems={"back": "Say why; colleagues read it."}))
    if not await give_back(console, doctor, person, concern, reason=reason.strip(), seen=seen):
        return await _page(request, doctor, person, Typed(problems={"limit": _OTHERS}))
    return RedirectResponse(f"/people/{person_id}/limits?outcome=back", 303)


async def _page(
    request: Request,
    doctor: Doctor,
    person: Record,
    typed: Typed,
    *,
    outcome: str = "",
    tried: BackTest | None = None,
    known: OfPerson | None = None,
) -> HTMLResponse:
    console = console_of(request)
    known = known or await limits_of_person(console, person["person_no"])
    came: Any = None
    if tried is not None and tried.result is not None:
        came = outcome_of(tried.before, tried.limits, tried.days, tried.result)
    return page(
        request,
        "limits.html",
        doctor,
        status=422 if typed.problems else 200,
        zone=ZoneInfo(person["time_zone"]),
        person=person,
        form=replace(typed, seen=max(known.newest.values(), default=0)),
        choices=choices_of(known.coming),
        limits=known.in_force,
        newest=known.newest,
        history=known.history,
        muted=known.muted,
        tried=tried,
        came=came,
        most=MOST_SHOWN,
        outcome=outcome,
        hours=_HOURS,
        by_itself=BY_ITSELF,
        longest_reason=LONGEST_REASON,
        lead_s=round(LIMITS_LEAD_S),
    )
