"""The anomaly model: rows of what is known, an alarm that stays while oddness does, and the vitals it rests on."""

from dataclasses import astuple
from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import parse_json, write_json
from schemas.vitals import BODY_TEMPERATURE, GLUCOSE, HEART_RATE, RESPIRATORY_RATE, SPO2, SYSTOLIC, Vital
from services.score.models.anomaly import FEATURES, AnomalyModel, Asked, Change, Concluded, Odd
from services.score.rule import HOUR_MS
from tests.proving.training.isolation_forest import fitted_forest

USUAL = ((HEART_RATE, 75.0), (SPO2, 97.0), (BODY_TEMPERATURE, 36.8), (SYSTOLIC, 125.0), (RESPIRATORY_RATE, 16.0))
MEDIANS = np.array([75.0, 97.0, 36.8, 125.0, 16.0, 0.0, 0.0, 0.0, 0.0, 0.0])
SPREADS = np.array([10.0, 2.0, 0.4, 15.0, 3.0, 8.0, 1.5, 0.3, 12.0, 2.0])
ROWS = np.random.default_rng(3).normal(MEDIANS, SPREADS, (600, len(FEATURES)))
MODEL = AnomalyModel(
    forest=fitted_forest(ROWS, trees=20, samples=128, seed=1),
    medians=MEDIANS,
    spreads=SPREADS,
    oddness=tuple(np.linspace(0.0, 1.0, 101).tolist()),
    on=0.95,
    off=0.88,
)


def asked_about(hours: int) -> Asked:
    """Usual values each hour."""
    asked = Asked()
    for hour in range(hours):
        for vital, value in USUAL:
            asked.ask(vital.number, value, hour * HOUR_MS)
    return asked


def changes(*oddness: float, model: AnomalyModel = MODEL, every_h: int = 1_000) -> list[Change | None]:
    """What answers did, so far apart that none is averaged with another."""
    concluded = Concluded()
    return [model.conclude(concluded, one, place * every_h * HOUR_MS)[1] for place, one in enumerate(oddness)]


def test_a_row_has_levels_and_how_far_they_lie_from_the_usual() -> None:
    row = asked_about(10).row_at(10 * HOUR_MS)
    assert row == pytest.approx((*(value for _, value in USUAL), 0.0, 0.0, 0.0, 0.0, 0.0))


def test_what_is_usual_is_not_known_at_first() -> None:
    row = asked_about(2).row_at(2 * HOUR_MS)
    assert row is not None
    assert row[:5] == pytest.approx(tuple(value for _, value in USUAL))
    assert all(isnan(one) for one in row[5:])


@pytest.mark.parametrize(("hours", "known"), [(6, 5), (7, 2), (24, 2), (25, 0)])
def test_a_vital_speaks_as_long_as_it_is_carried(hours: int, known: int) -> None:
    asked = asked_about(1)
    row = asked.row_at(hours * HOUR_MS)
    assert (row is None) is (known < 3)
    if row is not None:
        assert sum(not isnan(one) for one in row) == known


def test_two_vitals_are_too_few_for_a_row_and_three_are_enough() -> None:
    asked = Asked()
    asked.ask(HEART_RATE.number, 80.0, 0)
    asked.ask(SPO2.number, 97.0, 0)
    asked.ask(GLUCOSE.number, 120.0, 0)
    assert asked.row_at(HOUR_MS) is None
    asked.ask(SYSTOLIC.number, 120.0, 0)
    assert asked.row_at(HOUR_MS) is not None


def test_a_row_is_asked_about_once_an_hour_and_is_of_what_was_known_when_it_began() -> None:
    asked = asked_about(9)
    before = asked.row_at(9 * HOUR_MS)
    rows = [asked.ask(HEART_RATE.number, 140.0, 9 * HOUR_MS + minute * 60_000) for minute in (0, 1, 59)]
    assert rows == [before, None, None]
    assert asked.ask(GLUCOSE.number, 120.0, 10 * HOUR_MS) is None
    later = asked.ask(HEART_RATE.number, 75.0, 11 * HOUR_MS)
    assert later is not None
    assert later[0] > 80


def test_of_values_within_less_than_a_minute_the_first_is_taken_of_each_vital() -> None:
    asked = Asked()
    for at, vital, value in ((0, SPO2, 97.0), (1_000, HEART_RATE, 70.0), (55_999, HEART_RATE, 150.0)):
        asked.ask(vital.number, value, at)
    assert asked.takes_from(HEART_RATE.number) == 56_000
    asked.ask(HEART_RATE.number, 72.0, 56_000)
    assert [course.recent for course in asked.courses[:2]] == [[(0, 142.0, 2)], [(0, 97.0, 1)]]


