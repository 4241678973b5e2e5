"""Features by decile of training: what is like training has an index near 0, and what is not is seen."""

from math import log, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.model_drift import DRIFTED, LEAST_PEOPLE, LEAST_ROWS, SHIFTED
from services.score.models.feature_drift import ModelInputs, SpreadError, checked, counts_of, spread_of, stability_index

DRAWN = np.random.default_rng(18).normal(100, 20, 20_000)
SPREAD = spread_of(DRAWN)
PEOPLE = range(LEAST_PEOPLE)


def inputs() -> ModelInputs:
    return ModelInputs(model="made", spreads={"mg_dl": SPREAD})


def rows(values: np.ndarray) -> list[tuple[float]]:
    return [(float(one),) for one in values]


def test_a_spread_has_ten_bins_alike_and_one_of_what_is_missing() -> None:
    assert len(SPREAD.edges) == 9
    assert SPREAD.shares == pytest.approx([0.1] * 10 + [0], abs=0.002)
    assert checked(*SPREAD) == SPREAD


def test_of_values_that_are_few_and_alike_bins_are_fewer_and_shares_say_so() -> None:
    spread = spread_of(np.array([0.0] * 8 + [1.0] + [nan]))
    assert sum(spread.shares) == pytest.approx(1)
    assert spread.shares[-1] == pytest.approx(0.1)
    assert stability_index(spread.shares, counts_of(spread.edges, np.array([0.0] * 8 + [1.0, nan]))) == 0


def test_the_index_is_that_of_its_formula() -> None:
    expected = (0.6 - 0.5) * log(0.6 / 0.5) + (0.4 - 0.5) * log(0.4 / 0.5)
    assert stability_index((0.5, 0.5), (60, 40)) == pytest.approx(expected)
    assert np.isnan(stability_index((0.5, 0.5), (0, 0)))


@given(st.lists(st.floats(-1e6, 1e6) | st.just(nan), min_size=1, max_size=60))
def test_each_value_is_counted_once_and_no_index_is_below_0(values: list[float]) -> None:
    counts = counts_of(SPREAD.edges, np.array(values))
    assert counts.sum() == len(values)
    assert counts[-1] == sum(np.isnan(values))
    assert stability_index(SPREAD.shares, counts) >= 0


@pytest.mark.parametrize(("shift", "least", "most"), [(0, 0, SHIFTED), (8, SHIFTED, DRIFTED), (20, DRIFTED, 99)])
def test_the_same_people_are_as_at_training_and_others_are_not(shift: float, least: float, most: float) -> None:
    one = inputs()
    one.see(1, PEOPLE, rows(np.random.default_rng(7).normal(100 + shift, 20, LEAST_ROWS)))
    feature, index = one.drift().furthest
    assert feature == "mg_dl"
    assert least <= index < most


def test_of_few_rows_or_few_people_nothing_is_said() -> None:
    few_rows, few_people = inputs(), inputs()
    few_rows.see(1, PEOPLE, rows(DRAWN[: LEAST_ROWS - 1]))
    few_people.see(1, PEOPLE[1:], rows(DRAWN[:LEAST_ROWS]))
    for one in (few_rows, few_people):
        assert np.isnan(one.drift().by_feature["mg_dl"])
        assert one.drift().furthest[0] == ""


def test_today_and_the_last_day_with_rows_count_and_an_older_one_is_forgotten() -> None:
    one = inputs()
    for day in (1, 2, 5):
        one.see(day, PEOPLE, rows(DRAWN[:600]))
    one.see(4, PEOPLE, rows(DRAWN[:600]))
    assert one.drift().rows == 1200
    assert [today.day for today in one.days] == [2, 5]


def test_what_could_not_be_written_is_written_later_with_what_came_since() -> None:
    one = inputs()
    one.see(1, PEOPLE, rows(DRAWN[:10]))
    (today,) = one.days
    taken = today.take()
    assert not today.has_news
    one.see(1, PEOPLE, rows(DRAWN[:5]))
    today.give_back(taken)
    assert today.take()["mg_dl"].sum() == 15
    assert today.counts["mg_dl"].sum() == 15


@pytest.mark.parametrize(
    ("edges", "shares"), [((2.0, 1.0), (0.5, 0.5, 0, 0)), ((1.0,), (1.0,)), ((1.0,), (0.5, 0.6, 0)), ((), (2, -1))]
)
def test_a_spread_that_contradicts_itself_is_refused(edges: tuple[float, ...], shares: tuple[float, ...]) -> None:
    with pytest.raises(SpreadError, match="edges"):
        checked(edges, shares)
