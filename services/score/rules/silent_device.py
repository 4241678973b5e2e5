"""A device that has not been heard of for longer than its kind may be."""

from typing import Final

from schemas.alerts import Message, Severity
from services.score.rule import ENDED, HOUR_MS, MINUTE_MS, Mark, Rule, by_level

EXPLAINED_FOR_MS: Final = 12 * HOUR_MS
"""So long a device may be silent that last said it was charging or not worn."""
LAST_WORDS_MS: Final = 15 * MINUTE_MS
"""An explanation this close to the last uplink is the newest word of a device."""
RESUMED_FOR_MS: Final = 15 * MINUTE_MS
"""So long after an outage of ours nobody is called silent: devices wait up to 10 min between resends."""
RESENDS: Final = 3
"""Silence is at least so many resend times long, in real time."""


def _message(mark: Mark) -> Message:
    if mark.level == ENDED:
        return Message("silent_device.ended")
    return Message("silent_device.silent", {"hours": (mark.last.at - mark.first.at) / HOUR_MS})


SILENT_DEVICE: Final = Rule(
    name="silent_device",
    version=1,
    what="last_uplink",
    severities=by_level(level_1=Severity.TECHNICAL),
    rationale=(
        "How long a device may be silent depends on its kind; the limits follow gaps in real recordings and are ours."
        " An outage of the platform calls no device silent. See docs/clinical.md#silent-device."
    ),
    messages=("silent_device.ended", "silent_device.silent"),
    message=_message,
)
