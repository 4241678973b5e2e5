"""How a vital of one person goes: its level of the last hours, and what is usual for this person before them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.score.rule import HOUR_MS, NEVER

LEVEL_HALF_LIFE_H: Final = 3.0
USUAL_HALF_LIFE_H: Final = 24.0
"""Ours: half of it would follow the difference between day and night, several days the length of a hospital stay."""
RECENT_HOURS: Final = 2
"""So many last hours are no part of what is usual: else an illness that begins would soon be usual."""
LEAST_WEIGHT: Final = 2.0
"""What is usual is known from so many hours on, later ones counting more: three in a row are enough, two are not."""


@dataclass(slots=True)
class Course:
    """Hours count alike, however many values each has: a worn device measures each minute, a nurse once.

    ``at``: of the newest value, in ms. ``recent``: hours (since 1970, UTC) that are not settled, with the sum and the
    number of their values; at most three. ``level`` and ``usual`` are sums over the settled hours, each as heavy as its
    age in half-lives up to the hour ``settled`` says, ``*_weight`` the sums of those weights.
    """

    at: int = -NEVER
    recent: list[tuple[int, float, int]] = field(default_factory=list)
    settled: int = 0
    level: float = 0.0
    level_weight: float = 0.0
    usual: float = 0.0
    usual_weight: float = 0.0

    def add(self, value: float, at: int) -> None:
        """The next value, in the vital's unit, at ``at`` in ms: later than all others, or of the same moment."""
        hour = at // HOUR_MS
        if self.recent and self.recent[-1][0] == hour:
            _, total, count = self.recent[-1]
            self.recent[-1] = (hour, total + value, count + 1)
        else:
            self.recent.append((hour, value, 1))
            self._settle(hour)
        self.at = at

    def seen_at(self, at: int) -> tuple[float, float | None]:
        """The level at ``at`` in ms, and what was usual before the last two hours; None: not known yet.

        Of a course with at least one value.
        """
        self._settle(at // HOUR_MS)
        level, weight, upto = self.level, self.level_weight, self.settled
        for hour, total, count in self.recent:
            decay = 0.5 ** ((hour - upto) / LEVEL_HALF_LIFE_H)
            level, weight, upto = level * decay + total / count, weight * decay + 1.0, hour
        return level / weight, self.usual / self.usual_weight if self.usual_weight >= LEAST_WEIGHT else None

    def _settle(self, hour: int) -> None:
        """Hours that ended at least two before the beginning of ``hour`` are settled."""
        while self.recent and self.recent[0][0] < hour - RECENT_HOURS:
            first, total, count = self.recent.pop(0)
            passed, mean = first - self.settled, total / count
            quick, slow = 0.5 ** (passed / LEVEL_HALF_LIFE_H), 0.5 ** (passed / USUAL_HALF_LIFE_H)
            self.level, self.level_weight = self.level * quick + mean, self.level_weight * quick + 1.0
            self.usual, self.usual_weight = self.usual * slow + mean, self.usual_weight * slow + 1.0
            self.settled = first

    def to_plain(self, hour: int) -> list[Any]:
        """As plain values, moments as distances from the beginning of ``hour`` (since 1970, UTC): those are short.

        Empty before the first value.
        """
        if self.at == -NEVER:
            return []
        recent = [[hour - one, total, count] for one, total, count in self.recent]
        sums = [hour - self.settled, self.level, self.level_weight, self.usual, self.usual_weight]
        return [self.at - hour * HOUR_MS, recent, *(sums if self.settled else [])]

    @classmethod
    def from_plain(cls, plain: Sequence[Any], hour: int) -> "Course":
        """What ``to_plain`` wrote, of the same hour."""
        if not plain:
            return cls()
        at, recent, *sums = plain
        found = cls(at + hour * HOUR_MS, [(hour - one, total, count) for one, total, count in recent])
        if sums:
            settled, found.level, found.level_weight, found.usual, found.usual_weight = sums
            found.settled = hour - settled
        return found
