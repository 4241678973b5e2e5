"""A device that could not do what the platform asked of it: remind of a dose, ask after a fall."""

from typing import Final

from schemas.alerts import Message, Severity
from schemas.events import EventKind
from services.score.rule import ENDED, Mark, Rule, by_level

FAILED_AT_DISPENSER: Final = Message("command_failed.reminder")
"""What is said of a dispenser. It passes on requests to measure as well; which it was is not known here."""


def _message(mark: Mark) -> Message:
    return Message("command_failed.ended" if mark.level == ENDED else "command_failed.failed")


COMMAND_FAILED: Final = Rule(
    name="command_failed",
    version=2,
    what=EventKind.COMMAND_RESULT,
    severities=by_level(level_1=Severity.TECHNICAL),
    rationale=(
        "The device says so itself: a reminder, or the question after a fall, did not reach the person through it."
        " Technical; doses and falls are judged by what people do. See docs/clinical.md#failed-command."
    ),
    messages=("command_failed.ended", "command_failed.failed", FAILED_AT_DISPENSER.key),
    message=_message,
)
