"""Simulated falls and daily activities of SisFall, ten times a second: one trial at a time."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyarrow import DictionaryArray, parquet

FILE: Final = "falls_sisfall_10hz.parquet"
TICKS_A_SECOND: Final = 10
_ELDERLY: Final = "SE"
_FALL: Final = "F"
_COLUMNS: Final = ("acc_max_mg", "acc_mean_mg", "acc_sd_mg", "ax_mg", "ay_mg", "az_mg")


class Trial(NamedTuple):
    """One activity of one person. Arrays have one entry each tenth of a second, in g.

    ``highest``, ``mean``, ``spread`` (standard deviation) are of the acceleration's length within that tenth;
    ``axes`` (ticks, 3) its mean direction, of which the second axis is -1 in a person who stands.
    """

    person: str
    activity: str
    highest: NDArray[np.float64]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    axes: NDArray[np.float64]

    @property
    def is_fall(self) -> bool:
        """Whether the person let themselves fall; else it is an activity of daily living."""
        return self.activity.startswith(_FALL)

    @property
    def is_elderly(self) -> bool:
        """Whether the person is 60 to 75 years old; else 19 to 30."""
        return self.person.startswith(_ELDERLY)

    @property
    def seconds(self) -> float:
        """How long it was recorded."""
        return len(self.highest) / TICKS_A_SECOND


def trials_of(path: Path) -> Sequence[Trial]:
    """All trials of the file, in the order of people, activities and repetitions."""
    table = parquet.read_table(path)
    people, activities, repetitions = (_ranked(table[name]) for name in ("subject", "activity", "trial"))
    order = np.lexsort((table["t_ds"].to_numpy(), repetitions.ranks, activities.ranks, people.ranks))
    keys = np.column_stack([one.ranks[order] for one in (people, activities, repetitions)])
    parts = [table[name].to_numpy()[order] / 1000 for name in _COLUMNS]
    bounds = [0, *(np.flatnonzero((keys[1:] != keys[:-1]).any(axis=1)) + 1), len(keys)]
    return [
        Trial(
            person=people.names[keys[first, 0]],
            activity=activities.names[keys[first, 1]],
            highest=parts[0][first:end],
            mean=parts[1][first:end],
            spread=parts[2][first:end],
            axes=np.column_stack([part[first:end] for part in parts[3:]]),
        )
        for first, end in pairwise(bounds)
        if end > first
    ]


class _Ranked(NamedTuple):
    """A column of text: its different values in order, and the place of each row's among them."""

    names: list[str]
    ranks: NDArray[np.int64]


def _ranked(column: Any) -> _Ranked:
    """Half a million rows hold few different names, so none is made a Python string of its own."""
    whole = column.combine_chunks()
    coded = whole if isinstance(whole, DictionaryArray) else whole.dictionary_encode()
    found = coded.dictionary.to_pylist()
    names = sorted(set(found))
    rank = np.asarray([names.index(one) for one in found])
    return _Ranked(names, rank[coded.indices.to_numpy()])
