"""The last hour of a continuous glucose monitor on a grid of five minutes, whatever gaps and jitter it has. Pure."""

from dataclasses import dataclass, field
from itertools import pairwise
from math import exp, log, nan
from typing import Any, Final

MINUTE_MS: Final = 60_000
STEP_MS: Final = 5 * MINUTE_MS
POINTS: Final = 13
"""Of the grid: now, and each 5 min back to an hour ago."""
HELD_MS: Final = 10 * MINUTE_MS
"""A reading stands for the points after it for so long."""
EARLY_MS: Final = STEP_MS // 2
"""A reading that came so little after a point is the one meant: sensors keep no exact time."""
APART_MS: Final = 4 * MINUTE_MS
"""Of sensors that say more often, readings at least so far apart are kept, and the newest."""
_KEPT_MS: Final = (POINTS - 1) * STEP_MS + HELD_MS
NEEDED: Final = 7
"""Points without which nothing is forecast: the last half hour."""
CHANGES: Final = (3, 6, 9, 12)
LAGS: Final = tuple(f"log_{5 * point}_min_ago" for point in range(POINTS))
"""Names of the points, which are logarithms of mg/dL."""
TRENDS: Final = (
    "mg_dl",
    *(f"step_{5 * point}_min_ago" for point in range(POINTS - 1)),
    *(f"change_over_{5 * point}_min" for point in CHANGES),
)
"""Names of ``trends``: the newest value, differences of neighbouring points, and of the newest to earlier ones."""


@dataclass(slots=True)
class RecentGlucose:
    """``at`` in ms, rising, and ``logs``, natural logarithms of mg/dL: about 18 readings at most."""

    at: list[int] = field(default_factory=list)
    logs: list[float] = field(default_factory=list)

    def add(self, at: int, mg_dl: float) -> None:
        """The next reading, later than all before; one that is a bound (LOW, HIGH) is no value and is not added."""
        if len(self.at) > 1 and self.at[-1] - self.at[-2] < APART_MS:
            del self.at[-1], self.logs[-1]
        self.at.append(at)
        self.logs.append(log(mg_dl))
        while at - self.at[0] > _KEPT_MS:
            del self.at[0], self.logs[0]

    def points(self) -> list[float]:
        """The grid back from the newest reading, of which there is one; NaN where no reading stands for a point."""
        found, place, now = [self.logs[-1]], len(self.at) - 1, self.at[-1]
        for number in range(1, POINTS):
            wanted = now - number * STEP_MS
            while place >= 0 and self.at[place] > wanted + EARLY_MS:
                place -= 1
            if place < 0 or wanted - self.at[place] > HELD_MS:
                found.append(nan)
            else:
                found.append(self.logs[place])
        return found

    def to_plain(self) -> list[Any]:
        """As plain values."""
        return [list(self.at), list(self.logs)]

    def copied(self) -> "RecentGlucose":
        """One that goes its own way."""
        return RecentGlucose(list(self.at), list(self.logs))


def filled(points: list[float]) -> list[float] | None:
    """The points with the oldest known one in the place of older ones; None where a point of those needed is missing.

    Gaps further back take the point after them.
    """
    if any(one != one for one in points[:NEEDED]):  # noqa: PLR0124 - NaN is missing
        return None
    whole = points[:NEEDED]
    for one in points[NEEDED:]:
        whole.append(one if one == one else whole[-1])  # noqa: PLR0124 - the same
    return whole


def trends(points: list[float]) -> tuple[float, ...]:
    """What TRENDS names; NaN where a point is missing."""
    steps = [after - before for after, before in pairwise(points)]
    return (exp(points[0]), *steps, *(points[0] - points[back] for back in CHANGES))
