"""An isolation forest as arrays gives what scikit-learn's gives, row by row, whatever a batch holds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest as Reference

from services.score.models.isolation_forest import IsolationForest, average_path_length
from tests.proving.training.isolation_forest import fitted_forest, laid_out


def drawn(rows: int, *, seed: int, spread: float = 20.0, decimals: int = 1) -> NDArray[np.float64]:
    """Vitals as they are written: with few decimals, so that many values and thresholds meet."""
    return np.round(np.random.default_rng(seed).normal(80, spread, (rows, 6)), decimals)


FITTED_ON = drawn(2_000, seed=1)
FOREST = fitted_forest(FITTED_ON, trees=20, samples=64, seed=1)
ROWS = drawn(5_000, seed=2, spread=40)
SCORES = FOREST.scores(ROWS)


@pytest.mark.parametrize(("trees", "samples", "decimals"), [(20, 64, 1), (10, 256, 0), (5, 300, 6), (3, 2, 1)])
def test_scores_are_those_of_scikit_learn(trees: int, samples: int, decimals: int) -> None:
    rows = drawn(1_000, seed=3, decimals=decimals)
    reference = Reference(n_estimators=trees, max_samples=samples, random_state=5).fit(rows)
    asked = np.concatenate([rows, drawn(1_000, seed=4, spread=60, decimals=decimals)])
    assert np.abs(laid_out(reference).scores(asked) - reference.score_samples(asked)).max() < 1e-9


def test_a_row_far_from_all_others_is_odder_than_one_in_their_middle() -> None:
    far, middle = FOREST.scores([[200.0] * 6, [80.0] * 6])
    assert -1 < far < middle < 0


@given(st.integers(0, len(ROWS) - 1), st.integers(0, 4_000))
@settings(max_examples=40, deadline=None)
def test_the_size_of_a_batch_changes_no_bit_of_a_score(first: int, count: int) -> None:
    batch = slice(first, first + count)
    assert FOREST.scores(ROWS[batch]).tolist() == SCORES[batch].tolist()


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=6, max_size=6))
@settings(deadline=None)
def test_any_row_has_a_score(row: list[float]) -> None:
    (score,) = FOREST.scores([row])
    assert -1 < score < 0


def test_of_rows_that_are_all_alike_every_tree_is_one_leaf() -> None:
    rows = np.full((50, 6), 3.0)
    reference = Reference(n_estimators=3, max_samples=20, random_state=5).fit(rows)
    assert laid_out(reference).scores(rows) == pytest.approx(reference.score_samples(rows), abs=1e-9)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="no finite number"):
        FOREST.scores([[80.0, 80.0, value, 80.0, 80.0, 80.0]])


def test_rows_that_lack_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="lack columns"):
        FOREST.scores([[80.0, 80.0]])


@pytest.mark.parametrize(("samples", "cuts"), [(0, 0.0), (1, 0.0), (2, 1.0), (3, 1.2074), (256, 10.2448)])
def test_the_average_path_is_that_of_an_unsuccessful_search(samples: int, cuts: float) -> None:
    assert average_path_length(samples) == pytest.approx(cuts, abs=1e-4)


def test_arrays_are_small_and_finite() -> None:
    of_product = fitted_forest(FITTED_ON, trees=100, samples=256, seed=1)
    arrays = (of_product.feature, of_product.threshold, of_product.path_length)
    assert sum(array.nbytes for array in arrays) < 400_000
    assert all(np.isfinite(array).all() for array in arrays)
    assert isinstance(of_product, IsolationForest)
    assert of_product.depth == 8
