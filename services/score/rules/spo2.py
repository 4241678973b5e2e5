"""Oxygen saturation too low at rest."""

from collections.abc import Mapping
from typing import Final

from schemas.alerts import Message, Severity
from schemas.default_limits import defaults_of
from schemas.limits import Limits
from schemas.vitals import SPO2
from services.score.rule import ENDED, Mark, Rule, by_level, ended, endings, held_beyond
from services.score.sustained import Sustained


def _fold(limits: Mapping[str, Limits]) -> Sustained:
    """Saturations in %: lasting at a limit or below."""
    return Sustained(above=None, below=limits["spo2"], max_step_per_minute=SPO2.max_step_per_minute or 0)


def _message(mark: Mark) -> Message:
    if mark.level == ENDED:
        return ended("spo2", SPO2, mark)
    if mark.level > 1:
        return Message("spo2.very_low", held_beyond(SPO2, mark))
    return Message("spo2.low", held_beyond(SPO2, mark))


SPO2_LOW: Final = Rule(
    name="spo2",
    version=1,
    what=SPO2.code,
    inputs=(SPO2.code,),
    severities=by_level(level_1=Severity.MEDIUM, level_2=Severity.HIGH),
    rationale=(
        "92 % or less is the emergency limit of the NHS's COVID oximetry at home (2020); NEWS2 scores 3 at 91 % or"
        " less (Royal College of Physicians 2017, scale 1). That 3 min at rest are enough is ours. With a"
        " prescribed target of 88 to 92 % other limits hold. See docs/clinical.md#oxygen-saturation."
    ),
    messages=(*endings("spo2"), "spo2.low", "spo2.very_low"),
    message=_message,
    fold=_fold(defaults_of("spo2")),
    limited=_fold,
)
