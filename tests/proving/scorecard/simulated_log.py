"""What the devices of a home send, through ingest's judgement, in the order of reception: a log without a bus."""

from collections.abc import Iterator
from heapq import merge
from itertools import takewhile
from typing import Final

from device_sim.device import make_tail
from device_sim.observations import observations
from device_sim.world import SimDevice
from schemas.records import JudgedUplink
from services.ingest.core import judge
from tests.proving.scorecard.simulated_homes import Neighbourhood

_ON_THE_WAY_MS: Final = 400


def log_of(homes: Neighbourhood, home_id: str) -> Iterator[JudgedUplink]:
    """The uplinks of a home, judged."""
    devices = homes.devices_of(home_id)
    sent = [_sent(homes, device, order) for order, device in enumerate(devices)]
    for at, order, payload in merge(*sent):
        entry = homes.entries[devices[order].device]
        yield judge(payload, device=entry.device, entry=entry, shard=entry.shard, received_at=at)


def _sent(homes: Neighbourhood, device: SimDevice, order: int) -> Iterator[tuple[int, int, bytes]]:
    """When what is received; what a device measures while it is away comes when it is back, in its order."""
    at, plan, end_ms = 0, homes.plan, homes.end_ms
    for seq, row in enumerate(takewhile(lambda row: row.at_ms < end_ms, observations(plan, device))):
        sent = row.at_ms
        for one in plan.around(device.device, row.at_ms):
            if one.away and one.device == device.device and one.away.first_ms <= row.at_ms < one.away.last_ms:
                sent = max(sent, one.away.last_ms)
        at = max(at + 1, sent + _ON_THE_WAY_MS)
        head = b'{"epoch":1,"seq":%d,"sent_at":%d,"clock":"synced","oldest":0,' % (seq, sent)
        yield at, order, head + make_tail(row.readings, row.events)
