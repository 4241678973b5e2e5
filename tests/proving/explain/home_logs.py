"""A log of a simulated fleet with faults, as ingest would put it on the bus: uplinks of all homes, and markers."""

from collections.abc import Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from random import Random
from typing import Final
from uuid import uuid4

from schemas.codec import decode_uplink_record
from schemas.devices import DEVICE_TYPES
from schemas.records import JudgedUplink, UplinkRecord, WatermarkMarker
from services.runtime.clock import to_datetime
from services.runtime.database import Connection
from tests.proving.findings.record import LENGTH, START_MS, record

OUTAGES: Final = 0.15
"""The share of homes, and of devices, that have one."""
_FASTER, _HOUR_MS = 100, 3_600_000
_TYPE_BY_NUMBER: Final = {row.number: row.code for row in DEVICE_TYPES}


def uplinks_of(folder: Path, *, homes: int, hours: int, seed: int) -> list[JudgedUplink]:
    """In the order of reception; the same for the same seed."""
    path = folder / "log.bin"
    record(path, homes=homes, hours=hours, seed=seed, recording=None, people=0, tick=lambda: None)
    return sorted(_read(path), key=attrgetter("received_at", "device_no", "epoch", "seq"))


def _read(path: Path) -> Iterator[JudgedUplink]:
    with path.open("rb") as file:
        while head := file.read(LENGTH.size):
            uplink = decode_uplink_record(file.read(LENGTH.unpack(head)[0]))
            if isinstance(uplink, JudgedUplink):
                yield uplink


def with_outages(uplinks: Sequence[JudgedUplink], seed: int, hours: int, share: float) -> list[JudgedUplink]:
    """The same where some devices, and some homes, were offline for hours, and sent all of it when they were back."""
    chance, spans = Random(seed), dict[tuple[int, int], tuple[int, int]]()
    for place in sorted({(one.home_no, number) for one in uplinks for number in (0, one.device_no)}):
        if chance.random() < share:
            begins_at = START_MS + round(chance.uniform(0, hours) * _HOUR_MS)
            spans[place] = begins_at, begins_at + round(chance.uniform(0.3, 6) * _HOUR_MS)
    found = []
    for one in uplinks:
        begins_at, ends_at = spans.get((one.home_no, 0)) or spans.get((one.home_no, one.device_no)) or (0, 0)
        at = one.received_at
        # What was measured meanwhile comes in a few minutes.
        back_at = ends_at + (at - begins_at) // _FASTER if begins_at <= at < ends_at else at
        found.append(one._replace(received_at=back_at, sent_at=one.sent_at + back_at - at))
    return sorted(found, key=attrgetter("received_at", "device_no", "epoch", "seq"))


def marked(uplinks: Sequence[JudgedUplink], every_ms: int) -> list[UplinkRecord]:
    """With a marker each ``every_ms``; the last one after everything."""
    log: list[UplinkRecord] = []
    at = uplinks[0].received_at // every_ms * every_ms
    for uplink in uplinks:
        while at + every_ms <= uplink.received_at:
            at += every_ms
            log.append(WatermarkMarker(instance="0", received_at=at))
        log.append(uplink)
    log.append(WatermarkMarker(instance="0", received_at=at + every_ms))
    return log


async def settle_in(connection: Connection, uplinks: Sequence[JudgedUplink]) -> None:
    """Homes, people, devices and whose they are, with the numbers that the records have."""
    since = to_datetime(START_MS - 86_400_000)
    homes = {one.home_no for one in uplinks}
    devices = {one.device_no: one for one in uplinks}
    people = {item.person_no: one.home_no for one in uplinks for item in one.readings}
    used = {(one.device_no, item.person_no) for one in uplinks for item in one.readings}
    for home_no in sorted(homes):
        await connection.execute(
            "insert into homes (home_no, home_id, label, time_zone) overriding system value values ($1, $2, $3, 'UTC')",
            home_no, uuid4(), f"Home {home_no}",
        )  # fmt: skip
    for person_no, home_no in sorted(people.items()):
        await connection.execute(
            "insert into people (person_no, person_id, home_no, display_name, born_on) overriding system value"
            " values ($1, $2, $3, $4, '1940-01-01')",
            person_no, uuid4(), home_no, f"Person {person_no}",
        )  # fmt: skip
    for device_no, one in sorted(devices.items()):
        await connection.execute(
            "insert into devices (device_no, device, device_type, home_no, shard, registered_at)"
            " overriding system value values ($1, $2, $3, $4, $5, $6)",
            device_no, one.device, _TYPE_BY_NUMBER[one.device_type], one.home_no, one.shard, since,
        )  # fmt: skip
    slots: dict[int, int] = {}
    for device_no, person_no in sorted(used):
        slots[device_no] = slots.get(device_no, 0) + 1
        await connection.execute(
            "insert into bindings (device_no, slot, person_no, valid) values ($1, $2, $3, tstzrange($4, null))",
            device_no, slots[device_no], person_no, since,
        )  # fmt: skip
