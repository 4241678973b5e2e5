"""Heart rate too fast or too slow, at rest and in movement."""

from collections.abc import Mapping
from typing import Final

from schemas.alerts import Message, Severity
from schemas.default_limits import defaults_of
from schemas.limits import Limits, Side
from schemas.vitals import HEART_RATE
from services.score.beyond import Beyond
from services.score.rule import ENDED, Mark, Rule, beyond, by_level, ended, endings, words_of

_FAST, _SLOW = "heart_rate.fast", "heart_rate.slow"


def _fold(limits: Mapping[str, Limits]) -> Beyond:
    """Rates in /min. The pulse of a cuff or a finger oximeter decides nothing: NEWS2 alone reads it."""
    return Beyond(
        sides={Side.ABOVE: limits[_FAST], Side.BELOW: limits[_SLOW]},
        max_step_per_minute=HEART_RATE.max_step_per_minute or 0,
        takes_asked=False,
    )


def _message(mark: Mark) -> Message:
    if mark.level == ENDED:
        return ended("heart_rate", HEART_RATE, mark)
    far, moving = words_of(mark)
    side = "fast" if mark.concern == _FAST else "slow"
    return beyond(f"heart_rate.{far}{side}{moving}", HEART_RATE, mark)


HEART_RATE_LIMITS: Final = Rule(
    name="heart_rate",
    version=2,
    what=HEART_RATE.code,
    inputs=(HEART_RATE.code,),
    severities=by_level(level_1=Severity.MEDIUM, level_2=Severity.HIGH, level_3=Severity.HIGH),
    rationale=(
        "Above 120 or below 40 /min for 10 min at rest is a usual default of watches, to be confirmed by a clinician."
        " NEWS2 scores 3 from 131 /min (Royal College of Physicians 2017); 35 /min is ours, below NEWS2's 40, as are"
        " 150 and 30 /min after 3 min, and the limits in movement. See docs/clinical.md#heart-rate."
    ),
    messages=(
        *endings("heart_rate"),
        "heart_rate.turned",
        "heart_rate.fast",
        "heart_rate.fast.moving",
        "heart_rate.very_fast",
        "heart_rate.very_fast.moving",
        "heart_rate.slow",
        "heart_rate.very_slow",
        "heart_rate.very_slow.moving",
    ),
    message=_message,
    fold=_fold(defaults_of("heart_rate")),
    limited=_fold,
)
