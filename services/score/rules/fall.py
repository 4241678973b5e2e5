"""A suspected fall: answered or up again is a near fall, anything else is confirmed."""

from typing import Final

from schemas.alerts import Severity
from schemas.events import EventKind
from services.score.rule import ENDED, HOUR_MS, MINUTE_MS, Mark, Rule, by_level

ANSWER_WITHIN_MS: Final = MINUTE_MS
"""How long a person has to answer, or to be up and walking, until a suspected fall is a confirmed one."""
SAME_FALL_MS: Final = 20_000
"""Two devices that suspect a fall within this saw the same one."""
RECOVERY_STEPS: Final = 5
"""So many steps, upright at last, are recovery."""
FORGOTTEN_AFTER_MS: Final = 24 * HOUR_MS
"""A confirmed fall without any later sign of recovery counts as over after this; its alert stays until answered."""
NEAR_FALL: Final = 1
CONFIRMED: Final = 2


def level_of_fall(*, answered: bool, steps: float, upright: bool) -> int:
    """What a suspected fall came to: ``steps`` since, ``upright`` as the newest posture says."""
    recovered = upright and steps >= RECOVERY_STEPS
    return NEAR_FALL if answered or recovered else CONFIRMED


def _doctor(mark: Mark) -> str:
    if mark.level == ENDED:
        return "The fall episode is over."
    if mark.level == NEAR_FALL:
        return "A fall was suspected; the person answered or was up again within a minute."
    return "A fall was suspected; within a minute there was no answer and no sign of getting up."


FALL: Final = Rule(
    name="fall",
    version=1,
    what=EventKind.FALL_SUSPECTED,
    severities=by_level(level_1=Severity.LOW, level_2=Severity.HIGH),
    rationale=(
        "A suspected fall is taken for one after 60 s without an answer, or upright posture and 5 steps; both numbers"
        " are ours. Most people who lay long had not used their call alarm (Fleming and Brayne 2008, BMJ 337:a2227),"
        " so nothing waits for a button. See docs/clinical.md#fall."
    ),
    caregiver=by_level(
        ended="The fall episode is over.",
        level_1="There may have been a stumble; they answered or were up again within a minute.",
        level_2="They may have fallen and have not answered. Please go and look now.",
    ),
    doctor=_doctor,
)
