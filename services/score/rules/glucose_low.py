"""Low glucose: the hypoglycaemia event of continuous monitors, level 1 and level 2."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.alerts import EndReason, Message, Severity
from schemas.default_limits import defaults_of
from schemas.limits import Limits, Side
from schemas.vitals import GLUCOSE
from services.score.rule import ENDED, HOUR_MS, MINUTE_MS, NEVER, Mark, Rule, by_level, ended, endings, held_beyond
from services.score.sample import Sample

_LONGEST_GAP_MS = 30 * MINUTE_MS


@dataclass(slots=True)
class GlucoseState:
    """An episode, or a candidate for one. ``low_at`` is its first reading beyond level 1, ``very_low_at`` level 2."""

    level: int = 0
    since: int = 0
    at: int = 0
    low_at: Sample | None = None
    very_low_at: Sample | None = None
    last_low: Sample | None = None
    back_at: int = 0
    last: Sample | None = None
    paused: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HypoglycaemiaEvents:
    """Hypoglycaemia events as reports count them, in mg/dL and ms.

    A level counts once its first and last reading below the limit are as far apart as it has to last; both levels end
    after the clear time at the off limit or above; over a gap of 30 min what is open pauses. Movement does not matter.
    """

    limits: Limits
    window_ms: int = 2 * HOUR_MS
    needs_rest: bool = False

    def start(self) -> GlucoseState:
        """Before the first sample."""
        return GlucoseState()

    def advance(self, state: GlucoseState, sample: Sample, *, rested: bool) -> list[Mark] | None:
        """Takes the next sample, whether at rest or not."""
        del rested
        at = sample.at
        marks: list[Mark] = []
        # Before this sample counts: it belongs to whatever begins after the gap.
        if state.last_low is not None and at - state.at > _LONGEST_GAP_MS:
            if self.pauses_at(state) != NEVER:
                marks.append(self.pause(state))
            # Nothing is taken to have lasted over it.
            state.low_at = state.very_low_at = None
            state.back_at = 0
            state.last_low = state.last_low if state.level else None
        state.at, state.paused = at, 0
        if state.level:
            state.last = sample
        if self._is_beyond(1, sample):
            self._below(state, sample, marks)
        elif state.last_low is not None and self.limits.is_cleared(sample.value, Side.BELOW):
            state.back_at = state.back_at or at
            if at - state.back_at >= self.limits.clear_min * MINUTE_MS:
                self._close(state, sample, marks, EndReason.RECOVERED)
        else:
            state.back_at = 0
        return marks or None

    def standing(self, state: GlucoseState, first: Sample, last: Sample) -> Mark:
        """The mark of the episode that ``state`` is in the middle of."""
        return self._mark(state.level, first, last)

    def pauses_at(self, state: GlucoseState) -> int:
        """When the episode pauses if nothing usable comes until then, in ms."""
        return state.at + _LONGEST_GAP_MS if state.level and not state.paused else NEVER

    def pause(self, state: GlucoseState) -> Mark:
        """Nothing is known any more, so nothing is over."""
        last = state.last or state.last_low
        assert last is not None  # noqa: S101 - an episode that is open has had samples
        state.paused, state.back_at = 1, 0
        first = state.last_low or last
        at = state.at + _LONGEST_GAP_MS
        return Mark(ENDED, first, last, EndReason.NO_DATA, limits=self.limits, pauses_at=at)

    def _is_beyond(self, level: int, sample: Sample) -> bool:
        return self.limits.levels[level - 1].is_beyond(sample.value, Side.BELOW)

    def _has_lasted(self, level: int, first: Sample, last: Sample) -> bool:
        return last.at - first.at >= self.limits.levels[level - 1].persist_min * MINUTE_MS

    def _mark(self, level: int, first: Sample, last: Sample) -> Mark:
        return Mark(level, first, last, limits=self.limits)

    def _below(self, state: GlucoseState, sample: Sample, marks: list[Mark]) -> None:
        state.back_at = 0
        state.last_low = sample
        state.low_at = state.low_at or sample
        reached = {1: state.low_at} if self._has_lasted(1, state.low_at, sample) else {}
        if self._is_beyond(2, sample):
            state.very_low_at = state.very_low_at or sample
            if self._has_lasted(2, state.very_low_at, sample):
                reached[2] = state.very_low_at
        # One sample makes one finding: of the highest level that it reaches.
        level = max(reached, default=0)
        if level > state.level:
            state.since = state.since if state.level else state.low_at.at
            state.level, state.last = level, sample
            marks.append(self._mark(level, reached[level], sample))

    def _close(self, state: GlucoseState, sample: Sample, marks: list[Mark], reason: EndReason) -> None:
        if state.level and state.last_low is not None:
            marks.append(Mark(ENDED, state.last_low, sample, reason, limits=self.limits))
        state.level = state.since = state.back_at = state.paused = 0
        state.low_at = state.very_low_at = state.last_low = state.last = None


def _fold(limits: Mapping[str, Limits]) -> HypoglycaemiaEvents:
    return HypoglycaemiaEvents(limits=limits["glucose_low"])


def _message(mark: Mark) -> Message:
    if mark.level == ENDED:
        return ended("glucose_low", GLUCOSE, mark)
    if mark.level > 1:
        return Message("glucose_low.very_low", held_beyond(GLUCOSE, mark))
    return Message("glucose_low.low", held_beyond(GLUCOSE, mark))


GLUCOSE_LOW: Final = Rule(
    name="glucose_low",
    version=1,
    what=GLUCOSE.code,
    inputs=(GLUCOSE.code,),
    severities=by_level(level_1=Severity.MEDIUM, level_2=Severity.HIGH),
    rationale=(
        "Level 1 hypoglycaemia is below 70 mg/dL, level 2 below 54 mg/dL; an event lasts 15 min (Battelino 2019,"
        " Diabetes Care 42:1593). That it ends after 15 min at or above 70 is to be confirmed by a clinician."
        " See docs/clinical.md#low-glucose."
    ),
    messages=(*endings("glucose_low"), "glucose_low.low", "glucose_low.very_low"),
    message=_message,
    fold=_fold(defaults_of("glucose_low")),
    limited=_fold,
)
