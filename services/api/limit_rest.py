"""Limits of one person for programs: what holds, what has changed, trying others on the past, setting them."""

from collections.abc import Mapping
from datetime import datetime
from re import sub
from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Header, HTTPException, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from schemas.alerts import Severity
from schemas.limits import CONCERN_BY_NAME, LevelLimit, Limits, LimitsError, check
from services.api.access import Action
from services.api.answers import ANYWHERE, OF_ONE, WRITES
from services.api.confirmation import Confirmed
from services.api.console import Doctor, console_of
from services.api.inputs import VERSION_LIMIT, SentMoment, Text, WholeNumber
from services.api.limit_changes import MuteRefusedError, Version, check_end, mutes
from services.api.limits_in_force import InForce
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
from services.api.request_checks import check_token
from services.api.sessions import SignedIn
from services.runtime.clock import to_datetime

router = APIRouter(prefix="/api/v1", tags=["v1"], responses=ANYWHERE)
LONGEST_REASON: Final = 500
_CHANGED: Final = "the limits have changed since; read them again"
_BUSY: Final = "two back-tests of yours are not answered yet"
_MOST_LEVELS: Final = 12
Token = Annotated[str | None, Header()]
Why = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_REASON)]


def _known(name: str) -> str:
    if name not in CONCERN_BY_NAME:
        raise ValueError(f"one of {', '.join(CONCERN_BY_NAME)}")
    return name


ConcernName = Annotated[
    str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(CONCERN_BY_NAME), "title": "Concern"})
]


class LevelIO(BaseModel):
    """A level counts beyond ``on``, in the vital's unit, for ``persist_min`` minutes, in ``least`` readings."""

    model_config = ConfigDict(extra="forbid")

    on: float = Field(strict=True, allow_inf_nan=False)
    inclusive: bool = Field(strict=True)
    persist_min: float = Field(ge=0, le=240, strict=True)
    severity: Literal["low", "medium", "high"]
    level: WholeNumber = Field(ge=1, le=3)
    least: WholeNumber = Field(default=2, ge=1, le=10)
    moving: bool = Field(default=False, strict=True)

    @classmethod
    def of(cls, one: LevelLimit) -> "LevelIO":
        """For programs."""
        same = {name: getattr(one, name) for name in cls.model_fields if name != "severity"}
        return cls(**same, severity=_NAMES[one.severity])

    def level_limit(self) -> LevelLimit:
        """As rules use it."""
        same = {name: getattr(self, name) for name in LevelIO.model_fields if name != "severity"}
        return LevelLimit(**same, severity=Severity[self.severity.upper()])


_NAMES: Final[dict[Severity, Literal["low", "medium", "high"]]] = {
    Severity.LOW: "low",
    Severity.MEDIUM: "medium",
    Severity.HIGH: "high",
}


def _refused(error: LimitsError) -> HTTPException:
    """With the field; levels are counted from 0, as all fields of JSON are."""
    return HTTPException(422, sub(r"levels\[(\d+)\]", lambda found: f"levels[{int(found[1]) - 1}]", str(error)))


class NumbersIn(BaseModel):
    """All limits of one concern, in the vital's unit."""

    model_config = ConfigDict(extra="forbid")

    levels: list[LevelIO] = Field(min_length=1, max_length=_MOST_LEVELS)
    off: float = Field(strict=True, allow_inf_nan=False)
    clear_min: float = Field(ge=0, le=240, strict=True)
    worse_by: float = Field(gt=0, strict=True, allow_inf_nan=False)

    def limits(self, concern: str, doctor: Doctor) -> Limits:
        """As rules use them. Raises HTTPException with the field that contradicts another."""
        levels = tuple(one.level_limit() for one in self.levels)
        found = Limits(
            concern=concern, levels=levels, off=self.off, clear_min=self.clear_min, worse_by=self.worse_by,
            source=SET_BY_DOCTOR, signed_off_by=doctor.name,
        )  # fmt: skip
        try:
            check(found)
        except LimitsError as error:
            raise _refused(error) from error
        return found


class LimitsIn(NumbersIn):
    """What is to hold, and why. ``seen`` is ``version`` as it was read, 0 for none.

    From ``until`` on, what held before holds again. Limits that would mute what is urgent for everybody else need it,
    within 24 hours, and ``confirmed``.
    """

    reason: Why
    seen: WholeNumber = Field(ge=0, lt=VERSION_LIMIT)
    until: SentMoment | None = None
    confirmed: bool = Field(default=False, strict=True)


