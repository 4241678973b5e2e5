"""What firmware of a worn device would measure of impacts: their peak, and tilt and stillness after them. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.score.models.fall_posture import Impact
from tests.proving.scorecard.recorded_falls import TICKS_A_SECOND, Trial

LEAST_PEAK_G: Final = 2.0
"""What is softer is no impact."""
_BEFORE: Final = 10
_AFTER: Final = 15
"""An impact is the greatest acceleration from so many ticks before it until so many after it."""
_POSTURE: Final = slice(15, 55)
"""Ticks after the impact in which posture and stillness are measured: 1.5 to 5.5 s."""
_LEAST_TICKS: Final = 20
"""A recording that ends sooner leaves it open how the person lay: half of the time has to be there."""
DECIDED_AFTER_S: Final = _POSTURE.stop / TICKS_A_SECOND


class MeasuredTrial(NamedTuple):
    """A trial by what a device would know of it; ``at`` is the tick of each impact.

    ``unread`` is how many impacts lie so late that the recording ends before posture can be measured.
    """

    trial: Trial
    impacts: Sequence[Impact]
    at: Sequence[int]
    unread: int


def measured(trial: Trial) -> MeasuredTrial:
    """The impacts of a trial, in order, each by what comes at most 5.5 s after it."""
    impacts, at, unread = [], [], 0
    for tick in _peaks(trial.highest):
        window = slice(tick + _POSTURE.start, tick + _POSTURE.stop)
        if len(trial.mean[window]) < _LEAST_TICKS:
            unread += 1
            continue
        at.append(tick)
        impacts.append(Impact(float(trial.highest[tick]), _tilt_deg(trial.axes[window]), _spread(trial, window)))
    return MeasuredTrial(trial, impacts, at, unread)


def tilt_before(trial: Trial, tick: int) -> float:
    """How far from upright the person was 1.5 to 3 s before the impact, in degrees; NaN where nothing is recorded."""
    axes = trial.axes[max(0, tick - 30) : max(0, tick - 15)]
    return _tilt_deg(axes) if len(axes) else np.nan


def _peaks(highest: NDArray[np.float64]) -> list[int]:
    return [
        int(tick)
        for tick in np.flatnonzero(highest >= LEAST_PEAK_G)
        if highest[tick] > highest[max(0, tick - _BEFORE) : tick].max(initial=0)
        and highest[tick] == highest[tick : tick + _AFTER].max()
    ]


def _tilt_deg(axes: NDArray[np.float64]) -> float:
    mean = axes.mean(axis=0)
    length = float(np.linalg.norm(mean))
    return float(np.degrees(np.arccos(np.clip(-mean[1] / length, -1, 1)))) if length else np.nan


def _spread(trial: Trial, window: slice) -> float:
    """The standard deviation of all samples, from those within each tick and that of their means."""
    return float(np.sqrt((trial.spread[window] ** 2).mean() + trial.mean[window].var()))
