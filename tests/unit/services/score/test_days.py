"""A person's days: values are counted once, with their own day; medians stand when a day closes; nothing is lost."""

from functools import reduce
from operator import or_
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import parse_json, write_json
from schemas.vitals import BODY_TEMPERATURE, HEART_RATE, VITAL_BY_NUMBER
from services.score.days import DAY_MS, STEPS_A_UNIT, ClosedDay, Days, UnknownDaysError, Values
from services.score.recent_values import RecentValues
from services.score.rule import HOUR_MS, MINUTE_MS, NEVER

DAY = 19_675
PULSE, WARMTH = HEART_RATE.number, BODY_TEMPERATURE.number
parts = st.builds(
    Values,
    st.integers(DAY, DAY + 3),
    st.sampled_from([PULSE, WARMTH]),
    st.lists(st.integers(30, 400), min_size=1, max_size=9),
    st.integers(1, 2**24 - 1),
)


def again(days: Days) -> Days:
    """Written and read."""
    return Days.from_plain(parse_json(write_json(days.to_plain())), days.revision)


def test_every_vital_has_days() -> None:
    assert STEPS_A_UNIT.keys() == VITAL_BY_NUMBER.keys()


@given(st.lists(parts, max_size=12))
def test_a_closed_day_has_the_median_of_its_values_in_whatever_order_they_came(given_parts: list[Values]) -> None:
    days, turned = Days(), Days()
    days.add(given_parts)
    turned.add(reversed(given_parts))
    assert days.to_plain() == turned.to_plain()
    days.close(DAY + 2)
    for vital in (PULSE, WARMTH):
        expected = []
        for day in (DAY, DAY + 1):
            whole = [part for part in given_parts if part[:2] == (day, vital)]
            values, unit = sorted(one for part in whole for one in part.steps), STEPS_A_UNIT[vital]
            hours = reduce(or_, (part.hours for part in whole), 0).bit_count()
            low, total = values[int((len(values) - 1) * 0.2)] / unit if values else 0, sum(values) / unit
            expected += [ClosedDay(day, len(values), median(values) / unit, hours, low, total)] if values else []
        assert days.closed(vital) == expected
    assert again(days).to_plain() == days.to_plain()


def test_a_value_of_a_closed_day_changes_nothing() -> None:
    days = Days()
    days.add([Values(DAY, PULSE, [60, 70], 0b11)])
    days.close(DAY + 1)
    before = days.to_plain()
    days.add([Values(DAY, PULSE, [200])])
    assert days.to_plain() == before
    assert days.closed(PULSE) == [ClosedDay(DAY, 2, 65, 2, 60, 130)]


def test_the_newest_35_days_are_kept() -> None:
    days = Days()
    for number in range(50):
        days.add([Values(DAY + number, PULSE, [60 + number])])
        days.close(DAY + number + 1)
    kept = days.closed(PULSE)
    assert [kept[0].day, kept[-1].day, len(kept)] == [DAY + 15, DAY + 49, 35]


@given(st.lists(parts, max_size=6), st.lists(parts, max_size=6), st.lists(parts, max_size=6))
def test_two_homes_that_wrote_the_same_person_lose_nothing_of_each_other(
    first: list[Values], here: list[Values], there: list[Values]
) -> None:
    written = Days()
    written.add(first)
    written.saved()
    mine, theirs, whole = again(written), again(written), Days()
    mine.add(here)
    theirs.add(there)
    theirs.saved()
    whole.add([*first, *there, *here])
    assert mine.onto(again(theirs)).to_plain() == whole.to_plain()


@pytest.mark.parametrize("version", [0, 3, "1", None, True])
def test_days_of_another_version_are_refused_and_not_misread(version: Any) -> None:
    with pytest.raises(UnknownDaysError, match="version"):
        Days.from_plain(Days().to_plain() | {"version": version})


def recent_after(minutes: list[float], *, person_no: int = 0) -> RecentValues:
    """A pulse of 60 at each of these minutes of the day, received at once; the hour closes where it is due."""
    recent = RecentValues(person_no)
    for number in minutes:
        at = DAY * DAY_MS + round(number * MINUTE_MS)
        recent.pass_time(at)
        recent.add(PULSE, 60, at, at)
    return recent


def test_an_hour_closes_and_then_the_day_when_the_next_one_is_over() -> None:
    recent = recent_after([5, 59])
    assert recent.due_at == DAY * DAY_MS + HOUR_MS
    recent.pass_time(recent.due_at - 1)
    assert (recent.is_folded, recent.days.first_open) == (False, None)
    recent.pass_time(recent.due_at)
    assert (recent.is_folded, recent.days.first_open, recent.due_at) == (True, DAY, (DAY + 2) * DAY_MS)
    recent.pass_time(recent.due_at)
    assert recent.days.closed(PULSE) == [ClosedDay(DAY, 2, 60, 1, 60, 120)]
    assert (recent.due_at, recent.to_plain()) == (NEVER, {})


