"""What a ward would have otherwise: alarms by the NEWS2 points of the vitals of each hour."""

from collections.abc import Callable
from functools import lru_cache
from math import isnan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.vitals import BODY_TEMPERATURE, HEART_RATE, RESPIRATORY_RATE, SPO2, SYSTOLIC
from services.score.models import hysteresis
from services.score.news2_points import PULSE, SPO2_SCALE_1, TEMPERATURE, BandTable
from services.score.news2_points import RESPIRATORY_RATE as BREATHS
from services.score.news2_points import SYSTOLIC as PRESSURE
from tests.proving.scorecard.recorded_stays import COLUMNS

TABLES: Final[dict[int, BandTable]] = {
    HEART_RATE.number: PULSE,
    SPO2.number: SPO2_SCALE_1,
    BODY_TEMPERATURE.number: TEMPERATURE,
    SYSTOLIC.number: PRESSURE,
    RESPIRATORY_RATE.number: BREATHS,
}
CARRIED_H: Final = 24
"""A value speaks for so many hours more: of five inputs measured by the hour, nearly all are known so."""
_RED: Final = 3


def points_of(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Points (hours, vitals) by the chart, of values in the order of ``COLUMNS``, carried; 0 for what is not known."""
    return np.column_stack(
        [
            [0 if isnan(value) else _points(vital.number, value) for value in _carried(values[:, place]).tolist()]
            for place, (_, vital) in enumerate(COLUMNS)
        ]
    ).astype(np.int64)


def alarm_of(
    signal: NDArray[np.floating | np.integer], on: float, off: float, *, on_for: int = 1, off_for: int = 1
) -> NDArray[np.bool_]:
    """Hours in which an alarm is on, from ``on_for`` hours in a row at ``on`` or above to ``off_for`` below ``off``."""
    return np.array(hysteresis.course(signal.tolist(), on=on, off=off, on_for=on_for, off_for=off_for), dtype=bool)


Rival = Callable[[NDArray[np.int64]], NDArray[np.bool_]]

RIVALS: Final[dict[str, Rival]] = {
    "any single red value, every crossing": lambda points: points.max(axis=1) >= _RED,
    "any single red value, 2 h persistence": lambda points: alarm_of(
        points.max(axis=1), _RED, _RED, on_for=2, off_for=2
    ),
    "NEWS2 of 5 or more, every crossing": lambda points: points.sum(axis=1) >= 5,
    "NEWS2 of 5 or more for 2 h, off below 4 for 2 h": lambda points: alarm_of(
        points.sum(axis=1), 5, 4, on_for=2, off_for=2
    ),
    "NEWS2 of 7 or more, every crossing": lambda points: points.sum(axis=1) >= 7,
}
"""By name, from points to hours with the alarm on."""


@lru_cache(maxsize=20_000)
def _points(vital: int, value: float) -> int:
    return TABLES[vital].points(value)


def _carried(values: NDArray[np.float64]) -> NDArray[np.float64]:
    hours = np.arange(len(values))
    newest = np.maximum.accumulate(np.where(np.isnan(values), -1, hours))
    return np.where((newest >= 0) & (hours - newest <= CARRIED_H), values[newest], np.nan)
