"""Whether what a model is asked still looks like what it was fitted on: features by decile of training. Pure.

Of models, by the index of a feature. Of a person it is ``drift``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.model_drift import LEAST_PEOPLE, LEAST_ROWS, LEAST_SHARE
from services.runtime.errors import HearthBeatError

BINS: Final = 10


class SpreadError(HearthBeatError):
    """What a card says of a feature's values at training contradicts itself."""


class Spread(NamedTuple):
    """Of a feature at training: ``edges`` between bins, rising, in the feature's unit; ``shares``, 0 to 1, of each bin.

    A value at an edge is in the bin above. The last share is of what was missing.
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]


def spread_of(values: NDArray[np.float64]) -> Spread:
    """Of a feature's values at training, at least one, NaN for missing: its deciles, where they differ."""
    known = values[~np.isnan(values)]
    deciles = np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]) if len(known) else np.empty(0)
    # Rounded for the card, some may be one.
    edges = np.unique([float(f"{one:.6g}") for one in deciles])
    counts = counts_of(edges, values)
    return Spread(tuple(edges.tolist()), tuple(round(one, 6) for one in (counts / counts.sum()).tolist()))


def checked(edges: Sequence[float], shares: Sequence[float]) -> Spread:
    """From a card. Raises SpreadError."""
    rises = all(before < after for before, after in pairwise(edges))
    if len(shares) != len(edges) + 2 or not rises or min(shares) < 0 or abs(sum(shares) - 1) > LEAST_SHARE:
        raise SpreadError("edges have to rise, and shares to be of one bin more, of what is missing, and 1 together")
    return Spread(tuple(edges), tuple(shares))


def counts_of(edges: Sequence[float] | NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many values lie in each bin; the last number is of what is missing (NaN)."""
    bins = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right"))
    return np.bincount(bins, minlength=len(edges) + 2)


def stability_index(shares: Sequence[float], counts: Sequence[int] | NDArray[np.int64]) -> float:
    """The population stability index of ``counts`` against the shares at training: 0 for the same, no upper end.

    Σ (is - was) ln(is / was) over the bins. NaN without rows.
    """
    came, was = np.asarray(counts, dtype=float), np.asarray(shares, dtype=float)
    if not came.sum():
        return float("nan")
    present, before = np.maximum(came / came.sum(), LEAST_SHARE), np.maximum(was, LEAST_SHARE)
    return float(((present - before) * np.log(present / before)).sum())


class Drift(NamedTuple):
    """Of a model: rows that were asked, of how many people; the index of each feature, NaN while these are too few."""

    rows: int
    people: int
    by_feature: Mapping[str, float]

    @property
    def furthest(self) -> tuple[str, float]:
        """The feature that is the furthest off, and its index; "" and NaN where none is known."""
        known = [(name, one) for name, one in self.by_feature.items() if one == one]  # noqa: PLR0124 - NaN
        return max(known, key=lambda one: one[1], default=("", float("nan")))


@dataclass(slots=True)
class DayOfRows:
    """Rows of a day, counted; ``unwritten``: those of the counts that no table has yet."""

    day: int
    counts: dict[str, NDArray[np.int64]]
    unwritten: dict[str, NDArray[np.int64]]
    people: set[int] = field(default_factory=set)
    has_news: bool = False

    def take(self) -> dict[str, NDArray[np.int64]]:
        """What is not written yet, to be written now."""
        taken, self.has_news = self.unwritten, False
        self.unwritten = {name: np.zeros_like(counts) for name, counts in taken.items()}
        return taken

    def give_back(self, counts: Mapping[str, NDArray[np.int64]]) -> None:
        """What could not be written."""
        self.has_news = True
        for name, one in counts.items():
            self.unwritten[name] += one


@dataclass(slots=True, kw_only=True)
class ModelInputs:
    """What one model is asked, a day at a time; ``spreads`` by feature, in the order of the rows' columns.

    Today and the last day before it that had rows are remembered: a day that has just begun says nothing.
    """

    model: str
    spreads: Mapping[str, Spread]
    days: list[DayOfRows] = field(default_factory=list)

    def see(self, day: int, people: Iterable[int], rows: Sequence[Sequence[float]]) -> None:
        """Counts rows of ``day`` (days since 1970, UTC), which are of these people. A day that is over stays so."""
        if not len(rows) or (self.days and day < self.days[-1].day):
            return
        if not self.days or self.days[-1].day != day:
            empty = {name: np.zeros(len(one.shares), dtype=np.int64) for name, one in self.spreads.items()}
            # A copy: both are added to.
            again = {name: one.copy() for name, one in empty.items()}
            self.days = [*self.days[-1:], DayOfRows(day, empty, again)]
        today, columns = self.days[-1], np.asarray(rows, dtype=np.float64).T
        today.people.update(people)
        today.has_news = True
        for (name, spread), values in zip(self.spreads.items(), columns, strict=True):
            counts = counts_of(spread.edges, values)
            today.counts[name] += counts
            today.unwritten[name] += counts

    def drift(self) -> Drift:
        """Over the days that are remembered."""
        people = set[int]().union(*(one.people for one in self.days))
        sums = {name: np.zeros(len(one.shares), dtype=np.int64) for name, one in self.spreads.items()}
        for one in self.days:
            for name, counts in one.counts.items():
                sums[name] += counts
        rows = max((int(one.sum()) for one in sums.values()), default=0)
        return drift_of(self.spreads, sums, rows=rows, people=len(people))


def drift_of(
    spreads: Mapping[str, Spread], counts: Mapping[str, NDArray[np.int64]], *, rows: int, people: int
) -> Drift:
    """The index of each feature, if there are rows and people enough to say one."""
    is_enough = rows >= LEAST_ROWS and people >= LEAST_PEOPLE
    return Drift(
        rows,
        people,
        {
            name: stability_index(spread.shares, counts[name]) if is_enough else float("nan")
            for name, spread in spreads.items()
        },
    )