@given(
    st.lists(
        st.tuples(st.sampled_from([vital for vital, _ in USUAL]), st.integers(0, HOUR_MS), st.integers(30, 150)),
        max_size=40,
    )
)
@settings(deadline=None)
def test_what_comes_later_changes_no_row_and_a_saved_state_goes_on_alike(
    values: list[tuple[Vital, int, int]],
) -> None:
    moment, asked, half_way = 0, Asked(), len(values) // 2
    for vital, step, value in values[:half_way]:
        moment += step
        asked.ask(vital.number, float(value), moment)
    saved = Asked.from_plain(parse_json(write_json(asked.to_plain())))
    np.testing.assert_equal(saved.row_at(moment), asked.row_at(moment))
    for vital, step, value in values[half_way:]:
        moment += step
        asked.ask(vital.number, float(value), moment)
        saved.ask(vital.number, float(value), moment)
    np.testing.assert_equal(saved.row_at(moment + HOUR_MS), asked.row_at(moment + HOUR_MS))


def test_what_is_not_known_is_scored_as_the_middle_of_people() -> None:
    known = MEDIANS.copy()
    known[[0, 5]] = 140.0, 60.0
    unknown = known.copy()
    unknown[7] = nan
    assert MODEL.answer([known.tolist()]) == MODEL.answer([unknown.tolist()])
    assert MODEL.answer([known.tolist()]) > MODEL.answer([MEDIANS.tolist()])


def test_an_answer_is_the_same_whatever_the_batch() -> None:
    together = MODEL.answer(ROWS)
    assert [MODEL.answer([row.tolist()])[0] for row in ROWS[:20]] == together[:20].tolist()
    assert MODEL.answer([]).tolist() == []


@pytest.mark.parametrize(("oddness", "quantile"), [(-1.0, 0.0), (0.0, 0.0), (0.505, 0.505), (1.0, 1.0), (2.0, 1.0)])
def test_the_quantile_is_the_share_of_hours_that_were_less_odd(oddness: float, quantile: float) -> None:
    assert MODEL.quantile(oddness) == pytest.approx(quantile)


@pytest.mark.parametrize(
    ("oddness", "expected"),
    [
        ((0.94, 0.94), [None, None]),
        ((0.96,), [Change.BEGAN]),
        ((0.96, 0.89, 0.89, 0.89), [Change.BEGAN, None, None, None]),
        ((0.96, 0.87, 0.89, 0.87), [Change.BEGAN, None, None, None]),
        ((0.96, 0.87, 0.87), [Change.BEGAN, None, Change.ENDED]),
        ((0.96, 0.87, 0.87, 0.94, 0.96), [Change.BEGAN, None, Change.ENDED, None, Change.BEGAN]),
        ((0.87, 0.96, 0.87, 0.87), [None, Change.BEGAN, None, Change.ENDED]),
    ],
)
def test_an_alarm_is_on_from_one_quantile_until_two_below_another(
    oddness: tuple[float, ...], expected: list[Change | None]
) -> None:
    assert changes(*oddness) == expected


def test_one_odd_hour_is_averaged_away() -> None:
    assert changes(0.5, 0.5, 0.5, 1.0, 0.5, every_h=1) == [None] * 5
    assert Change.BEGAN in changes(0.5, 0.5, *[1.0] * 24, every_h=1)


@given(st.lists(st.floats(0, 1), max_size=60), st.integers(1, 14))
@settings(deadline=None)
def test_changes_take_turns_and_agree_with_the_state(oddness: list[float], every_h: int) -> None:
    concluded, was_on = Concluded(), False
    for place, one in enumerate(oddness):
        quantile, change = MODEL.conclude(concluded, one, place * every_h * HOUR_MS)
        assert change is {(False, True): Change.BEGAN, (True, False): Change.ENDED}.get((was_on, concluded.is_on))
        assert change is not Change.BEGAN or quantile >= MODEL.on
        assert change is not Change.ENDED or quantile < MODEL.off
        was_on = concluded.is_on
    plain = parse_json(write_json(list(astuple(concluded))))
    assert Concluded(*plain) == concluded


def test_an_explanation_names_the_three_oddest_vitals() -> None:
    row = (97.0, 97.0, 36.8, 110.0, 22.0, 22.0, 0.0, 0.0, -12.0, 6.0)
    assert MODEL.explanation(row) == (
        Odd("respiratory_rate", 22.0, 6.0, 3.0),
        Odd("heart_rate", 97.0, 22.0, 2.75),
        Odd("systolic", 110.0, -12.0, -1.0),
    )


def test_an_explanation_says_nothing_of_what_is_not_known() -> None:
    (only,) = MODEL.explanation((105.0, nan, nan, nan, nan, nan, nan, nan, nan, nan))
    assert only == Odd("heart_rate", 105.0, None, 3.0)
