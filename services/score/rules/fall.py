"""A suspected fall: answered "ok" or up again is a near fall, anything else is confirmed, and said again."""

from typing import Final

from schemas.alerts import EndReason, Message, Severity
from schemas.events import EventKind
from services.score.rule import ENDED, HOUR_MS, MINUTE_MS, Mark, Rule, by_level

ANSWER_WITHIN_MS: Final = MINUTE_MS
"""How long a person has to answer "ok", or to be up and walking, until a suspected fall is a confirmed one.

It runs from when the fall was seen or was heard of, whichever is later.
"""
SAME_FALL_MS: Final = 20_000
"""Two devices that suspect a fall within this saw the same one."""
RECOVERY_STEPS: Final = 5
"""So many steps since the last reading that says "lying", and upright at last, are recovery."""
CLOCK_LAG_MS: Final = 10 * MINUTE_MS
"""A clock may lag so far behind: steps that another device counted before a fall are no recovery from it."""
LIES_ON_AFTER_MS: Final = 30 * MINUTE_MS
"""A confirmed fall without recovery is said again."""
LONG_LIE_AFTER_MS: Final = HOUR_MS
"""So long on the floor is a long lie, and said to be one."""
HELP_AFTER_NEAR_MS: Final = 30 * MINUTE_MS
"""So long after the minute, who answers "help" makes a confirmed fall of a near one."""
FORGOTTEN_AFTER_MS: Final = 24 * HOUR_MS
"""A confirmed fall without any later sign of recovery counts as over after this; its alert stays until answered."""
NEAR_FALL: Final = 1
CONFIRMED: Final = 2
LIES_ON: Final = 3
ANSWERED: Final = Message("fall.near")
UP_AGAIN: Final = Message("fall.up")
UNANSWERED: Final = Message("fall.confirmed")
ASKED_FOR_HELP: Final = Message("fall.help")
NOT_UP: Final = Message("fall.lies_on", {"minutes": LIES_ON_AFTER_MS // MINUTE_MS})
LONG_LIE: Final = Message("fall.long_lie", {"minutes": LONG_LIE_AFTER_MS // MINUTE_MS})


def level_of_fall(*, answered: bool, helped: bool, up: bool) -> int:
    """What a suspected fall came to: who answers "help" needs it, whatever else there was."""
    return NEAR_FALL if (answered or up) and not helped else CONFIRMED


def _message(mark: Mark) -> Message:
    if mark.level == ENDED:
        return Message("fall.no_data" if mark.end_reason is EndReason.NO_DATA else "fall.ended")
    return {NEAR_FALL: ANSWERED, CONFIRMED: UNANSWERED}.get(mark.level, NOT_UP)


FALL: Final = Rule(
    name="fall",
    version=2,
    what=EventKind.FALL_SUSPECTED,
    severities=by_level(level_1=Severity.LOW, level_2=Severity.HIGH, level_3=Severity.HIGH),
    rationale=(
        'A suspected fall is taken for one after 60 s without the answer "ok", or upright posture and 5 steps; both'
        " numbers are ours. Most people who lay long had not used their call alarm (Fleming and Brayne 2008, BMJ"
        " 337:a2227), so nothing waits for a button. See docs/clinical.md#fall."
    ),
    messages=(
        "fall.ended", "fall.no_data", "fall.near", "fall.up", "fall.confirmed", "fall.help", "fall.lies_on",
        "fall.long_lie",
    ),
    message=_message,
)  # fmt: skip
