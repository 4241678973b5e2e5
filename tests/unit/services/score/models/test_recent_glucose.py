"""The last hour on a grid, whatever gaps and jitter a sensor has."""

from math import isnan, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.score.models.recent_glucose import MINUTE_MS, NEEDED, POINTS, TRENDS, RecentGlucose, filled, trends


def recent(*readings: tuple[float, float]) -> RecentGlucose:
    found = RecentGlucose()
    for minute, mg_dl in readings:
        found.add(round(minute * MINUTE_MS), mg_dl)
    return found


def steady(every: float, count: int = 40) -> RecentGlucose:
    """Glucose is 100 plus a hundredth of the minutes since the first."""
    return recent(*((1 + number * every, 100 + number * every / 100) for number in range(count)))


def test_each_point_is_the_reading_of_its_time() -> None:
    points = recent(*((1 + 5 * number, 100 + number) for number in range(POINTS))).points()
    assert points == pytest.approx([log(112 - number) for number in range(POINTS)])


@pytest.mark.parametrize("every", [1, 2, 4, 4.9, 5, 5.1, 6])
def test_sensors_of_another_pace_fill_the_same_grid(every: float) -> None:
    found = steady(every, 200)
    assert len(found.at) <= 20
    for number, one in enumerate(found.points()):
        at = 199 * every - 5 * number
        assert log(100 + (at - 4) / 100) < one < log(100 + (at + 3) / 100)


def test_a_reading_stands_for_ten_minutes_and_no_longer() -> None:
    points = recent((1, 100), (31, 90)).points()
    assert [number for number, one in enumerate(points) if not isnan(one)] == [0, 4, 5, 6]
    assert filled(points) is None


def test_older_points_are_made_whole_with_what_follows_them_but_not_the_last_half_hour() -> None:
    points = steady(5).points()
    points[NEEDED] = points[POINTS - 1] = float("nan")
    whole = filled(points)
    assert whole is not None
    assert whole[NEEDED] == points[NEEDED - 1]
    assert whole[POINTS - 1] == points[POINTS - 2]
    points[NEEDED - 1] = float("nan")
    assert filled(points) is None


def test_trends_are_named_in_their_order() -> None:
    named = dict(zip(TRENDS, trends(recent(*((1 + 5 * n, 140 - 2 * n) for n in range(POINTS))).points()), strict=True))
    assert named["mg_dl"] == pytest.approx(116)
    assert named["step_0_min_ago"] == pytest.approx(log(116 / 118))
    assert named["step_55_min_ago"] == pytest.approx(log(138 / 140))
    assert named["change_over_15_min"] == pytest.approx(log(116 / 122))
    assert named["change_over_60_min"] == pytest.approx(log(116 / 140))


@given(st.lists(st.tuples(st.floats(0.01, 90), st.floats(40, 400)), min_size=1, max_size=80))
def test_it_stays_small_and_says_nothing_that_was_not_read(steps: list[tuple[float, float]]) -> None:
    found, minute, said = RecentGlucose(), 1.0, set()
    for after, mg_dl in steps:
        minute += after
        found.add(round(minute * MINUTE_MS), mg_dl)
        said.add(log(mg_dl))
        assert len(found.at) == len(found.logs) <= 22
        points = found.points()
        assert points[0] == log(mg_dl)
        assert {one for one in points if not isnan(one)} <= said
        assert found.at == sorted(found.at)
