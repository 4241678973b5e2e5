"""Bytes to dataclass and back; the only file that says JSON."""

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from functools import lru_cache, partial
from itertools import chain
from math import isfinite
from struct import Struct
from struct import error as StructError  # noqa: N812 - an exception is written with a capital
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from schemas.messages import (
    EPOCH_LIMIT,
    MAX_ITEMS,
    SEQ_LIMIT,
    Ack,
    Command,
    CommandKind,
    DeviceStatus,
    RejectedItem,
    Uplink,
)
from schemas.records import (
    INTEGER_LIMIT,
    READING,
    SMALL_LIMIT,
    DeviceWord,
    JudgedEvent,
    JudgedReading,
    JudgedUplink,
    Rejection,
    SealedRecord,
    SealedUplink,
    SettledRecord,
    UplinkRecord,
    WatermarkMarker,
)
from schemas.topics import SHARDS
from schemas.validity import STAMP_LIMIT

_IDENTITY: Final = re.compile(rb'\s*\{\s*"epoch"\s*:\s*(\d{1,16})\s*,\s*"seq"\s*:\s*(\d{1,16})\s*[,}]')
_UPLINK: Final = 3
_UPLINK_WITHOUT_TYPE: Final = 1
"""As ingest wrote it before 2026-11-29; the log may hold some for 72 h."""
_MARK: Final = bytes((_UPLINK,))
_MARKS: Final = frozenset((_UPLINK, _UPLINK_WITHOUT_TYPE))
_MARKER: Final = b"\x02"
_WORD: Final = b"\x04"
_HEAD: Final = Struct("<BBHHiihqqqqq")
"""Mark, type of device, bytes of the name, readings; then the numbers of an uplink in the order of its fields."""
_HEAD_WITHOUT_TYPE: Final = Struct("<BHHiihqqqqq")
_BROKEN: Final = "uplinks.judged.v1 holds a record that can't be read"
_NOT_IN_A_LEVEL: Final = frozenset("/+#\0")
_BROKEN_ACK: Final = "uplinks.settled.v1 holds a record that can't be read"
_EVENT_LIMITS: Final = (SMALL_LIMIT, INTEGER_LIMIT, SMALL_LIMIT, STAMP_LIMIT, INTEGER_LIMIT)
"""The numbers of an event in the order of its fields: each from 0 up to here."""
_STATUS: Final = TypeAdapter(DeviceStatus)
_DEVICE_WORD: Final = TypeAdapter(DeviceWord)
_reading_of: Final = partial(tuple.__new__, JudgedReading)
"""``JudgedReading._make`` without its check: what was unpacked has the right length."""
_judged_of: Final = partial(tuple.__new__, JudgedUplink)
_sealed_of: Final = partial(tuple.__new__, SealedUplink)


class CodecError(ValueError):
    """These bytes are not what they should be."""


class BrokenRecordError(CodecError):
    """A record of the bus can't be read: our own fault, so the consumer stops."""


def parse_json(payload: bytes) -> Any:
    """The JSON value in ``payload``; NaN, Infinity, lone surrogates, trailing bytes and depth over 200 are refused.

    Raises CodecError.
    """
    try:
        return from_json(payload, allow_inf_nan=False, cache_strings="keys")
    except (ValueError, RecursionError) as error:
        raise CodecError(str(error)) from error


def write_json(value: Any) -> bytes:
    """Compact JSON of plain values."""
    return to_json(value)


def identity_of(payload: bytes) -> tuple[int, int] | None:
    """``(epoch, seq)`` from the first bytes, even where the rest can't be read; None where they aren't there."""
    # Cut, so that a payload of nothing but blanks costs no more than another.
    match = _IDENTITY.match(payload[:96])
    if match is None:
        return None
    epoch, seq = int(match[1]), int(match[2])
    return (epoch, seq) if epoch < EPOCH_LIMIT and seq < SEQ_LIMIT else None


def encode_uplink(uplink: Uplink) -> bytes:
    """The payload of ``hb/v1/<shard>/<device>/up``: identity first, absent fields left out."""
    body: dict[str, Any] = {
        "epoch": uplink.epoch,
        "seq": uplink.seq,
        "sent_at": uplink.sent_at,
        "clock": uplink.clock,
        "oldest": uplink.oldest,
        "readings": [
            {
                name: value
                for name, value in (
                    ("vital", reading.vital),
                    ("value", reading.value),
                    ("at", reading.at),
                    ("unit", reading.unit),
                    ("slot", reading.slot),
                    ("activity", reading.activity),
                    ("posture", reading.posture),
                    ("quality", reading.quality),
                    ("comparator", reading.comparator),
                )
                if value is not None
            }
            for reading in uplink.readings
        ],
        "events": [
            {"event": event.event, "at": event.at}
            | ({} if event.slot is None else {"slot": event.slot})
            | dict(event.details)
            for event in uplink.events
        ],
    }
    return to_json(body)


