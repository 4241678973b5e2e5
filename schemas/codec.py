"""Bytes to dataclass and back; the only file that says JSON."""

import re
from base64 import b64decode, b64encode
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from schemas.messages import EPOCH_LIMIT, SEQ_LIMIT, Ack, Command, CommandKind, DeviceStatus, Refusal, Uplink
from schemas.records import (
    Canary,
    JudgedEvent,
    JudgedReading,
    JudgedUplink,
    Refused,
    SettledRecord,
    UplinkRecord,
)

_IDENTITY: Final = re.compile(rb'\s*\{\s*"epoch"\s*:\s*(\d{1,16})\s*,\s*"seq"\s*:\s*(\d{1,16})\s*[,}]')
_COMMAND: Final = TypeAdapter(Command)
_STATUS: Final = TypeAdapter(DeviceStatus)


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
            rejected=tuple(Refusal(**one) for one in body["rejected"]),
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
    """The value of a record of ``uplinks.judged.v1``: JSON arrays in the order of the dataclass's fields."""
    if isinstance(record, Canary):
        return to_json(("canary", record.instance, record.received_at))
    return to_json(
        (
            "uplink",
            record.device_no,
            record.device,
            record.home_no,
            record.shard,
            record.epoch,
            record.seq,
            record.oldest,
            record.sent_at,
            record.received_at,
            record.readings,
            record.events,
            [(one.item, one.reason, one.field, b64encode(one.raw).decode()) for one in record.refusals],
        )
    )


def decode_uplink_record(value: bytes) -> UplinkRecord:
    """Raises BrokenRecordError."""
    try:
        fields = from_json(value)
        if fields[0] == "canary":
            return Canary(instance=fields[1], received_at=fields[2])
        return _judged_uplink(fields)
    except (ValueError, TypeError, IndexError) as error:
        raise BrokenRecordError("uplinks.judged.v1 holds a record that can't be read") from error


def _judged_uplink(fields: list[Any]) -> JudgedUplink:
    (_, device_no, device, home_no, shard, epoch, seq, oldest, sent_at, received_at, readings, events, refusals) = (
        fields
    )
    return JudgedUplink(
        device_no=device_no,
        device=device,
        home_no=home_no,
        shard=shard,
        epoch=epoch,
        seq=seq,
        oldest=oldest,
        sent_at=sent_at,
        received_at=received_at,
        readings=tuple(map(JudgedReading._make, readings)),
        events=tuple(map(JudgedEvent._make, events)),
        refusals=tuple(Refused(item, reason, name, b64decode(raw)) for item, reason, name, raw in refusals),
    )


def encode_settled(record: SettledRecord) -> bytes:
    """The value of a record of ``uplinks.settled.v1``."""
    ack = record.ack
    rejected = [(one.seq, one.item, one.reason) for one in ack.rejected]
    return to_json((record.device, record.shard, ack.generation, ack.epoch, ack.upto, ack.gaps, rejected))


def settled_device(value: bytes) -> bytes:
    """The device that a record of ``uplinks.settled.v1`` is for, without reading the rest."""
    return value[2 : value.index(b'"', 2)]


def decode_settled(value: bytes) -> SettledRecord:
    """Raises BrokenRecordError."""
    try:
        device, shard, generation, epoch, upto, gaps, rejected = from_json(value)
        ack = Ack(
            generation=generation,
            epoch=epoch,
            upto=upto,
            gaps=tuple((first, last) for first, last in gaps),
            rejected=tuple(Refusal(seq=seq, item=item, reason=reason) for seq, item, reason in rejected),
        )
    except (ValueError, TypeError) as error:
        raise BrokenRecordError("uplinks.settled.v1 holds a record that can't be read") from error
    return SettledRecord(device=device, shard=shard, ack=ack)
