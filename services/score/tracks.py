"""One device's readings of a vital against limits: plausibility, pace, and what has held for how long. Pure.

Devices are judged apart: a band on the table says nothing of the one that is worn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final, NamedTuple, TypeVar

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


class Asked(NamedTuple):
    """How a device that measures when asked decides: by ``least`` readings, the last one ``after_ms`` from the first.

    Each at most ``within_ms`` after the one before.
    """

    least: int = 1
    after_ms: float = 0
    within_ms: float = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """How readings of a vital decide. ``in_a_row_ms``: so far apart at most they follow one another; None: see Track.

    ``asked`` says it of a limit and a device that measures when asked; None where such a device decides nothing.
    """

    in_a_row_ms: int | None = None
    asked: Callable[[LevelLimit], Asked | None] = field(default=lambda _limit: None)


class Reached(NamedTuple):
    """A limit that holds, and since which sample."""

    limit: LevelLimit
    first: Sample


@dataclass(slots=True)
class Run:
    """Readings in a row beyond one limit: the first of them, when the last one was, and how many. Times in ms."""

    first: Sample
    last_at: int
    count: int = 1


_Place = TypeVar("_Place")


def continued(runs: dict[_Place, Run], place: _Place, sample: Sample, within_ms: float) -> Run:
    """The run of ``place`` with ``sample``, which is beyond its limit: a new one if the last was longer ago, in ms."""
    run = runs.get(place)
    if run is None or sample.at - run.last_at > within_ms:
        run = runs[place] = Run(sample, sample.at)
    else:
        run.count, run.last_at = run.count + 1, sample.at
    return run


@dataclass(slots=True)
class Track:
    """What is known of one device. ``clear_at`` by side: since when its values are past the off limit, 0 for not."""

    is_asked: bool = False
    at: int = 0
    value: float = 0.0
    gap_ms: int = 0
    pace_ms: int = 0
    odd: int = 0
    clear_at: dict[int, int] = field(default_factory=dict)
    runs: dict[tuple[int, int], Run] = field(default_factory=dict)

    def takes(self, sample: Sample, max_step_per_minute: float) -> bool:
        """Whether ``sample`` is believed, which makes it the newest one.

        It is if a body can make the step from the last one; the third odd one in a row is believed.
        """
        at, value, before = sample[0], sample[1], self.at
        if before:
            step, gap = abs(value - self.value), at - before
            # A step of what a whole minute allows is believed however soon it comes.
            if step > max_step_per_minute and step > max_step_per_minute * gap / MINUTE_MS:
                self.odd += 1
                if self.odd < ODD_ONES:
                    return False
            if gap > 0:
                # The smaller of two: one gap makes no device a slow one.
                self.pace_ms = gap if gap < self.gap_ms or not self.gap_ms else self.gap_ms
                self.gap_ms = gap
        self.odd, self.at, self.value = 0, at, value
        return True

    def skips(self, samples: Sequence[Sample]) -> None:
        """As ``takes`` of each of these in order, all of which are believed, each later than before."""
        # Of the gaps only the last two are remembered, so of four samples the first one says nothing.
        for sample in samples[-3:]:
            self.takes(sample, inf)

    def hold_ms(self, lasts_ms: float, pace: Pace) -> float:
        """How far apart two readings may be for what has to last so long."""
        if pace.in_a_row_ms is not None:
            return pace.in_a_row_ms
        if self.pace_ms > lasts_ms:
            return SPARSE_GAP_MS
        return min(SPARSE_GAP_MS, max(HOLD_MS, _PACES * self.pace_ms))

    def follow(
        self, side: Side, levels: Sequence[LevelLimit], sample: Sample, pace: Pace, *, moving: bool
    ) -> Reached | None:
        """Keeps the runs of a side; gives the limit of the highest level that holds at ``sample``.

        Limits for movement and those for rest see only samples of their own: others neither continue nor break a run.
        """
        reached: Reached | None = None
        for place, limit in enumerate(levels):
            if limit.moving is not moving:
                continue
            if not limit.is_beyond(sample.value, side):
                self.runs.pop((side, place), None)
                continue
            asked = pace.asked(limit) if self.is_asked else None
            if self.is_asked and asked is None:
                continue
            run = continued(self.runs, (side, place), sample, self._hold_of(limit, pace, asked))
            if self._holds(run, limit, pace, asked) and (reached is None or limit.level > reached.limit.level):
                reached = Reached(limit, run.first)
        return reached

    def _hold_of(self, limit: LevelLimit, pace: Pace, asked: Asked | None) -> float:
        return self.hold_ms(limit.persist_min * MINUTE_MS, pace) if asked is None else asked.within_ms

    def _holds(self, run: Run, limit: LevelLimit, pace: Pace, asked: Asked | None) -> bool:
        lasted_ms = run.last_at - run.first.at
        if asked is not None:
            return run.count >= asked.least and lasted_ms >= asked.after_ms
        lasts_ms = limit.persist_min * MINUTE_MS
        if pace.in_a_row_ms is None and self.pace_ms > lasts_ms and run.count > 1:
            return True
        return lasted_ms >= lasts_ms and run.count >= limit.least

    def clears(self, side: Side, sample: Sample, pace: Pace, *, is_cleared: bool, lasts_ms: float) -> bool:
        """Whether values have been past the off limit for as long as they have to be."""
        if not is_cleared:
            self.clear_at.pop(side, None)
            return False
        if self.is_asked:
            return True
        since = self.clear_at.get(side, 0)
        if not since or self.gap_ms > self.hold_ms(lasts_ms, pace):
            since = self.clear_at[side] = sample.at
        return sample.at - since >= lasts_ms

    def copied(self) -> "Track":
        """One that goes its own way."""
        runs = {key: Run(run.first, run.last_at, run.count) for key, run in self.runs.items()}
        return Track(self.is_asked, self.at, self.value, self.gap_ms, self.pace_ms, self.odd, dict(self.clear_at), runs)

    def to_plain(self) -> list[Any]:
        """As plain values; of most devices there is nothing at the end, and it is left out."""
        runs = [[*key, list(run.first), run.last_at, run.count] for key, run in sorted(self.runs.items())]
        known = [int(self.is_asked), self.at, self.value, self.gap_ms, self.pace_ms, self.odd]
        clear_at = [list(one) for one in sorted(self.clear_at.items())]
        return [*known, clear_at, runs] if runs or clear_at else known

    @classmethod
    def from_plain(cls, plain: Sequence[Any]) -> "Track":
        """What ``to_plain`` wrote."""
        is_asked, at, value, gap_ms, pace_ms, odd, *more = plain
        clear_at, runs = more or ((), ())
        return cls(
            bool(is_asked), at, value, gap_ms, pace_ms, odd, dict(clear_at),
            {(side, place): Run(Sample(*first), last_at, count) for side, place, first, last_at, count in runs},
        )  # fmt: skip
