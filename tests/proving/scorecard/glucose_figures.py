"""How glucose varies in traces of continuous monitors: between people, within them, from moment to moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from device_sim.diabetes import make_type_one
from tests.proving.scorecard import recorded_glucose
from tests.proving.scorecard.recorded_glucose import traces
from tests.proving.scorecard.section import MissingDataError

EVERY_MIN: Final = 5
LAGS_MIN: Final = (5, 15, 30, 60, 120)
_DAY: Final = 24 * 60 // EVERY_MIN
_LEAST: Final = 2 * _DAY
"""A trace of fewer readings says little of a person."""
_LOW, _HIGH = 70.0, 250.0
Grid = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class GlucoseFigures:
    """Of some people: mean, SD between and within them, their coefficients of variation (0 to 1), shares of readings.

    ``autocorrelation`` is the mean over people at LAGS_MIN; ``mean`` and SDs are in mg/dL.
    """

    people: int
    mean: float
    sd_between: float
    sd_within: float
    cv_between: float
    cv_within: float
    below_70: float
    above_250: float
    autocorrelation: tuple[float, ...]


def figures_of(traces: Sequence[Grid]) -> GlucoseFigures:
    """Of traces on a grid of EVERY_MIN minutes, NaN where nothing was measured."""
    means = np.array([np.nanmean(one) for one in traces])
    spreads = np.array([np.nanstd(one) for one in traces])
    readings = np.concatenate([one[np.isfinite(one)] for one in traces])
    return GlucoseFigures(
        people=len(traces),
        mean=float(means.mean()),
        sd_between=float(means.std()),
        sd_within=float(spreads.mean()),
        cv_between=float(means.std() / means.mean()),
        cv_within=float((spreads / means).mean()),
        below_70=float((readings < _LOW).mean()),
        above_250=float((readings > _HIGH).mean()),
        autocorrelation=tuple(
            float(np.mean([_autocorrelation(one, lag // EVERY_MIN) for one in traces])) for lag in LAGS_MIN
        ),
    )


def _autocorrelation(trace: Grid, steps: int) -> float:
    around = trace - np.nanmean(trace)
    return float(np.nanmean(around[:-steps] * around[steps:]) / np.nanvar(trace))


def recorded_traces(path: Path) -> list[Grid]:
    """One of each person of a recording who has enough readings. Raises MissingDataError."""
    found = [one for one in map(_on_grid, traces(path).values()) if np.isfinite(one).sum() >= _LEAST]
    if not found:
        raise MissingDataError(f"nobody in {path.name} has {_LEAST} readings")
    return found


def _on_grid(recorded: recorded_glucose.Trace) -> Grid:
    places = np.round(recorded.minutes / EVERY_MIN).astype(int)
    trace = np.full(np.ptp(places) + 1, np.nan)
    trace[places - places.min()] = recorded.mg_dl
    return trace


def simulated_traces(*, people: int, days: int, seed: int, start_ms: int) -> list[Grid]:
    """What sensors of simulated people with type 1 diabetes show, in a zone without summer time."""
    moments = range(start_ms, start_ms + days * _DAY * EVERY_MIN * 60_000, EVERY_MIN * 60_000)
    bodies = [make_type_one(seed, f"person {number}") for number in range(people)]
    return [np.array([body.sensed(body.glucose(at), at) for at in moments], dtype=float) for body in bodies]
