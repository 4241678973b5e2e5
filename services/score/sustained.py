"""The fold of a limit that has to hold: plausibility, persistence, hysteresis, refractory time. Pure."""

from dataclasses import dataclass, field
from math import inf
from typing import Final

from schemas.alerts import EndReason
from schemas.limits import Limits, Side
from services.score.rule import ENDED, HOUR_MS, MINUTE_MS, Mark
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
    raised_at: int = 0
    raised_level: int = 0
    raised_side: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sustained:
    """Limits on both sides or one, at rest. Times in ms, values in the vital's unit.

    A level is not taken to hold over a gap longer than ``longest_gap_ms``. An episode ends after the clear time past
    the off limit, or over a gap longer than the refractory time; a repeat at the same level on the same side waits
    until ``refractory_ms`` after the last raise, an escalation doesn't.
    """

    above: Limits | None
    below: Limits | None
    max_step_per_minute: float
    needs_rest: bool = True
    refractory_ms: int = HOUR_MS
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
        state.at, state.value = at, value
        beyond = self.beyond(value)
        if not beyond and not state.level:
            state.run_side = 0
            return None
        marks: list[Mark] = []
        if state.level:
            self._maybe_end(state, sample, gap, marks)
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
            if not self._may_raise(state, sample.at, level):
                continue
            if not state.level:
                state.since, state.side, state.clear_at = first.at, state.run_side, 0
                state.last_beyond = sample
            state.level = state.raised_level = level
            state.raised_at, state.raised_side = sample.at, state.run_side
            marks.append(self._mark(level, first, sample, state.side))
            return

    def _has_lasted(self, side: int, level: int, first: Sample, sample: Sample) -> bool:
        return sample.at - first.at >= self.limits(side).levels[level - 1].persist_min * MINUTE_MS

    def _may_raise(self, state: SustainedState, at: int, level: int) -> bool:
        if state.level:
            return state.run_side == state.side and level > state.level
        if state.run_side != state.raised_side or level > state.raised_level:
            return True
        return at - state.raised_at >= self.refractory_ms

    def _maybe_end(self, state: SustainedState, sample: Sample, gap: int, marks: list[Mark]) -> None:
        limits = self.limits(state.side)
        # Over a longer gap nothing is known, so the episode ends without having been cleared.
        reason = EndReason.NO_DATA
        if gap <= self.refractory_ms:
            if not limits.is_cleared(sample.value, state.side):
                state.clear_at = 0
                return
            if not state.clear_at or gap > self.longest_gap_ms:
                state.clear_at = sample.at
            if sample.at - state.clear_at < limits.clear_min * MINUTE_MS:
                return
            reason = EndReason.RECOVERED
        marks.append(Mark(ENDED, state.last_beyond or sample, sample, reason, limits=limits))
        state.level = state.clear_at = 0
