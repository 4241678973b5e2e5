"""Low-glucose events as reports count them: those of the international consensus, not what anybody is alerted by. Pure.

Battelino 2019, Diabetes Care 42:1593: an event has lasted 15 min below 70 mg/dL (level 1) or 54 mg/dL (level 2).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

LIMITS: Final[Mapping[int, float]] = {1: 70.0, 2: 54.0}
"""Below so many mg/dL, by level."""
_BACK: Final = LIMITS[1]
_LASTS_MS: Final = 15 * 60_000
"""So long below an event lasts at least, and so long at 70 mg/dL or above ends it."""
_GAP_MS: Final = 30 * 60_000
"""Over a longer time without a reading nothing has lasted."""


class GlucoseEvent(NamedTuple):
    """An event of ``level``: its first reading below, and the one at which it had lasted. Times in ms."""

    level: int
    first_at: int
    counts_at: int


@dataclass(slots=True)
class _Low:
    first_at: int
    counted: bool = False


def glucose_events(readings: Iterable[tuple[int, float]]) -> list[GlucoseEvent]:
    """The events of one person's monitor, by its readings ``(ms, mg/dL)`` in the order of time."""
    found: list[GlucoseEvent] = []
    open_by_level: dict[int, _Low] = {}
    before = back_at = 0
    for at, value in readings:
        if at - before > _GAP_MS:
            open_by_level.clear()
        before = at
        for level, limit in LIMITS.items():
            if value >= limit:
                continue
            low = open_by_level.setdefault(level, _Low(at))
            if at - low.first_at >= _LASTS_MS and not low.counted:
                low.counted = True
                found.append(GlucoseEvent(level, low.first_at, at))
        if value < _BACK:
            back_at = 0
            continue
        back_at = back_at or at
        if at - back_at >= _LASTS_MS:
            open_by_level.clear()
    return found
