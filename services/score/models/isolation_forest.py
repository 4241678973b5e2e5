"""An isolation forest as plain arrays: how soon random cuts part a row of features from the others. Pure.

Source: Liu, Ting, Zhou, Isolation Forest, ICDM 2008.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_EULER: Final = 0.5772156649015329
_AT_ONCE: Final = 16_384
"""Rows times trees whose places are held at a time: what fits into the cache of a core."""
PATH_STEP: Final = 2.0**-40
"""Path lengths are multiples of it: so their sums are exact, and the same in whatever order a batch adds them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolationForest:
    """Trees as complete binary ones, all of the same depth, each level after the one above it.

    ``feature`` (trees, 2^depth - 1) is the column of the row that a node looks at, ``threshold`` the largest 32-bit
    number that goes left, and the largest there is where the tree is shallower than the others: all goes left there.
    ``path_length`` (trees, 2^depth) is the expected number of cuts until a row in that leaf is alone, in multiples of
    ``PATH_STEP``.
    ``samples``: how many rows each tree was fitted on, at least 2.
    """

    feature: NDArray[np.uint8]
    threshold: NDArray[np.float32]
    path_length: NDArray[np.float64]
    samples: int

    @property
    def depth(self) -> int:
        """Cuts from the root of a tree to each of its leaves."""
        return int(self.feature.shape[1]).bit_length()

    def scores(self, rows: NDArray[np.floating[Any]] | Sequence[Sequence[float]]) -> NDArray[np.float64]:
        """Of each row of (rows, features) a number above -1 and below 0: the lower, the odder.

        The score of a row is the same to the last bit whatever the other rows are.

        :raises ValueError: of a row with what is no number, or has no such columns.
        """
        columns = np.ascontiguousarray(np.asarray(rows, dtype=np.float32).T)
        if columns.ndim != 2 or columns.shape[0] <= self.feature.max():  # noqa: PLR2004
            raise ValueError(f"rows of shape {columns.T.shape} lack columns")
        if not np.isfinite(columns).all():
            raise ValueError("a feature is no finite number")
        chunk = max(1, _AT_ONCE // len(self.feature))
        paths = [self._paths(columns[:, first : first + chunk]) for first in range(0, columns.shape[1], chunk)]
        mean = np.concatenate([np.empty(0), *paths]) / len(self.feature)
        return -np.exp2(-mean / average_path_length(self.samples))

    def _paths(self, columns: NDArray[np.float32]) -> NDArray[np.float64]:
        """The sum over the trees, for each row: all rows go down all trees level by level."""
        trees, rows = len(self.feature), columns.shape[1]
        values, row = np.ascontiguousarray(columns).reshape(-1), np.arange(rows)
        # Places in the flat arrays: the children of the node 0-based n of a tree are 2n + 1 and 2n + 2.
        first = np.arange(trees)[:, None] * self.feature.shape[1]
        node = np.zeros((trees, rows), dtype=np.intp)
        features, thresholds = self.feature.reshape(-1), self.threshold.reshape(-1)
        for _ in range(self.depth):
            place = node + first
            column = features.take(place).astype(np.intp)
            column *= rows
            column += row
            node *= 2
            node += 1
            node += values.take(column) > thresholds.take(place)
        # A leaf's place among the leaves, plus its tree's.
        node += np.arange(trees)[:, None] * self.path_length.shape[1] - self.feature.shape[1]
        summed: NDArray[np.float64] = self.path_length.reshape(-1).take(node).sum(axis=0)
        return summed


def average_path_length(samples: int) -> float:
    """The expected cuts until one of so many rows is alone: that of an unsuccessful search in a binary tree."""
    if samples <= 2:  # noqa: PLR2004 - the formula holds above
        return float(max(samples - 1, 0))
    return 2.0 * (log(samples - 1.0) + _EULER) - 2.0 * (samples - 1.0) / samples
