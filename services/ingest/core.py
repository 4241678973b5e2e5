"""Judges an uplink: envelope, schema, unit, range, clock, person. Pure; every rejection has a reason and a field.

Bounds, words and flags are those of ``schemas/validity``. What nearly every uplink holds is judged
a shorter way, with the same result: see ``services/ingest/fast_path``.
"""

import math
from contextlib import suppress
from functools import partial
from typing import Any, Final

from schemas.codec import CodecError, identity_of, parse_json, write_json
from schemas.events import EVENT_TYPE_BY_KIND, Detail, EventType
from schemas.messages import MAX_ITEMS, MAX_RAW_BYTES, WHOLE_UPLINK
from schemas.reasons import Flag, RejectionReason
from schemas.records import SMALL_LIMIT, JudgedEvent, JudgedReading, JudgedUplink, Rejection
from schemas.validity import (
    BARE_READING_FIELDS,
    CONTEXT_FLAGS,
    METHOD_FLAGS,
    ONLY_SLOT,
    READING_FIELDS,
    TEXT_LIMIT,
    VALUE_RULES,
    ValueRule,
    bound_as_kept,
)
from schemas.vitals import Vital
from services.ingest.envelope import Envelope, RejectedError, as_of, observed_at_of, open_envelope
from services.ingest.fast_path import judge_plain
from services.ingest.owners import owner_of
from services.ingest.registry import RegisteredDevice

# Plain integers: combining members of a Flag costs more than judging the rest of a reading.
_CLIPPED: Final = int(Flag.CLIPPED)
_RESTAMPED: Final = int(Flag.RESTAMPED)
_NOBODY: Final = int(Flag.NOBODY)
_RETAINED: Final = int(Flag.RETAINED)
_BARE: Final = len(BARE_READING_FIELDS)
_MISSING: Final = object()


class _NobodysError(RejectedError):
    """An item that lacks only a person: its known fields, when it was observed, its flags."""

    def __init__(self, known: dict[str, Any], observed_at: int, flags: int) -> None:
        super().__init__(RejectionReason.UNATTRIBUTED, "slot")
        self.known, self.observed_at, self.flags = known, observed_at, flags


_uplink_of: Final = partial(tuple.__new__, JudgedUplink)
"""An uplink of the fields in their order, at a third of what its constructor takes."""


def judge(
    payload: bytes,
    *,
    device: str,
    entry: RegisteredDevice | None,
    shard: int,
    received_at: int,
    retained: bool = False,
) -> JudgedUplink:
    """What becomes of each item of ``payload``. ``received_at`` in platform ms; ``shard`` as the uplink came on.

    ``retained``: it was sent with MQTT's retain flag. Never raises. Without a registered device or an identity nothing
    is settled and nobody gets an ack.
    """
    if entry is None:
        return _anonymous(payload, device, 0, shard, received_at, RejectionReason.UNKNOWN_DEVICE)
    # From the first bytes, before the JSON is parsed: an uplink that is broken further on can then
    # be settled as rejected, and its device stops sending it.
    identity = identity_of(payload)
    if identity is None:
        return _anonymous(payload, device, entry.home_no, shard, received_at, RejectionReason.NO_IDENTITY)
    epoch, seq = identity
    head, kind = (entry.device_no, device, entry.home_no, shard, epoch, seq), entry.type.number
    if shard != entry.shard:
        return _on_another_shard(payload, entry, head, received_at, _RETAINED if retained else 0)
    oldest, sent_at = 0, received_at
    readings: list[JudgedReading] = []
    events: list[JudgedEvent] = []
    rejections: list[Rejection] = []
    try:
        body = _parse(payload)
        try:
            envelope = open_envelope(body, epoch, seq, received_at, _RETAINED if retained else 0)
        except RejectedError:
            # The uplink is rejected as a whole, but the person who calls for help is heard.
            events = _emergencies(body, entry, received_at, _RETAINED if retained else 0)
            raise
        oldest, sent_at = envelope.oldest, envelope.sent_at
        plain = None
        # A clock that is not set or ahead, or the retain flag, marks every item: that is for the
        # full judgement.
        if not envelope.flags:
            plain = judge_plain(envelope.readings, entry, received_at, envelope.oldest_stamp, envelope.newest_stamp)
        if plain is not None and not envelope.events:
            return _uplink_of((*head, oldest, sent_at, received_at, plain, (), (), kind))
        readings.extend(plain or ())
        for item, reading in enumerate(envelope.readings if plain is None else ()):
            try:
                readings.append(_judge_reading(item, reading, envelope, entry, received_at))
            except RejectedError as refused:
                rejections.append(_reject(item, refused, reading))
        for item, event in enumerate(envelope.events, start=len(envelope.readings)):
            try:
                events.append(_judge_event(item, event, envelope, entry, received_at))
            except RejectedError as refused:
                rejections.append(_reject(item, refused, event))
    except RejectedError as refused:
        rejections.append(Rejection(WHOLE_UPLINK, refused.reason, refused.field, payload[:MAX_RAW_BYTES]))
    return _uplink_of((*head, oldest, sent_at, received_at, tuple(readings), tuple(events), tuple(rejections), kind))


