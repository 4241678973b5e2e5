"""Fits an isolation forest with scikit-learn and lays it out as the plain arrays that run."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import ensemble

from services.score.models.isolation_forest import PATH_STEP, IsolationForest, average_path_length


def fitted_forest(rows: NDArray[np.floating[Any]], *, trees: int, samples: int, seed: int) -> IsolationForest:
    """Of (rows, features) without NaN; each tree is fitted on ``samples`` of them, or on all if there are fewer."""
    forest = ensemble.IsolationForest(
        n_estimators=trees, max_samples=min(samples, len(rows)), random_state=seed, n_jobs=1
    )
    return laid_out(forest.fit(rows))


def laid_out(forest: Any) -> IsolationForest:
    """A fitted ``sklearn.ensemble.IsolationForest`` that looks at all features in each tree, as arrays."""
    depth = max(1, *(one.tree_.max_depth for one in forest.estimators_))
    shape = (len(forest.estimators_), 2**depth - 1)
    feature = np.zeros(shape, dtype=np.uint8)
    threshold = np.full(shape, np.finfo(np.float32).max, dtype=np.float32)
    path_length = np.zeros((shape[0], 2**depth))
    for place, one in enumerate(forest.estimators_):
        _lay_out(one.tree_, depth, (feature[place], threshold[place], path_length[place]))
    return IsolationForest(
        feature=feature, threshold=threshold, path_length=path_length, samples=int(forest.max_samples_)
    )


def _lay_out(tree: Any, depth: int, arrays: tuple[NDArray[Any], NDArray[Any], NDArray[Any]]) -> None:
    """One tree: a leaf above the last level is the leftmost of the leaves below it, since all goes left there."""
    feature, threshold, path_length = arrays
    todo = [(0, 0, 0)]
    while todo:
        node, place, level = todo.pop()
        left, right = tree.children_left[node], tree.children_right[node]
        if left < 0:
            leaf = (place + 1) * 2 ** (depth - level) - 2**depth
            length = level + average_path_length(int(tree.n_node_samples[node]))
            path_length[leaf] = round(length / PATH_STEP) * PATH_STEP
            continue
        feature[place] = tree.feature[node]
        threshold[place] = _floor(tree.threshold[node])
        todo += [(left, 2 * place + 1, level + 1), (right, 2 * place + 2, level + 1)]


def _floor(value: float) -> np.float32:
    """The largest 32-bit number that is not above: rows are of 32 bits, so each goes to the same side as before."""
    near = np.float32(value)
    return near if near <= value else np.nextafter(near, np.float32(-np.inf))
