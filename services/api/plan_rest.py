"""Dose plans for programs: read, begun, edited, paused, stocked; and what became of the doses."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID, uuid4

from asyncpg import Record
from fastapi import APIRouter, Header, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.doses import DoseState, EvidenceRole
from schemas.plan_terms import HIGHEST_COMPARTMENT, PlanTerms, PlanWish, terms_of
from services.api.access import Action
from services.api.answers import ANYWHERE, OF_ONE, WRITES
from services.api.console import Console, Doctor, console_of
from services.api.dose_words import ShownDose
from services.api.inputs import VERSION_LIMIT, AwareMoment, SentMoment, SentNote, Text, WholeNumber
from services.api.plan_versions import PlanRefusedError, content_of
from services.api.plans import (
    Stock,
    count_stock,
    create_plan,
    doses_of,
    edit_plan,
    pause_plan,
    plan_of,
    plans_of,
    resume_plan,
)
from services.api.reads import person_of
from services.api.request_checks import check_token
from services.api.sessions import SignedIn

router = APIRouter(prefix="/api/v1", tags=["v1"], responses=ANYWHERE)
_LONGEST_RANGE = timedelta(days=31)
_CHANGED = "the plan has changed since; read it again"
LONGEST_REASON = 500


Token = Annotated[str | None, Header()]
Why = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_REASON)]
Reason = Annotated[SentNote, Field(max_length=LONGEST_REASON)]


class PlanWishIn(PlanTerms):
    """What a plan is to say, where its drug lies, and why it is so."""

    device: Text = Field(min_length=1, max_length=64)
    compartment: WholeNumber = Field(ge=0, le=HIGHEST_COMPARTMENT)
    reason: Reason = ""

    def wish(self) -> PlanWish:
        """As the functions of ``plans`` take it."""
        return PlanWish(
            device=self.device,
            compartment=self.compartment,
            terms=PlanTerms(**{name: getattr(self, name) for name in PlanTerms.model_fields}),
            reason=self.reason.strip(),
        )


class PlanIn(PlanWishIn):
    """A new plan. ``plan_id``: yours, so that sending it again begins no second one; left out: one is made."""

    plan_id: UUID | None = None


class PlanEditIn(PlanWishIn):
    """All that the plan is to say from now on. ``version_no`` is that of the version as it was read."""

    version_no: WholeNumber = Field(ge=0, lt=VERSION_LIMIT)


class PauseIn(BaseModel):
    """Why no dose is due. ``until`` left out: until somebody resumes the plan."""

    model_config = ConfigDict(extra="forbid")

    why: Why
    until: SentMoment | None = None


class StockIn(BaseModel):
    """``counted``: so many are there; ``refilled``: so many were brought. ``seen``: the ``stock_no`` that stood last.

    With ``seen``, sending it again counts nothing twice.
    """

    model_config = ConfigDict(extra="forbid")

    count: float = Field(ge=0, le=100_000, strict=True, allow_inf_nan=False)
    what: Literal["counted", "refilled"]
    seen: WholeNumber | None = Field(default=None, ge=0, lt=VERSION_LIMIT)


class PauseOut(BaseModel):
    """A pause that goes on."""

    since: datetime
    until: datetime | None
    why: str
    doctor: str


class StockOut(BaseModel):
    """What was written down last, not what is left by now."""

    stock_no: int
    at: datetime
    count: float
    what: str


class VersionOut(PlanTerms):
    """What a version of a plan says. ``author`` null: a register file. ``valid_to`` null: it is in force."""

    version_no: int
    device: str
    compartment: int
    time_zone: str
    valid_from: datetime
    valid_to: datetime | None
    author: str | None
    reason: str
    made_at: datetime

    @classmethod
    def fields_of(cls, row: Record, valid_to: datetime | None) -> dict[str, Any]:
        """By a row of a version."""
        content = content_of(dict(row))
        terms = terms_of(content)
        same = ("version_no", "device", "compartment", "valid_from", "author", "reason", "made_at")
        return {name: getattr(terms, name) for name in PlanTerms.model_fields} | {
            **{name: row[name] for name in same},
            "time_zone": row["zone"],
            "valid_to": valid_to,
        }


class PlanOut(VersionOut):
    """A plan as it stands: its newest version, its pause, its stock."""

    plan_id: UUID
    person_id: UUID
    pause: PauseOut | None
    stock: StockOut | None

    @classmethod
    def of(cls, row: Record) -> Self:
        """By a row of ``plans``."""
        pause = row["pause_no"] is not None and PauseOut(
            since=row["paused_at"], until=row["paused_until"], why=row["why"], doctor=row["paused_by"]
        )
        stock = row["stock_no"] is not None and StockOut(
            stock_no=row["stock_no"], at=row["stock_at"], count=row["stock"], what=row["stock_what"]
        )
        return cls(
            **cls.fields_of(row, row["ended_at"]),
            plan_id=row["plan_id"],
            person_id=row["person_id"],
            pause=pause or None,
            stock=stock or None,
        )


class EvidenceOut(BaseModel):
    """An event that a dose rests on, and what it is to it."""

    what: str
    role: EvidenceRole
    observed_at: datetime
    received_at: datetime | None
    reported_late: bool


class DoseOut(BaseModel):
    """A dose as its version planned it, how it stands, and why, in words."""

    dose_id: UUID
    plan_id: UUID
    version_no: int
    drug: str
    strength: str
    count: float
    due_at: datetime
    opens_at: datetime
    closes_at: datetime
    missed_at: datetime
    state: DoseState
    settled_at: datetime | None
    reminders: int
    time_critical: bool
    listed: bool
    as_needed: bool
    reported_late: bool
    explanation: str
    evidence: list[EvidenceOut]


_OF_DOSE = (
    *("dose_id", "plan_id", "version_no", "drug", "strength", "count", "due_at", "opens_at", "closes_at", "missed_at"),
    *("state", "settled_at", "reminders", "time_critical", "listed", "as_needed"),
)


def dose_out(dose: ShownDose, now: datetime) -> DoseOut:
    """A dose for programs."""
    return DoseOut(
        **{name: dose.row[name] for name in _OF_DOSE},
        reported_late=dose.reported_late,
        explanation=dose.words(now),
        evidence=[
            EvidenceOut(
                what=one.what,
                role=one.role,
                observed_at=one.observed_at,
                received_at=one.received_at,
                reported_late=one.is_reported_late,
            )
            for one in dose.evidence
        ],
    )


@router.get("/people/{person_id}/plans", responses=OF_ONE)
async def plans(request: Request, person_id: UUID, doctor: SignedIn) -> list[PlanOut]:
    """All dose plans of a person, those that have ended last."""
    console = console_of(request)
    person = await person_of(console, doctor, person_id, Action.READ_PLANS)
    return [PlanOut.of(row) for row in await plans_of(console, person["person_no"])]


@router.post("/people/{person_id}/plans", responses=OF_ONE | WRITES, status_code=201)
async def new_plan(
    request: Request, person_id: UUID, doctor: SignedIn, wish: PlanIn, x_csrf_token: Token = None
) -> PlanOut:
    """Begins a plan now. 409 where its id is taken; 422 with the field where its device can never report a taking."""
    check_token(doctor, x_csrf_token)
    console, plan_id = console_of(request), wish.plan_id or uuid4()
    try:
        done = await create_plan(console, doctor, person_id, plan_id, wish.wish())
    except PlanRefusedError as error:
        raise HTTPException(422, str(error)) from error
    return await _answer(console, doctor, plan_id, done=done)


@router.get("/plans/{plan_id}", responses=OF_ONE)
async def plan(request: Request, plan_id: UUID, doctor: SignedIn) -> PlanOut:
    """One plan as it stands."""
    return PlanOut.of(await plan_of(console_of(request), doctor, plan_id))


@router.put("/plans/{plan_id}", responses=OF_ONE | WRITES)
async def change_plan(
    request: Request, plan_id: UUID, doctor: SignedIn, wish: PlanEditIn, x_csrf_token: Token = None
) -> PlanOut:
    """Ends the version that was read and begins another, now; nothing due before is touched.

    The same content, or the same edit again, changes nothing; 409 where it has changed since ``version_no``.
    """
    check_token(doctor, x_csrf_token)
    console = console_of(request)
    try:
        done = await edit_plan(console, doctor, plan_id, wish.wish(), seen=wish.version_no)
    except PlanRefusedError as error:
        raise HTTPException(422, str(error)) from error
    return await _answer(console, doctor, plan_id, done=done)


@router.post("/plans/{plan_id}/pause", responses=OF_ONE | WRITES)
async def pause(
    request: Request, plan_id: UUID, doctor: SignedIn, wish: PauseIn, x_csrf_token: Token = None
) -> PlanOut:
    """Holds its doses: no reminder, nothing missed. 409 where another pause goes on."""
    check_token(doctor, x_csrf_token)
    console = console_of(request)
    try:
        done = await pause_plan(console, doctor, plan_id, why=wish.why, until=wish.until)
    except PlanRefusedError as error:
        raise HTTPException(422, str(error)) from error
    return await _answer(console, doctor, plan_id, done=done)


@router.post("/plans/{plan_id}/resume", responses=OF_ONE | WRITES)
async def resume(request: Request, plan_id: UUID, doctor: SignedIn, x_csrf_token: Token = None) -> PlanOut:
    """Ends the pause; without one it changes nothing."""
    check_token(doctor, x_csrf_token)
    console = console_of(request)
    await resume_plan(console, doctor, plan_id)
    return await _answer(console, doctor, plan_id, done=True)


@router.post("/plans/{plan_id}/stock", responses=OF_ONE | WRITES)
async def stock(
    request: Request, plan_id: UUID, doctor: SignedIn, wish: StockIn, x_csrf_token: Token = None
) -> PlanOut:
    """Writes down what is in the house, or what was brought. 409 where somebody else did so after ``seen``."""
    check_token(doctor, x_csrf_token)
    console = console_of(request)
    done = await count_stock(console, doctor, plan_id, Stock(wish.count, wish.what, wish.seen))
    return await _answer(console, doctor, plan_id, done=done)


@router.get("/plans/{plan_id}/versions", responses=OF_ONE)
async def versions(request: Request, plan_id: UUID, doctor: SignedIn) -> list[VersionOut]:
    """Who changed what and when, the newest first."""
    console = console_of(request)
    await plan_of(console, doctor, plan_id)
    rows = await console.pool.fetch(console.sql["versions_of_plan"], plan_id)
    return [VersionOut(**VersionOut.fields_of(row, row["valid_to"])) for row in rows]


@router.get("/people/{person_id}/doses", responses=OF_ONE)
async def doses(
    request: Request,
    person_id: UUID,
    doctor: SignedIn,
    start: Annotated[AwareMoment, Query(alias="from")],
    end: Annotated[AwareMoment, Query(alias="to")],
) -> list[DoseOut]:
    """The doses due from ``from`` up to ``to`` (at most 31 days), with what each rests on."""
    if not timedelta() < end - start <= _LONGEST_RANGE:
        raise HTTPException(422, "'to' must lie after 'from', by 31 days at most")
    console = console_of(request)
    person = await person_of(console, doctor, person_id, Action.READ_DOSES)
    now = console.now()
    return [dose_out(dose, now) for dose in await doses_of(console, person["person_no"], start, end)]


async def _answer(console: Console, doctor: Doctor, plan_id: UUID, *, done: bool) -> PlanOut:
    """The plan as it stands after a write."""
    if not done:
        raise HTTPException(409, _CHANGED)
    return PlanOut.of(await plan_of(console, doctor, plan_id))
