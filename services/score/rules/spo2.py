"""Oxygen saturation too low at rest."""

from typing import Final

from schemas.alerts import Message, Severity
from schemas.vitals import SPO2
from services.score.rule import ENDED, MINUTE_MS, Mark, Rule, by_level, held_beyond
from services.score.sustained import Sustained

_LOW, _VERY_LOW, _BACK = 92, 91, 94


def _beyond(value: float) -> int:
    """The signed level of a saturation in %: at or below 92, at or below 91."""
    if value > _LOW:
        return 0
    return -2 if value <= _VERY_LOW else -1


def _cleared(value: float, _side: int) -> bool:
    """Whether a saturation in % is back at 94 or above."""
    return value >= _BACK


def _message(mark: Mark) -> Message:
    if mark.level == ENDED:
        return Message("spo2.ended", {"vital": SPO2.code, "value": mark.last.value})
    if mark.level > 1:
        return Message("spo2.very_low", held_beyond(SPO2, _VERY_LOW, mark))
    return Message("spo2.low", held_beyond(SPO2, _LOW, mark))


SPO2_LOW: Final = Rule(
    name="spo2",
    version=1,
    what=SPO2.code,
    inputs=(SPO2.code,),
    severities=by_level(level_1=Severity.MEDIUM, level_2=Severity.HIGH),
    rationale=(
        "92 % or less is the emergency limit of the NHS's COVID oximetry at home (2020); NEWS2 scores 3 at 91 % or"
        " less (Royal College of Physicians 2017, scale 1). That 3 min at rest are enough is ours. Not for people with"
        " a prescribed target of 88 to 92 %. See docs/clinical.md#oxygen-saturation."
    ),
    messages=("spo2.ended", "spo2.low", "spo2.very_low"),
    message=_message,
    fold=Sustained(
        beyond=_beyond,
        cleared=_cleared,
        persist_ms=3 * MINUTE_MS,
        clear_ms=5 * MINUTE_MS,
        max_step_per_minute=SPO2.max_step_per_minute or 0,
    ),
)
