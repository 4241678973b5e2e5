"""What people would have without a learned forecast: limits, straight lines, and Nightscout as it is. Vectorised."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tests.proving.scorecard.hypoglycaemia_events import LOW, Alerts
from tests.proving.scorecard.recorded_glucose import Trace

Floats = NDArray[np.float64]
Values = Callable[[Trace], Floats]
"""What a detector compares with its threshold, in mg/dL, a value a reading: an alert is below."""
_STEP_MIN: Final = 5
_NEAR_MIN: Final = 2.5
_HELD_MIN: Final = 10
REARM_ABOVE: Final = 10.0
"""An alert may come again after values so far above the threshold, in mg/dL, for REARM_CALM_MIN; or after an hour."""
REARM_CALM_MIN: Final = 10
REARM_AFTER_MIN: Final = 60


def back(trace: Trace, minutes: int) -> Floats:
    """What was read so long before each reading; NaN where nothing was."""
    wanted = trace.minutes - minutes
    place = np.searchsorted(trace.minutes, wanted + _NEAR_MIN, side="right") - 1
    is_known = (place >= 0) & (wanted - trace.minutes[place.clip(min=0)] <= _HELD_MIN)
    return np.where(is_known, trace.mg_dl[place.clip(min=0)], np.nan)


def level(trace: Trace) -> Floats:
    """The newest value."""
    return trace.mg_dl


def line(trace: Trace, over_min: int) -> Floats:
    """Where the straight line over the last ``over_min`` minutes is in 30 min."""
    return trace.mg_dl + (trace.mg_dl - back(trace, over_min)) * 30 / over_min


def ar2(trace: Trace) -> Floats:
    """Glucose in 30 min by Nightscout's AR2 (lib/plugins/ar2.js): x = ln(G / 140), two coefficients, six steps."""
    return _ar2_steps(trace)[-1]


def _ar2_steps(trace: Trace) -> list[Floats]:
    now, before = np.log(trace.mg_dl / 140), np.log(back(trace, _STEP_MIN) / 140)
    found = []
    for _ in range(6):
        now, before = 1.716 * now - 0.723 * before, now
        found.append(np.clip(140 * np.exp(now), 36, 400))
    return found


RIVALS: Final[Mapping[str, Values]] = MappingProxyType(
    {
        "limit on the newest value": level,
        "straight line over 15 min": lambda trace: line(trace, 15),
        "straight line over 30 min": lambda trace: line(trace, 30),
        "Nightscout AR2": ar2,
    }
)
PUBLISHED: Final[Mapping[str, float]] = MappingProxyType(
    {"straight line over 15 min": 60.0, "straight line over 30 min": 67.5, "Nightscout AR2": 71.0}
)
"""Thresholds, in mg/dL, at which an earlier measurement on more of these people found four of five lows."""


def below(trace: Trace, values: Floats, threshold: float) -> Alerts:
    """Alerts where values fall below the threshold while glucose is not below 70, again as REARM_* say."""
    minutes, is_high = trace.minutes, trace.mg_dl >= LOW
    with np.errstate(invalid="ignore"):
        due = np.flatnonzero((values < threshold) & is_high)
        calm = values > threshold + REARM_ABOVE
    began = np.maximum.accumulate(np.where(calm & ~np.r_[False, calm[:-1]], np.arange(len(calm)), 0))
    rearms = np.flatnonzero(calm & (minutes - minutes[began] >= REARM_CALM_MIN))
    found: list[int] = []
    on = np.zeros(len(minutes), dtype=bool)
    at = 0
    while (following := np.searchsorted(due, at)) < len(due):
        place = int(due[following])
        found.append(int(minutes[place]))
        by_time = int(np.searchsorted(minutes, minutes[place] + REARM_AFTER_MIN))
        by_calm = np.searchsorted(rearms, place)
        at = min(by_time, int(rearms[by_calm]) if by_calm < len(rearms) else len(minutes))
        on[place:at] = True
    return Alerts(found, float(np.mean(on & is_high)))


def lasting(trace: Trace, limit: float, minutes: float) -> Alerts:
    """Values below a limit for so long, and not below 70; again an hour later, or once a value was at the limit."""
    is_below = trace.mg_dl < limit
    starts = is_below & ~np.r_[False, is_below[:-1]]
    began = np.maximum.accumulate(np.where(starts, np.arange(len(starts)), 0))
    lasts = is_below & (trace.minutes - trace.minutes[began] >= minutes)
    # As values of a threshold: what lasts is below it, anything else is far above.
    return below(trace, np.where(lasts, 0.0, 2 * REARM_ABOVE), 1.0)


def nightscout(trace: Trace) -> Alerts:
    """Nightscout with its defaults (lib/settings.js, simplealarms.js, ar2.js), alarms that concern lows.

    Below 80 mg/dL, or AR2's loss above 0.05 with the value in 20 min below 80; silenced for 15 min each time. The
    value has to be above 39. Alarms while glucose is below 70 are of the low itself, and do not count here.
    """
    steps = np.stack(_ar2_steps(trace))
    loss = np.nansum(np.log10(steps / 120) ** 2, axis=0) / 5
    with np.errstate(invalid="ignore"):
        holds = (trace.mg_dl < 80) | ((loss > 0.05) & (steps[3] < 80))
    holds &= trace.mg_dl > 39
    found: list[int] = []
    silenced_until = -np.inf
    for minute, mg_dl, does in zip(trace.minutes.tolist(), trace.mg_dl.tolist(), holds.tolist(), strict=True):
        if does and minute >= silenced_until:
            silenced_until = minute + 15
            if mg_dl >= LOW:
                found.append(minute)
    return Alerts(found, float(np.mean(holds & (trace.mg_dl >= LOW))))
