"""A model of glucose that anybody can reckon with."""

import numpy as np

from services.score.models.boosted_trees import LEAF, BoostedTrees
from services.score.models.glucose_forecast import BANDS, QUANTILES, GlucoseModel
from services.score.models.recent_glucose import POINTS


def model() -> GlucoseModel:
    """Persistence with the same residuals at every level; warns below 80 mg/dL."""
    trees = BoostedTrees(
        feature=np.array([[0, LEAF, LEAF]]),
        threshold=np.array([[80.0, 0.0, 0.0]]),
        missing_left=np.zeros((1, 3), bool),
        left=np.array([[1, 0, 0]]),
        right=np.array([[2, 0, 0]]),
        value=np.array([[0.0, 1.0, -1.0]]),
        baseline=0.0,
    )
    residuals = np.tile(np.linspace(-0.3, 0.3, len(QUANTILES)), (len(BANDS) + 1, 1))
    weights = np.array([1.0] + [0.0] * (POINTS - 1))
    return GlucoseModel(weights=weights, intercept=0.0, residuals=residuals, trees=trees, threshold=0.0)
