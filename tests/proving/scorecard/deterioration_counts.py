"""What an alarm over the hours of a stay found and what it cost: counted stay by stay. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tests.proving.scorecard.figures import Figure, exact, over_people
from tests.proving.scorecard.recorded_stays import Stay

WINDOW_H: Final = 12
"""An alarm that is on in so many hours before sepsis has found it; among the well windows of the same length count."""
_DAY_H: Final = 24
_HOURS_OF_STAY: Final = (0, 12, 36, 84, 1_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Of one stay. ``found`` and ``chance``: of its sepsis, 0 to 1, NaN where it had none that could be found.

    ``windows`` are whole ones of a stay without sepsis, ``windows_with`` those in which the alarm was on. ``lead_h``:
    from the first hour of the alarm in the window to the onset, NaN where it was not found.
    """

    alerts: int
    hours: int
    alarm_hours: int
    found: float
    chance: float
    lead_h: float
    windows: int
    windows_with: int


def counted(stay: Stay, is_on: NDArray[np.bool_]) -> Counted | None:
    """What the alarm did in ``stay``; ``is_on`` has a place for each of its hours.

    Hours from the onset on are left out; None of a stay whose sepsis began before its first hour. An alert is an hour
    with the alarm on after one without.
    """
    if stay.began_before:
        return None
    on = is_on[: stay.hours]
    found = chance = lead_h = np.nan
    windows = windows_with = 0
    if stay.onset is None:
        windows = len(on) // WINDOW_H
        windows_with = int(on[: windows * WINDOW_H].reshape(windows, WINDOW_H).any(axis=1).sum())
    else:
        first = max(0, stay.onset - WINDOW_H)
        found, chance = float(on[first:].any()), by_chance(on, len(on) - first)
        lead_h = float(stay.onset - first - np.argmax(on[first:])) if found else np.nan
    return Counted(
        alerts=int(on[0]) + int((on[1:] & ~on[:-1]).sum()),
        hours=len(on),
        alarm_hours=int(on.sum()),
        found=found,
        chance=chance,
        lead_h=lead_h,
        windows=windows,
        windows_with=windows_with,
    )


def by_chance(on: NDArray[np.bool_], window: int) -> float:
    """How likely a window of so many hours has an hour with the alarm on, if all is shifted in time at random.

    What is shifted over the end comes in at the beginning. All shifts are counted, so nothing is drawn.
    """
    sums = np.concatenate([[0], np.cumsum(np.concatenate([on, on[:window]]))])
    return float((sums[window : window + len(on)] > sums[: len(on)]).mean())


def figures_of(counts: Sequence[Counted], seed: int) -> dict[str, Figure]:
    """The figures of the summary, with intervals over people."""

    def column(name: str) -> list[float]:
        return [float(getattr(one, name)) for one in counts]

    def ratio(above: str, below: str, scale: float = 1.0) -> Figure:
        return over_people(column(above), column(below), seed=seed, scale=scale)

    # Whoever had no sepsis adds nothing to these, and there are many.
    ill = [one for one in counts if not np.isnan(one.found)]
    leads = [one.lead_h for one in ill if one.found]
    return {
        "sensitivity": over_people([one.found for one in ill], [1.0] * len(ill), seed=seed),
        "chance": over_people([one.chance for one in ill], [1.0] * len(ill), seed=seed),
        "alerts_per_patient_day": ratio("alerts", "hours", _DAY_H),
        "false_window_rate": ratio("windows_with", "windows"),
        "time_in_alarm_share": ratio("alarm_hours", "hours"),
        "lead_h": exact(float(np.median(leads)) if leads else np.nan),
    }


def by_hours_of_stay(stays: Sequence[Stay], is_on: Sequence[NDArray[np.bool_]]) -> dict[str, dict[str, float]]:
    """How many were found by when sepsis began, and false windows by when they ended, in hours of the stay.

    Sepsis late in a stay is easier to find for whatever alarms more as a stay goes on: this shows how much it does.
    """
    found: dict[str, dict[str, float]] = {}
    for low, high in pairwise(_HOURS_OF_STAY):
        ill = [(stay, on) for stay, on in zip(stays, is_on, strict=True) if stay.onset and low < stay.onset <= high]
        hits = [on[max(0, (stay.onset or 0) - WINDOW_H) : stay.hours].any() for stay, on in ill]
        windows = [
            on[end - WINDOW_H : end].any()
            for stay, on in zip(stays, is_on, strict=True)
            if stay.onset is None
            for end in range(WINDOW_H, len(on) + 1, WINDOW_H)
            if low < end <= high
        ]
        found[f"{low} to {high} h"] = {
            "with_sepsis": len(ill),
            "sensitivity": float(np.mean(hits)) if hits else np.nan,
            "windows": len(windows),
            "false_window_rate": float(np.mean(windows)) if windows else np.nan,
        }
    return found


def false_windows_at_same_hours(by_hours: Mapping[str, Mapping[str, float]]) -> float:
    """The false windows of ``by_hours_of_stay`` weighted by how many became septic in those hours; NaN without any.

    What a sensitivity has to be compared with: it is what the detector does to people without sepsis who have been in
    as long.
    """
    known = [one for one in by_hours.values() if one["with_sepsis"] and one["windows"]]
    ill = sum(one["with_sepsis"] for one in known)
    return sum(one["with_sepsis"] * one["false_window_rate"] for one in known) / ill if ill else np.nan
