"""From a version of a plan to its doses with their windows, and which dose taken early stands for which. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from schemas.doses import (
    DAILY_WINDOW_MIN,
    EARLY_PART,
    LONGEST_CUT_OFF_MIN,
    LONGEST_EARLY_MIN,
    SEVERAL_A_DAY_WINDOW_MIN,
    SHORTEST_CUT_OFF_MIN,
    TIME_CRITICAL_WINDOW_MIN,
)
from services.medication.recurrence import Recurrence, due_moments, neighbours

_LONGEST_EARLY: Final = timedelta(minutes=LONGEST_EARLY_MIN)
_LONGEST_CUT_OFF: Final = timedelta(minutes=LONGEST_CUT_OFF_MIN)
_SHORTEST_CUT_OFF: Final = timedelta(minutes=SHORTEST_CUT_OFF_MIN)
_REACH: Final = EARLY_PART * _LONGEST_EARLY
"""A neighbour further away than this decides nothing: the early reach is at its longest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A version of a plan that has times: one drug in one compartment, in [``valid_from``, ``valid_to``)."""

    version_no: int
    plan_id: UUID
    person_no: int
    home_no: int
    device_no: int
    compartment: int
    drug: str
    strength: str = ""
    count: float = 1.0
    time_critical: bool = False
    listed: bool = False
    recurrence: Recurrence = field(repr=False)
    valid_from: datetime
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDose:
    """One dose: taken after ``early_after`` it is early, from ``opens_at`` on time, after ``closes_at`` late.

    After ``missed_at`` it can't be taken any more. ``local_date`` is that of the plan's zone.
    """

    dose_id: UUID
    local_date: date
    early_after: datetime
    opens_at: datetime
    due_at: datetime
    closes_at: datetime
    missed_at: datetime


def dose_id_of(plan_id: UUID, version_no: int, due_at: datetime) -> UUID:
    """A dose is its plan's version and its due moment."""
    return uuid5(plan_id, f"{version_no}|{due_at.timestamp():.3f}")


def plan_doses(plan: Plan, since: datetime, until: datetime) -> Iterator[PlannedDose]:
    """The doses of ``plan`` that are due in [``since``, ``until``). The same for the same plan, however divided."""
    first = max(since, plan.valid_from)
    last = until if plan.valid_to is None else min(until, plan.valid_to)
    if first < last:
        for due in due_moments(plan.recurrence, first, last):
            yield _dose(plan, due)


def _dose(plan: Plan, due: datetime) -> PlannedDose:
    before, after = neighbours(plan.recurrence, due, _REACH)
    window = _window(plan)
    opens_at, missed_after = due - min(window, _half(before)), _half(after)
    return PlannedDose(
        dose_id=dose_id_of(plan.plan_id, plan.version_no, due),
        local_date=due.astimezone(ZoneInfo(plan.recurrence.zone)).date(),
        # Never later than the window opens: that is more than a quarter of the time where doses are close together.
        early_after=min(due - min(before / EARLY_PART, _LONGEST_EARLY), opens_at),
        opens_at=opens_at,
        due_at=due,
        closes_at=due + min(window, missed_after),
        missed_at=due + missed_after,
    )


def _half(interval: timedelta) -> timedelta:
    """How far a dose reaches towards its neighbour: half way, within bounds."""
    return min(max(interval / 2, _SHORTEST_CUT_OFF), _LONGEST_CUT_OFF)


def _window(plan: Plan) -> timedelta:
    if plan.time_critical:
        return timedelta(minutes=TIME_CRITICAL_WINDOW_MIN)
    once_a_day = len(set(plan.recurrence.at_times)) == 1
    return timedelta(minutes=DAILY_WINDOW_MIN if once_a_day else SEVERAL_A_DAY_WINDOW_MIN)


class TakenEarly(NamedTuple):
    """A dose of a version that has ended: due after its end, and taken before it."""

    dose_id: UUID
    taken_at: datetime
    device_no: int
    compartment: int


class StandIn(NamedTuple):
    """``dose_id`` becomes the dose that the new version would have had at ``dose.due_at``.

    ``elsewhere``: the new version is in another compartment, where no event shows it.
    """

    dose_id: UUID
    dose: PlannedDose
    elsewhere: bool


def stand_ins(early: Iterable[TakenEarly], plan: Plan, doses: Sequence[PlannedDose]) -> list[StandIn]:
    """Which doses taken early stand for which of a new version's: each for the next one within its early reach."""
    free, found = sorted(doses, key=lambda dose: dose.due_at), []
    for one in sorted(early, key=lambda one: one.taken_at):
        dose = next((dose for dose in free if dose.early_after < one.taken_at <= dose.missed_at), None)
        if dose is not None:
            free.remove(dose)
            elsewhere = (one.device_no, one.compartment) != (plan.device_no, plan.compartment)
            found.append(StandIn(one.dose_id, dose, elsewhere))
    return found
