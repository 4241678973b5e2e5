"""How a detector's days count: an illness found, found by chance, and false alerts of days in health."""

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.score.models.drift import DriftModel, DriftState
from tests.proving.scorecard.figures import Figure, exact, over_people
from tests.proving.scorecard.recorded_days import RecordedDays

FROM_DAY: Final = -4
TO_DAY: Final = 5
"""An illness counts as found by an alert that stands on one of these days, counted from the first of symptoms."""
HEALTHY_BEFORE: Final = -14
HEALTHY_AFTER: Final = 28
"""Days before the first and after the second are days in health: recovery takes weeks."""
MONTH_DAYS: Final = 30
_AMONG_DAYS: Final = 28
_UNTIL_DAYS: Final = 3
_LEAST_DAYS: Final = 10
_LEAST_IN_WINDOW: Final = 5
_LEAST_BEFORE: Final = 14

Truths: TypeAlias = NDArray[np.bool_]


class Course(NamedTuple):
    """What a detector says of a person's days, one of each a day: an alert stands, and one begins."""

    is_on: Truths
    begins: Truths


class Judged(NamedTuple):
    """Somebody with enough days, and which of these a detector is judged by.

    ``window``: those around the illness. ``windows``: a row for each window in health that would count if the symptoms
    had begun on another day, which ``onsets`` has. All of these stand for days drawn at random: it is what drawing
    comes to in the end.
    """

    days: NDArray[np.int64]
    healthy: Truths
    window: Truths
    windows: Truths
    onsets: NDArray[np.int64]


class Counts(NamedTuple):
    """Of one person. ``by_chance``: how many of the windows in health the alerts would have found, 0 to 1.

    ``lead_days``: from the first alert of the window to the first day of symptoms; NaN where nothing was found.
    ``is_found_anew``: an alert began in the window; ``is_found_early``: one stood until the first day of symptoms.
    """

    is_found: bool
    is_found_anew: bool
    is_found_early: bool
    by_chance: float
    anew_by_chance: float
    early_by_chance: float
    false_alerts: int
    alert_days: int
    healthy_days: int
    lead_days: float


def drift_course(model: DriftModel, one: RecordedDays, level: int = 1) -> Course:
    """What HearthBeat says, a day at a time, as score asks it: of episodes from ``level`` on (2: those that last)."""
    state, first, before = DriftState(), int(one.days[0]), 0
    is_on, begins = np.zeros(len(one.days), dtype=bool), np.zeros(len(one.days), dtype=bool)
    for place, day in enumerate(one.days):
        said = model.advance(state, int(day) - first, one.values(place))
        if said is not None:
            is_on[place] = said.is_on and said.level >= level
            begins[place] = said.level >= level > before
            before = said.level
    return Course(is_on, begins)


def with_rearming(is_on: Truths, over_days: int = 5) -> Course:
    """A detector that only says which days are beyond: an alert begins after ``over_days`` days that are not."""
    begins, below = np.zeros(len(is_on), dtype=bool), over_days
    for place, one in enumerate(is_on):
        begins[place] = one and below >= over_days
        below = 0 if one else below + 1
    return Course(is_on, begins)


def judged(one: RecordedDays) -> Judged | None:
    """None for somebody without enough days: around the illness, before it, or in health to compare with."""
    days, known = one.days, _with_baseline(one.days)
    window = _window(days, known, 0)
    onsets = range(int(days[0]) - FROM_DAY, int(days[-1]) - TO_DAY + 1)
    apart = [onset for onset in onsets if onset + TO_DAY < HEALTHY_BEFORE or onset + FROM_DAY > HEALTHY_AFTER]
    windows = {onset: inside for onset in apart if _is_worn(inside := _window(days, known, onset))}
    if not windows or not _is_worn(window) or (known & (days < FROM_DAY)).sum() < _LEAST_BEFORE:
        return None
    healthy = known & ((days < HEALTHY_BEFORE) | (days > HEALTHY_AFTER))
    return Judged(days, healthy, window, np.array(list(windows.values())), np.array(list(windows)))


def _with_baseline(days: NDArray[np.int64]) -> Truths:
    """The days with enough days before them for a baseline: all detectors are judged by the same ones."""
    first, last = days - _UNTIL_DAYS - _AMONG_DAYS + 1, days - _UNTIL_DAYS
    known = np.searchsorted(days, last, side="right") - np.searchsorted(days, first, side="left")
    found: Truths = known >= _LEAST_DAYS
    return found


def _window(days: NDArray[np.int64], known: Truths, onset: int) -> Truths:
    return known & (days >= onset + FROM_DAY) & (days <= onset + TO_DAY)


def _is_worn(window: Truths) -> bool:
    return bool(window.sum() >= _LEAST_IN_WINDOW)


def counts(one: Judged, course: Course) -> Counts:
    """Of a person's course, which has as many days as the person."""
    is_on, begins = course
    found = one.days[one.window & is_on]
    early = one.windows & (one.days <= one.onsets[:, np.newaxis])
    return Counts(
        is_found=bool(len(found)),
        is_found_anew=bool((one.window & begins).any()),
        is_found_early=bool((found <= 0).any()),
        by_chance=float((one.windows & is_on).any(axis=1).mean()),
        anew_by_chance=float((one.windows & begins).any(axis=1).mean()),
        early_by_chance=float((early & is_on).any(axis=1).mean()),
        false_alerts=int((begins & one.healthy).sum()),
        alert_days=int((is_on & one.healthy).sum()),
        healthy_days=int(one.healthy.sum()),
        lead_days=-float(found[0]) if len(found) else float("nan"),
    )


def excess(all_counts: Sequence[Counts]) -> float:
    """The share of illnesses found, without what would be found by chance."""
    return float(np.mean([one.is_found - one.by_chance for one in all_counts]))


def false_per_month(all_counts: Sequence[Counts]) -> float:
    """False alerts a person and month in health."""
    return MONTH_DAYS * sum(one.false_alerts for one in all_counts) / sum(one.healthy_days for one in all_counts)


def figures(all_counts: Sequence[Counts], seed: int) -> dict[str, Figure]:
    """The columns of the section's table, with intervals over people."""
    each, healthy_days = [1.0] * len(all_counts), [one.healthy_days for one in all_counts]
    leads = [one.lead_days for one in all_counts if one.is_found]

    def share(values: Sequence[float]) -> Figure:
        return over_people(values, each, seed=seed)

    def monthly(values: Sequence[float]) -> Figure:
        return over_people(values, healthy_days, seed=seed, scale=MONTH_DAYS)

    return {
        "sensitivity": share([one.is_found for one in all_counts]),
        "chance": share([one.by_chance for one in all_counts]),
        "excess_over_chance": share([one.is_found - one.by_chance for one in all_counts]),
        "false_per_month": monthly([one.false_alerts for one in all_counts]),
        "alert_days_per_month": monthly([one.alert_days for one in all_counts]),
        "lead_days": exact(float(np.median(leads)) if leads else float("nan")),
        "excess until day 0": share([one.is_found_early - one.early_by_chance for one in all_counts]),
        "excess of new alerts": share([one.is_found_anew - one.anew_by_chance for one in all_counts]),
    }
