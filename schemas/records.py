"""What travels on the bus: an uplink after judgement, a watermark marker, and the ack to send."""

from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct
from typing import Any, Final, NamedTuple

from schemas.messages import Ack, DeviceState

SMALL_LIMIT: Final = 2**15
INTEGER_LIMIT: Final = 2**31
"""A number in [0, limit) fits a column of type smallint, or integer."""


class JudgedReading(NamedTuple):
    """A reading that will be stored. ``person_no`` 0 is never used here; ``value`` is in the vital's own unit."""

    item: int
    person_no: int
    vital: int
    value: float
    observed_at: int
    flags: int


READING: Final = Struct("<hihdqi")
"""A reading as bytes: the fields of JudgedReading in their order, little-endian, without padding."""


class JudgedEvent(NamedTuple):
    """An event that will be stored. ``person_no`` 0 means nobody: an emergency of the home."""

    item: int
    person_no: int
    kind: int
    observed_at: int
    flags: int
    details: Mapping[str, Any]


class Rejection(NamedTuple):
    """An item that will be rejected: why, which field, and the first bytes of what it came as.

    Where only the person is missing, ``raw`` is the item with the fields that are known, ``observed_at`` (ms) and
    ``flags`` are what it would have been stored with: so that it can be assigned to a person later.
    """

    item: int
    reason: str
    field: str
    raw: bytes
    observed_at: int = 0
    flags: int = 0


class JudgedUplink(NamedTuple):
    """One uplink with its readings, events and rejections together.

    ``received_at`` and ``sent_at`` are platform milliseconds. ``device_no`` 0 with ``epoch`` and ``seq`` -1 is an
    uplink that nobody can get an ack for: no cursor, no ack, only rejections. ``device_type`` is a number of
    ``schemas.devices``, 0 where it is not known.
    """

    device_no: int
    device: str
    home_no: int
    shard: int
    epoch: int
    seq: int
    oldest: int
    sent_at: int
    received_at: int
    readings: tuple[JudgedReading, ...] = ()
    events: tuple[JudgedEvent, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    device_type: int = 0


class SealedUplink(NamedTuple):
    """A judged uplink whose readings are still the bytes of its record, ``READING`` after ``READING``.

    Store only passes readings on, so it makes no object of each.
    """

    device_no: int
    device: str
    home_no: int
    shard: int
    epoch: int
    seq: int
    oldest: int
    sent_at: int
    received_at: int
    readings: bytes
    events: tuple[JudgedEvent, ...]
    rejections: tuple[Rejection, ...]
    device_type: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WatermarkMarker:
    """Ingest's own mark, one per instance and partition each second: everything before it has been passed on."""

    instance: str
    received_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceWord:
    """What a device, or the broker in its place, says of it on its status topic. ``person_no`` 0: nobody's alone."""

    device_no: int
    home_no: int
    person_no: int
    received_at: int
    state: DeviceState
    leaving: bool = False
    battery_percent: float | None = None
    firmware: str | None = None


UplinkRecord = JudgedUplink | WatermarkMarker | DeviceWord
SealedRecord = SealedUplink | WatermarkMarker | DeviceWord


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledRecord:
    """The ack to publish to ``device`` on ``shard``."""

    device: str
    shard: int
    ack: Ack
