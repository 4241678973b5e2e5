"""Fits boosted trees that tell falls from other impacts: for comparison alone, as nobody may pass the recordings on."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from services.score.models.fall_posture import FallTrees, Impact
from tests.proving.scorecard.section import folds_of

FEATURES: Final = Impact._fields
_FALLS_MORE: Final = (1, 1, -1)
"""A harder impact, more tilt and less movement never make a fall less likely."""
_INNER_FOLDS: Final = 4
_INNER_SEEDS: Final = 2
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
    # So few rows: on a busy machine threads only wait for one another.
    with threadpool_limits(limits=1):
        return _trees_of(_fitted(trials, seed), _cutoff(trials, seed))


def _fitted(trials: Sequence[FallTrial], seed: int) -> HistGradientBoostingClassifier:
    """In a trial with a fall the hardest impact is the fall; of its others nobody knows what they were."""
    rows = [(max(one.impacts), True) for one in trials if one.is_fall and one.impacts]
    rows += [(impact, False) for one in trials if not one.is_fall for impact in one.impacts]
    impacts, falls = (list(part) for part in zip(*rows, strict=True))
    if all(falls) or not any(falls):
        raise ValueError("falls and other impacts are both needed")
    return HistGradientBoostingClassifier(
        max_iter=80,
        max_depth=3,
        learning_rate=0.1,
        min_samples_leaf=10,
        monotonic_cst=_FALLS_MORE,
        early_stopping=False,
        random_state=seed,
    ).fit(np.asarray(impacts), np.asarray(falls))


def _cutoff(trials: Sequence[FallTrial], seed: int) -> float:
    people = sorted({one.person for one in trials})
    costs = np.zeros(len(_CUTOFFS))
    for inner in range(_INNER_SEEDS):
        chances = np.zeros(len(trials))
        for fold in folds_of(people, _INNER_FOLDS, seed + inner):
            left_out = [place for place, one in enumerate(trials) if one.person in fold]
            others = [one for one in trials if one.person not in fold]
            chances[left_out] = _chances(_fitted(others, seed), [trials[place] for place in left_out])
        costs += _costs(trials, chances)
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


def _chances(model: HistGradientBoostingClassifier, trials: Sequence[FallTrial]) -> list[float]:
    """The highest chance of each trial's impacts; 0 without any."""
    impacts = [impact for one in trials for impact in one.impacts]
    if not impacts:
        return [0.0] * len(trials)
    chances = iter(model.predict_proba(np.asarray(impacts))[:, 1])
    return [max((float(next(chances)) for _ in one.impacts), default=0.0) for one in trials]


def _trees_of(model: HistGradientBoostingClassifier, cutoff: float) -> FallTrees:
    """The arrays inside; scikit-learn has no public way to them, so a test compares what both say."""
    trees = [one.nodes for (one,) in model._predictors]  # noqa: SLF001
    shape = len(trees), max(len(nodes) for nodes in trees)
    feature, left, right = np.full(shape, -1, np.int8), np.zeros(shape, np.int16), np.zeros(shape, np.int16)
    threshold, value = np.zeros(shape), np.zeros(shape)
    for place, nodes in enumerate(trees):
        used = slice(len(nodes))
        feature[place, used] = np.where(nodes["is_leaf"], -1, nodes["feature_idx"])
        threshold[place, used] = nodes["num_threshold"]
        left[place, used], right[place, used] = nodes["left"], nodes["right"]
        value[place, used] = nodes["value"]
    base = float(np.asarray(model._baseline_prediction).ravel()[0])  # noqa: SLF001
    return FallTrees(
        feature=feature, threshold=threshold, left=left, right=right, value=value, base=base, cutoff=cutoff
    )
