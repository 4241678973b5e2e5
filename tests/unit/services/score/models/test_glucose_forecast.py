"""The forecast and its warnings: what they rest on, and when nobody is warned."""

from dataclasses import replace
from itertools import pairwise
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.score.models.artefact import Artefact, ArtefactError, Card, from_bytes, to_bytes
from services.score.models.boosted_trees import LEAF
from services.score.models.glucose_forecast import (
    FORM,
    KIND,
    LOW,
    QUANTILES,
    STANDS_MS,
    VERSION,
    GlucoseCourse,
    GlucoseModel,
    Warned,
    warn,
)
from services.score.models.recent_glucose import MINUTE_MS, POINTS
from tests.unit.services.score.models.made_model import model


def warned(*values: float, every: float = 5, bound: float = 0) -> list[int]:
    """The places of readings at which there is a warning."""
    course, known = GlucoseCourse(), model()
    return [
        place
        for place, value in enumerate(values)
        if warn(known, course, round((1 + place * every) * MINUTE_MS), value, is_bound=value == bound)
    ]


def test_falling_glucose_is_warned_of_once_and_again_after_an_hour() -> None:
    assert warned(100, 90, 85, 79, 78, *[78] * 20) == [3, 15]


def test_nobody_is_warned_below_the_limit_or_while_a_low_is_open() -> None:
    assert warned(100, 69.9, 69, 69, 75, 75, 75, 75) == [7]
    assert warned(100, 69.9, 100, 75) == [3]
    assert warned(100, 70.0) == [1]


def test_a_bound_is_no_value_but_opens_a_low() -> None:
    assert warned(100, 39, 39, 39, 75, 75, 75, 75, bound=39) == [7]
    course = GlucoseCourse()
    course.advance(MINUTE_MS, 401, is_bound=True)
    assert course.recent.at == []


def test_after_half_an_hour_without_readings_nobody_knows_of_a_low() -> None:
    course, known = GlucoseCourse(), model()
    for minute in (1, 6, 11):
        assert warn(known, course, minute * MINUTE_MS, 60) is None
    assert course.is_low
    assert warn(known, course, 42 * MINUTE_MS, 75) is not None


def test_what_is_not_later_changes_nothing() -> None:
    course, known = GlucoseCourse(), model()
    warn(known, course, 10 * MINUTE_MS, 100)
    before = course.to_plain()
    assert warn(known, course, 10 * MINUTE_MS, 75) is None
    assert warn(known, course, 5 * MINUTE_MS, 75) is None
    assert course.to_plain() == before


def test_a_warning_stands_for_an_hour_or_until_the_low_has_come() -> None:
    course, known = GlucoseCourse(), model()
    at = 10 * MINUTE_MS
    assert not course.is_warned(at)
    assert isinstance(warn(known, course, at, 75), Warned)
    assert course.is_warned(at)
    assert course.is_warned(at + STANDS_MS - 1)
    assert not course.is_warned(at + STANDS_MS)
    for minute in (15, 20, 25):
        warn(known, course, minute * MINUTE_MS, 60)
    assert not course.is_warned(25 * MINUTE_MS)


def test_the_forecast_has_the_band_and_the_probability_of_its_residuals() -> None:
    course, known = GlucoseCourse(), model()
    for place in range(POINTS):
        course.advance((1 + 5 * place) * MINUTE_MS, 100)
    said = known.forecast(course.recent.points())
    assert said is not None
    assert said.mg_dl == pytest.approx(100)
    assert log(said.low / 100) == pytest.approx(-0.2)
    assert log(said.high / 100) == pytest.approx(0.2)
    assert said.below_low == pytest.approx(np.interp(log(LOW / 100), known.residuals[1], QUANTILES))


def test_without_the_last_half_hour_nothing_is_forecast_but_a_low_is_still_warned_of() -> None:
    course, known = GlucoseCourse(), model()
    said = warn(known, course, MINUTE_MS, 75)
    assert said is not None
    assert said.forecast is None


def test_a_band_reaches_no_further_than_a_sensor() -> None:
    known = model()
    said = known.forecast([log(395.0)] * POINTS)
    assert said is not None
    assert said.high == 401
    said = known.forecast([log(41.0)] * POINTS)
    assert said is not None
    assert said.low == 39


def test_the_model_survives_its_files() -> None:
    card = Card(
        kind=KIND, version=VERSION, features=FORM.features, purpose="", people=(), licences={}, figures={},
        limits_of_use=(),
    )  # fmt: skip
    known = model()
    again = GlucoseModel.from_artefact(from_bytes(*to_bytes(Artefact(card=card, arrays=known.arrays())), FORM))
    assert again.forecast([log(90.0)] * POINTS) == known.forecast([log(90.0)] * POINTS)
    assert again.trees.score_one((79.0,)) == known.trees.score_one((79.0,))
    assert again.threshold == known.threshold


def test_what_shapes_do_not_show_is_refused_too() -> None:
    known = model()
    with pytest.raises(ArtefactError, match="residuals"):
        replace(known, residuals=-known.residuals)
    with pytest.raises(ArtefactError, match="trees_feature"):
        replace(known, trees=replace(known.trees, feature=np.array([[99, LEAF, LEAF]])))


READINGS = st.lists(
    st.tuples(st.integers(1, 90), st.sampled_from([39.0, 60.0, 69.0, 70.0, 75.0, 79.0, 81.0, 120.0, 401.0])),
    max_size=60,
)


@given(READINGS, st.integers(0, 60))
def test_warnings_keep_their_distance_and_survive_a_saved_state(readings: list[tuple[int, float]], cut: int) -> None:
    known, course, at = model(), GlucoseCourse(), 0
    times = []
    for place, (after, mg_dl) in enumerate(readings):
        at += after * MINUTE_MS
        if place == cut:
            course = GlucoseCourse.from_plain(course.to_plain())
        said = warn(known, course, at, mg_dl, is_bound=mg_dl in {39.0, 401.0})
        if said:
            assert LOW <= mg_dl <= 80
            times.append(at)
    assert all(after - before >= STANDS_MS for before, after in pairwise(times))
