"""What makes an uplink valid: the one table of fields, bounds, words and flags.

``services/ingest`` judges by it in two ways, in full and the short way; ``schemas/json_schema`` shows it to firmware
authors. Which reason goes with a rule stands where it is given, in ``services/ingest/core``, and nowhere else.
"""

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

from schemas.devices import DEVICE_TYPES
from schemas.devices.device_type import Measuring
from schemas.messages import NEWEST_ACCEPTED_MS, OLDEST_ACCEPTED_MS, SEQ_LIMIT
from schemas.reasons import Flag
from schemas.vitals import VITAL_BY_CODE, Vital

STAMP_LIMIT: Final = SEQ_LIMIT
"""A time is an integer in [0, STAMP_LIMIT) ms, so that every JSON library keeps it exactly."""
TEXT_LIMIT: Final = 64
"""Letters in a text detail, and of the name of a device that nobody registered."""
ONLY_SLOT: Final = 1
"""The slot of a reading that names none; only a device with one slot may leave it out."""
BARE_READING_FIELDS: Final = ("vital", "value", "at")
"""The fields that every reading has; most have no others."""
# Plain dictionaries: every uplink asks them, and a proxy costs as much again.
CLOCK_FLAGS: Final[Mapping[str, int]] = {"synced": 0, "unsynced": int(Flag.UNSYNCED), "jumped": int(Flag.JUMPED)}
"""What a device may say of its clock, and the flags that its items get for it."""
CONTEXT_FLAGS: Final[Mapping[str, Mapping[str, int]]] = {
    "activity": {"resting": int(Flag.RESTING), "active": int(Flag.MOVING)},
    "posture": {"upright": int(Flag.UPRIGHT), "sitting": 0, "lying": int(Flag.LYING)},
    "quality": {"good": 0, "poor": int(Flag.POOR_QUALITY)},
}
"""What a reading may say of its circumstances, and the flags that it gets for it."""
METHOD_FLAGS: Final[Mapping[str, int]] = {"cuffless": int(Flag.CUFFLESS)}
"""What a reading may say of how it was measured, and the flag that it gets for it; other words mean nothing here."""
COMPARATORS: Final = ("<", ">")
"""What a reading may say of its value, as FHIR's Quantity does: the truth lies below it, or above."""
READING_FIELDS: Final = (*BARE_READING_FIELDS, "unit", "slot", *CONTEXT_FLAGS, "method", "comparator")
"""Every field of a reading that means something. Others are passed over."""
# Plain integers: combining members of a Flag costs more than judging the rest of a reading.
_UNUSUAL: Final = int(Flag.UNUSUAL)
_CLIPPED: Final = int(Flag.CLIPPED)


class ValueRule(NamedTuple):
    """What a value has to be, in the vital's own unit; all bounds are inclusive.

    Outside ``lowest`` to ``highest`` it is rejected; outside ``usual_lowest`` to ``usual_highest`` it is flagged as
    unusual. Outside ``clipped_low`` to ``clipped_high`` the sensor can't measure: such a value is a bound, and flagged
    as clipped.
    """

    lowest: float
    highest: float
    usual_lowest: float
    usual_highest: float
    clipped_low: float
    clipped_high: float

    def flags_of(self, value: float) -> int:
        """What is worth knowing about a value that is in range."""
        flags = 0 if self.usual_lowest <= value <= self.usual_highest else _UNUSUAL
        return flags if self.clipped_low <= value <= self.clipped_high else flags | _CLIPPED

    @property
    def plain_range(self) -> tuple[float, float]:
        """The inclusive range in which ``flags_of`` is 0."""
        lowest = max(self.lowest, self.usual_lowest, self.clipped_low)
        return lowest, min(self.highest, self.usual_highest, self.clipped_high)


def bound_as_kept(comparator: str, value: float, vital: Vital) -> float | None:
    """What a reading is kept as that says "below ``value``" or "above" it, in the vital's unit; None for no bound.

    Beyond what sensors measure, as a worn one writes it, so that rules and people take all bounds alike. A meter's LO
    or HI is never out of range: it is moved into it.
    """
    low, high = vital.clipped_low, vital.clipped_high
    if comparator == "<" and low is not None and value <= low:
        return max(vital.lowest, value if value < low else low - 1)
    if comparator == ">" and high is not None and value >= high:
        return min(vital.highest, value if value > high else high + 1)
    return None


def _or(bound: float | None, without: float) -> float:
    return without if bound is None else bound


def _value_rule(vital: Vital, measuring: Measuring) -> ValueRule:
    # A meter's 39 is 39: only a sensor that is worn says so for whatever lies below 40.
    clips = measuring is Measuring.CONTINUOUS
    return ValueRule(
        lowest=vital.lowest,
        highest=vital.highest,
        usual_lowest=_or(vital.flag_below, vital.lowest),
        usual_highest=_or(vital.flag_above, vital.highest),
        clipped_low=_or(vital.clipped_low if clips else None, -math.inf),
        clipped_high=_or(vital.clipped_high if clips else None, math.inf),
    )


VALUE_RULES: Final[Mapping[str, Mapping[str, ValueRule]]] = {
    kind.code: {code: _value_rule(VITAL_BY_CODE[code], kind.measuring) for code in kind.vitals} for kind in DEVICE_TYPES
}
"""By the codes of the type of device and of the vital; the numbers are those of ``schemas.vitals``."""


def accepted_stamps(received_at: int) -> tuple[int, int]:
    """The oldest and the newest time, both included, that is believed of what was received at ``received_at`` (ms)."""
    oldest, newest = received_at - OLDEST_ACCEPTED_MS, received_at + NEWEST_ACCEPTED_MS
    # Once an uplink: two calls of max and min would take longer than all the rest of this.
    return (oldest if oldest > 0 else 0), (newest if newest < STAMP_LIMIT else STAMP_LIMIT - 1)  # noqa: FURB136
