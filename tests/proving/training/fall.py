"""Fits boosted trees of falls and other impacts: for comparison alone, as nobody may pass the recordings on."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeRegressor

from services.score.models.fall_posture import FallTrees, Impact
from tests.proving.scorecard.section import folds_of
from tests.proving.training.boosted_trees import of_regressors

FEATURES: Final = Impact._fields
_FALLS_MORE: Final = (1, 1, -1)
"""A harder impact, more tilt and less movement never make a fall less likely."""
_TREES: Final = 40
STEP: Final = 0.2
_LEAST_WEIGHT: Final = 1e-3
_GREATEST_STEP: Final = 4.0
"""What is certain already moves nothing, and nothing moves a leaf further than this (log odds)."""
_INNER_FOLDS: Final = 4
_CUTOFFS: Final = np.linspace(0.75, 0.90, 16)
"""Only high ones: with few people the very best one changes from one group of them to the next."""
_MAY_MISS: Final = 0.03
_MAY_BE_FALSE: Final = 0.01
"""How many falls may be missed, and daily activities be called falls: a cutoff weighs one against the other so."""


class FallTrial(NamedTuple):
    """The impacts of one trial, and whether ``person`` fell in it; ``is_wanted``: its false alarms count."""

    person: str
    is_fall: bool
    is_wanted: bool
    impacts: Sequence[Impact]


def fall_trees(trials: Sequence[FallTrial], *, seed: int) -> FallTrees:
    """Trees of all trials, with a cutoff chosen on people that the trees it is chosen by were not fitted on.

    Raises ValueError where nobody fell, or nobody did anything else.
    """
    return trees_of(boosted(trials, seed=seed), _cutoff(trials, seed))


class Boosted(NamedTuple):
    """Trees that add log odds, each ``STEP`` times what it says, to ``base``."""

    base: float
    trees: Sequence[DecisionTreeRegressor]

    def chances(self, impacts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of each row of ``impacts`` (rows, features), 0 to 1."""
        return _chance_of(self.base + STEP * np.sum([one.predict(impacts) for one in self.trees], axis=0))


def boosted(trials: Sequence[FallTrial], *, seed: int) -> Boosted:
    """LogitBoost (Friedman et al. 2000, Annals of Statistics 28:337-407) of trees that a harder impact makes surer.

    In a trial with a fall the hardest impact is the fall; of its others nobody knows what they were. scikit-learn's own
    boosting either has no such trees or no public way to their arrays. Raises ValueError where all were the same.
    """
    rows = [(max(one.impacts), True) for one in trials if one.is_fall and one.impacts]
    rows += [(impact, False) for one in trials if not one.is_fall for impact in one.impacts]
    falls = np.asarray([is_fall for _, is_fall in rows], dtype=float)
    if len(set(falls)) < 2:
        raise ValueError("falls and other impacts are both needed")
    impacts = np.asarray([impact for impact, _ in rows])
    base = float(np.log(falls.mean() / (1 - falls.mean())))
    odds, trees = np.full(len(falls), base), []
    for _ in range(_TREES):
        chances = _chance_of(odds)
        weights = np.maximum(chances * (1 - chances), _LEAST_WEIGHT)
        wanted = np.clip((falls - chances) / weights, -_GREATEST_STEP, _GREATEST_STEP)
        tree = DecisionTreeRegressor(max_depth=3, min_samples_leaf=10, monotonic_cst=_FALLS_MORE, random_state=seed)
        trees.append(tree.fit(impacts, wanted, sample_weight=weights))
        odds += STEP * tree.predict(impacts)
    return Boosted(base, trees)


def _chance_of(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-odds)))


def _cutoff(trials: Sequence[FallTrial], seed: int) -> float:
    people = sorted({one.person for one in trials})
    chances = np.zeros(len(trials))
    for fold in folds_of(people, _INNER_FOLDS, seed):
        left_out = [place for place, one in enumerate(trials) if one.person in fold]
        others = [one for one in trials if one.person not in fold]
        chances[left_out] = _chances(boosted(others, seed=seed), [trials[place] for place in left_out])
    costs = _costs(trials, chances)
    best = np.flatnonzero(np.isclose(costs, costs.min()))
    return float(_CUTOFFS[best[len(best) // 2]])


def _costs(trials: Sequence[FallTrial], chances: NDArray[np.float64]) -> NDArray[np.float64]:
    falls = np.asarray([one.is_fall for one in trials])
    wanted = ~falls & np.asarray([one.is_wanted for one in trials])
    others = wanted if wanted.any() else ~falls
    return np.asarray(
        [
            (chances[falls] < cutoff).mean() / _MAY_MISS + (chances[others] >= cutoff).mean() / _MAY_BE_FALSE
            for cutoff in _CUTOFFS
        ]
    )


def _chances(model: Boosted, trials: Sequence[FallTrial]) -> list[float]:
    """The highest chance of each trial's impacts; 0 without any."""
    impacts = [impact for one in trials for impact in one.impacts]
    if not impacts:
        return [0.0] * len(trials)
    chances = iter(model.chances(np.asarray(impacts)).tolist())
    return [max((next(chances) for _ in one.impacts), default=0.0) for one in trials]


def trees_of(model: Boosted, cutoff: float) -> FallTrees:
    """The same as plain arrays."""
    return FallTrees(trees=of_regressors(model.trees, step=STEP, baseline=model.base), cutoff=cutoff)
