"""The SOS button: somebody asks for help, at once."""

from typing import Final

from schemas.alerts import Message, Severity
from schemas.events import EventKind
from services.score.rule import ENDED, MINUTE_MS, Mark, Rule, by_level

SAME_CALL_MS: Final = 10 * MINUTE_MS
"""A press within this of another belongs to the same call."""


def _message(mark: Mark) -> Message:
    return Message("sos.ended" if mark.level == ENDED else "sos.pressed")


SOS: Final = Rule(
    name="sos",
    version=1,
    what=EventKind.SOS_PRESSED,
    severities=by_level(level_1=Severity.HIGH),
    rationale=(
        "A person asks for help; harm within minutes can't be excluded, which is high priority in the sense of"
        " IEC 60601-1-8. That presses within 10 min are one call is ours. See docs/clinical.md#help-button."
    ),
    messages=("sos.ended", "sos.pressed"),
    message=_message,
)
