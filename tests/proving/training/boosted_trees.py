"""Boosted trees of scikit-learn as plain arrays, of its own boosting and of trees that were fitted one by one."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.tree import DecisionTreeRegressor

from services.score.models.artefact import Numbers
from services.score.models.boosted_trees import LEAF, BoostedTrees

_FURTHEST: Final = float(np.finfo(np.float64).max)
"""In the place of an endless threshold, on which a split between known and missing values stands."""


def as_arrays(fitted: HistGradientBoostingClassifier) -> BoostedTrees:
    """The trees of a classifier of two classes without categories; their sum is its ``decision_function``."""
    trees = [stage[0].nodes for stage in fitted._predictors]  # noqa: SLF001 - there is no public way to them
    is_leaf = _filled([one["is_leaf"] for one in trees], spare=1).astype(np.bool_)
    return BoostedTrees(
        feature=np.where(is_leaf, LEAF, _filled([one["feature_idx"] for one in trees]).astype(np.int64)),
        threshold=np.clip(_filled([one["num_threshold"] for one in trees]), -_FURTHEST, _FURTHEST),
        missing_left=_filled([one["missing_go_to_left"] for one in trees]).astype(np.bool_),
        left=_filled([one["left"] for one in trees]).astype(np.int64),
        right=_filled([one["right"] for one in trees]).astype(np.int64),
        value=np.where(is_leaf, _filled([one["value"] for one in trees]), 0.0),
        baseline=float(fitted._baseline_prediction.item()),  # noqa: SLF001 - the same
    )


def of_regressors(fitted: Sequence[DecisionTreeRegressor], *, step: float, baseline: float) -> BoostedTrees:
    """Trees of one output that count ``step`` times, on top of ``baseline``; what is missing (NaN) goes right."""
    trees = [one.tree_ for one in fitted]
    inner = _filled([one.children_left for one in trees], spare=LEAF) != LEAF
    return BoostedTrees(
        feature=np.where(inner, _filled([one.feature for one in trees]).astype(np.int64), LEAF),
        threshold=np.where(inner, _filled([one.threshold for one in trees]), 0.0),
        missing_left=np.zeros(inner.shape, dtype=np.bool_),
        left=np.where(inner, _filled([one.children_left for one in trees]).astype(np.int64), 0),
        right=np.where(inner, _filled([one.children_right for one in trees]).astype(np.int64), 0),
        value=np.where(inner, 0.0, step * _filled([one.value[:, 0, 0] for one in trees])),
        baseline=baseline,
    )


def _filled(trees: Sequence[Numbers], *, spare: float = 0) -> Numbers:
    """A row a tree, as wide as the widest of them, of their own type; nodes that a tree has not are ``spare``."""
    filled: Numbers = np.full((len(trees), max(map(len, trees))), spare, dtype=trees[0].dtype)
    for row, nodes in zip(filled, trees, strict=True):
        row[: len(nodes)] = nodes
    return filled
