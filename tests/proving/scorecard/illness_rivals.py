"""What others do with a day's resting pulse and steps, by their published rules: which days are beyond."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.score.models.drift import CHANNELS, RESTING_PULSE, STEPS
from services.score.models.usual import deviation
from tests.proving.scorecard.illness_counts import Truths
from tests.proving.scorecard.recorded_days import RecordedDays

_CHANNEL: Final = {channel.code: channel for channel in CHANNELS}
_AMONG_DAYS: Final = 28
_UNTIL_DAYS: Final = 3
_LEAST_DAYS: Final = 10

Floats: TypeAlias = NDArray[np.float64]


def fixed_limit(one: RecordedDays) -> Truths:
    """A resting pulse above 90 per minute."""
    return one.resting_pulse > 90


def one_day_z(one: RecordedDays) -> Truths:
    """A resting pulse 1.5 standard deviations above the mean of the last 14 days (7 of them at least)."""
    found = np.zeros(len(one.days), dtype=bool)
    for place, day in enumerate(one.days):
        before = one.resting_pulse[(one.days >= day - 14) & (one.days < day)]
        if len(before) >= 7:
            found[place] = one.resting_pulse[place] - before.mean() > 1.5 * before.std()
    return found


def one_day_robust_z(one: RecordedDays) -> Truths:
    """A resting pulse 3.07 robust standard deviations above the median of 28 days."""
    found: Truths = robust_z(one, RESTING_PULSE) > 3.07
    return found


def two_nights(one: RecordedDays) -> Truths:
    """NightSignal: on two days running, 4 per minute or more above the median of all days before (10 at least).

    Source: Alavi and others, Real-time alerting system for COVID-19 and other stress events using wearable data,
    Nature Medicine 2022. There it is the night's pulse.
    """
    raised = np.zeros(len(one.days), dtype=bool)
    for place in range(10, len(one.days)):
        raised[place] = one.resting_pulse[place] - np.median(one.resting_pulse[:place]) >= 4
    found: Truths = raised & np.roll(raised, 1) & (np.diff(one.days, prepend=one.days[0]) == 1)
    return found


def cusum_of_pulse(one: RecordedDays) -> Truths:
    """A cumulative sum of the resting pulse's robust z above 0.75, from 5.

    Source: after the online detection of Mishra and others, Pre-symptomatic detection of COVID-19 from smartwatch
    data, Nature Biomedical Engineering 2020.
    """
    found: Truths = _cusum(robust_z(one, RESTING_PULSE)) >= 5
    return found


def cusum_of_both(one: RecordedDays) -> Truths:
    """The same of pulse and half of steps, from 2.6."""
    found: Truths = _cusum(_pulse_and_half_steps(one)) >= 2.6
    return found


def ewma_of_both(one: RecordedDays) -> Truths:
    """An exponentially weighted mean of pulse and half of steps, pace 0.3, from 1.1; its baseline moves on."""
    mean, found = 0.0, np.zeros(len(one.days), dtype=bool)
    for place, z in enumerate(np.clip(_pulse_and_half_steps(one), -4, 6)):
        mean += 0.0 if np.isnan(z) else 0.3 * (z - mean)
        found[place] = mean >= 1.1
    return found


RIVALS: Final[Mapping[str, Callable[[RecordedDays], Truths]]] = {
    "resting pulse above 90": fixed_limit,
    "z above 1.5 on one day": one_day_z,
    "robust z above 3.07 on one day": one_day_robust_z,
    "NightSignal (4 above, two nights)": two_nights,
    "CUSUM of pulse": cusum_of_pulse,
    "CUSUM of pulse and steps": cusum_of_both,
    "EWMA of pulse and half of steps": ewma_of_both,
}


def robust_z(one: RecordedDays, code: str) -> Floats:
    """Of a channel's days, from the 28 days that end three days before; NaN with fewer than 10 of them."""
    values = one.resting_pulse if code == RESTING_PULSE else one.steps
    scaled = [_CHANNEL[code].scaled(float(value)) for value in values]
    found = np.full(len(one.days), np.nan)
    first = np.searchsorted(one.days, one.days - _UNTIL_DAYS - _AMONG_DAYS + 1, side="left")
    past = np.searchsorted(one.days, one.days - _UNTIL_DAYS, side="right")
    for place in range(len(found)):
        before = scaled[first[place] : past[place]]
        if len(before) >= _LEAST_DAYS:
            found[place] = deviation(_CHANNEL[code], float(values[place]), before).z
    return found


def _pulse_and_half_steps(one: RecordedDays) -> Floats:
    z_of_steps = np.clip(robust_z(one, STEPS), -4, 6)
    both: Floats = 1.33 * (np.clip(robust_z(one, RESTING_PULSE), -4, 6) + 0.5 * z_of_steps) / 2
    return both


def _cusum(z: Floats) -> Floats:
    total, found = 0.0, np.zeros(len(z))
    for place, one in enumerate(z):
        total = total if np.isnan(one) else max(0.0, total + min(one, 6.0) - 0.75)
        found[place] = total
    return found
