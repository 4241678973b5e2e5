"""Fits the glucose forecast: ridge, its residuals on people it was not fitted on, trees, and from when on to warn."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import Ridge

from services.score.models.artefact import Artefact, Card
from services.score.models.feature_drift import Spread, spread_of
from services.score.models.glucose_forecast import (
    AHEAD_MS,
    ASKED_BELOW,
    BAND_SHARE,
    BANDS,
    FORM,
    KIND,
    QUANTILES,
    STANDS_MS,
    VERSION,
    GlucoseCourse,
    GlucoseModel,
    band_of,
)
from services.score.models.recent_glucose import EARLY_MS, MINUTE_MS, POINTS, TRENDS, filled, trends
from tests.proving.scorecard.hypoglycaemia_events import AHEAD_MIN, in_sight, onsets
from tests.proving.scorecard.recorded_glucose import FILE, HIGHEST, LICENCE, LOWEST, Trace
from tests.proving.scorecard.section import folds_of
from tests.proving.training.artefact_files import hashed
from tests.proving.training.boosted_trees import as_arrays

Floats = NDArray[np.float64]
Figures = Mapping[str, Mapping[str, float | None]]
SENSITIVITY: Final = 0.82
"""Of lows of the training people: a little more than 0.80, so that people who were not fitted on keep that."""
SOON_MIN: Final = 10
"""The trees learn whether a low begins within so long: asked of the whole hour they warn earlier, and often in vain."""
_INNER_FOLDS: Final = 4
_RIDGE: Final = 1.0
_MIDDLE: Final = QUANTILES.index(0.5)


class Rows(NamedTuple):
    """What a person's trace gives, a row a reading.

    ``points``: the grid, NaN where nothing was read; ``whole``: the same filled, NaN where too much is missing;
    ``trends``: TRENDS; ``ahead``: the logarithm 30 min later, NaN
    where nothing was read; ``may_warn``: whether the trees are asked. ``began``: minutes at which lows in sight began.
    """

    minutes: Floats
    points: Floats
    whole: Floats
    trends: Floats
    ahead: Floats
    mg_dl: Floats
    may_warn: NDArray[np.bool_]
    began: Floats


def rows_of(trace: Trace) -> Rows:
    """Through the code that runs, reading by reading."""
    course, count = GlucoseCourse(), len(trace.minutes)
    grid, whole = np.full((count, POINTS), np.nan), np.full((count, POINTS), np.nan)
    found = np.full((count, len(TRENDS)), np.nan)
    may_warn = np.zeros(count, dtype=bool)
    for row, (at, mg_dl) in enumerate(readings_of(trace)):
        is_bound = not LOWEST <= mg_dl <= HIGHEST
        may_warn[row] = course.advance(at, mg_dl, is_bound=is_bound)
        if is_bound:
            continue
        points = course.recent.points()
        grid[row], found[row] = points, trends(points)
        whole[row] = filled(points) or np.nan
    return Rows(
        minutes=trace.minutes.astype(float),
        points=grid,
        whole=whole,
        trends=found,
        ahead=np.log(ahead_of(trace)),
        mg_dl=trace.mg_dl,
        may_warn=may_warn & (trace.mg_dl < ASKED_BELOW),
        began=in_sight(trace, onsets(trace)),
    )


def readings_of(trace: Trace) -> list[tuple[int, float]]:
    """Times in ms, above 0, and mg/dL."""
    return [(int(at + 1) * MINUTE_MS, float(one)) for at, one in zip(trace.minutes, trace.mg_dl, strict=True)]


def ahead_of(trace: Trace) -> Floats:
    """What was read 30 min after each reading, to 2.5 min; NaN where nothing was."""
    wanted = trace.minutes + AHEAD_MS / MINUTE_MS
    after = np.searchsorted(trace.minutes, wanted).clip(max=len(trace.minutes) - 1)
    before = (after - 1).clip(min=0)
    nearest = np.where(wanted - trace.minutes[before] < trace.minutes[after] - wanted, before, after)
    is_near = np.abs(trace.minutes[nearest] - wanted) <= EARLY_MS / MINUTE_MS
    return np.where(is_near, trace.mg_dl[nearest], np.nan)


def fit(people: Mapping[str, Rows], *, seed: int) -> GlucoseModel:
    """The model of these people. Residuals and threshold are those of people outside of the inner fold's fitting."""
    everybody = list(people.values())
    inner = [
        ([people[one] for one in people if one not in held], [people[one] for one in held])
        for held in folds_of(list(people), min(_INNER_FOLDS, len(people)), seed)
    ]
    ridge, trees = _ridge(everybody), _trees(everybody, seed)
    return GlucoseModel(
        weights=ridge.coef_.copy(),
        intercept=float(ridge.intercept_),
        residuals=_residuals([(_ridge(fitted), held) for fitted, held in inner]),
        trees=as_arrays(trees),
        threshold=_threshold([(_trees(fitted, seed), held) for fitted, held in inner]),
    )


def spreads_of(people: Iterable[Rows]) -> dict[str, Spread]:
    """Of each feature of FORM, over all readings that are values."""
    rows = np.concatenate([np.hstack([one.points, one.trends]) for one in people])
    read = rows[~np.isnan(rows[:, 0])]
    return {name: spread_of(read[:, column]) for column, name in enumerate(FORM.features)}


