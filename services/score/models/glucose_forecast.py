"""Low glucose before it comes: a forecast for 30 min ahead with its band, and when to warn. Pure.

The forecast is linear in the logarithms of the last hour (13 values), the band is of residuals of people that it was
not fitted on. Whether to warn is up to small boosted trees over the same hour: they find as many lows with fewer false
alerts than any threshold of the forecast.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from math import exp, log
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.score.models import boosted_trees
from services.score.models.artefact import Artefact, ArtefactError, Form, Numbers
from services.score.models.boosted_trees import BoostedTrees
from services.score.models.recent_glucose import (
    LAGS,
    MINUTE_MS,
    POINTS,
    TRENDS,
    RecentGlucose,
    filled,
    trends,
)

KIND: Final = "glucose_forecast"
VERSION: Final = 1
AHEAD_MS: Final = 30 * MINUTE_MS
LOW: Final = 70.0
"""Level 1 hypoglycaemia is below, in mg/dL (Battelino 2019, Diabetes Care 42:1593)."""
LOWEST, HIGHEST = 39.0, 401.0
"""What stands for a sensor's LOW and HIGH, in mg/dL: a band reaches no further."""
ASKED_BELOW: Final = 110.0
"""From this glucose on, in mg/dL, nobody is below 70 in a few minutes: the trees were fitted below it alone."""
LOW_LASTS_MS: Final = 10 * MINUTE_MS
"""Readings below that span so long are a low: three of a sensor that measures each 5 min, which stand for 15 min."""
OVER_AFTER_MS: Final = 15 * MINUTE_MS
"""A low is over when values have been back for so long (Battelino 2019)."""
IN_A_ROW_MS: Final = 20 * MINUTE_MS
"""Readings further apart say nothing of the time between them."""
PAUSE_MS: Final = 30 * MINUTE_MS
"""After so long without a reading nobody knows whether a low goes on."""
STANDS_MS: Final = 60 * MINUTE_MS
"""A warning is for the hour after it; the next one comes after that at the soonest."""
BANDS: Final = (80.0, 120.0, 180.0, 250.0)
"""Residuals are apart by the newest value: below the first of these, in mg/dL, between two, from the last on."""
QUANTILES: Final = (0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975)
BAND_SHARE: Final = 0.8
"""Of the values that come, so many should lie in the band."""
_TREES: Final = "trees_"
FORM: Final = Form(
    kind=KIND,
    version=VERSION,
    features=(*LAGS, *TRENDS),
    shapes=MappingProxyType(
        {
            "weights": (POINTS,),
            "intercept": (),
            "residuals": (len(BANDS) + 1, len(QUANTILES)),
            "threshold": (),
            **{f"{_TREES}{name}": shape for name, shape in boosted_trees.SHAPES.items()},
        }
    ),
)


