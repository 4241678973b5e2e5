"""What people measure on devices that a home shares: meters and cuffs as recorded, scales by a stated simulation."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from schemas.vitals import BODY_TEMPERATURE, DIASTOLIC, GLUCOSE, SYSTOLIC, WEIGHT
from services.score.models.own_band import DAY_MS
from tests.proving.alarms.recordings import PRESSURE_FILE, glucose, pressure
from tests.proving.scorecard.recorded_glucose import FILE as GLUCOSE_FILE
from tests.proving.scorecard.section import Wanted

MINUTE_MS: Final = 60_000
METER_HOURS: Final = (7.5, 12.0, 18.0, 22.0)
"""About when people with diabetes use a meter: before meals and before sleep."""
_METER_SPREAD_H: Final = 0.75
_METER_WITHIN_MIN: Final = 10
SCALE_PEOPLE: Final = 120
"""Half of them women; the first of each pair is one's spouse, but anybody is taken as a room-mate of anybody here."""
_SCALE_DAYS: Final = 60
_SCALE_USED: Final = 0.8
"""On so large a share of days somebody steps on the scale."""
_KG: Final = {"woman": (69.0, 13.0), "man": (81.0, 13.0)}
"""Mean and spread over people, in kg: about those of people of 65 and older in national surveys."""
_DAILY_KG: Final = 0.55
"""From day to day: meals, clothes, water."""
_DRIFT_KG: Final = 0.10
"""A slow random walk, a day."""
_WATER_SHARE: Final = 0.3
"""So many have a week of heart failure in that time: they gain 2 to 6 kg in 3 to 8 days, and lose them again."""


class Measurement(NamedTuple):
    """One use of a device: when, in ms, and the values by the number of their vital, in its unit."""

    at: int
    values: Mapping[int, float]


Stream = Sequence[Measurement]
Streams = Mapping[str, Stream]
"""By person, each in the order of time, which begins at 0 for everybody."""


def meters(wanted: Wanted) -> Streams:
    """Glucose of continuous monitors, looked at about four times a day, as by a meter. Raises MissingDataError."""
    folder = wanted.file(GLUCOSE_FILE).parent
    rng, found = np.random.default_rng(wanted.seed), {}
    for person, rows in sorted(glucose(folder).items()):
        minutes = np.array([row.minute for row in rows])
        values = np.array([row.values[GLUCOSE.code] for row in rows])
        days = np.arange(minutes[0] // 1440, minutes[-1] // 1440 + 1)
        hours = np.array(METER_HOURS) + rng.normal(0, _METER_SPREAD_H, (len(days), len(METER_HOURS)))
        wished = (days[:, None] * 1440 + hours * 60).ravel()
        places = np.clip(np.searchsorted(minutes, wished), 0, len(minutes) - 1)
        near = np.unique(places[np.abs(minutes[places] - wished) <= _METER_WITHIN_MIN])
        first = minutes[0] // 1440 * 1440
        found[person] = [
            Measurement(round((minutes[place] - first) * MINUTE_MS), {GLUCOSE.number: float(values[place])})
            for place in near
        ]
    return {person: some for person, some in found.items() if some}


def cuffs(wanted: Wanted) -> Streams:
    """Home cuffs as they were used. Raises MissingDataError.

    What a zone's shift has written twice, the same pressure some hours later, is one measurement.
    """
    folder = wanted.file(PRESSURE_FILE).parent
    found = {}
    for person, rows in sorted(pressure(folder).items()):
        first = rows[0].minute // 1440 * 1440
        read = [
            Measurement(
                round((row.minute - first) * MINUTE_MS),
                {SYSTOLIC.number: row.values["systolic"], DIASTOLIC.number: row.values["diastolic"]},
            )
            for row in rows
        ]
        twice = {after.at for before, after in pairwise(read) if _is_copy(before, after)}
        found[person] = [one for one in read if one.at not in twice]
    return found


def _is_copy(before: Measurement, after: Measurement) -> bool:
    apart = after.at - before.at
    return before.values == after.values and apart <= DAY_MS // 2 and apart % (30 * MINUTE_MS) == 0


def scales(wanted: Wanted) -> Streams:
    """Simulated: each person's own weight, a slow drift, the day's chance, and for some a week of water."""
    found = {}
    for number in range(SCALE_PEOPLE):
        rng = np.random.default_rng((wanted.seed, number))
        mean, spread = _KG["woman" if number % 2 else "man"]
        usual = float(np.clip(rng.normal(mean, spread), 42, 130))
        course = usual + np.cumsum(rng.normal(0, _DRIFT_KG, _SCALE_DAYS)) + _water(rng)
        shown = course + rng.normal(0, _DAILY_KG, _SCALE_DAYS)
        minutes = 7 * 60 + rng.normal(0, 30, _SCALE_DAYS)
        found[f"scale-{number:03}"] = [
            Measurement(round(day * DAY_MS + minutes[day] * MINUTE_MS), {WEIGHT.number: round(float(shown[day]), 1)})
            for day in np.flatnonzero(rng.random(_SCALE_DAYS) < _SCALE_USED)
        ]
    return found


def _water(rng: np.random.Generator) -> np.ndarray:
    """What somebody's water adds on each day, in kg."""
    if rng.random() >= _WATER_SHARE:
        return np.zeros(_SCALE_DAYS)
    begins, days, most = rng.integers(15, 40), rng.integers(3, 9), rng.uniform(2, 6)
    day = np.arange(_SCALE_DAYS)
    return most * np.clip((day - begins) / days, 0, 1) * np.clip((begins + 2.5 * days - day) / days, 0, 1)


def thermometers(wanted: Wanted) -> Streams:
    """Simulated, since nobody's is recorded: 36.5 Cel with a spread of 0.3 over people, and as much over readings."""
    rng = np.random.default_rng((wanted.seed, SCALE_PEOPLE))
    return {
        f"thermometer-{number:02}": [
            Measurement(half * DAY_MS // 2, {BODY_TEMPERATURE.number: round(float(value), 1)})
            for half, value in enumerate(rng.normal(rng.normal(36.5, 0.3), 0.3, 40))
        ]
        for number in range(20)
    }
