"""Trees as plain arrays say what scikit-learn's say, one row or many."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.tree import DecisionTreeRegressor

from services.score.models.artefact import ArtefactError
from services.score.models.boosted_trees import LEAF, SHAPES, BoostedTrees
from tests.proving.training.boosted_trees import as_arrays, of_regressors


def fitted(seed: int) -> tuple[HistGradientBoostingClassifier, np.ndarray]:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(600, 4))
    rows[random.random(rows.shape) < 0.2] = np.nan
    known = np.nan_to_num(rows)
    wanted = known[:, 0] + known[:, 1] * known[:, 2] + np.isnan(rows[:, 3]) + random.normal(0, 0.3, 600) > 0.3
    return HistGradientBoostingClassifier(max_iter=15, max_leaf_nodes=6, random_state=0).fit(rows, wanted), rows


@pytest.mark.parametrize("seed", range(3))
def test_arrays_say_what_the_fitted_trees_say(seed: int) -> None:
    classifier, rows = fitted(seed)
    trees = as_arrays(classifier)
    np.testing.assert_allclose(trees.score(rows), classifier.decision_function(rows), rtol=1e-12, atol=1e-12)


def test_one_row_gives_the_same_to_the_last_bit_as_many() -> None:
    classifier, rows = fitted(9)
    trees = as_arrays(classifier)
    assert [trees.score_one(tuple(row)) for row in rows.tolist()] == trees.score(rows).tolist()
    assert trees.score(rows[:1]).tolist() == trees.score(rows)[:1].tolist()


def test_arrays_come_back_as_they_were() -> None:
    classifier, rows = fitted(4)
    trees = as_arrays(classifier)
    again = BoostedTrees.from_arrays(trees.arrays())
    assert trees.arrays().keys() == SHAPES.keys()
    assert again.score(rows).tolist() == trees.score(rows).tolist()
    assert again.highest_feature == trees.highest_feature == 3


def stump(**changes: Any) -> BoostedTrees:
    one = BoostedTrees(
        feature=np.array([[0, LEAF, LEAF]]),
        threshold=np.array([[0.5, 0.0, 0.0]]),
        missing_left=np.array([[True, False, False]]),
        left=np.array([[1, 0, 0]]),
        right=np.array([[2, 0, 0]]),
        value=np.array([[0.0, -1.0, 1.0]]),
        baseline=0.25,
    )
    return replace(one, **changes)


def test_exactly_the_threshold_goes_left_and_missing_as_it_was_fitted() -> None:
    assert stump().score_one((0.5,)) == -0.75
    assert stump().score_one((np.nextafter(0.5, 1),)) == 1.25
    assert stump().score_one((float("nan"),)) == -0.75
    assert stump(missing_left=np.zeros((1, 3), bool)).score_one((float("nan"),)) == 1.25


@pytest.mark.parametrize(
    "changes",
    [
        {"left": np.array([[0, 0, 0]])},
        {"right": np.array([[3, 0, 0]])},
        {"feature": np.array([[-2, LEAF, LEAF]])},
        {"value": np.array([[0.0, 1.0]])},
    ],
)
def test_trees_that_lead_astray_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ArtefactError, match="trees: "):
        stump(**changes)


@pytest.mark.parametrize("seed", range(2))
def test_trees_fitted_one_by_one_add_up_too(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(300, 3))
    trees = [
        DecisionTreeRegressor(max_depth=depth, random_state=0).fit(rows, rows[:, 0] * rows[:, 1] + depth)
        for depth in (1, 3, 4)
    ]
    summed = 0.75 + 0.2 * sum(one.predict(rows) for one in trees)
    np.testing.assert_allclose(of_regressors(trees, step=0.2, baseline=0.75).score(rows), summed, rtol=1e-12)