def _on_another_shard(
    payload: bytes, entry: RegisteredDevice, head: tuple[int, str, int, int, int, int], received_at: int, flags: int
) -> JudgedUplink:
    """Rejected, and left with its device, as an unregistered one's: there nobody of that name was registered.

    But whoever calls for help is heard. Then the uplink is settled, or each time that it is sent again it would be
    another call.
    """
    heard: tuple[JudgedEvent, ...] = ()
    with suppress(RejectedError):
        heard = tuple(_emergencies(_parse(payload), entry, received_at, flags))
    if not heard:
        return _anonymous(payload, entry.device, entry.home_no, head[3], received_at, RejectionReason.WRONG_SHARD)
    refused = Rejection(WHOLE_UPLINK, RejectionReason.WRONG_SHARD, "", payload[:MAX_RAW_BYTES])
    return _uplink_of((*head, 0, received_at, received_at, (), heard, (refused,), entry.type.number))


def _anonymous(
    payload: bytes, device: str, home_no: int, shard: int, received_at: int, reason: RejectionReason
) -> JudgedUplink:
    return JudgedUplink(
        device_no=0,
        device=_printable(device[:TEXT_LIMIT]),
        home_no=home_no,
        shard=shard,
        epoch=-1,
        seq=-1,
        oldest=0,
        sent_at=received_at,
        received_at=received_at,
        rejections=(Rejection(WHOLE_UPLINK, reason, "", payload[:MAX_RAW_BYTES]),),
    )


def _printable(name: str) -> str:
    """An unregistered device may be called anything, a NUL included; a text column may not."""
    return "".join(character if character.isprintable() else "?" for character in name)


def _reject(item: int, refused: RejectedError, value: Any) -> Rejection:
    if isinstance(refused, _NobodysError):
        return Rejection(
            item, refused.reason, refused.field, write_json(refused.known), refused.observed_at, refused.flags
        )
    return Rejection(item, refused.reason, refused.field, write_json(value)[:MAX_RAW_BYTES])


def _parse(payload: bytes) -> dict[str, Any]:
    try:
        body = parse_json(payload)
    except CodecError as error:
        raise RejectedError(RejectionReason.UNREADABLE, "") from error
    if not isinstance(body, dict):
        raise RejectedError(RejectionReason.UNREADABLE, "")
    return body


def _emergencies(body: dict[str, Any], entry: RegisteredDevice, received_at: int, flags: int) -> list[JudgedEvent]:
    """What must be heard even from a bad envelope, stamped with the time of reception."""
    readings, events = body.get("readings"), body.get("events")
    first = len(readings) if isinstance(readings, list) else 0
    envelope = as_of(received_at, flags)
    heard = []
    for item, event in enumerate(events[:MAX_ITEMS] if isinstance(events, list) else [], start=first):
        row = EVENT_TYPE_BY_KIND.get(event.get("event")) if _names_event(event) else None
        # Numbers of items are packed into two bytes; a bad envelope may hold more readings than
        # that.
        if row is not None and row.is_emergency and row.kind in entry.type.events and item < SMALL_LIMIT:
            heard.append(_judge_event(item, {**event, "at": None}, envelope, entry, received_at))
    return heard


def _names_event(event: Any) -> bool:
    return isinstance(event, dict) and isinstance(event.get("event"), str)


def _judge_reading(
    item: int, reading: Any, envelope: Envelope, entry: RegisteredDevice, received_at: int
) -> JudgedReading:
    if not isinstance(reading, dict):
        raise RejectedError(RejectionReason.BAD_ITEM, "readings")
    vital = entry.type.vital_of(reading.get("vital"))
    if vital is None:
        raise RejectedError(RejectionReason.UNKNOWN_VITAL, "vital")
    if vital.code not in entry.type.vitals:
        raise RejectedError(RejectionReason.VITAL_NOT_OF_DEVICE, "vital")
    value, flags = value_of(reading, vital, VALUE_RULES[entry.type.code][vital.code])
    flags |= envelope.flags
    if len(reading) != _BARE:
        flags |= _context_of(reading)
    observed_at = observed_at_of(reading.get("at"), envelope)
    person, whose = owner_of(_slot_of(reading, entry), observed_at, received_at, entry)
    if person is None:
        known = {name: reading[name] for name in READING_FIELDS if reading.get(name) is not None}
        raise _NobodysError(known | {"vital": vital.code}, observed_at, flags)
    return JudgedReading(item, person.person_no, vital.number, value, observed_at, flags | whose)


