"""What counts as a low, as found and as false, whoever alerts; and what alerts at random times would find. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.proving.scorecard.figures import Figure, exact, over_people
from tests.proving.scorecard.recorded_glucose import Trace

LOW: Final = 70.0
LASTS_MIN: Final = 10
"""A low begins with the first of readings below 70 mg/dL that span so long: three of a sensor that measures each 5 min,
which stand for 15 min (Battelino 2019, Diabetes Care 42:1593)."""
OVER_AFTER_MIN: Final = 15
"""It ends after so long at or above."""
IN_A_ROW_MIN: Final = 20
"""Readings further apart say nothing of the time between them."""
PAUSE_MIN: Final = 30
"""After so long without a reading nobody knows whether a low goes on."""
AHEAD_MIN: Final = 60
"""An alert is for a low that begins within so long after it."""
CHANCES: Final = 20
"""How often alerts are moved at random."""


@dataclass(slots=True)
class Course:
    """Of lows, reading by reading: minutes of the first reading below in this run, of the first one back, and last."""

    below_since: float | None = None
    back_since: float | None = None
    last: float | None = None
    is_open: bool = False

    def advance(self, minute: float, mg_dl: float) -> float | None:
        """Takes the next reading; the minute that a low began, once it is known to be one."""
        if self.last is not None and minute - self.last > IN_A_ROW_MIN:
            self.below_since = self.back_since = None
            self.is_open = self.is_open and minute - self.last <= PAUSE_MIN
        self.last = minute
        if mg_dl >= LOW:
            self.below_since = None
            self.back_since = minute if self.back_since is None else self.back_since
            self.is_open = self.is_open and minute - self.back_since < OVER_AFTER_MIN
            return None
        self.back_since = None
        self.below_since = minute if self.below_since is None else self.below_since
        if self.is_open or minute - self.below_since < LASTS_MIN:
            return None
        self.is_open = True
        return self.below_since


def onsets(trace: Trace) -> NDArray[np.float64]:
    """The minutes at which lows began."""
    course = Course()
    began = (course.advance(*reading) for reading in zip(trace.minutes.tolist(), trace.mg_dl.tolist(), strict=True))
    return np.array([one for one in began if one is not None], dtype=float)


def open_lows(trace: Trace) -> NDArray[np.bool_]:
    """Of each reading, whether a low is open after it, which it is until values have been back for OVER_AFTER_MIN."""
    course, found = Course(), np.zeros(len(trace.minutes), dtype=bool)
    for place, reading in enumerate(zip(trace.minutes.tolist(), trace.mg_dl.tolist(), strict=True)):
        course.advance(*reading)
        found[place] = course.is_open
    return found


def in_sight(trace: Trace, began: NDArray[np.float64]) -> NDArray[np.float64]:
    """Those of the lows that anybody could foresee: something was read in the AHEAD_MIN before."""
    earlier = np.searchsorted(trace.minutes, began - AHEAD_MIN, side="left")
    return began[earlier < np.searchsorted(trace.minutes, began, side="left")]


class Alerts(NamedTuple):
    """Of a detector and a person: the minutes of alerts, and the share of readings at which one was on."""

    minutes: Sequence[float]
    on_share: float


class Scored(NamedTuple):
    """Of a person: warnings, and of some forecasts how they compare with what came.

    ``bands``: by the newest value; ``inside``: whether what came lay in the band; ``below_low``: how likely below 70
    was; ``was_low``: whether it came.
    """

    alerts: Alerts
    bands: NDArray[np.int64]
    inside: NDArray[np.bool_]
    below_low: NDArray[np.float64]
    was_low: NDArray[np.bool_]


class Count(NamedTuple):
    """Of a person: days measured, lows, those found, alerts, false alerts.

    ``false_outside``: of the false ones, those that did not come while a low was open, on its way out.
    ``leads``: minutes of warning before each low that was found. ``by_chance``: the share of the lows that alerts at
    random times find. ``on_share``: of the time, in alarm.
    """

    days: float
    lows: int
    found: int
    alerts: int
    false: int
    false_outside: int
    leads: tuple[float, ...]
    by_chance: float
    on_share: float


def count(
    trace: Trace,
    began: NDArray[np.float64],
    alerts: Alerts,
    random: np.random.Generator,
    is_open: NDArray[np.bool_] | None = None,
) -> Count:
    """Compares alerts with the lows that began within AHEAD_MIN after them; lead is that of the first such alert.

    ``is_open``: ``open_lows`` of the trace, where the caller has it.
    """
    minutes = np.asarray(alerts.minutes, dtype=float)
    leads = tuple(float(one) for one in began - _first_before(minutes, began) if not np.isnan(one))
    return Count(
        days=trace.days,
        lows=len(began),
        found=len(leads),
        alerts=len(minutes),
        false=found_and_false(began, minutes)[1],
        false_outside=found_and_false(began, _outside(trace, minutes, is_open))[1],
        leads=leads,
        by_chance=_by_chance(trace, began, minutes, random),
        on_share=alerts.on_share,
    )


def _outside(trace: Trace, minutes: NDArray[np.float64], is_open: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    known = open_lows(trace) if is_open is None else is_open
    return minutes[~known[np.searchsorted(trace.minutes, minutes)]] if len(minutes) else minutes


def found_and_false(began: NDArray[np.float64], minutes: NDArray[np.float64]) -> tuple[int, int]:
    """How many lows alerts find, and how many alerts are false; as ``count`` has it."""
    is_false = np.searchsorted(began, minutes, side="right") == np.searchsorted(began, minutes + AHEAD_MIN, "right")
    return int((~np.isnan(_first_before(minutes, began))).sum()), int(is_false.sum())


def _first_before(minutes: NDArray[np.float64], began: NDArray[np.float64]) -> NDArray[np.float64]:
    """The first alert in the hour before each low; NaN where there is none."""
    if not len(minutes):
        return np.full(len(began), np.nan)
    place = np.searchsorted(minutes, began - AHEAD_MIN, side="left")
    first = minutes[np.minimum(place, len(minutes) - 1)]
    return np.where((place < len(minutes)) & (first < began), first, np.nan)


def _by_chance(
    trace: Trace, began: NDArray[np.float64], minutes: NDArray[np.float64], random: np.random.Generator
) -> float:
    """Share of the lows found when all alerts move by one random number of readings, around the end of the trace."""
    if not len(began):
        return 0.0
    places = np.searchsorted(trace.minutes, minutes)
    shares = []
    for shift in random.integers(0, len(trace.minutes), CHANCES):
        moved = np.sort(trace.minutes[(places + shift) % len(trace.minutes)].astype(float))
        shares.append(float(np.mean(~np.isnan(_first_before(moved, began)))))
    return float(np.mean(shares))


def figures(counts: Sequence[Count], seed: int) -> dict[str, Figure]:
    """Of all people, by the title of the column; sums over people, not means of people."""
    lows = [one.lows for one in counts]
    days = [one.days for one in counts]
    leads = [lead for one in counts for lead in one.leads]
    return {
        "sensitivity": over_people([one.found for one in counts], lows, seed=seed),
        "chance": over_people([one.by_chance * one.lows for one in counts], lows, seed=seed),
        "false alerts a day": over_people([one.false for one in counts], days, seed=seed),
        "false outside of lows a day": over_people([one.false_outside for one in counts], days, seed=seed),
        "alerts a day": over_people([one.alerts for one in counts], days, seed=seed),
        "true of all alerts": over_people(
            [one.alerts - one.false for one in counts], [one.alerts for one in counts], seed=seed
        ),
        "median warning, min": exact(float(np.median(leads)) if leads else np.nan),
        "time in alarm": over_people([one.on_share * one.days for one in counts], days, seed=seed),
    }
