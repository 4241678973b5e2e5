"""Heart rate too fast or too slow at rest."""

from typing import Final

from schemas.alerts import Message, Severity
from schemas.vitals import HEART_RATE
from services.score.rule import ENDED, MINUTE_MS, Mark, Rule, by_level, held_beyond
from services.score.sustained import Sustained

_FAST, _VERY_FAST, _SLOW, _VERY_SLOW = 120, 131, 40, 35
_BACK_FROM_FAST, _BACK_FROM_SLOW = 110, 45


def _beyond(value: float) -> int:
    """The signed level of a rate in /min: above 120, from 131; below 40, down to 35."""
    if value > _FAST:
        return 2 if value >= _VERY_FAST else 1
    if value < _SLOW:
        return -2 if value <= _VERY_SLOW else -1
    return 0


def _cleared(value: float, side: int) -> bool:
    """Whether a rate in /min is back past the off limit: 110 from above, 45 from below."""
    return value <= _BACK_FROM_FAST if side > 0 else value >= _BACK_FROM_SLOW


def _message(mark: Mark) -> Message:
    if mark.level == ENDED:
        return Message("heart_rate.ended", {"vital": HEART_RATE.code, "value": mark.last.value})
    key, limit = {
        (True, 1): ("heart_rate.fast", _FAST),
        (True, 2): ("heart_rate.very_fast", _VERY_FAST),
        (False, 1): ("heart_rate.slow", _SLOW),
        (False, 2): ("heart_rate.very_slow", _VERY_SLOW),
    }[mark.last.value > _FAST, mark.level]
    return Message(key, held_beyond(HEART_RATE, limit, mark))


HEART_RATE_LIMITS: Final = Rule(
    name="heart_rate",
    version=1,
    what=HEART_RATE.code,
    inputs=(HEART_RATE.code,),
    severities=by_level(level_1=Severity.MEDIUM, level_2=Severity.HIGH),
    rationale=(
        "Above 120 or below 40 /min for 10 min at rest is a usual default of watches, to be confirmed by a clinician."
        " NEWS2 scores 3 from 131 /min (Royal College of Physicians 2017); 35 /min is ours, below NEWS2's 40."
        " See docs/clinical.md#heart-rate."
    ),
    messages=(
        "heart_rate.ended",
        "heart_rate.fast",
        "heart_rate.very_fast",
        "heart_rate.slow",
        "heart_rate.very_slow",
    ),
    message=_message,
    fold=Sustained(
        beyond=_beyond,
        cleared=_cleared,
        persist_ms=10 * MINUTE_MS,
        clear_ms=10 * MINUTE_MS,
        max_step_per_minute=HEART_RATE.max_step_per_minute or 0,
    ),
)
