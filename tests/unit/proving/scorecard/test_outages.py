"""Silences by the product's rule, fixed limits, and outages that are made."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.proving.scorecard.outages import (
    OUTAGE_MIN,
    Said,
    longer_than,
    longer_than_by_night,
    outages,
    silences,
    without,
)


@pytest.mark.parametrize(("again", "said"), [(65, []), (65.5, []), (66, [])])
def test_who_is_heard_before_the_next_look_is_not_silent(again: float, said: list[Said]) -> None:
    assert silences([5, again], 60) == said


def test_a_silence_is_said_at_the_first_look_after_the_limit() -> None:
    assert silences([0, 5, 66.5], 60) == [Said(last_heard=5, silent_at=65, at=66)]
    assert silences([0, 2.5, 90], 60) == [Said(last_heard=2.5, silent_at=62.5, at=63)]
    assert silences([], 60) == silences([3], 60) == []


@given(st.lists(st.integers(0, 3000), min_size=2, max_size=40, unique=True), st.integers(15, 400))
def test_every_gap_of_more_than_a_limit_and_a_look_is_said_once_and_in_time(minutes: list[int], limit: int) -> None:
    heard = [float(one) for one in sorted(minutes)]
    said = silences(heard, limit)
    gaps = [last for last, again in pairwise(heard) if again - last > limit + 1]
    assert [one.last_heard for one in said] == gaps
    assert all(0 < one.at - one.last_heard - limit <= 1 for one in said)
    assert set(gaps) <= {at - limit for at in longer_than(heard, limit)}


def test_a_fixed_limit_says_each_longer_gap_and_may_be_another_by_night() -> None:
    assert longer_than([0, 30, 61, 62], 30) == [60]
    evening, noon = 22 * 60.0, 12 * 60.0
    assert longer_than_by_night([noon, noon + 40, evening, evening + 40], 30, 60) == [noon + 30, noon + 40 + 30]
    assert longer_than_by_night([evening, evening + 61], 30, 60) == [evening + 60]


def test_an_outage_begins_when_the_device_was_heard_and_ends_a_day_later() -> None:
    heard = [5.0 * n for n in range(3 * 288)]
    begins = outages(heard, 4, seed=1)
    assert len(begins) == 4
    assert begins == outages(heard, 4, seed=1) != outages(heard, 4, seed=2)
    assert set(begins) <= set(heard)
    assert begins[-1] + OUTAGE_MIN <= heard[-1]
    left = without(heard, begins[0])
    assert [again - last for last, again in pairwise(left) if again - last > 5] == [OUTAGE_MIN]


def test_who_was_not_heard_for_a_day_has_no_outage() -> None:
    assert outages([0.0, 5.0, 600.0], 4, seed=1) == outages([], 4, seed=1) == []
    assert outages([0.0, OUTAGE_MIN], 4, seed=1) == []
    assert outages([0.0, OUTAGE_MIN + 5], 4, seed=1) == [0.0]
