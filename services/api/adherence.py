"""How a person keeps to their plans, by plan and week; what is left of their medicine. For pages and for programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from schemas.adherence import RECENT_DAYS, CountedDose, Measures, by_plan_and_week, recent, week_of
from schemas.doses import DoseState
from services.api.access import Action
from services.api.answers import ANYWHERE, OF_ONE
from services.api.console import Console, console_of
from services.api.reads import person_of
from services.api.sessions import SignedIn

MOST_WEEKS: Final = 26
_USUAL_WEEKS: Final = 8


class MeasuresOut(BaseModel):
    """Counts of scheduled doses, and shares from 0 to 1; a share is null where nothing of it is known.

    ``due`` is the sum of ``taken``, ``missed``, ``unknown``, ``held`` and ``open``; ``in_window`` and ``doubles`` are
    among the ``taken``. ``taking`` and ``timing`` are of the doses whose outcome is known, ``pdc`` (proportion of days
    covered) is of the ``days`` of which all is known. Defined in docs/clinical.md#adherence.
    """

    due: int
    taken: int
    in_window: int
    doubles: int
    missed: int
    unknown: int
    held: int
    open: int
    days: int
    days_covered: int
    pdc: float | None
    taking: float | None
    timing: float | None


class PlanWeekOut(MeasuresOut):
    """One plan in the week that begins on the Monday ``week``; drug and strength are those of its newest dose."""

    plan_id: UUID
    week: date
    drug: str
    strength: str


class AdherenceOut(BaseModel):
    """``recent``: all plans together, over the ``recent_days`` local days up to yesterday. Newest weeks first."""

    recent_days: int
    recent: MeasuresOut
    weeks: list[PlanWeekOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWeekShown:
    """One plan in one week, with the name of its medicine."""

    plan_id: UUID
    week: date
    drug: str
    strength: str
    measures: Measures


@dataclass(frozen=True, slots=True, kw_only=True)
class Adherence:
    """What a page or a program shows of how somebody keeps to their plans. ``recent``: of RECENT_DAYS, to yesterday."""

    recent: Measures
    weeks: Sequence[PlanWeekShown]


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyShown:
    """What is left of a plan's medicine. ``left``, ``as_of``: None until medication has made its first forecast.

    ``count`` is that of one dose, in the units of ``left``; ``runs_out_on`` a day of the plan's zone, None where no end
    is foreseen.
    """

    plan_id: UUID
    drug: str
    strength: str
    count: float
    left: float | None
    as_of: datetime | None
    runs_out_on: date | None
    refill_due: bool


router = APIRouter(prefix="/api/v1", tags=["v1"], responses=ANYWHERE)


@router.get("/people/{person_id}/adherence", responses=OF_ONE)
async def adherence(
    request: Request,
    person_id: UUID,
    doctor: SignedIn,
    weeks: Annotated[int, Query(ge=1, le=MOST_WEEKS)] = _USUAL_WEEKS,
) -> AdherenceOut:
    """How somebody keeps to each plan: days covered, doses taken, doses on time, of the newest ``weeks`` weeks."""
    console = console_of(request)
    person = await person_of(console, doctor, person_id, Action.READ_DOSES)
    found = await adherence_of(console, person["person_no"], ZoneInfo(person["time_zone"]), weeks=weeks)
    return AdherenceOut(
        recent_days=RECENT_DAYS,
        recent=MeasuresOut(**_of(found.recent)),
        weeks=[
            PlanWeekOut(
                plan_id=one.plan_id, week=one.week, drug=one.drug, strength=one.strength, **_of(one.measures)
            )
            for one in found.weeks
        ],
    )  # fmt: skip


async def adherence_of(console: Console, person_no: int, zone: ZoneInfo, *, weeks: int = _USUAL_WEEKS) -> Adherence:
    """Of the newest ``weeks`` weeks, the one that goes on among them; the newest first. Asks for no admission."""
    now = console.now()
    today = now.astimezone(zone).date()
    first = min(week_of(today) - timedelta(weeks=weeks - 1), today - timedelta(days=RECENT_DAYS))
    rows = await console.pool.fetch(console.sql["doses_since"], person_no, now, first)
    doses = [
        CountedDose(row["plan_id"], row["due_at"], row["day"], DoseState(row["state"]), row["in_window"])
        for row in rows
    ]
    # Rows come in order of time, so the newest name of a week stays.
    names = {(row["plan_id"], week_of(row["day"])): (row["drug"], row["strength"]) for row in rows}
    shown = []
    for plan_id, week, measures in by_plan_and_week(doses):
        drug, strength = names[plan_id, week]
        if week >= week_of(today) - timedelta(weeks=weeks - 1):
            shown.append(PlanWeekShown(plan_id=plan_id, week=week, drug=drug, strength=strength, measures=measures))
    return Adherence(recent=recent(doses, today - timedelta(days=1)), weeks=shown)


async def supplies_of(console: Console, person_no: int) -> list[SupplyShown]:
    """What is left of each medicine that is prescribed now and was counted; what runs out first, first."""
    rows = await console.pool.fetch(console.sql["supplies_of_person"], person_no, console.now())
    return [
        SupplyShown(
            plan_id=row["plan_id"],
            drug=row["drug"],
            strength=row["strength"],
            count=row["count"],
            left=row["left_count"],
            as_of=row["as_of"],
            runs_out_on=row["runs_out_at"].astimezone(ZoneInfo(row["zone"])).date() if row["runs_out_at"] else None,
            refill_due=bool(row["refill_due"]),
        )
        for row in rows
    ]


_COUNTS: Final = (
    "due", "taken", "in_window", "doubles", "missed", "unknown", "held", "open", "days", "days_covered",
    "pdc", "taking", "timing",
)  # fmt: skip


def _of(measures: Measures) -> dict[str, Any]:
    return {name: getattr(measures, name) for name in _COUNTS}
