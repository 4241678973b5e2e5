"""A device whose clock is ahead, so that its stamps have to be corrected."""

from typing import Final

from schemas.alerts import Message, Severity
from services.score.rule import ENDED, HOUR_MS, MINUTE_MS, Mark, Rule, by_level

RIGHT_AGAIN_AFTER_MS: Final = 24 * HOUR_MS
"""Uplinks with a right clock for so long: somebody has set it."""


def _message(mark: Mark) -> Message:
    if mark.level == ENDED:
        return Message("clock.ended")
    return Message("clock.ahead", {"minutes": round(mark.last.value / MINUTE_MS)})


CLOCK: Final = Rule(
    name="clock",
    version=1,
    what="uplink",
    severities=by_level(level_1=Severity.TECHNICAL),
    rationale=(
        "The device's clock is ahead of ours. What it measures is shifted by the difference, and nothing is lost, but"
        " its own display and reminders are wrong. Technical, so never among clinical alerts. See"
        " docs/clinical.md#clock."
    ),
    messages=("clock.ended", "clock.ahead"),
    message=_message,
)
