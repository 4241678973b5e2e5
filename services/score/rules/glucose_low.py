"""Low glucose: the hypoglycaemia event of continuous monitors, level 1 and level 2."""

from dataclasses import dataclass
from typing import Final

from schemas.alerts import EndReason, Message, Severity
from schemas.vitals import GLUCOSE
from services.score.rule import ENDED, HOUR_MS, MINUTE_MS, Mark, Rule, by_level, held_beyond
from services.score.sample import Sample

_LOW, _VERY_LOW = 70, 54
_LASTING_MS = 15 * MINUTE_MS
_LONGEST_GAP_MS = 30 * MINUTE_MS


@dataclass(slots=True)
class GlucoseState:
    """An episode, or a candidate for one. ``low_at`` is the first reading below 70 mg/dL, ``very_low_at`` below 54."""

    level: int = 0
    since: int = 0
    at: int = 0
    low_at: Sample | None = None
    very_low_at: Sample | None = None
    last_low: Sample | None = None
    back_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HypoglycaemiaEvents:
    """Hypoglycaemia events as reports count them, in mg/dL and ms.

    A level counts once its first and last reading below the limit are at least 15 min apart; both levels end after at
    least 15 min at or above 70; a gap over 30 min closes what is open. Movement does not matter.
    """

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
            self._close(state, sample, marks, EndReason.NO_DATA)
        state.at = at
        if sample.value < _LOW:
            self._below(state, sample, marks)
        elif state.last_low is not None:
            state.back_at = state.back_at or at
            if at - state.back_at >= _LASTING_MS:
                self._close(state, sample, marks, EndReason.RECOVERED)
        return marks or None

    def _below(self, state: GlucoseState, sample: Sample, marks: list[Mark]) -> None:
        state.back_at = 0
        state.last_low = sample
        state.low_at = state.low_at or sample
        if state.level < 1 and sample.at - state.low_at.at >= _LASTING_MS:
            state.level, state.since = 1, state.low_at.at
            marks.append(Mark(1, state.low_at, sample))
        if sample.value < _VERY_LOW:
            state.very_low_at = state.very_low_at or sample
            if state.level < 2 and sample.at - state.very_low_at.at >= _LASTING_MS:  # noqa: PLR2004
                state.level = 2
                marks.append(Mark(2, state.very_low_at, sample))

    def _close(self, state: GlucoseState, sample: Sample, marks: list[Mark], reason: EndReason) -> None:
        if state.level and state.last_low is not None:
            marks.append(Mark(ENDED, state.last_low, sample, reason))
        state.level = state.since = state.back_at = 0
        state.low_at = state.very_low_at = state.last_low = None


def _message(mark: Mark) -> Message:
    if mark.level == ENDED:
        return Message("glucose_low.ended", {"vital": GLUCOSE.code, "value": mark.last.value})
    if mark.level > 1:
        return Message("glucose_low.very_low", held_beyond(GLUCOSE, _VERY_LOW, mark))
    return Message("glucose_low.low", held_beyond(GLUCOSE, _LOW, mark))


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
    messages=("glucose_low.ended", "glucose_low.low", "glucose_low.very_low"),
    message=_message,
    fold=HypoglycaemiaEvents(),
)
