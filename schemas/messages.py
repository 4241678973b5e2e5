"""What devices and the platform say to each other over MQTT (docs/firmware.md). Times are integer milliseconds UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Literal

EPOCH_LIMIT: Final = 2**53
"""An epoch is a random integer in [0, EPOCH_LIMIT)."""
SEQ_LIMIT: Final = 2**53
"""A sequence number is an integer in [0, SEQ_LIMIT)."""
MAX_AHEAD: Final = 65_536
"""A ``seq`` more than this above ``upto`` is rejected, unsettled."""
MAX_UNDER_WAY: Final = 4_096
"""At most so many uplinks of a device are under way beyond ``upto``."""
MAX_RANGES: Final = 4_096
"""An uplink that would make more separate ranges of settled ``seq`` than this is rejected, unsettled."""
MAX_LIVE_EPOCHS: Final = 16
"""A device has at most this many epochs of which anything was heard within ``EPOCH_LIVES_MS``; one more waits."""
EPOCH_LIVES_MS: Final = 24 * 3_600_000
MAX_GAPS: Final = 32
"""An ack lists at most this many gaps."""
MAX_REJECTED: Final = 16
"""An ack lists at most this many rejections, the newest."""
MAX_ITEMS: Final = 256
"""An uplink holds at most this many readings and events together."""
MAX_RAW_BYTES: Final = 4_096
"""Of what is rejected at most the first so many bytes are kept."""
REBINDING_GRACE_MS: Final = 24 * 3_600_000
"""So long after a slot has gone to somebody else, what was stamped before is still the former person's."""
MAX_UPLINK_BYTES: Final = 65_536
"""The broker's ``max_packet_size``."""
OLDEST_ACCEPTED_MS: Final = 30 * 24 * 3_600_000
"""A stamp older than this before reception is rejected."""
NEWEST_ACCEPTED_MS: Final = 2 * 60_000
"""A stamp more than this after reception is rejected."""
WHOLE_UPLINK: Final = -1
"""The item number of a rejection that covers every item of its uplink."""

DeviceState = Literal["online", "offline"]
DeviceClock = Literal["synced", "unsynced", "jumped"]
Activity = Literal["resting", "active"]
Posture = Literal["upright", "sitting", "lying"]
Quality = Literal["good", "poor"]
Comparator = Literal["<", ">"]


class CommandKind(StrEnum):
    """What the platform asks of a device."""

    REMIND_DOSE = "remind_dose"
    CHECK_IN = "check_in"
    MEASURE_AGAIN = "measure_again"
    WHO_WAS_MEASURED = "who_was_measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One measured value. ``unit`` is needed where the vital accepts several, ``slot`` on shared devices.

    ``comparator``: the value is a bound, below or above which the truth lies; a meter's LO or HI.
    """

    vital: str
    value: float
    at: int
    unit: str | None = None
    slot: int | None = None
    activity: Activity | None = None
    posture: Posture | None = None
    quality: Quality | None = None
    comparator: Comparator | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceEvent:
    """Something that happened. ``details`` are the fields that ``schemas.events`` lists for its kind."""

    event: str
    at: int
    slot: int | None = None
    details: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Uplink:
    """One message of a device. Items are numbered readings first, then events, from 0."""

    epoch: int
    seq: int
    sent_at: int
    clock: DeviceClock
    oldest: int
    readings: tuple[Reading, ...] = ()
    events: tuple[DeviceEvent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedItem:
    """An item that was rejected, as the device reads it: advice for the firmware author."""

    seq: int
    item: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """Everything of ``epoch`` at or below ``upto`` (-1: nothing yet) is settled; ``gaps`` orders resends.

    ``gaps`` are inclusive ``(first, last)`` ranges above ``upto`` that are not settled.
    """

    generation: int
    epoch: int
    upto: int
    gaps: tuple[tuple[int, int], ...] = ()
    rejected: tuple[RejectedItem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Something the platform asks of a device until ``expires_at``; answered by the event ``command_result``."""

    id: str
    kind: CommandKind
    expires_at: int
    details: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStatus:
    """Retained word of a device about itself; ``offline`` is its last will, or, with ``leaving``, its good-bye.

    ``battery_percent`` from 0 to 100.
    """

    state: DeviceState
    battery_percent: float | None = None
    firmware: str | None = None
    leaving: bool | None = None
