"""What is kept of each minute of a vital: that it was watched, or why it was not."""

from enum import StrEnum
from typing import Final

MINUTES: Final = 60
"""Of an hour; each is one bit, the first minute the lowest."""


class Coverage(StrEnum):
    """Each minute of a monitored vital is exactly one of these; the order is that of the columns of ``coverage``."""

    WATCHED = "watched"
    CHARGING = "charging"
    NOT_WORN = "not_worn"
    MOVING = "moving"
    POOR = "poor"
    HOME_SILENT = "home_silent"
    DEVICE_SILENT = "device_silent"


CAUSE_WORDS: Final = {
    Coverage.CHARGING: "charging",
    Coverage.NOT_WORN: "not worn",
    Coverage.MOVING: "moving",
    Coverage.POOR: "poor quality",
    Coverage.HOME_SILENT: "home silent",
    Coverage.DEVICE_SILENT: "device silent",
}
"""Why a minute was not watched, as people read it."""
