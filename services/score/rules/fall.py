"""A suspected fall: answered or up again is a near fall, anything else is confirmed."""

from typing import Final

from schemas.alerts import Message, Severity
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


def _message(mark: Mark) -> Message:
    if mark.level == ENDED:
        return Message("fall.ended")
    return Message("fall.near" if mark.level == NEAR_FALL else "fall.confirmed")


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
    messages=("fall.ended", "fall.near", "fall.confirmed"),
    message=_message,
)
