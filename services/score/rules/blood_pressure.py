"""Blood pressure far too high or too low, as sittings at the cuff show it."""

from typing import Final

from schemas.alerts import EndReason, Fact, Message, Severity
from schemas.default_limits import defaults_of
from schemas.vitals import DIASTOLIC, SYSTOLIC
from services.score.pressure import fold_of
from services.score.rule import ENDED, MINUTE_MS, Mark, Rule, by_level

_HIGH: Final = "blood_pressure.high"


def _message(mark: Mark) -> Message:
    systolic, diastolic = mark.mean or (mark.last.value, 0)
    facts: dict[str, Fact] = {"systolic": round(systolic), "diastolic": round(diastolic)}
    if mark.level == ENDED:
        hours = (mark.pauses_at - mark.last.at) // (60 * MINUTE_MS) if mark.pauses_at else 0
        return Message(f"blood_pressure.{mark.end_reason or EndReason.RECOVERED}", facts | {"hours": hours})
    side = "high" if mark.concern == _HIGH else "low"
    doubt = "" if mark.confirmed else ".unconfirmed"
    # Too high and unconfirmed is for the list, however high.
    far = "very_" if mark.passed and mark.passed.level > 1 and not (doubt and side == "high") else ""
    facts |= {"limit": round(mark.passed.on) if mark.passed else 0}
    return Message(f"blood_pressure.{far}{side}{doubt}", facts)


BLOOD_PRESSURE: Final = Rule(
    name="blood_pressure",
    version=1,
    what=SYSTOLIC.code,
    inputs=(SYSTOLIC.code, DIASTOLIC.code),
    severities=by_level(level_1=Severity.MEDIUM, level_2=Severity.HIGH),
    rationale=(
        "Above 180/120 mmHg a crisis begins (AHA/ACC 2025); one measurement is repeated before anybody is notified."
        " NEWS2 scores 3 up to 90 mmHg and from 220 mmHg (Royal College of Physicians 2017). 80 mmHg as urgent is to"
        " be confirmed by a clinician. See docs/clinical.md#blood-pressure."
    ),
    messages=(
        "blood_pressure.recovered",
        "blood_pressure.turned",
        "blood_pressure.disproved",
        "blood_pressure.no_data",
        "blood_pressure.high",
        "blood_pressure.high.unconfirmed",
        "blood_pressure.very_high",
        "blood_pressure.low",
        "blood_pressure.low.unconfirmed",
        "blood_pressure.very_low",
        "blood_pressure.very_low.unconfirmed",
    ),
    message=_message,
    fold=fold_of(defaults_of("blood_pressure")),
    limited=fold_of,
)
