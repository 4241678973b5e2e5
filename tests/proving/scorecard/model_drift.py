"""Whether the drift check sees what it should: of people like those of training nothing, of changed monitors much."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from schemas.model_drift import DRIFTED, LEAST_PEOPLE, SHIFTED
from services.score.models.feature_drift import Spread, counts_of, drift_of
from services.score.models.glucose_forecast import FORM
from tests.proving.scorecard.figures import exact
from tests.proving.scorecard.recorded_glucose import FILE, Trace, traces
from tests.proving.scorecard.section import Goal, Line, Plot, Section, Wanted
from tests.proving.training.glucose_forecast import rows_of, spreads_of

Counts = Mapping[str, NDArray[np.int64]]
_PEOPLE: Final = (5, LEAST_PEOPLE, 20, 50)
_DRAWS: Final = 200
_COUNTED: Final = """Half of {people} people with a glucose monitor stand for those that the forecast was fitted on: how
each of its {features} features was spread among them is on the card. Groups are drawn from the other half, {draws} of
each size; said is the feature that is the furthest off, by its population stability index: below {shifted:g} it is as
it was, from {drifted:g} on it is another population's. The check says nothing of fewer than {least} people, since a few
people are never like many, as the first lines show. Below them the monitors of groups of {least} are changed as other
devices might: they read a tenth too high, smooth over 15 minutes, measure each 15 minutes only, or hold each value for
a while. {unseen} This is the check of one model: that a model's features are as they were does not say that it is as
right as it was, nor does a drift say that it is wrong."""


def _smoothed(trace: Trace) -> Trace:
    return trace._replace(mg_dl=np.convolve(trace.mg_dl, np.ones(4) / 4, mode="same"))


def _held(trace: Trace) -> Trace:
    places = np.arange(len(trace.mg_dl)) // 3 * 3
    return trace._replace(mg_dl=trace.mg_dl[places])


CHANGES: Final[Mapping[str, Callable[[Trace], Trace]]] = {
    "a tenth too high": lambda trace: trace._replace(mg_dl=np.clip(np.round(trace.mg_dl * 1.1), 39, 401)),
    "smoothed over 15 min": _smoothed,
    "each 15 min only": lambda trace: Trace(trace.minutes[::3], trace.mg_dl[::3]),
    "each value held for 15 min": _held,
}


def model_drift(wanted: Wanted) -> Section:
    """The section. Raises MissingDataError."""
    recorded = traces(wanted.file(FILE))
    random = np.random.default_rng(wanted.seed)
    order = random.permutation(sorted(recorded)).tolist()
    fitted, others = order[: len(order) // 2], order[len(order) // 2 :]
    spreads = spreads_of([rows_of(recorded[one]) for one in fitted])
    own = [_counted(spreads, recorded[one]) for one in others]
    wanted.report(0.4)
    sizes = [size for size in _PEOPLE if size <= len(others)]
    same = {size: _furthest(spreads, own, size, random) for size in sizes}
    changed = {}
    for done, (name, change) in enumerate(CHANGES.items(), start=1):
        of_people = [_counted(spreads, change(recorded[one])) for one in others]
        changed[name] = _furthest(spreads, of_people, min(LEAST_PEOPLE, len(others)), random)
        wanted.report(0.4 + 0.6 * done / len(CHANGES))
    lines = [_line(f"people as at training, groups of {size}", found) for size, found in same.items()]
    lines += [_line(f"monitors changed: {name}", found) for name, found in changed.items()]
    last = same[max(size for size in sizes if size <= LEAST_PEOPLE)]
    return Section(
        name="drift",
        title="Whether a model is asked what it was fitted on",
        counted=_COUNTED.format(
            people=len(recorded), features=len(FORM.features), draws=_DRAWS, shifted=SHIFTED, drifted=DRIFTED,
            least=LEAST_PEOPLE, unseen=_unseen(changed),
        ),
        summary={
            "same_called_drifted": _share(last),
            "changed_called_drifted": float(np.mean([_share(one) for one in changed.values()])),
        },
        lines=lines,
        goals=(Goal(figure="same_called_drifted", at_most=0.05),),
        plots=(
            Plot(
                name="drift",
                caption="The index of the feature that is the furthest off, in groups of people as at training by their"
                " size, and of 10 whose monitors were changed: middle, and nine of ten draws",
                draw=partial(_draw, {f"{size} people": one for size, one in same.items()} | changed),
            ),
        ),
        details={"index_by_group": {one.detector: one.figures["index, median"].value for one in lines}},
    )  # fmt: skip


def _unseen(changed: Mapping[str, NDArray[np.float64]]) -> str:
    names = [name for name, one in changed.items() if _share(one) < 1 / 2]
    return f"Of these it does not see: {', '.join(names)}." if names else "It sees all of these."


def _counted(spreads: Mapping[str, Spread], trace: Trace) -> Counts:
    rows = rows_of(trace)
    columns = np.hstack([rows.points, rows.trends])
    read = columns[~np.isnan(columns[:, 0])]
    return {name: counts_of(spread.edges, read[:, place]) for place, (name, spread) in enumerate(spreads.items())}


def _furthest(
    spreads: Mapping[str, Spread], of_people: Sequence[Counts], size: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Of each group that is drawn, the highest index, as the product would have it of so many people."""
    found = []
    for _ in range(_DRAWS):
        group = random.choice(len(of_people), size, replace=False)
        sums = {name: np.sum([of_people[one][name] for one in group], axis=0) for name in spreads}
        rows = int(next(iter(sums.values())).sum())
        found.append(drift_of(spreads, sums, rows=rows, people=max(size, LEAST_PEOPLE)).furthest[1])
    return np.array(found)


def _share(found: NDArray[np.float64]) -> float:
    return float(np.mean(found >= DRIFTED))


def _line(name: str, found: NDArray[np.float64]) -> Line:
    return Line(
        detector=name,
        figures={
            "index, median": exact(float(np.median(found))),
            "index, 95 of 100 below": exact(float(np.quantile(found, 0.95))),
            "called shifted or drifted": exact(float(np.mean(found >= SHIFTED))),
            "called drifted": exact(_share(found)),
        },
        is_ours=True,
    )


def _draw(groups: Mapping[str, NDArray[np.float64]], axes: Axes) -> None:
    names = list(groups)
    middle = np.array([np.median(one) for one in groups.values()])
    low, high = (np.array([np.quantile(one, share) for one in groups.values()]) for share in (0.05, 0.95))
    axes.errorbar(middle, range(len(names)), xerr=[middle - low, high - middle], fmt="o")
    axes.set_yticks(range(len(names)), names)
    for limit, style in ((SHIFTED, ":"), (DRIFTED, "--")):
        axes.axvline(limit, color="grey", linestyle=style, linewidth=0.9)
    axes.invert_yaxis()
    axes.set(xlabel="population stability index", xscale="log")
    axes.grid(visible=True, alpha=0.3)