def artefact_of(model: GlucoseModel, people: Mapping[str, Rows], figures: Figures) -> Artefact:
    """For the two files; ``people`` are those it was fitted on, ``figures`` what others measured, by group."""
    card = Card(
        kind=KIND,
        version=VERSION,
        features=FORM.features,
        purpose=(
            "Warns that a continuous monitor's glucose is likely to fall below 70 mg/dL within an hour, and forecasts"
            f" it for 30 min ahead with a band that {BAND_SHARE:.0%} of values should lie in."
        ),
        people=hashed(FILE, people),
        licences={FILE: LICENCE},
        figures=figures,
        limits_of_use=(
            "Fitted on people of 60 and older with type 1 diabetes, by one kind of sensor; nobody else was measured.",
            "The recording has neither age nor sex: how figures differ by them is not known.",
            "Half of the warnings come 10 min or less before glucose is below 70 mg/dL; a fifth of the lows has none.",
            "Continuous monitors alone. It never replaces the limits below which glucose is low.",
        ),
        settings={
            "sensitivity_wanted": SENSITIVITY,
            "ridge": _RIDGE,
            "low_begins_within_min": SOON_MIN,
            "trees": len(model.trees.feature),
        },
        at_training=spreads_of(people.values()),
    )
    return Artefact(card=card, arrays=model.arrays())


def _ridge(people: Sequence[Rows]) -> Ridge:
    """A bound that comes is learnt as the bound: lower than 40 it is in any case."""
    whole, ahead = _forecastable(people)
    return Ridge(alpha=_RIDGE).fit(whole, ahead)


def _forecastable(people: Sequence[Rows]) -> tuple[Floats, Floats]:
    whole, ahead = np.concatenate([one.whole for one in people]), np.concatenate([one.ahead for one in people])
    known = ~np.isnan(whole[:, 0]) & ~np.isnan(ahead)
    return whole[known], ahead[known]


def _residuals(fitted: Sequence[tuple[Ridge, Sequence[Rows]]]) -> Floats:
    """By band of the newest value and quantile; a band that nobody was in takes those of all."""
    off, bands = [], []
    for ridge, people in fitted:
        whole, ahead = _forecastable(people)
        off.append(ahead - ridge.predict(whole))
        bands += [band_of(one) for one in np.exp(whole[:, 0])]
    residuals, band = np.concatenate(off), np.array(bands)
    return np.stack(
        [
            np.quantile(residuals[band == one] if (band == one).any() else residuals, QUANTILES)
            for one in range(len(BANDS) + 1)
        ]
    )


def _trees(people: Sequence[Rows], seed: int) -> HistGradientBoostingClassifier:
    """Lower and faster falling is never less likely: that keeps trees from learning the noise of a few people."""
    falls = {"mg_dl", "step_0_min_ago", "step_5_min_ago", "change_over_15_min"}
    asked = np.concatenate([one.trends[one.may_warn] for one in people])
    soon = np.concatenate([_begins_within(one, SOON_MIN)[one.may_warn] for one in people])
    return HistGradientBoostingClassifier(
        max_iter=70,
        learning_rate=0.08,
        max_leaf_nodes=8,
        min_samples_leaf=100,
        l2_regularization=5,
        monotonic_cst=[-1 if name in falls else 0 for name in TRENDS],
        early_stopping=False,
        random_state=seed,
    ).fit(asked, soon)


def _begins_within(rows: Rows, minutes: float) -> NDArray[np.bool_]:
    after = np.searchsorted(rows.began, rows.minutes, side="right")
    return np.asarray(after < np.searchsorted(rows.began, rows.minutes + minutes, side="right"))


def warned_at(minutes: Floats, odds: Floats, threshold: float) -> Floats:
    """When there would be warnings, of the readings that may be warned of: one an hour at most."""
    due, found = minutes[odds >= threshold], []
    place = 0
    while place < len(due):
        found.append(due[place])
        place = int(np.searchsorted(due, due[place] + STANDS_MS / MINUTE_MS, side="left"))
    return np.array(found)


def _threshold(fitted: Sequence[tuple[HistGradientBoostingClassifier, Sequence[Rows]]]) -> float:
    """The highest of a fine grid that finds SENSITIVITY of the lows; the lowest of it where none does."""
    scored = []
    for trees, people in fitted:
        for one in people:
            asked = one.trends[one.may_warn]
            scored.append((one, trees.decision_function(asked) if len(asked) else np.empty(0)))
    lows = sum(len(one.began) for one, _ in scored)
    grid = np.quantile(np.concatenate([odds for _, odds in scored]), np.linspace(0.998, 0.5, 250))
    for threshold in grid:
        found = sum(_found(one, warned_at(one.minutes[one.may_warn], odds, threshold)) for one, odds in scored)
        if found >= SENSITIVITY * lows:
            return float(threshold)
    return float(grid[-1])


def _found(rows: Rows, warned: Floats) -> int:
    first = np.searchsorted(warned, rows.began - AHEAD_MIN, side="left")
    return int((first < np.searchsorted(warned, rows.began, side="left")).sum())
