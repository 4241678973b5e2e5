"""Reads days that people recorded with a band, around the day on which an illness began, or makes up such days."""

import csv
import gzip
from collections import defaultdict
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.score.models.drift import RESTING_PULSE, STEPS

WEARABLE_DAYS: Final = "wearable_daily_covid_onset.csv.gz"
LEAST_POINTS: Final = 72
"""Of five minutes each: a day on which the band was worn for less than six hours says nothing."""


class RecordedDays(NamedTuple):
    """One person's days in order. ``days`` count from the first day of symptoms, which is 0.

    ``resting_pulse`` per minute, ``steps`` of the whole day.
    """

    person: str
    source: str
    days: NDArray[np.int64]
    resting_pulse: NDArray[np.float64]
    steps: NDArray[np.float64]

    def values(self, place: int) -> dict[str, float]:
        """The values of one day, by their channel."""
        return {RESTING_PULSE: float(self.resting_pulse[place]), STEPS: float(self.steps[place])}


def recorded_days(path: Path) -> list[RecordedDays]:
    """Everybody of the recording, by person, with the days on which the band was worn for long enough."""
    rows: dict[tuple[str, str], dict[int, tuple[float, float]]] = defaultdict(dict)
    with gzip.open(path, "rt", newline="") as lines:
        for row in csv.DictReader(lines):
            known = all(row[name] for name in ("hr_basal_bpm", "steps_per_day", "day_from_symptom_onset"))
            if known and float(row["n_5min_points"] or 0) >= LEAST_POINTS:
                day = int(float(row["day_from_symptom_onset"]))
                rows[row["patient"], row["source"]][day] = float(row["hr_basal_bpm"]), float(row["steps_per_day"])
    return [_person(*key, rows[key]) for key in sorted(rows)]


def made_up_days(people: int, seed: int) -> list[RecordedDays]:
    """Seeded people with 120 days each, who fall ill on day 0, some of them without showing it.

    Pulse and steps wander from day to day (autocorrelation 0.6 and 0.4), steps vary by half and are more at weekends;
    one day in fifteen is not worn. In illness pulse is raised and steps are fewer for about a week.
    """
    rng = np.random.default_rng(seed)
    return [_made_up(f"made up {number:03}", rng) for number in range(people)]


def _made_up(person: str, rng: np.random.Generator) -> RecordedDays:
    days = np.arange(-80, 40)
    shown = rng.uniform(0, 1) * np.exp(-0.5 * ((days - 1.5) / 3) ** 2)
    pulse = rng.normal(72, 8) + rng.uniform(1, 2.5) * _wander(0.6, len(days), rng) + 7 * shown
    logarithms = rng.normal(8.7, 0.5) + 0.45 * _wander(0.4, len(days), rng) + 0.2 * (days % 7 > 4)
    steps = np.exp(logarithms - 2 * shown)
    worn = {
        int(day): (float(one), float(of_day))
        for day, one, of_day, is_worn in zip(days, pulse, steps, rng.uniform(size=len(days)) > 1 / 15, strict=True)
        if is_worn
    }
    return _person(person, "made up", worn)


def _wander(stays: float, days: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """A figure a day around 0, of variance 1, of which the share ``stays`` is the day before's."""
    found = rng.normal(size=days)
    for day in range(1, days):
        found[day] = stays * found[day - 1] + np.sqrt(1 - stays**2) * found[day]
    return found


def _person(person: str, source: str, rows: dict[int, tuple[float, float]]) -> RecordedDays:
    days = sorted(rows)
    pulse, steps = zip(*(rows[day] for day in days), strict=True)
    return RecordedDays(person, source, np.array(days), np.array(pulse), np.array(steps))
