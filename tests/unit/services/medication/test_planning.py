"""Wall-clock times become instants, over spring gaps and autumn folds."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.medication.planning import Plan, instant_of, plan_doses

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",  # changes at midnight
    "Australia/Lord_Howe",  # by half an hour
    "Asia/Kathmandu",
    "Asia/Shanghai",
    "Pacific/Apia",  # left out a whole day
    "Africa/Casablanca",
)
PLAN = Plan(
    plan_id=UUID(int=1),
    person_no=1,
    home_no=1,
    device_no=1,
    compartment=2,
    at_times=(time(8), time(20)),
    time_critical=False,
    zone="Europe/Berlin",
    valid_from=datetime(2000, 1, 1, tzinfo=UTC),
    valid_to=None,
)
WINTER = date(2026, 1, 15)

zones = st.sampled_from(ZONES)
days = st.dates(date(2011, 1, 1), date(2030, 12, 31))
times = st.times().map(lambda at: at.replace(second=0, microsecond=0))


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        ("Europe/Berlin", WINTER, time(8), "2026-01-15 07:00"),
        ("Europe/Berlin", date(2026, 3, 29), time(1, 59), "2026-03-29 00:59"),
        ("Europe/Berlin", date(2026, 3, 29), time(2, 0), "2026-03-29 01:00"),
        ("Europe/Berlin", date(2026, 3, 29), time(2, 30), "2026-03-29 01:00"),
        ("Europe/Berlin", date(2026, 3, 29), time(3, 0), "2026-03-29 01:00"),
        ("Europe/Berlin", date(2026, 10, 25), time(2, 30), "2026-10-25 00:30"),
        ("America/New_York", date(2026, 3, 8), time(2, 30), "2026-03-08 07:00"),
        ("America/New_York", date(2026, 11, 1), time(1, 30), "2026-11-01 05:30"),
        ("America/Santiago", date(2026, 9, 6), time(0, 20), "2026-09-06 04:00"),
        ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 15), "2026-10-03 15:30"),
        ("Pacific/Apia", date(2011, 12, 30), time(8), "2011-12-30 10:00"),
    ],
)
def test_a_wall_clock_time_is_one_instant(zone: str, day: date, at: time, expected: str) -> None:
    assert f"{instant_of(day, at, ZoneInfo(zone)):%Y-%m-%d %H:%M}" == expected


@given(zones, days, times)
def test_an_instant_shows_its_wall_clock_time_or_the_first_one_after_a_gap(zone: str, day: date, at: time) -> None:
    info = ZoneInfo(zone)
    due, wall = instant_of(day, at, info), datetime.combine(day, at)
    shown = due.astimezone(info).replace(tzinfo=None, fold=0)

    assert due.tzinfo is UTC
    if shown != wall:
        just_before = (due - timedelta(seconds=1)).astimezone(info).replace(tzinfo=None, fold=0)
        assert just_before < wall < shown


@given(zones, days, times)
def test_a_time_that_comes_twice_is_taken_the_first_time(zone: str, day: date, at: time) -> None:
    info = ZoneInfo(zone)
    due = instant_of(day, at, info)
    an_hour_before = {(due - timedelta(minutes=minutes)).astimezone(info).replace(tzinfo=None) for minutes in (30, 60)}

    assert datetime.combine(day, at) not in an_hour_before


@given(zones, days, st.lists(times, min_size=1, max_size=6), st.booleans())
def test_doses_are_in_order_and_their_windows_nest(zone: str, day: date, at: list[time], critical: bool) -> None:  # noqa: FBT001
    plan = replace(PLAN, zone=zone, at_times=tuple(at), time_critical=critical)
    doses = list(plan_doses(plan, day, day + timedelta(days=3)))

    assert len(doses) == 4 * len(set(at))
    assert len({dose.dose_id for dose in doses}) == len(doses)
    for dose in doses:
        assert dose.early_after <= dose.opens_at <= dose.due_at <= dose.closes_at <= dose.missed_at
        assert dose.early_after < dose.due_at < dose.missed_at
    for one, after in pairwise(doses):
        assert one.due_at <= after.due_at
        if after.due_at - one.due_at >= timedelta(minutes=30):
            assert one.missed_at <= after.early_after


@given(zones, days, st.lists(times, min_size=1, max_size=4))
def test_a_dose_is_the_same_whenever_it_is_planned(zone: str, day: date, at: list[time]) -> None:
    plan = replace(PLAN, zone=zone, at_times=tuple(at))
    once = list(plan_doses(plan, day, day + timedelta(days=4)))
    in_parts = [dose for number in range(5) for dose in plan_doses(plan, *[day + timedelta(days=number)] * 2)]

    assert once == in_parts


def test_a_plan_makes_no_doses_outside_its_time() -> None:
    plan = replace(
        PLAN,
        valid_from=datetime(2026, 1, 15, 12, tzinfo=UTC),
        valid_to=datetime(2026, 1, 16, 19, tzinfo=UTC),
    )
    doses = plan_doses(plan, WINTER, WINTER + timedelta(days=3))

    assert [f"{dose.due_at:%d %H}" for dose in doses] == ["15 19", "16 07"]


@pytest.mark.parametrize(
    ("at_times", "critical", "window", "cut_off"),
    [
        ((time(8),), False, 120, 720),
        ((time(8), time(20)), False, 60, 360),
        ((time(8),), True, 30, 720),
        ((time(8), time(8, 40)), False, 20, 20),
    ],
)
def test_the_window_depends_on_how_often_and_how_critical(
    *,
    at_times: tuple[time, ...],
    critical: bool,
    window: int,
    cut_off: int,
) -> None:
    plan = replace(PLAN, at_times=at_times, time_critical=critical)
    dose = next(plan_doses(plan, WINTER, WINTER))

    assert dose.closes_at - dose.due_at == timedelta(minutes=window)
    assert dose.missed_at - dose.due_at == timedelta(minutes=cut_off)


def test_two_doses_that_a_gap_moves_together_can_both_be_taken() -> None:
    plan = replace(PLAN, at_times=(time(2, 10), time(2, 50)), time_critical=True)
    one, other = plan_doses(plan, date(2026, 3, 29), date(2026, 3, 29))

    assert one.due_at == other.due_at
    assert one.missed_at - one.due_at == timedelta(minutes=15)