def test_hours_of_other_people_close_at_other_moments() -> None:
    due = {recent_after([5], person_no=number).due_at for number in range(1, 61)}
    assert len(due) == 60
    assert all(0 < one - (DAY * DAY_MS + 5 * MINUTE_MS) <= HOUR_MS for one in due)


@pytest.mark.parametrize(("days_late", "counts"), [(0, 1), (1, 1), (2, 0), (30, 0)])
def test_a_value_counts_for_its_day_until_the_next_one_is_over(days_late: int, counts: int) -> None:
    recent, at = RecentValues(0), DAY * DAY_MS + 23 * HOUR_MS
    recent.add(PULSE, 60, at, at + days_late * DAY_MS)
    recent.pass_time(NEVER - 1)
    assert sum(one.values for one in recent.days.closed(PULSE)) == counts


def test_a_device_that_floods_is_counted_early_and_waits_in_bounded_room() -> None:
    recent, at = RecentValues(0), DAY * DAY_MS
    for number in range(10_000):
        recent.add(PULSE, 60 + number % 100, at + number, at + number)
    assert len(write_json(recent.to_plain())) < 2_000
    recent.pass_time(NEVER - 1)
    assert [one.values for one in recent.days.closed(PULSE)] == [10_000]


def test_what_a_device_says_again_and_again_waits_counted_until_its_hour_closes() -> None:
    recent, at = RecentValues(0), DAY * DAY_MS
    for number in range(3_000):
        recent.add(PULSE, 60 + number % 7, at + 1_000 * number, at + 1_000 * number)
    assert not recent.is_folded
    again = RecentValues(0)
    again.read_plain(parse_json(write_json(recent.to_plain())))
    for one in (recent, again):
        assert len(write_json(one.to_plain())) < 200
        one.add(PULSE, 60, at + HOUR_MS - 1, at + HOUR_MS - 1)
        one.pass_time(NEVER - 1)
    assert recent.days.to_plain() == again.days.to_plain()
    assert [(one.values, one.hours) for one in recent.days.closed(PULSE)] == [(3_001, 1)]


def test_many_different_values_change_the_days_before_their_hour_closes() -> None:
    recent, at = RecentValues(0), DAY * DAY_MS
    for number in range(2_000):
        recent.add(PULSE, 30 + number % 200, at + number, at + number)
    assert not recent.is_folded
    for number in range(2_000):
        recent.add(PULSE, 30 + number % 400, at + number, at + number)
    assert recent.is_folded


@given(st.lists(st.tuples(st.integers(0, 4 * 1440), st.floats(35, 42)), max_size=40), st.integers(0, 40))
def test_a_restart_between_two_values_changes_nothing(readings: list[tuple[int, float]], cut: int) -> None:
    def take(recent: RecentValues, some: list[tuple[int, float]]) -> None:
        for number, value in some:
            at = DAY * DAY_MS + number * MINUTE_MS
            recent.pass_time(at)
            recent.add(WARMTH, value, at, at)

    readings = sorted(readings)
    whole, before, after = RecentValues(9), RecentValues(9), RecentValues(9)
    take(whole, readings)
    take(before, readings[:cut])
    after.days = again(before.days)
    after.read_plain(parse_json(write_json(before.to_plain())))
    take(after, readings[cut:])
    assert (after.to_plain(), after.days.to_plain()) == (whole.to_plain(), whole.days.to_plain())


def test_days_of_before_come_in_front_and_a_day_of_both_has_the_values_of_both() -> None:
    past, live = Days(), Days()
    past.add([Values(day, PULSE, [60 + day] * 3) for day in range(5)])
    past.close(3)
    live.add([Values(4, PULSE, [90] * 4), Values(5, PULSE, [80])])

    past.go_on(live.to_plain())
    past.close(6)

    assert [(one.day, one.values, one.median) for one in past.closed(PULSE)] == [
        (0, 3, 60),
        (1, 3, 61),
        (2, 3, 62),
        (3, 3, 63),
        (4, 7, 90),
        (5, 1, 80),
    ]
    assert past.first_closed == 0


def test_a_day_that_closed_meanwhile_keeps_its_values() -> None:
    past, live = Days(), Days()
    past.add([Values(3, PULSE, [60]), Values(4, PULSE, [61])])
    live.add([Values(4, PULSE, [90]), Values(5, PULSE, [80])])
    live.close(6)

    past.go_on(live.to_plain())

    assert [(one.day, one.median) for one in past.closed(PULSE)] == [(3, 60), (4, 61), (5, 80)]
    assert past.open_from == 6
