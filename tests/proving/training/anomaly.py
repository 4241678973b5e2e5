"""Fits the anomaly model: the forest on people who stayed well, quantiles of their scores, and the alarm's limits.

Also the ceiling: what a model reaches that is shown who became ill. It is evaluated only, and never shipped.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from services.score.models import hysteresis
from services.score.models.anomaly import OFF_FOR, AnomalyModel, Concluded
from services.score.rule import HOUR_MS
from tests.proving.training.isolation_forest import fitted_forest

TREES: Final = 100
SAMPLES: Final = 64
"""A tree of few rows parts the odd from the rest; one of 256 spends its cuts on differences between odd rows, and found
0.03 of the illnesses less at as many false windows."""
QUANTILES: Final = 1001
WINDOW_H: Final = 12
FALSE_WINDOWS: Final = 0.25
"""The share of windows of 12 h of well people in which the alarm may be on: the lowest on quantile that keeps it."""
OFF_SHARE: Final = 3.0
"""Off is so many times as far from 1 as on: 0.48 where on is 0.83, as it comes out."""
_LOWEST_ON: Final = 0.5
_HALVINGS: Final = 10
_NORMAL: Final = 1.4826
"""Times the median absolute deviation: the standard deviation of normally distributed numbers."""
_LEAST_SPREAD: Final = 1e-3
_ROUNDS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRows:
    """One person's rows (rows, features of ``anomaly.FEATURES``), NaN for not known, in the order of time.

    ``hours``: of each row, counted from the first hour of the recording, which lasts ``length`` hours. ``becomes_ill``:
    of each row, whether an illness follows within the time in which it should be found.
    """

    rows: NDArray[np.float64]
    hours: NDArray[np.int64]
    length: int
    becomes_ill: NDArray[np.bool_]

    @property
    def is_well(self) -> bool:
        """Whether no illness follows any row."""
        return not self.becomes_ill.any()


def fitted_anomaly(
    people: Sequence[PersonRows], *, seed: int, trees: int = TREES, false_windows: float = FALSE_WINDOWS
) -> AnomalyModel:
    """The model fitted on the well of ``people``. They need at least one window of 12 h with rows together."""
    well = [one for one in people if one.is_well and len(one.rows)]
    rows = np.concatenate([one.rows for one in well])
    medians = np.nanmedian(rows, axis=0)
    spreads = np.maximum(_NORMAL * np.nanmedian(np.abs(rows - medians), axis=0), _LEAST_SPREAD)
    forest = fitted_forest(np.where(np.isnan(rows), medians, rows), trees=trees, samples=SAMPLES, seed=seed)
    model = AnomalyModel(forest=forest, medians=medians, spreads=spreads, oddness=(0.0, 1.0), on=1.0, off=0.0)
    return with_limits(model, well, model.answer(rows), false_windows=false_windows)


def with_limits(
    model: AnomalyModel, well: Sequence[PersonRows], answers: NDArray[np.float64], *, false_windows: float
) -> AnomalyModel:
    """``model`` with the quantiles and limits that follow from its answers to the rows of well people, one by one."""
    averages = [_averages(one, part) for one, part in zip(well, _parts(well, answers), strict=True)]
    oddness = _rising(np.quantile(np.concatenate(averages), np.linspace(0.0, 1.0, QUANTILES)))
    model = replace(model, oddness=tuple(oddness.tolist()))
    quantiles = [np.array([model.quantile(one) for one in part.tolist()]) for part in averages]
    low, high = _LOWEST_ON, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if share_of_windows(well, quantiles, on=middle, off=off_of(middle)) <= false_windows:
            high = middle
        else:
            low = middle
    return replace(model, on=high, off=off_of(high))


def share_of_windows(
    people: Sequence[PersonRows], quantiles: Iterable[NDArray[np.float64]], *, on: float, off: float
) -> float:
    """The share of whole windows of 12 h in which an alarm with these limits is on: as ``AnomalyModel`` decides."""
    windows = windows_with = 0
    for person, part in zip(people, quantiles, strict=True):
        is_on = spread_out(person, alarm(part.tolist(), on=on, off=off))
        count = len(is_on) // WINDOW_H
        windows += count
        windows_with += int(is_on[: count * WINDOW_H].reshape(count, WINDOW_H).any(axis=1).sum())
    return windows_with / windows


def alarm(quantiles: Sequence[float], *, on: float, off: float) -> list[bool]:
    """Whether the alarm is on after each quantile: what ``AnomalyModel.conclude`` does, for many limits to be tried."""
    return hysteresis.course(quantiles, on=on, off=off, off_for=OFF_FOR)


def spread_out(person: PersonRows, is_on: Sequence[bool]) -> NDArray[np.bool_]:
    """Of each hour whether the alarm is on, from the same of each row: it stays as it is where there is no row."""
    places = np.searchsorted(person.hours, np.arange(person.length), side="right")
    return np.concatenate([[False], np.asarray(is_on, dtype=bool)])[places]


def off_of(on: float) -> float:
    """The quantile below which the alarm ends."""
    return max(0.0, 1.0 - OFF_SHARE * (1.0 - on))


class Ceiling:
    """A gradient-boosting model of the same features that is shown which rows an illness follows."""

    def __init__(self, people: Sequence[PersonRows], *, seed: int) -> None:
        self._model: Any = HistGradientBoostingClassifier(
            max_iter=_ROUNDS, learning_rate=0.08, max_leaf_nodes=15, min_samples_leaf=200, early_stopping=False,
            l2_regularization=5.0, random_state=seed,
        )  # fmt: skip
        self._model.fit(
            np.concatenate([one.rows for one in people]), np.concatenate([one.becomes_ill for one in people])
        )

    def answer(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """How likely an illness follows each row, on the log-odds scale."""
        found: NDArray[np.float64] = self._model.decision_function(rows)
        return found


def _averages(person: PersonRows, answers: NDArray[np.float64]) -> NDArray[np.float64]:
    concluded = Concluded()
    pairs = zip(answers.tolist(), person.hours.tolist(), strict=True)
    return np.array([concluded.average(answer, hour * HOUR_MS) for answer, hour in pairs])


def _parts(people: Sequence[PersonRows], answers: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    start = 0
    for one in people:
        yield answers[start : start + len(one.rows)]
        start += len(one.rows)


def _rising(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Strictly: where quantiles are equal, by the least that a number can differ."""
    for place in range(1, len(values)):
        values[place] = max(values[place], np.nextafter(values[place - 1], np.inf))
    return values
