"""Reads stays in intensive care: vitals by the hour, and when sepsis began, from ``icu_vitals_hourly_sepsis.parquet``.

Source: Reyna et al., PhysioNet / Computing in Cardiology Challenge 2019, doi 10.13026/v64v-d857, CC BY 4.0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from schemas.vitals import BODY_TEMPERATURE, HEART_RATE, RESPIRATORY_RATE, SPO2, SYSTOLIC, Vital

RECORDING: Final = "icu_vitals_hourly_sepsis.parquet"
COLUMNS: Final[tuple[tuple[str, Vital], ...]] = (
    ("heart_rate", HEART_RATE),
    ("spo2", SPO2),
    ("temp_c", BODY_TEMPERATURE),
    ("sbp", SYSTOLIC),
    ("resp_rate", RESPIRATORY_RATE),
)
LABEL_AHEAD_H: Final = 6
"""The challenge's label is 1 from six hours before the clinical onset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One stay: ``values`` (hours, vitals in the order of ``COLUMNS``), NaN where nothing was measured in that hour.

    ``onset``: hours from the first one to the clinical onset of sepsis, None of a stay without; it may lie after the
    last hour. ``began_before``: the label stood from the first hour on, so when sepsis began is not known.
    """

    person: str
    values: NDArray[np.float64]
    age: float
    is_male: bool
    onset: int | None
    began_before: bool

    @property
    def hours(self) -> int:
        """How many hours count: those before the onset, or all."""
        return len(self.values) if self.onset is None else min(self.onset, len(self.values))


def recorded_stays(path: Path) -> list[Stay]:
    """The stays in the order of their people's names; hours without a row are hours without values.

    Values that ingest would reject as implausible are left out, as it would.
    """
    table = parquet.read_table(path)
    names = table["patient"].cast(pa.string()).combine_chunks().dictionary_encode()
    codes, hours = names.indices.to_numpy(), _numbers(table, "hour").astype(int)
    order = np.lexsort((hours, codes))
    codes, hours = codes[order], hours[order]
    values = np.column_stack([_plausible(_numbers(table, name)[order], vital) for name, vital in COLUMNS])
    rest = {name: _numbers(table, name)[order] for name in ("age", "male", "sepsis_label")}
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    bounds = zip(starts, np.r_[starts[1:], len(codes)], strict=True)
    stays = [
        _stay(names.dictionary[int(codes[start])].as_py(), hours[start:end], values[start:end],
              {name: column[start:end] for name, column in rest.items()})
        for start, end in bounds
    ]  # fmt: skip
    return sorted(stays, key=lambda stay: stay.person)


def _stay(person: str, hours: NDArray[Any], values: NDArray[Any], rest: Mapping[str, NDArray[Any]]) -> Stay:
    place = hours - hours[0]
    filled = np.full((place[-1] + 1, values.shape[1]), np.nan)
    filled[place] = values
    labelled = place[rest["sepsis_label"] > 0]
    return Stay(
        person=person,
        values=filled,
        age=float(rest["age"][0]),
        is_male=bool(rest["male"][0]),
        onset=int(labelled[0]) + LABEL_AHEAD_H if len(labelled) else None,
        began_before=bool(len(labelled) and labelled[0] == 0),
    )


def _numbers(table: Any, name: str) -> NDArray[np.float64]:
    found: NDArray[np.float64] = table[name].to_numpy(zero_copy_only=False).astype(float)
    return found


def _plausible(values: NDArray[np.float64], vital: Vital) -> NDArray[np.float64]:
    return np.where((values >= vital.lowest) & (values <= vital.highest), values, np.nan)
