"""Why an item was rejected, and what a stored item is flagged with."""

from enum import IntFlag, StrEnum
from typing import Final


class RejectionReason(StrEnum):
    """Why an item (or a whole uplink) was rejected. Also the label of the metric and the word in the ack."""

    NO_IDENTITY = "no_identity"
    UNKNOWN_DEVICE = "unknown_device"
    WRONG_SHARD = "wrong_shard"
    UNREADABLE = "unreadable"
    BAD_ENVELOPE = "bad_envelope"
    TOO_MANY_ITEMS = "too_many_items"
    SEQ_JUMP = "seq_jump"
    TOO_MANY_GAPS = "too_many_gaps"
    TOO_MANY_EPOCHS = "too_many_epochs"
    BAD_ITEM = "bad_item"
    UNKNOWN_VITAL = "unknown_vital"
    VITAL_NOT_OF_DEVICE = "vital_not_of_device"
    BAD_VALUE = "bad_value"
    UNIT_MISSING = "unit_missing"
    UNKNOWN_UNIT = "unknown_unit"
    OUT_OF_RANGE = "out_of_range"
    BAD_TIME = "bad_time"
    TOO_OLD = "too_old"
    IN_THE_FUTURE = "in_the_future"
    EARLIER_BOOT = "earlier_boot"
    BAD_SLOT = "bad_slot"
    UNATTRIBUTED = "unattributed"
    UNKNOWN_EVENT = "unknown_event"
    EVENT_NOT_OF_DEVICE = "event_not_of_device"
    BAD_DETAIL = "bad_detail"


class Flag(IntFlag):
    """What is worth knowing about a stored item. Items with any of ``NOT_SCORED`` never move a rule."""

    UNSYNCED = 1
    JUMPED = 2
    UNUSUAL = 4
    CLIPPED = 8
    RESTAMPED = 16
    POOR_QUALITY = 32
    NOBODY = 64
    OTHER_HOME = 128
    MOVING = 256
    UPRIGHT = 512
    LYING = 1024
    BEFORE_REBINDING = 2048
    ASSIGNED = 4096
    RETAINED = 8192
    RESTING = 16384
    CORRECTED_CLOCK = 32768
    """Its device's clock was ahead: its stamp less the difference of the uplink's ``sent_at`` and its reception."""
    REPEATED = 65536
    """The same was stored before, under another epoch or seq: kept, neither scored nor summed."""
    CUFFLESS = 131072
    """A pressure that was measured without a cuff: kept and shown, and no rule rests on it."""
    HELD = 262144
    """Another unit or person explains it much better: kept, and neither scored nor shown until somebody says so."""


UNSETTLED: Final = (RejectionReason.SEQ_JUMP, RejectionReason.TOO_MANY_GAPS, RejectionReason.TOO_MANY_EPOCHS)
"""Refusals of an uplink that leave it with its device, which sends it again: not how it ends."""
NOT_SCORED = (
    Flag.JUMPED
    | Flag.POOR_QUALITY
    | Flag.OTHER_HOME
    | Flag.BEFORE_REBINDING
    | Flag.ASSIGNED
    | Flag.REPEATED
    | Flag.HELD
)
NOT_SHOWN: Final = Flag.JUMPED | Flag.POOR_QUALITY | Flag.OTHER_HOME | Flag.HELD
"""Newest values and curves leave these out: a wrong time, a poor signal, another home's, or nobody knows whose."""
NO_TAKING: Final = NOT_SCORED & ~Flag.BEFORE_REBINDING
"""Dose events with any of these settle no dose. One from before a rebinding reports what its person did: it counts."""
