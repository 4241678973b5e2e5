"""Readings that may be somebody else's, for programs and in the form of the person's page."""

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Header, HTTPException, Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict

from schemas.held_readings import HeldState
from schemas.vitals import VITAL_BY_NUMBER
from services.api.access import Action, record
from services.api.answers import ANYWHERE, OF_ONE, WRITES
from services.api.console import console_of
from services.api.held_readings import HeldMeasurement, NobodyItFitsError, decide_held, held_for_long, held_of
from services.api.reads import person_of
from services.api.request_checks import check_token
from services.api.sessions import SignedIn

router = APIRouter(prefix="/api/v1", tags=["v1"], responses=ANYWHERE)
form = APIRouter(include_in_schema=False)

SHOWN_FOR: Final = timedelta(days=30)
_DECIDED: Final = "something else was decided already; read it again"
Decision = Literal["kept", "moved", "dismissed"]


class HeldReadingOut(BaseModel):
    """A value in the vital's unit; ``meant``: what it would be in the other unit, or as the other person's."""

    vital: str
    value: float
    meant: float | None


class HeldMeasurementOut(BaseModel):
    """What was measured together, why it may not be this person's, and what was decided.

    ``held``: no rule has seen it; else it was scored at once. ``is_mine``: what the person has answered, null for
    nothing; their yes keeps it, with no doctor's name. ``fits_person_id`` is null of a unit, and of somebody who is not
    in your care.
    """

    measurement_id: UUID
    observed_at: datetime
    device_type: str
    readings: list[HeldReadingOut]
    reason: Literal["unit", "person"]
    unit: str
    fits_person_id: UUID | None
    why: str
    held: bool
    state: HeldState
    is_mine: bool | None
    said_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None

    @classmethod
    def of(cls, one: HeldMeasurement) -> "HeldMeasurementOut":
        """For programs."""
        same = ("measurement_id", "observed_at", "device_type", "reason", "unit", "fits_person_id", "why", "state")
        return cls(
            **{name: getattr(one, name) for name in (*same, "is_mine", "said_at", "decided_by", "decided_at")},
            held=one.is_held,
            readings=[
                HeldReadingOut(vital=VITAL_BY_NUMBER[vital].code, value=value, meant=meant)
                for vital, value, meant in zip(one.vitals, one.values, one.meant, strict=True)
            ],
        )


class HeldSinceOut(BaseModel):
    """What has been held of a person for longer than a day: ``measurements`` of the same vitals, and for one reason.

    ``since``: the moment of the oldest one.
    """

    person_id: UUID
    subject: str
    since: datetime
    vitals: list[str]
    measurements: int
    unit: str
    text: str


class DecisionIn(BaseModel):
    """``kept``: it is this person's, and scored; ``moved``: it is the one's whom it fits; ``dismissed``: nobody's."""

    model_config = ConfigDict(extra="forbid")

    state: Decision


class DecidedOut(BaseModel):
    """What stands now."""

    state: Decision


@router.get("/people/{person_id}/held-readings", responses=OF_ONE)
async def held_readings(request: Request, person_id: UUID, doctor: SignedIn) -> list[HeldMeasurementOut]:
    """The newest of the last 30 days; what waits for somebody to say whose it is comes first."""
    console = console_of(request)
    person = await person_of(console, doctor, person_id, Action.READ_READINGS)
    found = await held_of(console, doctor, person["person_no"], console.now() - SHOWN_FOR)
    return [HeldMeasurementOut.of(one) for one in found]


@router.get("/held-readings")
async def held_long(request: Request, doctor: SignedIn) -> list[HeldSinceOut]:
    """What has been held for longer than a day, of everybody in your care; what waits longest comes first."""
    console = console_of(request)
    found = await held_for_long(console, doctor)
    await record(console, doctor, Action.READ_WORKLIST, sorted({one.person_no for one in found}))
    return [
        HeldSinceOut(
            **{name: getattr(one, name) for name in ("person_id", "subject", "since", "measurements", "unit")},
            vitals=[VITAL_BY_NUMBER[vital].code for vital in one.vitals],
            text=one.words,
        )
        for one in found
    ]


@router.post("/held-readings/{measurement_id}", responses=OF_ONE | WRITES)
async def decide(
    request: Request,
    measurement_id: UUID,
    doctor: SignedIn,
    decision: DecisionIn,
    x_csrf_token: Annotated[str | None, Header()] = None,
) -> DecidedOut:
    """Says whose it is. 409 where something else was decided already; 422 where it fits nobody in your care."""
    check_token(doctor, x_csrf_token)
    await _decide(request, doctor, measurement_id, decision.state)
    return DecidedOut(state=decision.state)


@form.post("/people/{person_id}/held/{measurement_id}")
async def decide_by_form(
    request: Request,
    person_id: UUID,
    measurement_id: UUID,
    doctor: SignedIn,
    csrf: Annotated[str, Form()] = "",
    state: Annotated[Decision, Form()] = "dismissed",
) -> RedirectResponse:
    """One of the buttons on the person's page, which comes next."""
    check_token(doctor, csrf)
    await _decide(request, doctor, measurement_id, state)
    return RedirectResponse(f"/people/{person_id}#held", 303)


async def _decide(request: Request, doctor: SignedIn, measurement_id: UUID, state: Decision) -> None:
    try:
        done = await decide_held(console_of(request), doctor, measurement_id, HeldState(state))
    except NobodyItFitsError as error:
        raise HTTPException(422, str(error)) from error
    if not done:
        raise HTTPException(409, _DECIDED)
