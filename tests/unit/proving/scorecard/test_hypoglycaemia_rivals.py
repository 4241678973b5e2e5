"""What people would have otherwise, by its published semantics."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.proving.scorecard.hypoglycaemia_rivals import (
    REARM_ABOVE,
    REARM_AFTER_MIN,
    REARM_CALM_MIN,
    ar2,
    back,
    below,
    lasting,
    line,
    nightscout,
)
from tests.proving.scorecard.recorded_glucose import Trace


def trace(*values: float, every: int = 5) -> Trace:
    return Trace(np.arange(len(values)) * every, np.array(values, dtype=float))


def test_what_was_read_before_is_held_for_ten_minutes() -> None:
    recorded = Trace(np.array([0, 5, 20, 40]), np.array([1.0, 2.0, 3.0, 4.0]))
    assert np.array_equal(back(recorded, 5), [np.nan, 1, 2, np.nan], equal_nan=True)


def test_a_straight_line_goes_on_for_half_an_hour() -> None:
    assert line(trace(100, 98, 96, 94), 15)[-1] == pytest.approx(94 - 12)


def test_ar2_has_two_coefficients_and_six_steps() -> None:
    now, before = np.log(90 / 140), np.log(95 / 140)
    for _ in range(6):
        now, before = 1.716 * now - 0.723 * before, now
    assert ar2(trace(95, 90))[-1] == pytest.approx(140 * np.exp(now))
    assert ar2(trace(140, 140))[-1] == pytest.approx(140)
    assert ar2(trace(80, 45))[-1] == 36


def test_an_alert_comes_again_after_calm_or_an_hour() -> None:
    hovering = trace(*[100.0], *[75.0] * 30)
    assert below(hovering, hovering.mg_dl, 80).minutes == [5, 65, 125]
    calm = trace(75, 91, 91, 91, 75, 75)
    assert below(calm, calm.mg_dl, 80).minutes == [0, 20]
    short = trace(75, 91, 91, 75, 75, 75)
    assert below(short, short.mg_dl, 80).minutes == [0]


def test_nobody_alerts_below_70_or_at_the_threshold_itself() -> None:
    recorded = trace(80, 69, 75)
    assert below(recorded, recorded.mg_dl, 80).minutes == [10]
    assert below(recorded, recorded.mg_dl, 80).on_share == pytest.approx(1 / 3)


def test_a_limit_that_has_to_last_counts_from_the_first_value_below() -> None:
    assert lasting(trace(90, 79, 79, 79, 79), 80, 15).minutes == [20]
    assert lasting(trace(90, 79, 79, 80, 79, 79, 79), 80, 15).minutes == []


def test_nightscout_repeats_every_quarter_of_an_hour_and_not_of_a_clipped_value() -> None:
    assert nightscout(trace(*[100.0], *[75.0] * 7)).minutes == [5, 20, 35]
    assert nightscout(trace(39, 39, 39)).minutes == []
    # No value is below 80 yet, and AR2 says that one will be.
    assert nightscout(trace(118, 110, 90)).minutes == [10]
    assert nightscout(trace(98, 95, 92)).minutes == []


@given(
    st.lists(st.tuples(st.integers(1, 40), st.sampled_from([50.0, 69.0, 70.0, 75.0, 79.0, 85.0, 95.0, np.nan]))),
    st.sampled_from([70.0, 76.0, 80.0]),
)
def test_alerts_are_those_of_a_loop_over_the_readings(steps: list[tuple[int, float]], threshold: float) -> None:
    if not steps:
        return
    minutes = np.cumsum([after for after, _ in steps])
    values = np.array([value for _, value in steps])
    recorded = Trace(minutes, np.where(np.isnan(values), 80.0, values))
    found, since, calm = [], None, None
    for minute, value, mg_dl in zip(minutes.tolist(), values.tolist(), recorded.mg_dl.tolist(), strict=True):
        if since is not None:
            calm = (minute if calm is None else calm) if value > threshold + REARM_ABOVE else None
            if minute - since >= REARM_AFTER_MIN or (calm is not None and minute - calm >= REARM_CALM_MIN):
                since = None
        if since is None and value < threshold and mg_dl >= 70:
            found.append(minute)
            since, calm = minute, None
    said = below(recorded, values, threshold)
    assert list(said.minutes) == found
    assert 0 <= said.on_share <= 1
    assert all(before < after for before, after in pairwise(found))
