"""Continuous glucose monitors of older adults: one trace a person, as recorded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyarrow import parquet

from tests.proving.scorecard.section import MissingDataError

FILE: Final = "cgm_older_adults_t1d.parquet"
LICENCE: Final = "CC BY-SA 4.0 (Weinstock 2016, T1D Exchange and JAEB, as redistributed by GlucoBench)"
COLUMNS: Final = ("patient", "minute", "glucose_mgdl")
READINGS_A_DAY: Final = 288
LOWEST, HIGHEST = 40, 400
"""What the sensors could say, in mg/dL: 39 stands for anything below, 401 for anything above."""


class Trace(NamedTuple):
    """A person's readings in the order of time: minutes from the first midnight, whole; glucose in mg/dL."""

    minutes: NDArray[np.int64]
    mg_dl: NDArray[np.float64]

    @property
    def days(self) -> float:
        """For how long something was measured."""
        return len(self.minutes) / READINGS_A_DAY


def traces(path: Path) -> Mapping[str, Trace]:
    """The trace of each person in the file who has one, by id; of readings at one minute the first with a value.

    Raises MissingDataError where it has not COLUMNS.
    """
    try:
        table = parquet.read_table(path, columns=list(COLUMNS)).select(list(COLUMNS))
    except (OSError, ValueError, KeyError) as error:
        raise MissingDataError(f"{path.name} has not the columns {', '.join(COLUMNS)}") from error
    patients = np.array(table["patient"].to_pylist(), dtype=str)
    minutes = np.array(table["minute"], dtype=np.int64)
    mg_dl = np.array(table["glucose_mgdl"], dtype=np.float64)
    found = {}
    is_known = ~np.isnan(mg_dl)
    for person in np.unique(patients[is_known]):
        own = (patients == person) & is_known
        at, first = np.unique(minutes[own], return_index=True)
        found[str(person)] = Trace(at, mg_dl[own][first])
    return found