class GiveBackIn(BaseModel):
    """Why what holds for everybody is to hold again. ``seen`` as in ``LimitsIn``."""

    model_config = ConfigDict(extra="forbid")

    reason: Why
    seen: WholeNumber = Field(ge=0, lt=VERSION_LIMIT)


class BackTestIn(NumbersIn):
    """Limits to be tried on so many days of the past. Nothing changes by it."""

    concern: ConcernName
    days: WholeNumber = Field(default=30, ge=1, le=90)


class LimitsOut(BaseModel):
    """What holds of a concern from ``since`` on, null for ever.

    ``own``: a doctor has said it of this person; ``version`` is of these, 0 for none. ``mutes``: something
    that is urgent for everybody else is not urgent by these.
    """

    concern: str
    title: str
    unit: str
    levels: list[LevelIO]
    off: float
    clear_min: float
    worse_by: float
    own: bool
    scope: str
    version: int
    since: datetime | None
    source: str
    signed_off_by: str
    mutes: bool

    @classmethod
    def of(cls, one: InForce, known: OfPerson) -> "LimitsOut":
        """For programs."""
        limits = one.limits
        return cls(
            **{name: getattr(limits, name) for name in ("concern", "off", "clear_min", "worse_by", "source")},
            title=one.title, unit=CONCERN_BY_NAME[limits.concern].vital.unit, since=one.since,
            levels=[LevelIO.of(level) for level in limits.levels], own=one.scope.own, scope=one.scope.words,
            version=known.newest.get(limits.concern, 0), signed_off_by=limits.signed_off_by,
            mutes=mutes(known.usual.get(limits.concern), limits),
        )  # fmt: skip


class LimitsVersionOut(BaseModel):
    """A change of a person's own limits. ``withdrawn``: what holds for everybody holds again."""

    version: int
    title: str
    valid_from: datetime
    author: str
    reason: str
    withdrawn: bool
    changes: list[str]

    @classmethod
    def of(cls, one: Version) -> "LimitsVersionOut":
        """For programs."""
        same = {name: getattr(one, name) for name in ("title", "valid_from", "author", "reason", "withdrawn")}
        return cls(**same, version=one.limit_no, changes=list(one.words))


class EpisodeOut(BaseModel):
    """A time in which a limit was passed, up to when it was over; null: it goes on. ``severity`` is its highest.

    ``alerts``: it was news when it was found; else it only stands on the page.
    """

    concern: str
    since: datetime
    until: datetime | None
    level: int
    severity: Literal["low", "medium", "high"]
    alerts: bool

    @classmethod
    def of(cls, one: Mapping[str, Any]) -> "EpisodeOut":
        """For programs."""
        since, until = one["since_ms"], one["until_ms"]
        return cls(
            **{name: one[name] for name in ("concern", "level", "alerts")}, severity=_NAMES[Severity(one["severity"])],
            since=to_datetime(since), until=None if until is None else to_datetime(until),
        )  # fmt: skip


class ResultOut(BaseModel):
    """Episodes by the limits of then, and by those that were tried; which vanish, which are new, which pair differs."""

    today: list[EpisodeOut]
    changed: list[EpisodeOut]
    vanish: list[EpisodeOut]
    begin: list[EpisodeOut]
    differ: list[list[EpisodeOut]]

    @classmethod
    def of(cls, result: Mapping[str, Any]) -> "ResultOut":
        """For programs."""
        plain = {name: list(map(EpisodeOut.of, result[name])) for name in ("today", "changed", "vanish", "begin")}
        return cls(**plain, differ=[list(map(EpisodeOut.of, pair)) for pair in result["differ"]])


class BackTestOut(BaseModel):
    """``share`` of it is done, 0 to 1; ``result`` once it is, or ``failed`` says why there is none."""

    back_test_id: UUID
    concern: str
    days: int
    asked_at: datetime
    share: float
    done_at: datetime | None
    failed: str | None
    result: ResultOut | None

    @classmethod
    def of(cls, one: BackTest) -> "BackTestOut":
        """For programs."""
        same = ("back_test_id", "days", "asked_at", "share", "done_at", "failed")
        result = None if one.result is None else ResultOut.of(one.result)
        return cls(**{name: getattr(one, name) for name in same}, concern=one.limits.concern, result=result)


