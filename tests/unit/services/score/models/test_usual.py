"""What is usual for somebody: the middle of their own days, and deviations in their own spread."""

from dataclasses import replace
from math import isclose
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.score.models.drift import CHANNELS, RESTING_PULSE, STEPS
from services.score.models.usual import MAD_TO_SD, PastDays, deviation

CHANNEL = {one.code: one for one in CHANNELS}
PULSE, STEPS_A_DAY = CHANNEL[RESTING_PULSE], CHANNEL[STEPS]


def test_a_resting_pulse_of_67_is_7_above_the_usual_60_and_that_is_said_in_the_persons_own_spread() -> None:
    found = deviation(PULSE, 67, [58, 60, 60, 62, 64])

    assert (found.usual, found.above) == (60, 7)
    assert isclose(found.z, 7 / (MAD_TO_SD * 2))


def test_one_wild_day_does_not_move_what_is_usual() -> None:
    assert deviation(PULSE, 67, [58, 60, 60, 62, 64]) == deviation(PULSE, 67, [58, 60, 60, 62, 190])


def test_somebody_who_never_varies_is_taken_to_vary_by_the_least_spread() -> None:
    assert deviation(PULSE, 63, [60] * 10).z == 3


def test_fewer_steps_than_usual_speak_for_illness_and_are_compared_by_their_ratio() -> None:
    few, many = (deviation(STEPS_A_DAY, steps, [STEPS_A_DAY.scaled(8_000)] * 10) for steps in (2_000, 32_000))

    assert round(few.usual) == round(many.usual) == 8_000
    assert few.z > 0 > many.z
    assert isclose(few.z, -many.z, rel_tol=1e-3)


def test_a_day_without_a_step_can_be_compared() -> None:
    assert deviation(STEPS_A_DAY, 0, [STEPS_A_DAY.scaled(8_000)] * 10).z > 30


@given(st.lists(st.floats(30, 200), min_size=1, max_size=31), st.floats(30, 200))
def test_the_usual_is_the_median_and_the_other_way_round_the_sign_turns(past: list[float], value: float) -> None:
    found, turned = deviation(PULSE, value, past), deviation(replace(PULSE, way=-1), value, past)

    assert found.usual == pytest.approx(median(past))
    assert found.z == -turned.z


@given(st.sets(st.integers(0, 60), min_size=1), st.integers(0, 60), st.integers(0, 60))
def test_days_between_two_are_those_that_were_added_and_not_forgotten(days: set[int], before: int, last: int) -> None:
    past = PastDays()
    for day in sorted(days):
        past.add(day, day / 2)
    past.forget(before)

    assert past.until(last).tolist() == [day / 2 for day in sorted(days) if before <= day <= last]
    assert PastDays.from_plain(past.to_plain()) == past
