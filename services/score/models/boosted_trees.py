"""Small boosted trees as plain arrays: the sum of what one leaf of each tree says. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.score.models.artefact import ArtefactError, Numbers

LEAF: Final = -1
"""In the place of a node's feature: it asks nothing, and says its value."""
SHAPES: Final[Mapping[str, tuple[int | None, ...]]] = {
    "feature": (None, None),
    "threshold": (None, None),
    "missing_left": (None, None),
    "left": (None, None),
    "right": (None, None),
    "value": (None, None),
    "baseline": (),
}
"""Of the arrays by their names, for a model's Form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoostedTrees:
    """Each array but ``baseline`` has a row a tree and a column a node; node 0 is the root, and spare nodes are leaves.

    ``feature`` is the place of the one that a node asks for, LEAF at a leaf. A node goes left where that is at most
    ``threshold``, and where it is missing (NaN) as ``missing_left`` says; ``left`` and ``right`` are columns. Children
    come after their parent. ``value`` counts at leaves. Raises ArtefactError where a node leads astray.
    """

    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    missing_left: NDArray[np.bool_]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: NDArray[np.float64]
    baseline: float
    _trees: tuple[tuple[tuple[int, float, bool, int, int, float], ...], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Trees as tuples too: walking them is faster for one row."""
        arrays = (self.feature, self.threshold, self.missing_left, self.left, self.right, self.value)
        if len({one.shape for one in arrays}) != 1:
            raise ArtefactError("trees: their arrays differ in shape")
        inner = self.feature != LEAF
        places = np.arange(self.feature.shape[1])
        astray = inner & ((self.left <= places) | (self.right <= places))
        beyond = inner & (np.maximum(self.left, self.right) > places[-1])
        if (astray | beyond).any() or (self.feature < LEAF).any():
            raise ArtefactError("trees: a node leads to none that comes after it")
        trees = tuple(
            tuple(zip(*(column.tolist() for column in tree), strict=True)) for tree in zip(*arrays, strict=True)
        )
        object.__setattr__(self, "_trees", trees)

    @property
    def highest_feature(self) -> int:
        """The place of the last feature that is asked for; -1 where none is."""
        return int(self.feature.max(initial=LEAF))

    def arrays(self) -> dict[str, Numbers]:
        """As an artefact keeps them."""
        return {one.name: np.asarray(getattr(self, one.name)) for one in fields(self) if one.init}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Numbers]) -> "BoostedTrees":
        """What ``arrays`` gave. Raises ArtefactError."""
        whole = {name: arrays[name].astype(np.int64) for name in ("feature", "left", "right")}
        return cls(
            **whole,
            threshold=arrays["threshold"].astype(np.float64),
            missing_left=arrays["missing_left"].astype(np.bool_),
            value=arrays["value"].astype(np.float64),
            baseline=float(arrays["baseline"]),
        )

    def score_one(self, row: tuple[float, ...]) -> float:
        """The sum for one row; of a classifier the log odds."""
        total = self.baseline
        for tree in self._trees:
            feature, threshold, missing_left, left, right, value = tree[0]
            while feature >= 0:
                found = row[feature]
                goes_left = found <= threshold if found == found else missing_left  # noqa: PLR0124 - NaN is missing
                feature, threshold, missing_left, left, right, value = tree[left if goes_left else right]
            total += value
        return total

    def score(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sums for rows, all at once; of each row the same to the last bit whatever the others are."""
        total = np.full(len(rows), self.baseline)
        every = np.arange(len(rows))
        for tree in range(len(self.feature)):
            node = np.zeros(len(rows), dtype=np.int64)
            while (inner := self.feature[tree, node] != LEAF).any():
                found = rows[every, np.where(inner, self.feature[tree, node], 0)]
                goes_left = np.where(
                    np.isnan(found), self.missing_left[tree, node], found <= self.threshold[tree, node]
                )
                node = np.where(inner, np.where(goes_left, self.left[tree, node], self.right[tree, node]), node)
            total += self.value[tree, node]
        return total
