"""How many false falls a day there may be: false shares of movements, times how often a day has them. An estimate."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from tests.proving.scorecard.figures import Figure, drawn_again, with_interval


class Movement(NamedTuple):
    """A kind of movement: the activities of the recording it stands for, and how much of it a day has.

    ``a_day`` is a number of times, or of ``hours`` where it goes on for long. ``source``: where that comes from.
    """

    name: str
    activities: frozenset[str]
    a_day: float
    source: str
    is_hours: bool = False

    @property
    def unit(self) -> str:
        """What ``a_day`` counts."""
        return " h" if self.is_hours else " times"


def _activities(*numbers: int) -> frozenset[str]:
    return frozenset(f"D{number:02d}" for number in numbers)


DAY: Final = (
    Movement("walking, jogging, stairs", _activities(*range(1, 7)), 1.5, "ours", is_hours=True),
    Movement("sitting down and rising", _activities(7, 8, 9, 10), 55, "60 with the next: Dall and Kerr 2010"),
    Movement("letting oneself fall into a chair", _activities(11), 5, "ours"),
    Movement("lying down and getting up", _activities(12, 13), 4, "ours"),
    Movement("turning over in bed", _activities(14), 16, "two an hour: De Koninck et al. 1992, to confirm"),
    Movement("bending down", _activities(15, 16), 20, "ours"),
    Movement("getting in or out of a car", _activities(17), 2, "ours"),
)
"""Dall PM, Kerr A: Applied Ergonomics 2010;41:58-61 (60 a day). De Koninck J et al.: Sleep 1992;15:143-149. Stumbling
and jumping (D18, D19) are no part of every day."""


class Watched(NamedTuple):
    """One trial of daily living: of whom, what, for how long, and whether a fall was called."""

    person: str
    activity: str
    seconds: float
    is_false: bool


def false_per_day(trials: Sequence[tuple[str, str, float, bool]], *, seed: int) -> Figure:
    """False falls of a day such as ``DAY``, with an interval over people; NaN where nothing of a day was recorded.

    A kind of movement that nobody did adds nothing, in resamples as well.
    """
    watched = [Watched(*one) for one in trials]
    people = sorted({one.person for one in watched})
    false, base = np.zeros((len(people), len(DAY))), np.zeros((len(people), len(DAY)))
    for one in watched:
        for place, kind in enumerate(DAY):
            if one.activity in kind.activities:
                of_person = people.index(one.person), place
                false[of_person] += one.is_false
                base[of_person] += one.seconds / 3600 if kind.is_hours else 1
    if not base.sum():
        return Figure(np.nan, np.nan, np.nan)
    a_day = np.asarray([kind.a_day for kind in DAY])

    def of(which: np.ndarray[tuple[int], np.dtype[np.int64]]) -> float:
        sums = base[which].sum(axis=0)
        shares = np.divide(false[which].sum(axis=0), sums, out=np.zeros(len(DAY)), where=sums > 0)
        return float(shares @ a_day)

    return with_interval(of(np.arange(len(people))), [of(which) for which in drawn_again(len(people), seed)])
