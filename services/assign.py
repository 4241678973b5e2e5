"""Gives what a device sent while nobody was bound to a person, afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from asyncpg import Record

from schemas.codec import CodecError, parse_json, write_json
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.devices.device_type import DeviceType
from schemas.events import EVENT_TYPE_BY_KIND
from schemas.reasons import Flag
from schemas.validity import ONLY_SLOT, VALUE_RULES
from services.ingest.core import value_of
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Pool, load_queries, transaction
from services.runtime.errors import HearthBeatError

_ASSIGNED: Final = int(Flag.ASSIGNED)


class NobodyHereError(HearthBeatError):
    """No such device, or no such person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Whose it was: what ``device`` observed on ``slot`` from ``since`` up to ``until``; who says so, and why."""

    device: str
    person_id: UUID
    since: datetime
    until: datetime
    by: str
    reason: str
    slot: int = 1


class Assigned(NamedTuple):
    """How many items were moved; ``left`` are those of that time that can't be read any more, or of another slot."""

    readings: int
    events: int
    left: int


class _Reading(NamedTuple):
    vital: int
    observed_at: datetime
    epoch: int
    seq: int
    item: int
    value: float
    flags: int
    received_at: datetime


class _Event(NamedTuple):
    epoch: int
    seq: int
    item: int
    kind: int
    observed_at: datetime
    received_at: datetime
    flags: int
    details: str


async def assign(pool: Pool, wish: Wish, clock: Clock) -> Assigned:
    """Moves the rows, unscored, and writes down who said so; all or nothing. Raises NobodyHereError."""
    sql = load_queries("services", "assign.sql")
    async with transaction(pool) as connection:
        await connection.execute(sql["lock"])
        device = await connection.fetchrow(sql["device"], wish.device)
        person = await connection.fetchrow(sql["person"], wish.person_id)
        if device is None or person is None:
            raise NobodyHereError(wish.device if device is None else str(wish.person_id))
        rows = await connection.fetch(sql["nobodys"], device["device_no"], wish.since, wish.until)
        flags = _ASSIGNED | (0 if person["home_no"] == device["home_no"] else int(Flag.OTHER_HOME))
        kind = DEVICE_TYPE_BY_CODE[device["device_type"]]
        items = [one for row in rows if (one := item_of(row, wish, flags, kind)) is not None]
        readings = [one for one in items if isinstance(one, _Reading)]
        events = [one for one in items if isinstance(one, _Event)]
        whose = person["person_no"], device["device_no"]
        if readings:
            await connection.execute(sql["move_readings"], *whose, *_columns(readings))
        if events:
            await connection.execute(sql["move_events"], *whose, device["home_no"], *_columns(events))
        if items:
            places = [(one.epoch, one.seq, one.item) for one in items]
            await connection.execute(sql["drop_moved"], device["device_no"], *_columns(places))
        await connection.execute(
            sql["write_down"],
            to_datetime(clock.now_ms()),
            datetime.now(UTC),
            device["device_no"],
            wish.slot,
            person["person_no"],
            wish.since,
            wish.until,
            len(readings),
            len(events),
            wish.by,
            wish.reason,
        )
    return Assigned(len(readings), len(events), len(rows) - len(items))


def item_of(row: Record, wish: Wish, flags: int, kind: DeviceType) -> _Reading | _Event | None:
    """The row as it is stored; None where it is not of this slot and time, or can't be read."""
    try:
        said = parse_json(row["raw"])
    except CodecError:
        return None
    observed_at = row["observed_at"]
    if not isinstance(said, dict) or not wish.since <= observed_at < wish.until:
        return None
    # A device with one slot may leave it out.
    if said.get("slot", ONLY_SLOT) != wish.slot:
        return None
    flags |= row["flags"]
    place = row["epoch"], row["seq"], row["item"]
    vital = kind.vital_of(said.get("vital"))
    if vital is not None:
        value, worth_knowing = value_of(said, vital, VALUE_RULES[kind.code][vital.code])
        return _Reading(vital.number, observed_at, *place, value, flags | worth_knowing, row["received_at"])
    event = EVENT_TYPE_BY_KIND.get(said.get("event", ""))
    if event is None:
        return None
    details = {one.name: said[one.name] for one in event.details if one.name in said}
    return _Event(*place, event.number, observed_at, row["received_at"], flags, write_json(details).decode())


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
