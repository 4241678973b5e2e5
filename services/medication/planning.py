"""From wall-clock times of a zone to doses on the platform's time line. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from schemas.doses import (
    DAILY_WINDOW_MIN,
    LONGEST_CUT_OFF_MIN,
    SEVERAL_A_DAY_WINDOW_MIN,
    SHORTEST_CUT_OFF_MIN,
    TIME_CRITICAL_WINDOW_MIN,
)

_ONE_DAY: Final = timedelta(days=1)
_ONE_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One drug in one compartment at ``at_times`` of ``zone``, each day in [``valid_from``, ``valid_to``)."""

    plan_id: UUID
    person_no: int
    home_no: int
    device_no: int
    compartment: int
    at_times: tuple[time, ...]
    time_critical: bool
    zone: str
    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDose:
    """One dose: taken after ``early_after`` it is early, from ``opens_at`` on time, after ``closes_at`` late.

    After ``missed_at`` it can't be taken any more.
    """

    dose_id: UUID
    local_date: date
    time_index: int
    early_after: datetime
    opens_at: datetime
    due_at: datetime
    closes_at: datetime
    missed_at: datetime


def instant_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The UTC instant of a wall-clock time: the first valid one after a spring gap, the first of an autumn fold."""
    wall = datetime.combine(day, at)
    late = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    # There and back again gives the same time: it exists.
    if late.astimezone(zone).replace(tzinfo=None, fold=0) == wall:
        return late
    early = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    offset_after = late.astimezone(zone).utcoffset()
    # A time within a spring gap. Its two readings, by the offset before and after, lie on either
    # side of the change, which is found by halving.
    while late - early > _ONE_SECOND:
        middle = early + (late - early) // 2
        if middle.astimezone(zone).utcoffset() == offset_after:
            late = middle
        else:
            early = middle
    return late.replace(microsecond=0)


def plan_doses(plan: Plan, first: date, last: date) -> Iterator[PlannedDose]:
    """The doses of ``plan`` on the local days ``first`` to ``last``. The same for the same plan, however often."""
    zone, times = ZoneInfo(plan.zone), sorted(set(plan.at_times))
    # A day more on both sides: a dose reaches half way to its neighbours.
    days = [first + _ONE_DAY * number for number in range(-1, (last - first).days + 2)]
    doses = [(day, index, instant_of(day, at, zone)) for day in days for index, at in enumerate(times)]
    for before, (day, index, due), after in zip(doses, doses[1:], doses[2:], strict=False):
        is_valid = plan.valid_from <= due and (plan.valid_to is None or due < plan.valid_to)
        if is_valid and first <= day <= last:
            yield _dose(plan, day, index, due, reach_before=_reach(due - before[2]), reach_after=_reach(after[2] - due))


def _dose(
    plan: Plan, day: date, index: int, due: datetime, *, reach_before: timedelta, reach_after: timedelta
) -> PlannedDose:
    window = _window(plan)
    return PlannedDose(
        dose_id=uuid5(plan.plan_id, f"{day.isoformat()}|{index}"),
        local_date=day,
        time_index=index,
        early_after=due - reach_before,
        opens_at=due - min(window, reach_before),
        due_at=due,
        closes_at=due + min(window, reach_after),
        missed_at=due + reach_after,
    )


def _reach(interval: timedelta) -> timedelta:
    """How far a dose reaches towards its neighbour: half way, within bounds."""
    shortest, longest = timedelta(minutes=SHORTEST_CUT_OFF_MIN), timedelta(minutes=LONGEST_CUT_OFF_MIN)
    return min(max(interval / 2, shortest), longest)


def _window(plan: Plan) -> timedelta:
    if plan.time_critical:
        return timedelta(minutes=TIME_CRITICAL_WINDOW_MIN)
    return timedelta(minutes=DAILY_WINDOW_MIN if len(set(plan.at_times)) == 1 else SEVERAL_A_DAY_WINDOW_MIN)
