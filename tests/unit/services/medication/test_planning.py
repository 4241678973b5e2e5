"""The windows of doses, and which dose taken early stands for which of a new version."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.medication.planning import Plan, PlannedDose, TakenEarly, plan_doses, stand_ins
from services.medication.recurrence import Recurrence
from tests.unit.services.medication.dose_world import DEVICE, plan_of

START = datetime(2026, 1, 15, tzinfo=UTC)
DAY = timedelta(days=1)
PLAN = plan_of(time(8), time(20))


def first(plan: Plan, since: datetime = START) -> PlannedDose:
    return next(plan_doses(plan, since, since + DAY))


@pytest.mark.parametrize(
    ("at", "critical", "early", "opens", "closes", "missed"),
    [
        ((time(8),), False, 360, 120, 120, 720),
        ((time(8), time(20)), False, 180, 60, 60, 360),
        ((time(8),), True, 360, 30, 30, 720),
        ((time(8), time(14), time(20)), True, 180, 30, 30, 180),
        # Close together: half way to both sides, and never less early than the window opens.
        ((time(8), time(8, 40)), False, 350, 60, 20, 20),
    ],
)
def test_the_windows_depend_on_how_often_and_how_critical(
    *, at: tuple[time, ...], critical: bool, early: int, opens: int, closes: int, missed: int
) -> None:
    dose = first(plan_of(*at, critical=critical))

    found = (
        dose.due_at - dose.early_after, dose.due_at - dose.opens_at,
        dose.closes_at - dose.due_at, dose.missed_at - dose.due_at,
    )  # fmt: skip
    assert [one // timedelta(minutes=1) for one in found] == [early, opens, closes, missed]


def test_a_window_is_whole_where_a_quarter_of_the_time_is_less() -> None:
    one, other = list(plan_doses(plan_of(time(8), time(10)), START, START + DAY))

    assert other.early_after == other.opens_at == datetime(2026, 1, 15, 9, tzinfo=UTC)
    assert one.missed_at == datetime(2026, 1, 15, 9, tzinfo=UTC)


def test_a_weekly_drug_can_be_taken_a_quarter_of_a_week_early_and_a_monthly_one_two_days() -> None:
    weekly = replace(PLAN, recurrence=Recurrence(zone="UTC", at_times=(time(8),), weekdays=(4,)))
    monthly = replace(
        PLAN, recurrence=Recurrence(zone="UTC", at_times=(time(8),), every_days=30, anchor=date(2026, 1, 15))
    )

    assert first(weekly).due_at - first(weekly).early_after == timedelta(hours=42)
    assert first(monthly).due_at - first(monthly).early_after == timedelta(hours=48)


def test_a_version_has_no_doses_outside_its_time() -> None:
    plan = replace(PLAN, valid_from=START + timedelta(hours=8), valid_to=START + timedelta(hours=32))

    doses = list(plan_doses(plan, START - DAY, START + 4 * DAY))
    # The moment at which it begins is its own, the one at which it ends is not.
    assert [f"{dose.due_at:%d %H}" for dose in doses] == ["15 08", "15 20"]


zones = st.sampled_from(("UTC", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Pacific/Apia"))
moments = st.integers(0, 20 * 365 * 24).map(lambda hours: datetime(2011, 1, 1, tzinfo=UTC) + timedelta(hours=hours))
times = st.times().map(lambda at: at.replace(second=0, microsecond=0))


@settings(deadline=None)
@given(zones, moments, st.lists(times, min_size=1, max_size=6), st.booleans())
def test_doses_are_in_order_and_their_windows_nest(zone: str, since: datetime, at: list[time], critical: bool) -> None:  # noqa: FBT001
    plan = plan_of(*at, critical=critical, zone=zone)
    doses = list(plan_doses(plan, since, since + 3 * DAY))

    assert len({dose.dose_id for dose in doses}) == len(doses)
    for dose in doses:
        assert dose.early_after <= dose.opens_at <= dose.due_at <= dose.closes_at <= dose.missed_at
        assert dose.early_after < dose.due_at < dose.missed_at
    for one, after in pairwise(doses):
        assert one.due_at < after.due_at
        if after.due_at - one.due_at >= timedelta(minutes=30):
            assert one.missed_at <= after.opens_at


@settings(deadline=None)
@given(zones, moments, st.lists(times, min_size=1, max_size=4))
def test_a_dose_is_the_same_whenever_it_is_planned(zone: str, since: datetime, at: list[time]) -> None:
    plan = plan_of(*at, zone=zone)
    once = list(plan_doses(plan, since, since + 4 * DAY))
    in_parts = [dose for n in range(4) for dose in plan_doses(plan, since + n * DAY, since + (n + 1) * DAY)]

    assert once == in_parts


def test_another_version_has_other_doses_at_the_same_moments() -> None:
    one, other = first(PLAN), first(replace(PLAN, version_no=2))

    assert one.due_at == other.due_at
    assert one.dose_id != other.dose_id


def early(number: int, at: datetime, *, compartment: int = 2) -> TakenEarly:
    return TakenEarly(UUID(int=number), at, DEVICE, compartment)


def test_a_dose_taken_early_stands_for_the_next_one_of_the_new_version_within_its_reach() -> None:
    new = plan_of(time(8), time(20, 30), version_no=2)
    doses = list(plan_doses(new, START + timedelta(hours=19), START + 2 * DAY))

    (found,) = stand_ins([early(1, START + timedelta(hours=18))], new, doses)
    assert found == (UUID(int=1), doses[0], False)
    assert f"{found.dose.due_at:%d %H:%M}" == "15 20:30"

    (moved,) = stand_ins([early(1, START + timedelta(hours=18), compartment=5)], new, doses)
    assert moved.elsewhere


def test_a_dose_taken_too_early_for_the_new_version_stands_for_none() -> None:
    new = plan_of(time(8), version_no=2)
    doses = list(plan_doses(new, START + timedelta(hours=19), START + 2 * DAY))

    assert stand_ins([early(1, START + timedelta(hours=18))], new, doses) == []
    # Early reach begins behind its moment, and the last moment is one of it.
    first = doses[0]
    assert stand_ins([early(1, first.early_after)], new, doses) == []
    assert [one.dose for one in stand_ins([early(1, first.missed_at)], new, doses)] == [first]


def test_two_doses_taken_early_do_not_stand_for_the_same() -> None:
    new = plan_of(time(19), time(20), version_no=2)
    doses = list(plan_doses(new, START + timedelta(hours=18, minutes=50), START + DAY))
    both = [early(1, START + timedelta(hours=18, minutes=40)), early(2, START + timedelta(hours=18, minutes=45))]

    assert [one.dose_id for one in stand_ins(both, new, doses)] == [UUID(int=1)]
