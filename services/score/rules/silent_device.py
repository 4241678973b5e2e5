"""A device that has not been heard of for longer than its kind may be, or a whole home of them."""

from typing import Final

from schemas.alerts import EndReason, Message, Severity
from services.score.rule import ENDED, HOUR_MS, MINUTE_MS, Mark, Rule, by_level

EXPLAINED_FOR_MS: Final = 12 * HOUR_MS
"""So long a device may be silent that last said it was charging or not worn."""
LAST_WORDS_MS: Final = 15 * MINUTE_MS
"""An explanation this close to the last uplink is the newest word of a device."""
RESUMED_FOR_MS: Final = 15 * MINUTE_MS
"""So long after an outage of ours, or of a whole home, nobody is called silent: devices wait up to 10 min to resend."""
RESENDS: Final = 3
"""Silence is at least so many resend times long, in real time."""
FEWEST_DEVICES: Final = 2
"""A home of fewer devices that should be heard is not called silent: its device is."""
HOME_QUIET_SHARE: Final = 0.5
"""Nothing of a home is heard for this share of its devices' shortest limit when one is silent: all of them are."""
SILENT_HOME: Final = "silent_home"
"""The concern of a whole home's silence."""


def _message(mark: Mark) -> Message:
    if mark.level != ENDED:
        return device_message(mark.last.at - mark.first.at)
    if mark.about == SILENT_HOME:
        return Message("silent_device.home_ended")
    return Message("silent_device.removed" if mark.end_reason is EndReason.NO_DATA else "silent_device.ended")


def device_message(silent_ms: int, *, offline_at: str = "", leaving: bool = False) -> Message:
    """What is said of a device; ``offline_at``: its connection ended then, by its own word where it was ``leaving``."""
    hours = silent_ms / HOUR_MS
    if not offline_at:
        return Message("silent_device.silent", {"hours": hours})
    return Message("silent_device.left" if leaving else "silent_device.cut", {"hours": hours, "at": offline_at})


def home_message(silent_ms: int, *, devices: int) -> Message:
    """What is said of a whole home, of which so many devices should be heard."""
    return Message("silent_device.home", {"hours": silent_ms / HOUR_MS, "devices": devices})


SILENT_DEVICE: Final = Rule(
    name="silent_device",
    version=2,
    what="last_uplink",
    severities=by_level(level_1=Severity.TECHNICAL),
    rationale=(
        "How long a device may be silent depends on its kind; the limits follow gaps in real recordings and are ours."
        " Where nothing of a home is heard, the home is silent, and not each of its devices. An outage of the platform"
        " calls no device silent. See docs/clinical.md#silent-device."
    ),
    messages=(
        "silent_device.ended",
        "silent_device.silent",
        "silent_device.cut",
        "silent_device.left",
        "silent_device.removed",
        "silent_device.home",
        "silent_device.home_ended",
    ),
    message=_message,
)
