"""Boosted trees of scikit-learn as plain arrays."""

from typing import Final

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from services.score.models.artefact import Numbers
from services.score.models.boosted_trees import LEAF, BoostedTrees

_FURTHEST: Final = float(np.finfo(np.float64).max)
"""In the place of an endless threshold, on which a split between known and missing values stands."""


def as_arrays(fitted: HistGradientBoostingClassifier) -> BoostedTrees:
    """The trees of a classifier of two classes without categories; their sum is its ``decision_function``."""
    trees = [stage[0].nodes for stage in fitted._predictors]  # noqa: SLF001 - there is no public way to them
    widest = max(len(nodes) for nodes in trees)

    def column(name: str, dtype: type, spare: float) -> Numbers:
        filled: Numbers = np.full((len(trees), widest), spare, dtype=dtype)
        for row, nodes in zip(filled, trees, strict=True):
            row[: len(nodes)] = nodes[name]
        return filled

    is_leaf = column("is_leaf", np.bool_, 1)
    return BoostedTrees(
        feature=np.where(is_leaf, LEAF, column("feature_idx", np.int64, 0)),
        threshold=np.clip(column("num_threshold", np.float64, 0.0), -_FURTHEST, _FURTHEST),
        missing_left=column("missing_go_to_left", np.bool_, 0),
        left=column("left", np.int64, 0),
        right=column("right", np.int64, 0),
        value=np.where(is_leaf, column("value", np.float64, 0.0), 0.0),
        baseline=float(fitted._baseline_prediction.item()),  # noqa: SLF001 - the same
    )
