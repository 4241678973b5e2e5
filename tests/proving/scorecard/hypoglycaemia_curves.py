"""What detectors find at other thresholds, and how true the forecast's probabilities are; as numbers and as plots."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from services.score.models.glucose_forecast import BANDS
from tests.proving.scorecard.hypoglycaemia_events import Scored, found_and_false
from tests.proving.scorecard.hypoglycaemia_rivals import below
from tests.proving.scorecard.recorded_glucose import Trace
from tests.proving.training.glucose_forecast import Rows, warned_at

BAND_TITLES: Final = (
    f"below {BANDS[0]:g}",
    *(f"{low:g} to {high:g}" for low, high in pairwise(BANDS)),
    f"{BANDS[-1]:g} and above",
)
_THRESHOLDS: Final = tuple(np.arange(55.0, 96.0, 1.0))
_ODDS: Final = tuple(np.arange(2.0, -2.6, -0.25))
"""Beside the threshold that was chosen; it is 0."""
_BINS: Final = np.array([0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
_FEWEST: Final = 30
"""Forecasts in a bin that is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """By threshold, from the fewest alerts to the most: lows found and false alerts, a row a threshold, a column a
    person. ``chosen``: the place of the threshold that runs, where there is one.
    """  # noqa: D205 - one sentence

    thresholds: Sequence[float]
    people: Sequence[str]
    found: NDArray[np.float64]
    false: NDArray[np.float64]
    lows: NDArray[np.float64]
    days: NDArray[np.float64]
    chosen: int | None = None

    @property
    def sensitivity(self) -> NDArray[np.float64]:
        """By threshold."""
        return np.asarray(self.found.sum(axis=1) / max(self.lows.sum(), 1))

    @property
    def false_per_day(self) -> NDArray[np.float64]:
        """By threshold."""
        return np.asarray(self.false.sum(axis=1) / self.days.sum())

    def threshold(self, people: Sequence[str], sensitivity: float) -> float:
        """With the fewest alerts of those that find so many of the lows of these people; else what finds the most."""
        own = np.isin(self.people, people)
        found = self.found[:, own].sum(axis=1)
        enough = np.flatnonzero(found >= sensitivity * self.lows[own].sum())
        return self.thresholds[int(enough[0] if len(enough) else np.argmax(found))]


def curve_of_odds(rows: Mapping[str, Rows], odds: Mapping[str, NDArray[np.float64]]) -> Curve:
    """Of the trees; ``odds`` are above the threshold of each person's fold, of the readings that may be warned of."""
    return _curve(
        _ODDS,
        rows,
        lambda person, threshold: warned_at(rows[person].minutes[rows[person].may_warn], odds[person], threshold),
        chosen=_ODDS.index(0.0),
    )


def curve_of_values(
    traces: Mapping[str, Trace], rows: Mapping[str, Rows], values: Mapping[str, NDArray[np.float64]]
) -> Curve:
    """Of what falls below a threshold in mg/dL; ``values`` by person, one a reading."""
    return _curve(
        _THRESHOLDS,
        rows,
        lambda person, threshold: np.array(below(traces[person], values[person], threshold).minutes, dtype=float),
    )


def _curve(
    thresholds: Sequence[float],
    rows: Mapping[str, Rows],
    alerts: Callable[[str, float], NDArray[np.float64]],
    chosen: int | None = None,
) -> Curve:
    counted = np.array(
        [[found_and_false(one.began, alerts(person, at)) for person, one in rows.items()] for at in thresholds],
        dtype=float,
    )
    return Curve(
        thresholds=thresholds,
        people=list(rows),
        found=counted[:, :, 0],
        false=counted[:, :, 1],
        lows=np.array([len(one.began) for one in rows.values()], dtype=float),
        days=np.array([len(one.minutes) / 288 for one in rows.values()]),
        chosen=chosen,
    )


def draw_curves(curves: Mapping[str, Curve], axes: Axes) -> None:
    """Sensitivity over false alerts a day, a line a detector."""
    for name, curve in curves.items():
        (line,) = axes.plot(curve.false_per_day, curve.sensitivity, label=name, marker=".", markersize=3)
        if curve.chosen is not None:
            chosen = curve.false_per_day[curve.chosen], curve.sensitivity[curve.chosen]
            axes.plot(*chosen, marker="x", markersize=11, markeredgewidth=2, color=line.get_color())
    axes.axhline(0.8, color="grey", linewidth=0.8, linestyle=":")
    axes.set(xlim=(0, 2.5), ylim=(0.3, 1), xlabel="false alerts a day", ylabel="lows found")
    axes.legend(loc="lower right", fontsize="small")
    axes.grid(visible=True, alpha=0.3)


def draw_calibration(scored: Sequence[Scored], axes: Axes) -> None:
    """What came over what was said, in bins of what was said."""
    said, came = (np.concatenate([getattr(one, name) for one in scored]) for name in ("below_low", "was_low"))
    bins = np.digitize(said, _BINS[1:-1])
    drawn = [one for one in range(len(_BINS) - 1) if (bins == one).sum() >= _FEWEST]
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle=":")
    axes.plot([said[bins == one].mean() for one in drawn], [came[bins == one].mean() for one in drawn], marker="o")
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="said to be likely", ylabel="came")
    axes.grid(visible=True, alpha=0.3)
