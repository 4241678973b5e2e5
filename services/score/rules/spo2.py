"""Oxygen saturation too low, at rest and in movement."""

from collections.abc import Mapping
from typing import Final

from schemas.alerts import Message, Severity
from schemas.default_limits import defaults_of
from schemas.limits import LevelLimit, Limits, Side
from schemas.vitals import SPO2
from services.score.beyond import Beyond
from services.score.rule import ENDED, MINUTE_MS, Mark, Rule, beyond, by_level, ended, endings, words_of
from services.score.tracks import Asked, Pace

AGAIN_MS: Final = MINUTE_MS
"""So long after a low reading of a finger oximeter people are asked to measure again."""
_LONG_MIN: Final = 30
"""What has to last so long says nothing of a device that measures when asked."""


def _asked(limit: LevelLimit) -> Asked | None:
    """By a finger oximeter: at level 1 two readings within 15 min, further down one."""
    if limit.persist_min >= _LONG_MIN:
        return None
    return Asked(least=2, within_ms=15 * MINUTE_MS) if limit.level == 1 else Asked()


def _fold(limits: Mapping[str, Limits]) -> Beyond:
    """Saturations in %: at a limit or below."""
    return Beyond(
        sides={Side.BELOW: limits["spo2"]},
        pace=Pace(asked=_asked),
        again_ms=AGAIN_MS,
        max_step_per_minute=SPO2.max_step_per_minute or 0,
    )


def _message(mark: Mark) -> Message:
    if mark.level == ENDED:
        return ended("spo2", SPO2, mark)
    far, moving = words_of(mark)
    return beyond(f"spo2.{far}low{moving}", SPO2, mark, once=not moving)


SPO2_LOW: Final = Rule(
    name="spo2",
    version=2,
    what=SPO2.code,
    inputs=(SPO2.code,),
    severities=by_level(level_1=Severity.MEDIUM, level_2=Severity.HIGH, level_3=Severity.HIGH),
    rationale=(
        "92 % or less is the emergency limit of the NHS's COVID oximetry at home (2020); NEWS2 scores 3 at 91 % or"
        " less (Royal College of Physicians 2017, scale 1). How long each has to last, and 88 and 84 %, are ours. With"
        " a prescribed target of 88 to 92 % other limits hold. See docs/clinical.md#oxygen-saturation."
    ),
    messages=(
        *endings("spo2"),
        "spo2.low",
        "spo2.low.once",
        "spo2.very_low",
        "spo2.very_low.once",
        "spo2.very_low.moving",
    ),
    message=_message,
    fold=_fold(defaults_of("spo2")),
    limited=_fold,
)
