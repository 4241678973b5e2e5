"""What is fitted is what runs: rows, thresholds and warnings of training are those of the code that scores."""

import numpy as np
import pytest

from services.score.models.artefact import from_bytes, to_bytes
from services.score.models.glucose_forecast import FORM, GlucoseCourse, GlucoseModel, warn
from tests.proving.scorecard.hypoglycaemia_events import in_sight, onsets
from tests.proving.scorecard.recorded_glucose import HIGHEST, LOWEST
from tests.proving.training.glucose_forecast import (
    SENSITIVITY,
    Rows,
    ahead_of,
    artefact_of,
    fit,
    readings_of,
    rows_of,
    warned_at,
)
from tests.unit.proving.scorecard.made_glucose import made_trace


@pytest.fixture(scope="module")
def people() -> dict[str, Rows]:
    return {f"made {seed}": rows_of(made_trace(seed, days=3)) for seed in range(6)}


@pytest.fixture(scope="module")
def model(people: dict[str, Rows]) -> GlucoseModel:
    return fit(people, seed=1)


@pytest.mark.parametrize("seed", [20, 21, 22])
def test_warnings_searched_for_in_training_are_those_of_the_code_that_runs(model: GlucoseModel, seed: int) -> None:
    trace, course, warned = made_trace(seed, days=4), GlucoseCourse(), []
    rows = rows_of(trace)
    for minute, (at, mg_dl) in zip(trace.minutes.tolist(), readings_of(trace), strict=True):
        if warn(model, course, at, mg_dl, is_bound=not LOWEST <= mg_dl <= HIGHEST):
            warned.append(minute)
    odds = model.trees.score(rows.trends[rows.may_warn])
    assert warned
    assert warned_at(rows.minutes[rows.may_warn], odds, model.threshold).tolist() == warned


def test_the_forecast_that_runs_is_the_ridge_that_was_fitted(model: GlucoseModel) -> None:
    trace, course, compared = made_trace(30), GlucoseCourse(), 0
    rows = rows_of(trace)
    for place, (at, mg_dl) in enumerate(readings_of(trace)):
        is_bound = not LOWEST <= mg_dl <= HIGHEST
        course.advance(at, mg_dl, is_bound=is_bound)
        if is_bound or np.isnan(rows.whole[place, 0]):
            continue
        said = model.forecast(course.recent.points())
        assert said is not None
        assert said.mg_dl == pytest.approx(
            np.clip(np.exp(model.intercept + rows.whole[place] @ model.weights), 39, 401)
        )
        assert said.low <= said.mg_dl <= said.high or said.mg_dl in {39, 401}
        compared += 1
    assert compared > 100


def test_a_person_that_was_fitted_on_changes_the_model(people: dict[str, Rows], model: GlucoseModel) -> None:
    other = fit({name: rows for name, rows in people.items() if name != "made 0"}, seed=1)
    assert not np.allclose(other.weights, model.weights)
    again = fit(dict(reversed(people.items())), seed=1)
    np.testing.assert_allclose(again.weights, model.weights, rtol=1e-6)
    np.testing.assert_allclose(again.residuals, model.residuals, atol=1e-6)


def test_the_threshold_finds_as_many_lows_as_asked_for_where_it_can(
    people: dict[str, Rows], model: GlucoseModel
) -> None:
    found = lows = 0
    for rows in people.values():
        odds = model.trees.score(rows.trends[rows.may_warn])
        warned = warned_at(rows.minutes[rows.may_warn], odds, model.threshold)
        found += sum(bool(((warned >= low - 60) & (warned < low)).any()) for low in rows.began)
        lows += len(rows.began)
    assert lows > 5
    assert found / lows >= SENSITIVITY - 0.15


def test_lows_that_are_learnt_are_those_that_are_counted() -> None:
    trace = made_trace(3, days=4)
    assert rows_of(trace).began.tolist() == in_sight(trace, onsets(trace)).tolist()


def test_what_comes_in_half_an_hour_is_the_reading_nearest_to_it() -> None:
    trace = made_trace(5)
    for place, came in enumerate(ahead_of(trace).tolist()):
        near = np.abs(trace.minutes - trace.minutes[place] - 30)
        assert np.isnan(came) == (near.min() > 2.5)
        assert np.isnan(came) or came in trace.mg_dl[near == near.min()]


def test_the_artefact_loads_and_names_nobody(people: dict[str, Rows], model: GlucoseModel) -> None:
    made = artefact_of(model, people, {"all": {"sensitivity": 0.8}})
    arrays, card = to_bytes(made)
    assert b"made 0" not in card
    assert len(made.card.people) == len(people)
    assert len(arrays) + len(card) < 100_000
    again = GlucoseModel.from_artefact(from_bytes(arrays, card, FORM))
    rows = people["made 1"].trends[people["made 1"].may_warn]
    assert again.trees.score(rows).tolist() == model.trees.score(rows).tolist()