@router.get("/people/{person_id}/limits", responses=OF_ONE)
async def limits(request: Request, person_id: UUID, doctor: SignedIn) -> list[LimitsOut]:
    """What holds for a person, of each concern. What was set begins ten seconds later, and stands here already."""
    console = console_of(request)
    person = await person_of(console, doctor, person_id, Action.READ_LIMITS)
    known = await limits_of_person(console, person["person_no"])
    return [LimitsOut.of(one, known) for one in known.coming]


@router.get("/people/{person_id}/limits/versions", responses=OF_ONE)
async def limit_versions(request: Request, person_id: UUID, doctor: SignedIn) -> list[LimitsVersionOut]:
    """Who has changed this person's own limits, when and why: the newest first, also what is not in force yet."""
    console = console_of(request)
    person = await person_of(console, doctor, person_id, Action.READ_LIMITS)
    return [LimitsVersionOut.of(one) for one in (await limits_of_person(console, person["person_no"])).history]


@router.put("/people/{person_id}/limits/{concern}", responses=OF_ONE | WRITES)
async def put_limits(
    request: Request,
    person_id: UUID,
    concern: ConcernName,
    doctor: Confirmed,
    wish: LimitsIn,
    x_csrf_token: Token = None,
) -> list[LimitsVersionOut]:
    """Sets a person's own limits of a concern, in force 10 to 15 s later. Needs a proof.

    422 where they contradict themselves.
    """
    check_token(doctor, x_csrf_token)
    console = console_of(request)
    person = await person_of(console, doctor, person_id, Action.READ_LIMITS)
    limits = wish.limits(concern, doctor)
    asked = LimitsWish(
        limits=limits, reason=wish.reason, seen=wish.seen, until=wish.until, confirmed=wish.confirmed
    )  # fmt: skip
    try:
        check_end((await limits_of_person(console, person["person_no"])).usual.get(concern), limits)
        done = await set_limits(console, doctor, person, asked)
    except LimitsError as error:
        raise _refused(error) from error
    except MuteRefusedError as error:
        raise HTTPException(422, f"{error.field}: {error}") from error
    return await _changed(request, person, done=done)


@router.post("/people/{person_id}/limits/{concern}/give-back", responses=OF_ONE | WRITES)
async def give_limits_back(
    request: Request,
    person_id: UUID,
    concern: ConcernName,
    doctor: Confirmed,
    wish: GiveBackIn,
    x_csrf_token: Token = None,
) -> list[LimitsVersionOut]:
    """Ends a person's own limits of a concern; without any it changes nothing. Needs a proof."""
    check_token(doctor, x_csrf_token)
    console = console_of(request)
    person = await person_of(console, doctor, person_id, Action.READ_LIMITS)
    done = await give_back(console, doctor, person, concern, reason=wish.reason, seen=wish.seen)
    return await _changed(request, person, done=done)


async def _changed(request: Request, person: Any, *, done: bool) -> list[LimitsVersionOut]:
    if not done:
        raise HTTPException(409, _CHANGED)
    known = await limits_of_person(console_of(request), person["person_no"])
    return [LimitsVersionOut.of(one) for one in known.history]


@router.post("/people/{person_id}/back-tests", responses=OF_ONE | WRITES, status_code=201)
async def try_limits(
    request: Request, person_id: UUID, doctor: SignedIn, wish: BackTestIn, x_csrf_token: Token = None
) -> BackTestOut:
    """Asks what these limits would have made of the past; the answer is at the same address with its id.

    409 while two of yours are not answered yet.
    """
    check_token(doctor, x_csrf_token)
    console, back_test_id = console_of(request), uuid4()
    person = await person_of(console, doctor, person_id, Action.TRY_LIMITS)
    limits = wish.limits(wish.concern, doctor)
    if not await ask_back_test(console, doctor, person, back_test_id, limits, days=wish.days, reason=""):
        raise HTTPException(409, _BUSY)
    return BackTestOut.of(await back_test_of(console, person["person_no"], back_test_id))


@router.get("/people/{person_id}/back-tests/{back_test_id}", responses=OF_ONE)
async def back_test(request: Request, person_id: UUID, back_test_id: UUID, doctor: SignedIn) -> BackTestOut:
    """How much of it is done, and once it is, what came of it."""
    console = console_of(request)
    person = await person_of(console, doctor, person_id, Action.READ_LIMITS)
    return BackTestOut.of(await back_test_of(console, person["person_no"], back_test_id))
