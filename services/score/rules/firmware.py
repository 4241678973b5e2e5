"""A device whose firmware does what the contract forbids, in a way that the platform can live with."""

from enum import StrEnum
from typing import Final

from schemas.alerts import Message, Severity
from services.score.rule import ENDED, HOUR_MS, Mark, Rule, by_level

STOPPED_AFTER_MS: Final = 24 * HOUR_MS
"""Uplinks without the flag for so long: the device has stopped sending them so."""
COUNTER_READINGS: Final = 12
"""So many step readings in a row, none 0 and none lower than the one before, ..."""
COUNTER_RISES: Final = 3
"""... so many of them higher: a total that only grows. Of increments that would be one walk in millions."""
SAME_AGAIN: Final = 3
"""The same number so many times in a row is a total of somebody who does not move; from then on it is no movement."""
MOST_STEPS_PER_MINUTE: Final = 250
"""More than anybody walks: the same number again and again may be a walk at one pace up to here."""
COUNTER_DROPS: Final = 3
"""So many drops, less than COUNTER_READINGS apart: increments after all. A total drops once a day, at midnight."""


class FirmwareFault(StrEnum):
    """What a device does wrong."""

    RETAINED = "retained"
    STEP_TOTAL = "step_total"


def message_of(fault: FirmwareFault, level: int) -> Message:
    """What is said where a fault begins or ends."""
    return Message("firmware.ended" if level == ENDED else f"firmware.{fault}")


def _message(mark: Mark) -> Message:
    return message_of(FirmwareFault.RETAINED, mark.level)


FIRMWARE: Final = Rule(
    name="firmware",
    version=1,
    what="uplink",
    severities=by_level(level_1=Severity.TECHNICAL),
    rationale=(
        "The device breaks the contract in docs/firmware.md; technical, so never among clinical alerts. A running total"
        " of steps would look like walking without end, so that only limits in movement would hold. Twelve readings"
        " and three rises are ours. See docs/clinical.md#firmware."
    ),
    messages=("firmware.ended", *(f"firmware.{fault}" for fault in FirmwareFault)),
    message=_message,
)
