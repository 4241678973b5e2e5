"""Plays the corpus over real MQTT: registers who sends it, sends it, and reads what became of it."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from schemas.codec import encode_uplink, identity_of
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.messages import MAX_RAW_BYTES, WHOLE_UPLINK
from schemas.reasons import Flag
from schemas.registry import Device, Register
from tests.corpus_world import (
    ANN,
    BINDINGS,
    BOB,
    CHANGED_AT,
    EVE,
    Kept,
    device_name,
    disagreements,
    rejected_in,
    stored_in,
    who_of,
)
from tests.golden import RECEIVED_AT, SECOND_SLOT_SINCE
from tests.integration.path_world import World, bound, household, uplink
from tests.proving.fuzz.corpus import Case

LONG_AGO: Final = RECEIVED_AT - 40 * 24 * 3_600_000
LEAD_MS: Final = 10_000
PAUSE_S: Final = 0.1


def devices_of(cases: Iterable[Case], at: int) -> list[Device]:
    """The senders with the people who have them at ``at``."""
    senders = {device_name(case): (who_of(case), case.by["type"]) for case in cases if who_of(case) != "unregistered"}
    devices = []
    for name, (who, kind) in sorted(senders.items()):
        slots = (1, 2) if DEVICE_TYPE_BY_CODE[kind].slots > 1 else (1,)
        spans = BINDINGS[who]
        people = [number for slot in slots for number, begin, end in spans.get(slot, ()) if begin <= at < end]
        devices.append(bound(name, kind, *people))
    return devices


async def register_senders(world: World, cases: Sequence[Case], more: Iterable[Device]) -> None:
    """Everybody as the index has them: from long ago, since yesterday, and since an hour ago."""
    first = (household(1, (ANN, BOB), [*devices_of(cases, LONG_AGO), *more]), household(2, (EVE,), ()))
    await world.register(Register(homes=first), at_ms=LONG_AGO)
    for since in (SECOND_SLOT_SINCE, CHANGED_AT):
        changed = [one for one in devices_of(cases, since) if one not in devices_of(cases, since - 1)]
        await world.register(Register(homes=(household(1, (ANN, BOB), changed),)), at_ms=since - LEAD_MS)


async def send_slowly(world: World, cases: Sequence[Case], *, for_s: float) -> None:
    """Sends every case as its device, spread over a time."""
    portion = max(1, round(len(cases) * PAUSE_S / for_s))
    for first in range(0, len(cases), portion):
        by_device: dict[str, list[bytes]] = defaultdict(list)
        for case in cases[first : first + portion]:
            by_device[device_name(case)].append(case.bytes)
        await asyncio.gather(*(world.device(name).send(*payloads) for name, payloads in by_device.items()))
        await asyncio.sleep(PAUSE_S)


def epoch_of(case: Case) -> int:
    """The epoch a case settles in; -1 where nobody gets an ack."""
    identity = identity_of(case.bytes) if case.fate.get("acked", True) else None
    return -1 if identity is None else identity[0]


async def wrongly_ended(world: World, cases: Sequence[Case]) -> list[str]:
    """The cases that did not end as the index says, item by item, from the rows alone."""
    kept: dict[tuple[str, int], dict[int, Kept]] = defaultdict(dict)
    refused: dict[tuple[str, int], dict[int, tuple[str, str]]] = defaultdict(dict)
    whole: Counter[tuple[str, bytes]] = Counter()
    for device, epoch, item, flags, whose, at, value, details in await world.rows(_KEPT):
        number = whose.int if whose else 0
        kept[device, epoch][item] = Kept(Flag(flags), number, at, value, details)
    for device, device_no, epoch, item, reason, field, raw in await world.rows(_REJECTED):
        refused[device, epoch if device_no else -1][item] = (reason, field)
        if item == WHOLE_UPLINK:
            whole[device, raw] += 1
    wrong = []
    for case in cases:
        place = (device_name(case), epoch_of(case))
        expected = rejected_in(case.fate)
        if WHOLE_UPLINK in expected and not whole[device_name(case), case.bytes[:MAX_RAW_BYTES]]:
            wrong.append(f"{case.id}: its bytes are not kept")
        if place[1] >= 0 and (
            refused[place] != expected
            or kept[place].keys() != stored_in(case.fate).keys()
            or disagreements(kept[place], case.fate)
        ):
            wrong.append(f"{case.id}: {kept[place]} {refused[place]}")
    return wrong


async def ended(world: World, cases: Sequence[Case]) -> bool:
    """Whether as many uplinks have ended as were sent."""
    (cursors,) = (await world.rows(_CURSORS))[0]
    (strays,) = (await world.rows(_STRAYS))[0]
    acked = {(device_name(case), epoch_of(case)) for case in cases if epoch_of(case) >= 0}
    return bool(cursors >= len(acked) and strays >= sum(epoch_of(case) < 0 for case in cases))


async def delays_of(world: World, name: str, epoch: int, *, uplinks: int, every_s: float) -> list[float]:
    """Sends good uplinks at an even rate; the seconds until each was settled, in order."""
    device, sent, delays = world.device(name), list[float](), list[float]()

    def note() -> None:
        upto = max((ack.upto for ack in device.acks[-5:] if ack.epoch == epoch), default=-1)
        while len(delays) <= upto:
            delays.append(time.perf_counter() - sent[len(delays)])

    sending = []
    began = time.perf_counter()
    async with asyncio.timeout(uplinks * every_s + 30):
        while len(delays) < uplinks:
            if len(sent) < uplinks and time.perf_counter() >= began + len(sent) * every_s:
                payload = encode_uplink(uplink(epoch, len(sent), at=RECEIVED_AT))
                sent.append(time.perf_counter())
                sending.append(asyncio.ensure_future(device.send(payload)))
            note()
            await asyncio.sleep(0.002)
    await asyncio.gather(*sending)
    return delays


_KEPT: Final = (
    "select d.device, epoch, item, flags, p.person_id, (extract(epoch from observed_at) * 1000)::bigint, value, details"
    " from (select device_no, person_no, epoch, item, flags, observed_at, value, null::jsonb as details from readings"
    " union all select device_no, person_no, epoch, item, flags, observed_at, null, details from device_events) stored"
    " join devices d using (device_no) left join people p using (person_no) where d.device like 'corpus-%'"
)
_REJECTED: Final = (
    "select device, device_no, epoch, item, reason, field, raw from rejected where device like 'corpus-%'"
)
_CURSORS: Final = "select count(*) from device_cursor join devices using (device_no) where device like 'corpus-%'"
_STRAYS: Final = "select count(*) from rejected where device_no = 0 and device like 'corpus-%'"


def as_rejected(ack: Any) -> list[list[Any]]:
    """What an ack refuses, as the index writes it."""
    return [[one.seq, one.item, one.reason] for one in ack.rejected]
