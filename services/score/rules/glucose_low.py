"""Low glucose, of continuous monitors and of meters."""

from collections.abc import Mapping
from typing import Final

from schemas.alerts import Message, Severity
from schemas.default_limits import defaults_of
from schemas.limits import Limits, Side
from schemas.vitals import GLUCOSE
from services.score.beyond import Beyond
from services.score.rule import ENDED, HOUR_MS, MINUTE_MS, Mark, Rule, beyond, by_level, ended, endings
from services.score.tracks import Asked, Pace

IN_A_ROW_MS: Final = 20 * MINUTE_MS
"""Readings of a continuous monitor follow one another when they are at most so far apart."""
GAP_MS: Final = 30 * MINUTE_MS
"""Without a usable reading of a continuous monitor for so long, nothing is known."""
METER_GAP_MS: Final = 4 * HOUR_MS
"""The same of a meter."""
WINDOW_MS: Final = 2 * HOUR_MS
_LASTING: Final = ("glucose_low.low", "glucose_low.very_low")


def _fold(limits: Mapping[str, Limits]) -> Beyond:
    """Glucose in mg/dL: a monitor's readings in a row, or one of a meter, below a limit. Movement does not matter."""
    return Beyond(
        sides={Side.BELOW: limits["glucose_low"]},
        pace=Pace(in_a_row_ms=IN_A_ROW_MS, asked=lambda _limit: Asked()),
        needs_rest=False,
        window_ms=WINDOW_MS,
        pause_ms=GAP_MS,
        asked_pause_ms=METER_GAP_MS,
    )


def _message(mark: Mark) -> Message:
    if mark.level == ENDED:
        return ended("glucose_low", GLUCOSE, mark)
    level = mark.passed.level if mark.passed else mark.level
    # Further down one reading decides.
    if level > len(_LASTING):
        return beyond("glucose_low.extremely_low", GLUCOSE, mark)
    return beyond(_LASTING[level - 1], GLUCOSE, mark, once=True)


GLUCOSE_LOW: Final = Rule(
    name="glucose_low",
    version=2,
    what=GLUCOSE.code,
    inputs=(GLUCOSE.code,),
    severities=by_level(level_1=Severity.MEDIUM, level_2=Severity.HIGH, level_3=Severity.HIGH),
    rationale=(
        "Level 1 hypoglycaemia is below 70 mg/dL, level 2 below 54 mg/dL (Battelino 2019, Diabetes Care 42:1593)."
        " That two readings of a monitor in a row below 54, or one below 40, need no 15 min, and that an episode ends"
        " after 15 min at or above 70, is to be confirmed by a clinician. See docs/clinical.md#low-glucose."
    ),
    messages=(
        *endings("glucose_low"),
        "glucose_low.low",
        "glucose_low.low.once",
        "glucose_low.very_low",
        "glucose_low.very_low.once",
        "glucose_low.extremely_low",
    ),
    message=_message,
    fold=_fold(defaults_of("glucose_low")),
    limited=_fold,
)
