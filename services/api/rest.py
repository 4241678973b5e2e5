"""The same for programs: JSON under /api/v1, with the browser's session and its token in a header for writes."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from asyncpg import Record
from fastapi import APIRouter, Header, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from schemas.alerts import Severity
from schemas.presentation import Side, presentation_of
from schemas.reasons import Flag
from schemas.vitals import VITAL_BY_CODE, Vital
from services.api.access import Action
from services.api.answers import ANYWHERE, OF_ONE, THROTTLED, WRITES
from services.api.confirmation import confirm, device_of
from services.api.console import console_of
from services.api.cursors import ReadingKey, before_all_of, read_cursor, write_cursor
from services.api.inputs import AwareMoment, Cursor, Text
from services.api.reads import (
    MOST_PEOPLE,
    MOST_READINGS,
    Latest,
    latest_of,
    people_of,
    person_of,
)
from services.api.request_checks import check_token
from services.api.sessions import SignedIn

router = APIRouter(prefix="/api/v1", tags=["v1"], responses=ANYWHERE)

_LONGEST_RANGE = timedelta(days=31)
if TYPE_CHECKING:
    VitalCode = str
else:
    VitalCode = Literal[tuple(VITAL_BY_CODE)]
    """A row of VITALS is all that a new vital needs; no type checker can read that."""


class SessionOut(BaseModel):
    """Who is signed in, and the token for ``X-CSRF-Token``."""

    name: str
    email: str
    csrf_token: str
    platform_time: datetime
    rate: float


class PersonOut(BaseModel):
    """A person in care."""

    person_id: UUID
    name: str
    born_on: str
    home: str
    time_zone: str


class PersonInListOut(PersonOut):
    """With what waits for them."""

    newest_reading_at: datetime | None
    open_alerts: int
    worst_severity: str | None


class VitalOut(BaseModel):
    """The newest value of a vital. ``is_current`` false: it must not be shown as the present state.

    ``bound``: ``below`` or ``above``, where ``value`` is no number but a bound of what its sensor can measure.
    """

    vital: str
    value: float
    bound: Side
    unit: str
    observed_at: datetime
    is_current: bool


class PersonDetailOut(PersonOut):
    """With the newest values."""

    latest: list[VitalOut]


class ReadingOut(BaseModel):
    """One stored reading; ``flags`` as in ``schemas.reasons.Flag``, ``bound`` as for the newest value."""

    observed_at: datetime
    received_at: datetime
    value: float
    bound: Side
    flags: int
    device: str
    epoch: int
    seq: int
    item: int


class ReadingsOut(BaseModel):
    """A page of readings. ``next``: ask for the same again with this as ``after``; null where there is no more."""

    vital: str
    unit: str
    readings: list[ReadingOut]
    next: str | None


def _person(row: Record) -> dict[str, Any]:
    return {
        "person_id": row["person_id"],
        "name": row["display_name"],
        "born_on": row["born_on"].isoformat(),
        "home": row["label"],
        "time_zone": row["time_zone"],
    }


def _vital(latest: Latest) -> VitalOut:
    bound, value = latest.shown.bound_of(latest.value, clipped=latest.clipped)
    return VitalOut(
        vital=latest.shown.vital.code,
        value=value,
        bound=bound,
        unit=latest.shown.vital.unit,
        observed_at=latest.observed_at,
        is_current=latest.fresh,
    )


def _reading(vital: Vital, row: Record) -> ReadingOut:
    bound, value = presentation_of(vital).bound_of(row["value"], clipped=bool(row["flags"] & Flag.CLIPPED))
    return ReadingOut(**{**row, "value": value, "bound": bound})


@router.get("/session")
async def session(request: Request, doctor: SignedIn) -> SessionOut:
    """Who is signed in, and the token that writes need."""
    console = console_of(request)
    return SessionOut(
        name=doctor.name,
        email=doctor.email,
        csrf_token=doctor.csrf_token,
        platform_time=console.now(),
        rate=console.clock.rate,
    )


class ProofIn(BaseModel):
    """The password of whoever is signed in."""

    model_config = ConfigDict(extra="forbid")

    password: Annotated[Text, Field(max_length=1024)]


@router.post("/session/confirm", responses=WRITES | THROTTLED, status_code=204)
async def prove(
    request: Request, doctor: SignedIn, proof: ProofIn, x_csrf_token: Annotated[str | None, Header()] = None
) -> None:
    """A proof that it is you. What asks for one answers 403 where none was given in the last five minutes."""
    check_token(doctor, x_csrf_token)
    await confirm(console_of(request), doctor, proof.password, device_of(request))


@router.get("/people")
async def people(
    request: Request,
    doctor: SignedIn,
    after: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=MOST_PEOPLE)] = MOST_PEOPLE,
) -> list[PersonInListOut]:
    """The people in your care by name; the next page comes ``after`` the last ``person_id`` of this one."""
    rows = await people_of(console_of(request), doctor, after=after, most=limit)
    return [
        PersonInListOut(
            **_person(row),
            newest_reading_at=row["observed_at"],
            open_alerts=row["alerts"],
            worst_severity=None if row["severity"] is None else Severity(row["severity"]).name.lower(),
        )
        for row in rows
    ]


@router.get("/people/{person_id}", responses=OF_ONE)
async def person(request: Request, person_id: UUID, doctor: SignedIn) -> PersonDetailOut:
    """One person with the newest value of each vital."""
    console = console_of(request)
    row = await person_of(console, doctor, person_id, Action.READ_PERSON)
    latest = [_vital(one) for one in await latest_of(console, row["person_no"])]
    return PersonDetailOut(**_person(row), latest=latest)


@router.get("/people/{person_id}/readings", responses=OF_ONE)
async def readings(
    request: Request,
    person_id: UUID,
    doctor: SignedIn,
    vital: VitalCode,
    start: Annotated[AwareMoment, Query(alias="from")],
    end: Annotated[AwareMoment, Query(alias="to")],
    after: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=MOST_READINGS)] = MOST_READINGS,
) -> ReadingsOut:
    """The readings of one vital from ``from`` up to ``to`` (at most 31 days), in order of time.

    The next page comes ``after`` the ``next`` of this one, with all else as it was.
    """
    if not timedelta() < end - start <= _LONGEST_RANGE:
        raise HTTPException(422, "'to' must lie after 'from', by 31 days at most")
    console = console_of(request)
    row = await person_of(console, doctor, person_id, Action.READ_READINGS)
    measured = VITAL_BY_CODE[vital]
    key = max(before_all_of(start), read_cursor(after)) if after else before_all_of(start)
    rows = await console.pool.fetch(console.sql["readings_page"], row["person_no"], measured.number, *key, end, limit)
    last = ReadingKey(*(rows[-1][name] for name in ReadingKey._fields)) if len(rows) == limit else None
    return ReadingsOut(
        vital=vital,
        unit=measured.unit,
        readings=[_reading(measured, one) for one in rows],
        next=write_cursor(last) if last else None,
    )
