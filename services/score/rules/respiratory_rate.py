"""Breathing too fast or too slow, at rest and in movement."""

from collections.abc import Mapping
from typing import Final

from schemas.alerts import Message, Severity
from schemas.default_limits import defaults_of
from schemas.limits import Limits, Side
from schemas.vitals import RESPIRATORY_RATE
from services.score.beyond import Beyond
from services.score.rule import ENDED, HOUR_MS, Mark, Rule, beyond, by_level, ended, endings, words_of

_FAST, _SLOW = "respiratory_rate.fast", "respiratory_rate.slow"


def _fold(limits: Mapping[str, Limits]) -> Beyond:
    """Rates in /min."""
    return Beyond(sides={Side.ABOVE: limits[_FAST], Side.BELOW: limits[_SLOW]}, window_ms=HOUR_MS, takes_asked=False)


def _message(mark: Mark) -> Message:
    if mark.level == ENDED:
        return ended("respiratory_rate", RESPIRATORY_RATE, mark)
    far, moving = words_of(mark)
    side = "fast" if mark.concern == _FAST else "slow"
    return beyond(f"respiratory_rate.{far}{side}{moving}", RESPIRATORY_RATE, mark)


RESPIRATORY_RATE_LIMITS: Final = Rule(
    name="respiratory_rate",
    version=1,
    what=RESPIRATORY_RATE.code,
    inputs=(RESPIRATORY_RATE.code,),
    severities=by_level(level_1=Severity.MEDIUM, level_2=Severity.HIGH),
    rationale=(
        "NEWS2 scores 3 from 25 /min and up to 8 /min (Royal College of Physicians 2017). 30 min, and 10 min further"
        " out, are ours: on recorded people shorter times raised an urgent alert every few days."
        " See docs/clinical.md#respiratory-rate."
    ),
    messages=(
        *endings("respiratory_rate"),
        "respiratory_rate.turned",
        "respiratory_rate.fast",
        "respiratory_rate.fast.moving",
        "respiratory_rate.very_fast",
        "respiratory_rate.slow",
        "respiratory_rate.very_slow",
    ),
    message=_message,
    fold=_fold(defaults_of("respiratory_rate")),
    limited=_fold,
)
