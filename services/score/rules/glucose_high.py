"""High glucose, of continuous monitors and of meters."""

from collections.abc import Mapping
from typing import Final

from schemas.alerts import Message, Severity
from schemas.default_limits import defaults_of
from schemas.limits import LevelLimit, Limits, Side
from schemas.vitals import GLUCOSE
from services.score.beyond import Beyond
from services.score.rule import ENDED, HOUR_MS, MINUTE_MS, Mark, Rule, beyond, by_level, ended, endings, words_of
from services.score.rules.glucose_low import GAP_MS, IN_A_ROW_MS, METER_GAP_MS, WINDOW_MS
from services.score.tracks import Asked, Pace


def _asked(limit: LevelLimit) -> Asked:
    """By a meter: what has to last shows in two readings so far apart, and 4 h at most."""
    if not limit.persist_min:
        return Asked()
    return Asked(least=2, after_ms=limit.persist_min * MINUTE_MS, within_ms=4 * HOUR_MS)


def _fold(limits: Mapping[str, Limits]) -> Beyond:
    """Glucose in mg/dL: above a limit for a while. Movement does not matter."""
    return Beyond(
        sides={Side.ABOVE: limits["glucose_high"]},
        pace=Pace(in_a_row_ms=IN_A_ROW_MS, asked=_asked),
        needs_rest=False,
        window_ms=WINDOW_MS,
        pause_ms=GAP_MS,
        asked_pause_ms=METER_GAP_MS,
    )


def _message(mark: Mark) -> Message:
    if mark.level == ENDED:
        return ended("glucose_high", GLUCOSE, mark)
    far, _ = words_of(mark)
    return beyond(f"glucose_high.{far}high", GLUCOSE, mark, once=bool(far))


GLUCOSE_HIGH: Final = Rule(
    name="glucose_high",
    version=1,
    what=GLUCOSE.code,
    inputs=(GLUCOSE.code,),
    severities=by_level(level_1=Severity.LOW, level_2=Severity.MEDIUM),
    rationale=(
        "Level 2 hyperglycaemia is above 250 mg/dL (Battelino 2019, Diabetes Care 42:1593). How long it has to last,"
        " and 300 and 400 mg/dL, are to be confirmed by a clinician. It goes on the list and notifies nobody."
        " See docs/clinical.md#high-glucose."
    ),
    messages=(*endings("glucose_high"), "glucose_high.high", "glucose_high.very_high", "glucose_high.very_high.once"),
    message=_message,
    fold=_fold(defaults_of("glucose_high")),
    limited=_fold,
)
