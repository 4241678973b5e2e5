"""Heart rate too fast or too slow at rest."""

from collections.abc import Mapping
from typing import Final

from schemas.alerts import Message, Severity
from schemas.default_limits import defaults_of
from schemas.limits import Limits
from schemas.vitals import HEART_RATE
from services.score.rule import ENDED, Mark, Rule, by_level, ended, endings, held_beyond
from services.score.sustained import Sustained

_FAST, _SLOW = "heart_rate.fast", "heart_rate.slow"


def _fold(limits: Mapping[str, Limits]) -> Sustained:
    """Rates in /min: lasting above a limit, or below one."""
    return Sustained(
        above=limits[_FAST],
        below=limits[_SLOW],
        max_step_per_minute=HEART_RATE.max_step_per_minute or 0,
    )


def _message(mark: Mark) -> Message:
    if mark.level == ENDED:
        return ended("heart_rate", HEART_RATE, mark)
    key = {
        (_FAST, 1): "heart_rate.fast",
        (_FAST, 2): "heart_rate.very_fast",
        (_SLOW, 1): "heart_rate.slow",
        (_SLOW, 2): "heart_rate.very_slow",
    }[mark.concern, mark.level]
    return Message(key, held_beyond(HEART_RATE, mark))


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
        *endings("heart_rate"),
        "heart_rate.fast",
        "heart_rate.very_fast",
        "heart_rate.slow",
        "heart_rate.very_slow",
    ),
    message=_message,
    fold=_fold(defaults_of("heart_rate")),
    limited=_fold,
)
