"""One device's readings of a vital against limits: plausibility, pace, and what has held for how long. Pure.

Devices are judged apart: a band on the table says nothing of the one that is worn.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.limits import LevelLimit, Side
from services.score.rule import MINUTE_MS
from services.score.sample import Sample

ODD_ONES: Final = 3
"""So many implausible samples in a row are believed after all."""
HOLD_MS: Final = 6 * MINUTE_MS
"""Over a longer gap a limit is not taken to have been passed all the time, unless the device measures seldomer."""
SPARSE_GAP_MS: Final = 60 * MINUTE_MS
"""Of a device that measures seldomer than a limit has to last: two of its readings, so far apart at most, decide."""
_PACES: Final = 2
"""A device that is slower than twice its pace has left something out."""


@dataclass(slots=True)
class Run:
    """Readings in a row beyond one limit: the first of them, when the last one was, and how many. Times in ms."""

    first: Sample | None = None
    last_at: int = 0
    count: int = 0


@dataclass(slots=True)
class Track:
    """What is known of one device. ``clear_at`` by side: since when its values are past the off limit, 0 for not."""

    at: int = 0
    value: float = 0.0
    gap_ms: int = 0
    pace_ms: int = 0
    odd: int = 0
    clear_at: dict[int, int] = field(default_factory=dict)
    runs: dict[tuple[int, int], Run] = field(default_factory=dict)

    def believes(self, sample: Sample, max_step_per_minute: float) -> bool:
        """Whether the step from the last sample is one that a body can make; the third odd one in a row is believed."""
        step, gap = abs(sample.value - self.value), sample.at - self.at
        # A step of what a whole minute allows is believed however soon it comes.
        possible = not self.at or step <= max_step_per_minute or step <= max_step_per_minute * gap / MINUTE_MS
        if not possible:
            self.odd += 1
            if self.odd < ODD_ONES:
                return False
        self.odd = 0
        return True

    def move_on(self, sample: Sample) -> None:
        """``sample`` is the newest one that is believed."""
        gap = sample.at - self.at if self.at else 0
        if gap:
            # The smaller of two: one gap makes no device a slow one.
            self.pace_ms = min(gap, self.gap_ms or gap)
            self.gap_ms = gap
        self.at, self.value = sample.at, sample.value

    def hold_ms(self, lasts_ms: float) -> int:
        """How far apart two readings may be for what has to last so long."""
        if self.pace_ms > lasts_ms:
            return SPARSE_GAP_MS
        return min(SPARSE_GAP_MS, max(HOLD_MS, _PACES * self.pace_ms))

    def follow(self, side: Side, levels: Sequence[LevelLimit], sample: Sample, *, moving: bool) -> int:
        """Keeps the runs of a side; gives the highest level that holds at ``sample``, 0 for none.

        Limits for movement and those for rest see only samples of their own: others neither continue nor break a run.
        """
        reached = 0
        for place, limit in enumerate(levels):
            if limit.moving is not moving:
                continue
            run = self.runs.get((side, place))
            if not limit.is_beyond(sample.value, side):
                if run is not None:
                    run.first, run.count = None, 0
                continue
            if run is None:
                run = self.runs[side, place] = Run()
            lasts_ms = limit.persist_min * MINUTE_MS
            if run.first is None or sample.at - run.last_at > self.hold_ms(lasts_ms):
                run.first, run.count = sample, 0
            run.count, run.last_at = run.count + 1, sample.at
            sparse = self.pace_ms > lasts_ms
            if sample.at - run.first.at >= lasts_ms and (run.count >= limit.least or (sparse and run.count > 1)):
                reached = max(reached, limit.level)
        return reached

    def first_beyond(self, side: Side, levels: Sequence[LevelLimit], level: int) -> Sample | None:
        """Where what holds at ``level`` began: of several limits, the earliest."""
        found = [
            run.first
            for place, limit in enumerate(levels)
            if limit.level == level and (run := self.runs.get((side, place))) is not None and run.first is not None
        ]
        return min(found, default=None)

    def clears(self, side: Side, sample: Sample, *, is_cleared: bool, lasts_ms: float) -> bool:
        """Whether values have been past the off limit for as long as they have to be."""
        if not is_cleared:
            self.clear_at[side] = 0
            return False
        since = self.clear_at.get(side, 0)
        if not since or self.gap_ms > self.hold_ms(lasts_ms):
            since = self.clear_at[side] = sample.at
        return sample.at - since >= lasts_ms

    def to_plain(self) -> list[Any]:
        """As plain values."""
        runs = [
            [side, place, run.first, run.last_at, run.count]
            for (side, place), run in sorted(self.runs.items())
            if run.first is not None
        ]
        return [self.at, self.value, self.gap_ms, self.pace_ms, self.odd, sorted(self.clear_at.items()), runs]

    @classmethod
    def from_plain(cls, plain: Sequence[Any]) -> "Track":
        """What ``to_plain`` wrote."""
        at, value, gap_ms, pace_ms, odd, clear_at, runs = plain
        return cls(
            at, value, gap_ms, pace_ms, odd, {side: since for side, since in clear_at},
            {(side, place): Run(Sample(*first), last_at, count) for side, place, first, last_at, count in runs},
        )  # fmt: skip
