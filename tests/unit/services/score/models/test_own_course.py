"""A vital's level of the last hours and what was usual before them: against the sums written out, and as saved."""

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import parse_json, write_json
from services.score.models.own_course import LEVEL_HALF_LIFE_H, USUAL_HALF_LIFE_H, Course
from services.score.rule import HOUR_MS

HOUR = 1_007
"""From which moments are written."""
Values = list[tuple[int, float]]
"""Moments in ms and values."""


def series(*values: float) -> Values:
    """One value an hour, in its middle."""
    return [(hour * HOUR_MS + HOUR_MS // 2, value) for hour, value in enumerate(values)]


def course_of(values: Values) -> Course:
    course = Course()
    for at, value in values:
        course.add(value, at)
    return course


def mean_of(hours: dict[int, float], half_life_h: float) -> tuple[float, float]:
    """The mean of hours with weights by age, counted back from the newest, and the sum of the weights."""
    weights = {hour: 0.5 ** ((max(hours) - hour) / half_life_h) for hour in hours}
    total = sum(weights.values())
    return sum(weights[hour] * value for hour, value in hours.items()) / total, total


@st.composite
def courses(draw: st.DrawFn) -> tuple[Values, int]:
    steps = draw(st.lists(st.integers(0, 4 * HOUR_MS), min_size=1, max_size=40))
    values = draw(st.lists(st.integers(30, 200), min_size=len(steps), max_size=len(steps)))
    moments = [1_000 * HOUR_MS + sum(steps[: place + 1]) for place in range(len(steps))]
    return list(zip(moments, map(float, values), strict=True)), moments[-1] + draw(st.integers(0, 6 * HOUR_MS))


@given(courses())
def test_level_and_usual_are_means_of_hours_by_age(drawn: tuple[Values, int]) -> None:
    values, at = drawn
    level, usual = course_of(values).seen_at(at)
    hours = {}
    for hour, group in groupby(values, key=lambda one: one[0] // HOUR_MS):
        of_hour = [value for _, value in group]
        hours[hour] = sum(of_hour) / len(of_hour)
    assert level == pytest.approx(mean_of(hours, LEVEL_HALF_LIFE_H)[0])
    before = {hour: value for hour, value in hours.items() if hour < at // HOUR_MS - 2}
    mean, weight = mean_of(before, USUAL_HALF_LIFE_H) if before else (0.0, 0.0)
    assert usual == (pytest.approx(mean) if weight >= 2 else None)


@given(courses(), st.integers(0, 40))
def test_one_that_was_saved_goes_on_as_if_it_had_not_been(drawn: tuple[Values, int], place: int) -> None:
    values, at = drawn
    saved = Course.from_plain(parse_json(write_json(course_of(values[:place]).to_plain(HOUR))), HOUR)
    for moment, value in values[place:]:
        saved.add(value, moment)
    assert saved.to_plain(HOUR) == course_of(values).to_plain(HOUR)
    assert saved.seen_at(at) == course_of(values).seen_at(at)


@given(courses())
def test_it_remembers_three_hours_at_most(drawn: tuple[Values, int]) -> None:
    assert len(course_of(drawn[0]).recent) <= 3


@given(courses())
def test_looking_changes_nothing_that_is_seen_later(drawn: tuple[Values, int]) -> None:
    values, at = drawn
    looked = Course()
    for moment, value in values:
        looked.add(value, moment)
        looked.seen_at(moment)
    assert looked.seen_at(at) == course_of(values).seen_at(at)


def test_the_last_two_hours_are_no_part_of_what_is_usual() -> None:
    values = series(70, 70, 70, 70, 130, 130)
    level, usual = course_of(values).seen_at(6 * HOUR_MS)
    assert usual == pytest.approx(70)
    assert level > 95


@pytest.mark.parametrize(("hours", "known"), [(4, None), (5, 70.0)])
def test_what_is_usual_is_known_after_three_hours_and_the_two_left_out(hours: int, known: float | None) -> None:
    _, usual = course_of(series(*[70.0] * hours)).seen_at(hours * HOUR_MS)
    assert usual == (known and pytest.approx(known))


def test_an_hour_with_many_values_counts_as_one_with_one() -> None:
    minutes = [(minute * 60_000, 100.0) for minute in range(60)]
    assert course_of([*minutes, (HOUR_MS, 60.0)]).seen_at(HOUR_MS) == course_of([(0, 100.0), (HOUR_MS, 60.0)]).seen_at(
        HOUR_MS
    )
