"""A number with its confidence interval over people: people are drawn again, not their days. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

RESAMPLES: Final = 1000
_SHARE_OUTSIDE: Final = 2.5
"""On each side, in %: what is left are 95 %."""


class Figure(NamedTuple):
    """``value`` and its interval of 95 % over people; all NaN where there is nothing to divide by."""

    value: float
    low: float
    high: float


def over_people(numerators: Sequence[float], denominators: Sequence[float], *, seed: int, scale: float = 1.0) -> Figure:
    """``scale`` times the sum of ``numerators`` by that of ``denominators``, one of each a person.

    Say events found by events there were, or false alerts by days. A thousand times as many people are drawn with
    replacement; resamples that have nothing to divide by are left out.
    """
    above, below = np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float)
    if not below.sum():
        return Figure(np.nan, np.nan, np.nan)
    people = drawn_again(len(below), seed)
    sums = below[people].sum(axis=1)
    drawn = scale * above[people].sum(axis=1)[sums > 0] / sums[sums > 0]
    return with_interval(scale * float(above.sum() / below.sum()), drawn)


def drawn_again(people: int, seed: int) -> NDArray[np.int64]:
    """Places of people, with replacement: a row a resample, with as many as there are."""
    return np.random.default_rng(seed).integers(0, people, (RESAMPLES, people))


def with_interval(value: float, drawn: Sequence[float] | NDArray[np.float64]) -> Figure:
    """``value`` with the interval in which 95 % of the resamples' values lie."""
    low, high = np.percentile(drawn, [_SHARE_OUTSIDE, 100 - _SHARE_OUTSIDE])
    return Figure(value, float(low), float(high))


def exact(value: float) -> Figure:
    """A number that no people were drawn for."""
    return Figure(value, value, value)
