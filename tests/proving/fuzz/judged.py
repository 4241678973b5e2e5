"""What holds for every uplink, whatever its bytes: one fate an item, and nothing that a row could not hold."""

from math import isfinite
from typing import Final

from schemas.codec import (
    CodecError,
    decode_ack,
    decode_command,
    decode_settled,
    decode_status,
    decode_uplink_record,
    encode_uplink_record,
    identity_of,
    open_settled,
    open_uplink_record,
    parse_json,
    seal,
    write_json,
)
from schemas.devices import DEVICE_TYPES
from schemas.messages import SEQ_LIMIT, WHOLE_UPLINK
from schemas.reasons import RejectionReason
from schemas.records import JudgedEvent, JudgedReading, JudgedUplink, Rejection
from services.ingest.core import judge
from services.ingest.registry import BoundPerson, RegisteredDevice

RECEIVED_AT: Final = 1_795_348_800_000
_SMALL, _INTEGER = 2**15, 2**31
_REASONS: Final = frozenset(RejectionReason)


def _sender(number: int) -> RegisteredDevice:
    person = BoundPerson(person_no=2, home_no=1, from_ms=RECEIVED_AT - 86_400_000, to_ms=2**53)
    kind = DEVICE_TYPES[number]
    return RegisteredDevice(
        device_no=3, device=f"fuzzed-{number}", home_no=1, shard=5, type=kind, people={1: (person,)}
    )


SENDERS: Final = (None, *map(_sender, range(len(DEVICE_TYPES))))
"""An unregistered device, and a device of each type with its first slot worn since a day."""


def judged(payload: bytes, sender: RegisteredDevice | None) -> JudgedUplink:
    """The verdict on ``payload`` from ``sender``."""
    name = sender.device if sender else "unregistered"
    return judge(payload, device=name, entry=sender, shard=5, received_at=RECEIVED_AT)


def check_uplink(payload: bytes, sender: RegisteredDevice | None) -> JudgedUplink:
    """Judges, sends over the bus and back, and raises AssertionError where anything is not as it has to be."""
    uplink = judged(payload, sender)
    _check_fates(uplink, payload)
    _check_storable(uplink)
    value = encode_uplink_record(uplink)
    _hold(decode_uplink_record(value) == uplink, "the record comes back as it was")
    _hold(open_uplink_record(value) == seal(uplink), "the sealed record comes back as it was")
    return uplink


def check_decoders(data: bytes) -> None:
    """Every decoder reads ``data`` or refuses it with its own error."""
    for decode in (
        parse_json, decode_ack, decode_command, decode_status, open_settled, decode_settled, open_uplink_record,
        decode_uplink_record,
    ):  # fmt: skip
        try:
            decode(data)
        except CodecError:
            continue


def _hold(condition: bool, what: str) -> None:  # noqa: FBT001 - an assertion that `python -O` keeps
    if not condition:
        raise AssertionError(what)


def _check_fates(uplink: JudgedUplink, payload: bytes) -> None:
    fates: list[JudgedReading | JudgedEvent | Rejection] = [*uplink.readings, *uplink.events, *uplink.rejections]
    items = [one.item for one in fates]
    _hold(len(items) == len(set(items)), "an item has one fate")
    _hold(all(one.reason in _REASONS for one in uplink.rejections), "a rejection has a reason that is listed")
    whole = [one for one in uplink.rejections if one.item == WHOLE_UPLINK]
    _hold(all(one.raw == payload for one in whole), "the bytes of a refused uplink are kept")
    identity = identity_of(payload)
    _hold(uplink.device_no == 0 or (uplink.epoch, uplink.seq) == identity, "who can get an ack gets one")
    if not whole:
        body = parse_json(payload)
        count = len(body.get("readings", ())) + len(body.get("events", ()))
        _hold(sorted(items) == list(range(count)), "every item has a fate")


def _check_storable(uplink: JudgedUplink) -> None:
    numbers = (uplink.epoch, uplink.seq, uplink.oldest, uplink.sent_at)
    _hold(all(-1 <= one < SEQ_LIMIT for one in numbers), "the envelope fits its columns")
    for reading in uplink.readings:
        _hold(isfinite(reading.value), "a value is a number")
        _hold(0 < reading.person_no < _INTEGER and 0 < reading.vital < _SMALL, "a reading fits its columns")
    stored: list[JudgedReading | JudgedEvent] = [*uplink.readings, *uplink.events]
    for one in stored:
        _hold(0 <= one.item < _SMALL and 0 <= one.flags < _INTEGER, "an item fits its columns")
        _hold(0 <= one.observed_at < SEQ_LIMIT, "a stamp fits its column")
    for event in uplink.events:
        text = write_json(event.details)
        _hold(b"\\u0000" not in text and b"Infinity" not in text and b"NaN" not in text, "jsonb takes the details")
    _hold("\0" not in uplink.device, "a text column takes the name")