def encode_ack(ack: Ack) -> bytes:
    """The payload of ``hb/v1/<shard>/<device>/ack``."""
    return to_json(
        {
            "generation": ack.generation,
            "epoch": ack.epoch,
            "upto": ack.upto,
            "gaps": ack.gaps,
            "rejected": [{"seq": one.seq, "item": one.item, "reason": one.reason} for one in ack.rejected],
        }
    )


def decode_ack(payload: bytes) -> Ack:
    """Raises CodecError where it is no ack."""
    body = parse_json(payload)
    try:
        return Ack(
            generation=body["generation"],
            epoch=body["epoch"],
            upto=body["upto"],
            gaps=tuple((first, last) for first, last in body["gaps"]),
            rejected=tuple(RejectedItem(**one) for one in body["rejected"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CodecError(f"not an ack: {error!r}") from error


def encode_command(command: Command) -> bytes:
    """The payload of ``hb/v1/<shard>/<device>/commands``."""
    return to_json({"id": command.id, "kind": command.kind, "expires_at": command.expires_at} | dict(command.details))


def decode_command(payload: bytes) -> Command:
    """Raises CodecError where it is no command of a known kind."""
    body = parse_json(payload)
    if not isinstance(body, dict):
        raise CodecError("a command is a JSON object")
    details = {name: value for name, value in body.items() if name not in {"id", "kind", "expires_at"}}
    try:
        return Command(id=body["id"], kind=CommandKind(body["kind"]), expires_at=body["expires_at"], details=details)
    except (KeyError, TypeError, ValueError) as error:
        raise CodecError(f"not a command: {error!r}") from error


def encode_status(status: DeviceStatus) -> bytes:
    """The payload of ``hb/v1/<shard>/<device>/status``."""
    return _STATUS.dump_json(status, exclude_none=True)


def decode_status(payload: bytes) -> DeviceStatus:
    """Raises CodecError where it is no status."""
    try:
        return _STATUS.validate_json(payload)
    except ValidationError as error:
        raise CodecError("not a status") from error


def encode_uplink_record(record: UplinkRecord) -> bytes:
    """The value of a record of ``uplinks.judged.v1``.

    A head of fixed width, the device's name, the readings as ``READING``; the rare events and rejections as JSON.
    A watermark marker is its mark and JSON, and so is a device's word.
    """
    if isinstance(record, DeviceWord):
        return _WORD + _DEVICE_WORD.dump_json(record, exclude_none=True)
    if isinstance(record, WatermarkMarker):
        return _MARKER + to_json((record.instance, record.received_at))
    # Unpacked at once: as many attributes of a NamedTuple would cost more.
    (
        device_no,
        device,
        home_no,
        shard,
        epoch,
        seq,
        oldest,
        sent_at,
        received_at,
        readings,
        events,
        rejections,
        kind,
    ) = record
    name = device.encode()
    head = _HEAD.pack(
        _UPLINK, kind, len(name), len(readings), device_no, home_no, shard, epoch, seq, oldest, sent_at, received_at
    )
    # Nearly always; then no JSON is written at all.
    if not events and not rejections:
        return head + name + pack_readings(readings)
    refused = [(*one[:3], b64encode(one.raw).decode(), *(one[4:] if any(one[4:]) else ())) for one in rejections]
    return head + name + pack_readings(readings) + to_json((events, refused))


def pack_readings(readings: Sequence[JudgedReading]) -> bytes:
    """``READING`` after ``READING``."""
    return _readings_of(len(readings)).pack(*chain.from_iterable(readings))


@lru_cache(maxsize=MAX_ITEMS + 1)
def _readings_of(count: int) -> Struct:
    """``count`` times ``READING``: at once they take two thirds of the time."""
    return Struct("<" + READING.format.removeprefix("<") * count)


def seal(uplink: JudgedUplink) -> SealedUplink:
    """The same uplink with its readings packed."""
    return SealedUplink._make((*uplink[:9], pack_readings(uplink.readings), *uplink[10:]))


def open_uplink_record(value: bytes) -> SealedRecord:
    """The record without a look at its readings. Raises BrokenRecordError."""
    try:
        if value.startswith(_MARKER):
            instance, received_at = from_json(value[1:])
            if type(instance) is not str or type(received_at) is not int:
                raise BrokenRecordError(_BROKEN)
            return WatermarkMarker(instance=instance, received_at=received_at)
        if value.startswith(_WORD):
            return _word_of(value[1:])
        form = _HEAD if value[:1] == _MARK else _HEAD_WITHOUT_TYPE
        # The numbers stand at the end, in whichever form.
        (*_, name_length, readings, device_no, home_no, shard, epoch, seq, oldest, sent_at, received_at) = (
            form.unpack_from(value)
        )
        name_end = form.size + name_length
        end = name_end + readings * READING.size
        if value[0] not in _MARKS or end > len(value):
            raise BrokenRecordError(_BROKEN)
        device = value[form.size : name_end].decode()
        kind = value[1] if form is _HEAD else 0
        events, rejections = _rare(value[end:]) if end < len(value) else ((), ())
        known = device_no, device, home_no, shard, epoch, seq, oldest, sent_at, received_at
        return _sealed_of((*known, value[name_end:end], events, rejections, kind))
    except (ValueError, TypeError, StructError) as error:
        raise BrokenRecordError(_BROKEN) from error


def decode_uplink_record(value: bytes) -> UplinkRecord:
    """The record with its readings as objects. Raises BrokenRecordError."""
    record = open_uplink_record(value)
    if not isinstance(record, SealedUplink):
        return record
    readings: list[JudgedReading] = []
    moment: int | None = None
    for item, person_no, vital, number, observed_at, flags in READING.iter_unpack(record.readings):
        # One number for all that was measured at once: score keeps thousands of them.
        if observed_at != moment:
            if not 0 <= observed_at < STAMP_LIMIT:
                raise BrokenRecordError(_BROKEN)
            moment = observed_at
        if not isfinite(number):
            raise BrokenRecordError(_BROKEN)
        readings.append(_reading_of((item, person_no, vital, number, moment, flags)))
    return _judged_of((*record[:9], tuple(readings), *record[10:]))


def _word_of(value: bytes) -> DeviceWord:
    """Raises ValueError; nothing that a row could not hold passes."""
    word = _DEVICE_WORD.validate_json(value, strict=True)
    numbers = (word.device_no, word.home_no, word.person_no)
    if not all(0 <= one < INTEGER_LIMIT for one in numbers) or not 0 <= word.received_at < STAMP_LIMIT:
        raise BrokenRecordError(_BROKEN)
    if word.battery_percent is not None and not isfinite(word.battery_percent):
        raise BrokenRecordError(_BROKEN)
    return word


def _rare(tail: bytes) -> tuple[tuple[JudgedEvent, ...], tuple[Rejection, ...]]:
    """Events and rejections; nothing that a row could not hold passes."""
    said, rejections = from_json(tail)
    events = tuple(map(JudgedEvent._make, said))
    refused = tuple(
        Rejection(item, reason, name, b64decode(raw), *more) for item, reason, name, raw, *more in rejections
    )
    for event in events:
        numbers = all(type(one) is int and 0 <= one < end for one, end in zip(event, _EVENT_LIMITS, strict=False))
        if not numbers or type(event.details) is not dict:
            raise BrokenRecordError(_BROKEN)
    for one in refused:
        numbers = all(type(number) is int for number in (one.item, one.observed_at, one.flags))
        if not numbers or type(one.reason) is not str or type(one.field) is not str:
            raise BrokenRecordError(_BROKEN)
        if not 0 <= one.observed_at < STAMP_LIMIT or not 0 <= one.flags < INTEGER_LIMIT:
            raise BrokenRecordError(_BROKEN)
    return events, refused


def encode_settled(record: SettledRecord) -> bytes:
    """The value of a record of ``uplinks.settled.v1``: shard, device, and the ack's payload as the device gets it."""
    return b"%d %s %s" % (record.shard, record.device.encode(), encode_ack(record.ack))


def open_settled(value: bytes) -> tuple[int, str, bytes]:
    """Shard, device and payload of a settled record; the payload is not read. Raises BrokenRecordError."""
    try:
        shard, device, payload = value.split(b" ", 2)
        place = int(shard), device.decode()
    except ValueError as error:
        raise BrokenRecordError(_BROKEN_ACK) from error
    if not 0 <= place[0] < SHARDS or not place[1] or _NOT_IN_A_LEVEL.intersection(place[1]):
        raise BrokenRecordError(_BROKEN_ACK)
    return *place, payload


def decode_settled(value: bytes) -> SettledRecord:
    """Raises BrokenRecordError."""
    shard, device, payload = open_settled(value)
    try:
        return SettledRecord(device=device, shard=shard, ack=decode_ack(payload))
    except CodecError as error:
        raise BrokenRecordError("uplinks.settled.v1 holds an ack that can't be read") from error