def value_of(reading: dict[str, Any], vital: Vital, rule: ValueRule) -> tuple[float, int]:
    """The value of a reading in the vital's own unit, and its flags. Raises RejectedError."""
    raw, unit = reading.get("value"), reading.get("unit")
    if type(raw) is not float and type(raw) is not int:
        raise RejectedError(RejectionReason.BAD_VALUE, "value")
    if unit is None:
        if vital.conversions:
            raise RejectedError(RejectionReason.UNIT_MISSING, "unit")
    elif not isinstance(unit, str) or unit not in vital.units:
        raise RejectedError(RejectionReason.UNKNOWN_UNIT, "unit")
    try:
        value = float(raw)
    except OverflowError as error:
        raise RejectedError(RejectionReason.BAD_VALUE, "value") from error
    if not math.isfinite(value):
        raise RejectedError(RejectionReason.BAD_VALUE, "value")
    if unit is not None and unit != vital.unit:
        conversion = vital.conversions[unit]
        # Rounded, so that 98.6 °F is 37 °C and not a little more.
        value = round(value * conversion.factor + conversion.offset, 4)
    comparator = reading.get("comparator")
    if comparator is not None:
        bound = bound_as_kept(comparator, value, vital) if isinstance(comparator, str) else None
        if bound is None:
            raise RejectedError(RejectionReason.BAD_ITEM, "comparator")
        return bound, rule.flags_of(bound) | _CLIPPED
    if not rule.lowest <= value <= rule.highest:
        raise RejectedError(RejectionReason.OUT_OF_RANGE, "value")
    return value, rule.flags_of(value)


def _context_of(reading: dict[str, Any]) -> int:
    flags = 0
    for name, meanings in CONTEXT_FLAGS.items():
        said = reading.get(name)
        if said is None:
            continue
        if not isinstance(said, str) or said not in meanings:
            raise RejectedError(RejectionReason.BAD_ITEM, name)
        flags |= meanings[said]
    method = reading.get("method")
    return flags | METHOD_FLAGS.get(method, 0) if isinstance(method, str) else flags


def _slot_of(item: dict[str, Any], entry: RegisteredDevice) -> int:
    slot = item.get("slot")
    if slot is None and entry.type.slots == ONLY_SLOT:
        return ONLY_SLOT
    if type(slot) is not int or not 1 <= slot <= entry.type.slots:
        raise RejectedError(RejectionReason.BAD_SLOT, "slot")
    return slot


def _judge_event(item: int, event: Any, envelope: Envelope, entry: RegisteredDevice, received_at: int) -> JudgedEvent:
    if not isinstance(event, dict):
        raise RejectedError(RejectionReason.BAD_ITEM, "events")
    row = EVENT_TYPE_BY_KIND.get(event["event"]) if _names_event(event) else None
    if row is None:
        raise RejectedError(RejectionReason.UNKNOWN_EVENT, "event")
    if row.kind not in entry.type.events:
        raise RejectedError(RejectionReason.EVENT_NOT_OF_DEVICE, "event")
    flags = envelope.flags
    details = _details_of(event, row)
    try:
        observed_at = observed_at_of(event.get("at"), envelope)
    except RejectedError:
        if not row.is_emergency:
            raise
        # An emergency is never rejected for its stamp: it counts as of now, and says so.
        observed_at, flags = received_at, flags | _RESTAMPED
    nobody_will_do = row.is_emergency or not row.needs_person
    try:
        person, whose = owner_of(_slot_of(event, entry), observed_at, received_at, entry)
    except RejectedError:
        if not nobody_will_do:
            raise
        # Nor for its slot: it is the home's then.
        person, whose = None, 0
    if person is None and not nobody_will_do:
        known = {"event": row.kind, "at": event["at"], **details}
        raise _NobodysError(known | ({"slot": event["slot"]} if "slot" in event else {}), observed_at, flags)
    if person is None:
        return JudgedEvent(item, 0, row.number, observed_at, flags | _NOBODY, details)
    return JudgedEvent(item, person.person_no, row.number, observed_at, flags | whose, details)


def _details_of(event: dict[str, Any], row: EventType) -> dict[str, Any]:
    """The details that can be read. Only an emergency survives one that can't."""
    details = {}
    for detail in row.details:
        said = event.get(detail.name, _MISSING)
        if said is _MISSING or said is None:
            if detail.required and not row.is_emergency:
                raise RejectedError(RejectionReason.BAD_DETAIL, detail.name)
        elif _fits(said, detail):
            details[detail.name] = said
        elif not row.is_emergency:
            raise RejectedError(RejectionReason.BAD_DETAIL, detail.name)
    return details


def _fits(said: Any, detail: Detail) -> bool:
    if detail.type is bool:
        return isinstance(said, bool)
    if detail.type is str:
        plain = isinstance(said, str) and len(said) <= TEXT_LIMIT and said.isprintable()
        return plain and (not detail.choices or said in detail.choices)
    in_range = type(said) in {int, float} and detail.lowest <= said <= detail.highest
    return in_range and (detail.type is float or said == int(said))