class Forecast(NamedTuple):
    """Glucose in 30 min, in mg/dL: the middle, the band of BAND_SHARE; ``below_low``: the probability of below 70."""

    mg_dl: float
    low: float
    high: float
    below_low: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GlucoseModel:
    """``weights`` of LAGS and ``intercept`` give the logarithm ahead; ``residuals`` by band and quantile are of it.

    ``trees`` over TRENDS give log odds that a low begins soon; from ``threshold`` on there is a warning.
    """

    weights: NDArray[np.float64]
    intercept: float
    residuals: NDArray[np.float64]
    trees: BoostedTrees
    threshold: float
    _weights: tuple[float, ...] = field(init=False, repr=False)
    _residuals: tuple[tuple[float, ...], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Checks what shapes can't say. Raises ArtefactError."""
        if self.trees.highest_feature >= len(TRENDS):
            raise ArtefactError("trees_feature asks for one that there is not")
        if (np.diff(self.residuals, axis=1) < 0).any():
            raise ArtefactError("array residuals does not rise with the quantile")
        object.__setattr__(self, "_weights", tuple(self.weights.tolist()))
        object.__setattr__(self, "_residuals", tuple(map(tuple, self.residuals.tolist())))

    def arrays(self) -> dict[str, Numbers]:
        """As an artefact of FORM keeps them."""
        return {
            "weights": self.weights,
            "intercept": np.array(self.intercept),
            "residuals": self.residuals,
            "threshold": np.array(self.threshold),
            **{f"{_TREES}{name}": values for name, values in self.trees.arrays().items()},
        }

    @classmethod
    def from_artefact(cls, artefact: Artefact) -> "GlucoseModel":
        """The model of an artefact that fits FORM. Raises ArtefactError."""
        arrays = artefact.arrays
        return cls(
            weights=arrays["weights"].astype(np.float64),
            intercept=float(arrays["intercept"]),
            residuals=arrays["residuals"].astype(np.float64),
            trees=BoostedTrees.from_arrays({name: arrays[f"{_TREES}{name}"] for name in boosted_trees.SHAPES}),
            threshold=float(arrays["threshold"]),
        )

    def forecast(self, points: list[float]) -> Forecast | None:
        """What comes in 30 min, from the grid of the last hour; None where too much of it is missing."""
        whole = filled(points)
        if whole is None:
            return None
        middle = self.intercept + sum(weight * one for weight, one in zip(self._weights, whole, strict=True))
        residuals = self._residuals[band_of(exp(points[0]))]
        outside = (1 - BAND_SHARE) / 2
        return Forecast(
            mg_dl=_said(middle),
            low=_said(middle + residuals[_place(outside)]),
            high=_said(middle + residuals[_place(1 - outside)]),
            below_low=_share_below(log(LOW) - middle, residuals),
        )


def features_of(points: list[float]) -> tuple[float, ...]:
    """What FORM names, in its order, of the grid of the last hour; NaN where a point is missing."""
    return (*points, *trends(points))


def band_of(mg_dl: float) -> int:
    """Which residuals hold for a newest value: the row of ``residuals``."""
    return bisect_right(BANDS, mg_dl)


def _said(logarithm: float) -> float:
    return min(max(exp(logarithm), LOWEST), HIGHEST)


def _place(quantile: float) -> int:
    return min(range(len(QUANTILES)), key=lambda place: abs(QUANTILES[place] - quantile))


def _share_below(residual: float, residuals: tuple[float, ...]) -> float:
    """How often the residual is smaller; beyond the outermost quantiles, which are known, those."""
    return float(np.interp(residual, residuals, QUANTILES))


@dataclass(slots=True)
class GlucoseCourse:
    """What is remembered of a person's monitor. Times in ms, 0 for none.

    ``below_since``: the first of readings below 70 in this run; ``back_since``: the first one back, while ``is_low``.
    """

    recent: RecentGlucose = field(default_factory=RecentGlucose)
    last_at: int = 0
    below_since: int = 0
    back_since: int = 0
    is_low: bool = False
    warned_at: int = 0

    def advance(self, at: int, mg_dl: float, *, is_bound: bool = False) -> bool:
        """Takes the next reading; whether a low may be warned of: none is open, and the value is one and not below.

        One that is not later than the last changes nothing. ``is_bound``: the sensor's LOW or HIGH.
        """
        if at <= self.last_at:
            return False
        if at - self.last_at > IN_A_ROW_MS:
            self.below_since = self.back_since = 0
            self.is_low = self.is_low and at - self.last_at <= PAUSE_MS
        self.last_at = at
        if not is_bound:
            self.recent.add(at, mg_dl)
        if mg_dl < LOW:
            self.back_since = 0
            self.below_since = self.below_since or at
            self.is_low = self.is_low or at - self.below_since >= LOW_LASTS_MS
            return False
        self.below_since = 0
        if self.is_low:
            self.back_since = self.back_since or at
            self.is_low = at - self.back_since < OVER_AFTER_MS
        return not self.is_low and not is_bound

    def is_warned(self, at: int) -> bool:
        """Whether a warning stands: for an hour, or until the low has come."""
        return bool(self.warned_at) and at - self.warned_at < STANDS_MS and not self.is_low

    def to_plain(self) -> list[Any]:
        """As plain values."""
        times = [self.last_at, self.below_since, self.back_since, int(self.is_low), self.warned_at]
        return [self.recent.to_plain(), *times]

    @classmethod
    def from_plain(cls, plain: list[Any]) -> "GlucoseCourse":
        """What ``to_plain`` wrote."""
        (at, logs), last_at, below_since, back_since, is_low, warned_at = plain
        return cls(RecentGlucose(list(at), list(logs)), last_at, below_since, back_since, bool(is_low), warned_at)


class Warned(NamedTuple):
    """A low is likely within the hour. ``odds`` are log odds of the trees; the forecast is None after a gap."""

    at: int
    odds: float
    forecast: Forecast | None


def warn(model: GlucoseModel, course: GlucoseCourse, at: int, mg_dl: float, *, is_bound: bool = False) -> Warned | None:
    """Takes the next reading of a continuous monitor, changes ``course``; a warning where one is due.

    ``at`` in ms, above 0; ``mg_dl`` in mg/dL. One warning an hour at most, none at a value below 70 or in a low.
    """
    if not course.advance(at, mg_dl, is_bound=is_bound):
        return None
    if mg_dl >= ASKED_BELOW or (course.warned_at and at - course.warned_at < STANDS_MS):
        return None
    points = course.recent.points()
    odds = model.trees.score_one(trends(points))
    if odds < model.threshold:
        return None
    course.warned_at = at
    return Warned(at, odds, model.forecast(points))
