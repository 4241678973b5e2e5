"""A device that says that its battery is low."""

from typing import Final

from schemas.alerts import Message, Severity
from services.score.rule import ENDED, HOUR_MS, Mark, Rule, by_level

UNSAID_AFTER_MS: Final = 24 * HOUR_MS
"""A device that has not said it again for so long has been charged, or has a new battery, for all that is known."""
LOW_PERCENT: Final = 15
"""A status that says so much or less: the battery is low."""
CHARGED_PERCENT: Final = 25
"""A status that says more: it is charged. In between, what was said before holds."""


def _message(mark: Mark) -> Message:
    return Message("low_battery.ended" if mark.level == ENDED else "low_battery.low")


def percent_message(percent: float, *, has_ended: bool) -> Message:
    """What is said of a status; ``percent`` as it says."""
    return Message("low_battery.charged" if has_ended else "low_battery.percent", {"percent": percent})


LOW_BATTERY: Final = Rule(
    name="low_battery",
    version=2,
    what="low_battery",
    severities=by_level(level_1=Severity.TECHNICAL),
    rationale=(
        "The device says so itself, by an event or by its status (15 % and 25 % are ours); when it is empty, nothing is"
        " measured any more. Technical, so never among clinical alerts. See docs/clinical.md#low-battery."
    ),
    messages=("low_battery.ended", "low_battery.low", "low_battery.percent", "low_battery.charged"),
    message=_message,
)
