"""A recorded log: what ingest would have put on the bus for a simulated fleet, and for people of a recording."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from struct import Struct
from typing import Final
from zlib import crc32

from device_sim.device import make_tail
from device_sim.faults import Fault
from device_sim.fleet import make_fleet
from device_sim.incidents import IncidentPlan
from device_sim.observations import Planned
from device_sim.replay import DEFAULT_COLUMNS, make_register, read_recordings
from device_sim.replay import make_sources as make_recorded_sources
from device_sim.run import Source
from device_sim.simulate import make_sources
from device_sim.world import make_world
from schemas.codec import encode_uplink_record
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.reasons import Flag
from schemas.records import JudgedUplink
from schemas.registry import Device, Home, Register
from schemas.topics import shard_of
from services.ingest.core import judge
from services.ingest.registry import BoundPerson, RegisteredDevice

LENGTH: Final = Struct("<I")
START_MS: Final = 1_795_348_800_000
_HOUR_MS: Final = 3_600_000
_RATE: Final = 60.0
_DROPPED_MS: Final = (300_000, 300_000, 900_000, 2_400_000)
"""The last is later than rules of worn devices look back."""
_DELAYED_MS, _OVERTAKEN_MS, _AGAIN_MS = 120_000, 65_000, 10_000
_HELD_BACK_ONE_IN: Final = 30
"""Of a device's hours: what it measures then comes at the end of the hour, later than rules look back."""
_RETAINED_ONE_IN: Final = 97
_RETAINED_HOUR: Final = 3


@dataclass(slots=True)
class Recorded:
    """How much was written."""

    records: int = 0
    readings: int = 0
    events: int = 0


def record(
    path: Path, *, homes: int, hours: int, seed: int, recording: Path | None, people: int, tick: Callable[[], None]
) -> Recorded:
    """Writes the log: one home after the other, each in the order of reception; ``tick`` after each home.

    Beside it the same in its ``older_form``.
    """
    done = Recorded()
    with path.open("wb") as file, older_form(path).open("wb") as older:
        for value, uplink in _everything(homes, hours, seed, recording, people, tick):
            file.write(LENGTH.pack(len(value)) + value)
            # Mark 1, and no type of device after it.
            older.write(LENGTH.pack(len(value) - 1) + b"\x01" + value[2:])
            done.records += 1
            done.readings += len(uplink.readings)
            done.events += len(uplink.events)
    return done


def older_form(path: Path) -> Path:
    """Where the log is as ingest wrote records before 2026-11-29; every version reads that."""
    return path.with_suffix(".older.bin")


def _everything(
    homes: int, hours: int, seed: int, recording: Path | None, people: int, tick: Callable[[], None]
) -> Iterator[tuple[bytes, JudgedUplink]]:
    register = make_fleet(homes=homes, seed=seed, start_ms=START_MS)
    end = START_MS + hours * _HOUR_MS
    plan = IncidentPlan(make_world(register, seed), start_ms=START_MS, rate=_RATE, times=6)
    plan.ensure(end)
    sources = {source.device: source for source in make_sources(plan, faults=True)}
    yield from _homes(register, sources, end, seed, 0, tick)
    if recording is not None:
        recorded = read_recordings(recording, people=people, columns=DEFAULT_COLUMNS)
        sources = {source.device: source for source in make_recorded_sources(recorded, start_ms=START_MS)}
        yield from _homes(make_register(recorded), sources, 1 << 62, seed, homes, tick)


def _homes(
    register: Register, sources: dict[str, Source], end: int, seed: int, numbered_from: int, tick: Callable[[], None]
) -> Iterator[tuple[bytes, JudgedUplink]]:
    for place, home in enumerate(register.homes, start=numbered_from + 1):
        received = [
            (at, order, entry, payload)
            for order, device in enumerate(home.devices)
            for entry in [_entry(home, device, place, order)]
            for at, payload in _transmissions(sources[device.device], entry, end, seed)
        ]
        for at, _, entry, payload in sorted(received, key=lambda one: one[:2]):
            uplink = judge(payload, device=entry.device, entry=entry, shard=entry.shard, received_at=at)
            uplink = _retained(uplink, at)
            yield encode_uplink_record(uplink), uplink
        tick()


def _entry(home: Home, device: Device, home_no: int, order: int) -> RegisteredDevice:
    numbers = {person.person_id: 10 * home_no + place for place, person in enumerate(home.people, start=1)}
    return RegisteredDevice(
        device_no=20 * home_no + order + 1,
        device=device.device,
        home_no=home_no,
        shard=shard_of(device.device),
        type=DEVICE_TYPE_BY_CODE[device.type],
        people={
            row.slot: (BoundPerson(person_no=numbers[row.person_id], home_no=home_no, from_ms=0, to_ms=1 << 62),)
            for row in device.bindings
        },
    )


def _transmissions(source: Source, entry: RegisteredDevice, end: int, seed: int) -> Iterator[tuple[int, bytes]]:
    """When what was received, in no order; the same for the same seed."""
    epoch = crc32(entry.device.encode())
    draw = Random(f"{seed}|{entry.device}")
    for seq, (planned, fault) in enumerate(source.planned):
        if planned.at_ms >= end:
            return
        sent = planned.at_ms + _delay(fault, draw) + _held_back(planned, entry, seed)
        payload = b'{"epoch":%d,"seq":%d,"sent_at":%d,"clock":"synced","oldest":0,%b' % (
            epoch, seq, sent, make_tail(planned.readings, planned.events),
        )  # fmt: skip
        yield sent + 400, payload
        if fault is Fault.DUPLICATE:
            yield sent + 400 + _AGAIN_MS, payload


def _delay(fault: Fault | None, draw: Random) -> int:
    if fault is Fault.DROP:
        return draw.choice(_DROPPED_MS)
    if fault is Fault.DELAY:
        return draw.randrange(_DELAYED_MS)
    return _OVERTAKEN_MS if fault is Fault.REORDER else 0


def _held_back(planned: Planned, entry: RegisteredDevice, seed: int) -> int:
    hour = planned.at_ms // _HOUR_MS
    if crc32(f"{seed}|held|{entry.device}|{hour}".encode()) % _HELD_BACK_ONE_IN:
        return 0
    return (hour + 1) * _HOUR_MS - planned.at_ms


def _retained(uplink: JudgedUplink, at: int) -> JudgedUplink:
    """As ingest flags what came with the retain flag."""
    hour = (at - START_MS) // _HOUR_MS
    if uplink.device_no % _RETAINED_ONE_IN or hour != _RETAINED_HOUR:
        return uplink
    flag = int(Flag.RETAINED)
    return uplink._replace(
        readings=tuple(one._replace(flags=one.flags | flag) for one in uplink.readings),
        events=tuple(one._replace(flags=one.flags | flag) for one in uplink.events),
    )
