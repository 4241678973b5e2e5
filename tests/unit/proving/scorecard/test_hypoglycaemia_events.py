"""What counts as a low, as found and as false."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.proving.scorecard.hypoglycaemia_events import (
    AHEAD_MIN,
    LASTS_MIN,
    LOW,
    Alerts,
    count,
    figures,
    in_sight,
    onsets,
    open_lows,
)
from tests.proving.scorecard.recorded_glucose import Trace


def trace(*values: float, every: int = 5) -> Trace:
    return Trace(np.arange(len(values)) * every, np.array(values, dtype=float))


FLAT_THEN_LOW = trace(*[100.0] * 24, *[60.0] * 6, *[100.0] * 20)


def test_a_low_begins_with_the_first_of_three_readings_below() -> None:
    assert onsets(FLAT_THEN_LOW).tolist() == [24 * 5]
    assert onsets(trace(100, 60, 60, 100, 60, 60)).tolist() == []
    assert onsets(trace(100, 60, 60, 60, 100)).tolist() == [5]


def test_exactly_the_limit_is_not_below_it() -> None:
    assert onsets(trace(*[70.0] * 9)).tolist() == []


def test_a_low_goes_on_until_a_quarter_of_an_hour_above() -> None:
    below = [60.0] * 4
    assert len(onsets(trace(*below, 80, 80, 80, *below))) == 1
    assert len(onsets(trace(*below, 80, 80, 80, 80, *below))) == 2


def test_readings_far_apart_are_not_in_a_row() -> None:
    minutes = np.array([0, 5, 30, 35])
    assert onsets(Trace(minutes, np.full(4, 60.0))).tolist() == []


def test_a_low_that_nobody_saw_go_on_is_over_after_half_an_hour() -> None:
    minutes = np.array([0, 5, 10, 15, 60, 65, 70, 75])
    assert onsets(Trace(minutes, np.full(8, 60.0))).tolist() == [0, 60]


def test_a_low_after_an_hour_without_readings_is_out_of_sight() -> None:
    minutes = np.array([0, 5, 10, 70, 75, 80, 150, 155, 160])
    recorded = Trace(minutes, np.array([60.0, 60, 60, 80, 80, 80, 60, 60, 60]))
    assert onsets(recorded).tolist() == [0, 150]
    assert in_sight(recorded, onsets(recorded)).tolist() == []
    assert in_sight(recorded, np.array([131.0, 140.0, 141.0])).tolist() == [131.0, 140.0]


def test_an_alert_in_the_hour_before_finds_a_low_and_the_first_one_is_the_warning() -> None:
    found = count(FLAT_THEN_LOW, onsets(FLAT_THEN_LOW), Alerts((75, 110), 0.25), np.random.default_rng(1))
    assert (found.lows, found.found, found.alerts, found.false, found.leads) == (1, 1, 2, 0, (45.0,))
    assert found.days == pytest.approx(50 / 288)
    assert found.on_share == 0.25


@pytest.mark.parametrize("minute", [59, 120, 125])
def test_an_alert_too_early_or_at_the_low_itself_is_false_and_finds_nothing(minute: int) -> None:
    found = count(FLAT_THEN_LOW, onsets(FLAT_THEN_LOW), Alerts((minute,), 0.0), np.random.default_rng(1))
    assert (found.found, found.false, found.leads) == (0, 1, ())


def test_alerts_at_random_times_find_about_the_share_of_time_that_lies_before_a_low() -> None:
    values = [100.0] * 2_000
    values[1_000:1_010] = [60.0] * 10
    recorded = trace(*values)
    one = count(recorded, onsets(recorded), Alerts(tuple(range(0, 10_000, 60)), 0.0), np.random.default_rng(1))
    assert one.by_chance == 1.0
    rare = count(recorded, onsets(recorded), Alerts((4_990,), 0.0), np.random.default_rng(1))
    assert rare.found == 1
    assert rare.by_chance < 0.2


def test_figures_are_sums_over_people() -> None:
    random = np.random.default_rng(1)
    found = count(FLAT_THEN_LOW, onsets(FLAT_THEN_LOW), Alerts((75,), 0.5), random)
    missed = count(FLAT_THEN_LOW, onsets(FLAT_THEN_LOW), Alerts((5,), 0.0), random)
    said = figures([found, missed], seed=1)
    assert said["sensitivity"].value == 0.5
    assert said["false alerts a day"].value == pytest.approx(1 / (100 / 288))
    assert said["alerts a day"].value == pytest.approx(2 / (100 / 288))
    assert said["true of all alerts"].value == 0.5
    assert said["median warning, min"].value == 45
    assert said["time in alarm"].value == 0.25
    assert np.isnan(figures([missed], seed=1)["median warning, min"].value)


def test_on_the_way_out_of_a_low_nobodys_alerts_count_by_the_common_rule() -> None:
    minutes = np.arange(0, 90, 5)
    recorded = Trace(minutes, np.where((minutes >= 20) & (minutes <= 35), 60.0, 90.0))
    random = np.random.default_rng(1)
    assert recorded.minutes[open_lows(recorded)].tolist() == [30, 35, 40, 45, 50]
    on_the_way, later = (count(recorded, onsets(recorded), Alerts((at,), 0.0), random) for at in (45, 55))
    assert (on_the_way.false, on_the_way.false_outside) == (1, 0)
    assert (later.false, later.false_outside) == (1, 1)


@given(
    st.lists(st.tuples(st.integers(1, 40), st.sampled_from([39.0, 60.0, 69.0, 70.0, 90.0])), min_size=1, max_size=60),
    st.lists(st.integers(0, 900), max_size=9, unique=True),
)
def test_whatever_is_recorded_and_said_the_counts_fit_each_other(
    steps: list[tuple[int, float]], said: list[int]
) -> None:
    minutes = np.cumsum([after for after, _ in steps])
    recorded = Trace(minutes, np.array([value for _, value in steps]))
    began = onsets(recorded)
    own = sorted(set(minutes.tolist()) & set(said))
    found = count(recorded, began, Alerts(own, 0.0), np.random.default_rng(1))
    assert found.lows == len(began) >= found.found
    assert found.alerts == len(own) >= found.false
    assert all(0 < lead <= AHEAD_MIN for lead in found.leads)
    assert (found.found == 0) == (found.alerts == found.false)
    assert all(after - before >= LASTS_MIN for before, after in pairwise(began))
    assert all(recorded.mg_dl[recorded.minutes == one] < LOW for one in began)
