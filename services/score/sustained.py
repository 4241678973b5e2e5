"""The fold of a limit that has to hold: plausibility, persistence, hysteresis, pauses without data. Pure."""

from dataclasses import dataclass, field
from math import inf
from typing import Final

from schemas.alerts import EndReason
from schemas.limits import Limits, Side
from services.score.rule import ENDED, HOUR_MS, MINUTE_MS, NEVER, Mark
from services.score.sample import Sample

_ODD_ONES: Final = 3
"""So many implausible samples in a row are believed after all."""
_LEAST_SAMPLES: Final = 3


@dataclass(slots=True)
class SustainedState:
    """What is known after the samples so far. Sides are +1 above, -1 below; ``first_*`` begin a level's persistence."""

    level: int = 0
    since: int = 0
    side: int = 0
    at: int = 0
    value: float = 0.0
    odd: int = 0
    run_side: int = 0
    first_1: Sample | None = None
    count_1: int = 0
    first_2: Sample | None = None
    count_2: int = 0
    last_beyond: Sample | None = None
    clear_at: int = 0
    last: Sample | None = None
    paused: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sustained:
    """Limits on both sides or one, at rest. Times in ms, values in the vital's unit.

    A level is not taken to hold over a gap longer than ``longest_gap_ms``. An episode ends after the clear time past
    the off limit, or when the opposite side has lasted; after ``pause_ms`` without a usable sample it pauses.
    """

    above: Limits | None
    below: Limits | None
    max_step_per_minute: float
    needs_rest: bool = True
    pause_ms: int = HOUR_MS
    window_ms: int = 30 * MINUTE_MS
    longest_gap_ms: int = 6 * MINUTE_MS
    _between: tuple[float, float] = field(init=False, repr=False)
    """Values inside are beyond no limit: nearly all are."""

    def __post_init__(self) -> None:
        lowest = self.below.levels[0].on if self.below else -inf
        highest = self.above.levels[0].on if self.above else inf
        object.__setattr__(self, "_between", (lowest, highest))

    def limits(self, side: int) -> Limits:
        """Those of a side, which has some."""
        limits = self.above if side > 0 else self.below
        assert limits is not None  # noqa: S101 - a value is beyond limits that there are
        return limits

    def beyond(self, value: float) -> int:
        """The signed level of a value: +1, +2 above, 0, -1, -2 below."""
        lowest, highest = self._between
        if lowest < value < highest:
            return 0
        side = Side.ABOVE if value >= highest else Side.BELOW
        # Each level is stricter than the one before it.
        return side * sum(level.is_beyond(value, side) for level in self.limits(side).levels)

    def standing(self, state: SustainedState, first: Sample, last: Sample) -> Mark:
        """The mark of the episode that ``state`` is in the middle of."""
        return self._mark(state.level, first, last, state.side)

    def pauses_at(self, state: SustainedState) -> int:
        """When the episode pauses if nothing usable comes until then, in ms."""
        return state.at + self.pause_ms if state.level and not state.paused else NEVER

    def pause(self, state: SustainedState) -> Mark:
        """Nothing is known any more, so nothing is over."""
        last = state.last or state.last_beyond
        assert last is not None  # noqa: S101 - an episode that is open has had samples
        state.paused, state.clear_at = 1, 0
        limits, first = self.limits(state.side), state.last_beyond or last
        return Mark(ENDED, first, last, EndReason.NO_DATA, limits=limits, pauses_at=state.at + self.pause_ms)

    def _mark(self, level: int, first: Sample, last: Sample, side: int) -> Mark:
        return Mark(level, first, last, limits=self.limits(side))

    def start(self) -> SustainedState:
        """Before the first sample."""
        return SustainedState()

    def advance(self, state: SustainedState, sample: Sample, *, rested: bool) -> list[Mark] | None:
        """Takes the next sample. One that was not taken at rest, or is implausible, changes nothing."""
        if not rested:
            return None
        at, value = sample[0], sample[1]
        gap = at - state.at
        if abs(value - state.value) > self.max_step_per_minute and self._is_odd(state, value, gap):
            return None
        state.odd = 0
        marks: list[Mark] = []
        if gap > self.pause_ms and self.pauses_at(state) != NEVER:
            marks.append(self.pause(state))
        state.at, state.value = at, value
        beyond = self.beyond(value)
        if not beyond and not state.level:
            state.run_side = 0
            return None
        if state.level:
            state.last, state.paused = sample, 0
            self._maybe_end(state, sample, beyond, gap, marks)
        self._keep_run(state, sample, beyond, gap)
        if beyond:
            self._maybe_raise(state, sample, marks)
        return marks or None

    def _is_odd(self, state: SustainedState, value: float, gap: int) -> bool:
        """Whether the step from the last sample is more than the body can do; the third in a row is believed.

        Asked only beyond what a whole minute allows: a step of that size is believed however soon it comes.
        """
        if not state.at or abs(value - state.value) <= self.max_step_per_minute * gap / MINUTE_MS:
            return False
        state.odd += 1
        return state.odd < _ODD_ONES

    def _keep_run(self, state: SustainedState, sample: Sample, beyond: int, gap: int) -> None:
        side = (beyond > 0) - (beyond < 0)
        if side != state.run_side or gap > self.longest_gap_ms:
            state.first_1 = state.first_2 = None
            state.run_side = side
        if not beyond:
            return
        state.first_1, state.count_1 = (state.first_1, state.count_1 + 1) if state.first_1 else (sample, 1)
        if abs(beyond) == 1:
            state.first_2 = None
        else:
            state.first_2, state.count_2 = (state.first_2, state.count_2 + 1) if state.first_2 else (sample, 1)
        # During an episode, only its own side says how long it lasts.
        if side == state.side or not state.level:
            state.last_beyond = sample

    def _maybe_raise(self, state: SustainedState, sample: Sample, marks: list[Mark]) -> None:
        # The higher level first: where both have held, only that one is reported.
        for level, first, count in ((2, state.first_2, state.count_2), (1, state.first_1, state.count_1)):
            if first is None or count < _LEAST_SAMPLES or not self._has_lasted(state.run_side, level, first, sample):
                continue
            if state.level and state.run_side != state.side:
                self._end(state, sample, EndReason.TURNED, marks)
            if level <= state.level:
                return
            if not state.level:
                state.since, state.side, state.clear_at = first.at, state.run_side, 0
                state.last_beyond = state.last = sample
            state.level = level
            marks.append(self._mark(level, first, sample, state.side))
            return

    def _has_lasted(self, side: int, level: int, first: Sample, sample: Sample) -> bool:
        return sample.at - first.at >= self.limits(side).levels[level - 1].persist_min * MINUTE_MS

    def _maybe_end(self, state: SustainedState, sample: Sample, beyond: int, gap: int, marks: list[Mark]) -> None:
        limits = self.limits(state.side)
        # Beyond the limits of the other side is past the off limit of this one, and no recovery.
        if beyond * state.side < 0 or not limits.is_cleared(sample.value, state.side):
            state.clear_at = 0
            return
        if not state.clear_at or gap > self.longest_gap_ms:
            state.clear_at = sample.at
        if sample.at - state.clear_at >= limits.clear_min * MINUTE_MS:
            self._end(state, sample, EndReason.RECOVERED, marks)

    def _end(self, state: SustainedState, sample: Sample, reason: EndReason, marks: list[Mark]) -> None:
        marks.append(Mark(ENDED, state.last_beyond or sample, sample, reason, limits=self.limits(state.side)))
        state.level = state.clear_at = state.paused = 0
        state.last = None
