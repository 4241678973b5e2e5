"""The SOS button: somebody asks for help, at once, and each press is heard."""

from typing import Final

from schemas.alerts import Message, Severity
from schemas.events import EventKind
from services.score.rule import ENDED, MINUTE_MS, Mark, Rule, by_level

SAME_CALL_MS: Final = 10 * MINUTE_MS
"""A press within this of another belongs to the same call."""


def said_of_press(number: int) -> int:
    """How the finding of a call's press is numbered. The numbers between are of its end: a late press may follow it."""
    return 2 * number - 1


def press_message(number: int) -> Message:
    """What is said of the press of that number."""
    return Message("sos.pressed") if number == 1 else Message("sos.again", {"presses": number})


def _message(mark: Mark) -> Message:
    return Message("sos.ended") if mark.level == ENDED else press_message(1)


SOS: Final = Rule(
    name="sos",
    version=2,
    what=EventKind.SOS_PRESSED,
    severities=by_level(level_1=Severity.HIGH),
    rationale=(
        "A person asks for help; harm within minutes can't be excluded, which is high priority in the sense of"
        " IEC 60601-1-8. That presses within 10 min are one call is ours. See docs/clinical.md#help-button."
    ),
    messages=("sos.ended", "sos.pressed", "sos.again"),
    message=_message,
)
