"""Chooses how a drift is weighed and when it counts, by people's recorded illnesses: for comparison, never to ship."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from math import sqrt
from typing import Final

import numpy as np

from services.score.models.drift import CHANNELS, STEPS, DriftModel
from tests.proving.scorecard.illness_counts import Counts, Judged, counts, drift_course, excess, false_per_month
from tests.proving.scorecard.recorded_days import RecordedDays

MOST_FALSE_PER_MONTH: Final = 0.4
"""Below the goal: what is chosen on some people has a little more on others."""
WEIGHTS_OF_STEPS: Final = (0.5, 1.0)
PACES: Final = (0.2, 0.3)
DEVIATIONS: Final = (3.0, 3.2, 3.4, 3.6, 3.8, 4.0)
"""The thresholds, in standard deviations that the mean would have if days were independent."""


def threshold(pace: float, deviations: float) -> float:
    """The limit of an EWMA chart of figures with variance 1 (Roberts, Technometrics 1959)."""
    return deviations * sqrt(pace / (2 - pace))


def candidates() -> list[list[DriftModel]]:
    """What is chosen among: a row for each weight of steps and pace, with rising thresholds."""
    return [
        [
            DriftModel(
                channels=tuple(replace(one, weight=weight) if one.code == STEPS else one for one in CHANNELS),
                pace=pace,
                on=threshold(pace, deviations),
            )
            for deviations in DEVIATIONS
        ]
        for weight, pace in product(WEIGHTS_OF_STEPS, PACES)
    ]


def counted(people: Mapping[str, tuple[RecordedDays, Judged]]) -> dict[str, list[list[Counts]]]:
    """Each person's counts with each candidate: folds only differ in whose they add up."""
    models = candidates()
    return {
        person: [[counts(frame, drift_course(model, one)) for model in row] for row in models]
        for person, (one, frame) in people.items()
    }


def fitted_drift(of_people: Sequence[list[list[Counts]]]) -> DriftModel:
    """The candidate with the most found above chance, among those with few enough false alerts.

    A threshold is judged with its two neighbours, so that a lucky one is not chosen. Where none is quiet enough, the
    quietest.
    """
    best: tuple[float, float, DriftModel] | None = None
    for row, models in enumerate(candidates()):
        above_chance = [excess([one[row][place] for one in of_people]) for place in range(len(models))]
        for place, model in enumerate(models):
            false = false_per_month([one[row][place] for one in of_people])
            near = float(np.mean(above_chance[max(0, place - 1) : place + 2]))
            rank = (near, -false) if false <= MOST_FALSE_PER_MONTH else (-1.0, -false)
            if best is None or rank > best[:2]:
                best = (*rank, model)
    assert best is not None
    return best[2]
