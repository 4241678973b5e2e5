"""A device that says that its battery is low."""

from typing import Final

from schemas.alerts import Message, Severity
from services.score.rule import ENDED, HOUR_MS, Mark, Rule, by_level

UNSAID_AFTER_MS: Final = 24 * HOUR_MS
"""A device that has not said it again for so long has been charged, or has a new battery, for all that is known."""


def _message(mark: Mark) -> Message:
    return Message("low_battery.ended" if mark.level == ENDED else "low_battery.low")


LOW_BATTERY: Final = Rule(
    name="low_battery",
    version=1,
    what="low_battery",
    severities=by_level(level_1=Severity.TECHNICAL),
    rationale=(
        "The device says so itself; when it is empty, nothing is measured any more. Technical, so never among clinical"
        " alerts. See docs/clinical.md#low-battery."
    ),
    messages=("low_battery.ended", "low_battery.low"),
    message=_message,
)
