"""What one device can cost store, at its allowance: beside a plain one, whatever it makes of its numbers and bytes."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.platform.services import ServiceProcess
from schemas.codec import encode_uplink, write_json
from schemas.messages import MAX_LIVE_EPOCHS, MAX_RANGES, MAX_UNDER_WAY
from schemas.registry import Register
from services.ingest.allowance import BYTES_AN_UPLINK
from services.ingest.settings import IngestSettings
from services.runtime.clock import WallClock
from tests.integration.path_world import World, bound, household, open_world, uplink
from tests.proving.bench.usage import Usage, measure, spent

pytestmark = [
    pytest.mark.full_stack,
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.asyncio(loop_scope="module"),
]

KINDS = ("plain", "every-second", "evicting", "new-epochs", "junk-bytes", "junk-items")
TURNS = (1, 2)
"""What seems dear is played once more, and so is the plain one: some of the CPU may have been somebody else's."""
AT_ONCE = MAX_UNDER_WAY
PER_S = round(IngestSettings.model_fields["uplinks_per_s"].default)
FOR_S = 8
MOST_TIMES = 1.5
FOUR = (70, 71, 72, 73)
JUNK = 60_000
_COUNTED = """
select (select count(*) from readings r where r.device_no = d.device_no) as readings,
       (select count(*) from rejected s where s.device_no = d.device_no) as rejected,
       (select count(*) from device_cursor c where c.device_no = d.device_no) as cursors,
       (select count(*) from settled_ranges r where r.device_no = d.device_no) as ranges
from devices d where device = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What came of a device that used its allowance, CPU in seconds beyond an idle store's."""

    uplinks: int
    store_s: float
    postgres_s: float
    rows: dict[str, int]

    @property
    def all_rows(self) -> int:
        return sum(self.rows.values())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    """Ingest in this process, with the limits that it has in the field; store as a process of its own."""
    bands = [bound(f"band-{kind}-{turn}", "wearable_band", 1) for kind in KINDS for turn in TURNS]
    bands.append(bound("band-probe", "wearable_band", 1))
    now = WallClock().now_ms()
    async with open_world(now) as opened:
        opened.admit(*(band.device for band in bands))
        await opened.register(Register(homes=(household(1, (1,), bands),)), at_ms=now - 3_600_000)
        opened.start("ingest")
        yield opened


@pytest.fixture(scope="module")
def store(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "HB_DB_DSN": world.dsn,
        "HB_BUS_KIND": "kafka",
        "HB_BUS_KAFKA": world.stack.kafka_bootstrap,
        "HB_BUS_PARTITIONS": "3",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    process = ServiceProcess("store", ["services.store"], environment, Path(tmp_path_factory.mktemp("store")) / "log")
    process.start()
    yield process
    process.stop()


def payloads_of(kind: str, at: int) -> Iterator[bytes]:
    """What such a device sends one after the other, and nobody would stop it."""
    number = 0
    while True:
        match kind:
            case "every-second":
                one = encode_uplink(uplink(1, 2 * number, at=at - number, values=FOUR))
            case "evicting":
                one = encode_uplink(uplink(1, 2 * number, at=at - number, values=FOUR, oldest=2 * number))
            case "new-epochs":
                one = encode_uplink(uplink(10_000 + number, 0, at=at - number, values=FOUR))
            case "junk-bytes":
                one = b'{"epoch":1,"seq":%d,' % number + os.urandom(JUNK)
            case "junk-items":
                bad = [{"vital": "heart_rate", "value": 7_000, "at": at, "note": "x" * 160} for _ in range(256)]
                envelope = {"epoch": 1, "seq": number, "sent_at": at, "clock": "synced", "oldest": 0}
                one = write_json({**envelope, "readings": bad})
            case _:
                one = encode_uplink(uplink(1, number, at=at - number, values=FOUR))
        yield one
        number += 1


def allowed(payloads: Iterator[bytes], allowance: float) -> list[bytes]:
    """As many as an allowance of uplinks is good for, by their size."""
    taken = []
    while allowance > 0:
        one = next(payloads)
        allowance -= 1 + len(one) // BYTES_AN_UPLINK
        taken.append(one)
    return taken


async def play(world: World, store: ServiceProcess, kind: str, idle: dict[str, float], turn: int = 1) -> Cost:
    """A burst, then its pace; until the database stands still again."""
    pids = {"store": store.pid, "postgresql": world.stack.process("postgresql").pid or 0}
    device, payloads = world.device(f"band-{kind}-{turn}"), payloads_of(kind, world.clock.now_ms())
    loop = asyncio.get_running_loop()
    before, began = measure(pids), loop.time()
    burst = allowed(payloads, AT_ONCE)
    await device.send(*burst)
    sent = len(burst)
    for _ in range(FOR_S * 5):
        each = allowed(payloads, PER_S / 5)
        await device.send(*each)
        sent += len(each)
        await asyncio.sleep(0.2)
    rows = await stands_still(world, device.name)
    took_s = loop.time() - began
    cpu = spent(before, measure(pids))
    return Cost(
        uplinks=sent,
        store_s=cpu["store"] - took_s * idle["store"],
        postgres_s=cpu["postgresql"] - took_s * idle["postgresql"],
        rows=rows,
    )


async def stands_still(world: World, device: str) -> dict[str, int]:
    """The device's rows once their number has not changed for three seconds."""
    loop, before = asyncio.get_running_loop(), dict[str, int]()
    since = loop.time()
    while True:
        row = await world.pool.fetchrow(_COUNTED, device)
        assert row is not None
        if dict(row) != before:
            before, since = dict(row), loop.time()
        elif loop.time() - since >= 3:
            return before
        await asyncio.sleep(0.5)


async def at_rest(world: World, store: ServiceProcess) -> dict[str, float]:
    """CPU seconds a second of a store that has nothing to do."""
    pids = {"store": store.pid, "postgresql": world.stack.process("postgresql").pid or 0}
    await asyncio.sleep(3)
    before: dict[str, Usage] = measure(pids)
    await asyncio.sleep(6)
    return {name: seconds / 6 for name, seconds in spent(before, measure(pids)).items()}


def dearer_than_plain(costs: Mapping[str, Cost]) -> dict[str, str]:
    """Those that took store too much CPU, and how much."""
    most = MOST_TIMES * costs["plain"].store_s
    return {kind: f"{one.store_s:.2f} s" for kind, one in costs.items() if one.store_s > most}


async def test_no_device_costs_store_more_than_half_again_of_a_plain_one(
    world: World, store: ServiceProcess, say: Callable[[str], None]
) -> None:
    await world.heard("band-probe")
    idle = await at_rest(world, store)
    costs = {kind: await play(world, store, kind, idle) for kind in KINDS}
    if dear := dearer_than_plain(costs):
        again = {kind: await play(world, store, kind, idle, turn=2) for kind in ("plain", *dear)}
        costs |= {kind: min(cost, costs[kind], key=lambda one: one.store_s) for kind, cost in again.items()}
    plain = costs["plain"]
    for kind, cost in costs.items():
        counts = ", ".join(f"{name} {number}" for name, number in cost.rows.items() if number)
        say(
            f"{kind:12} {cost.uplinks:5} uplinks: store {cost.store_s:.2f} s ({cost.store_s / plain.store_s:.2f}x),"
            f" postgresql {cost.postgres_s:.2f} s ({cost.postgres_s / plain.postgres_s:.2f}x),"
            f" {cost.all_rows} rows ({cost.all_rows / plain.all_rows:.2f}x): {counts}"
        )
    assert plain.rows["readings"] >= 4 * (AT_ONCE + PER_S * FOR_S // 2)
    assert costs["every-second"].rows["readings"] == 4 * MAX_RANGES
    assert costs["evicting"].rows["readings"] == plain.rows["readings"]
    assert costs["new-epochs"].rows["cursors"] == MAX_LIVE_EPOCHS
    dear = dearer_than_plain(costs)
    many = {kind: one.all_rows for kind, one in costs.items() if one.all_rows > MOST_TIMES * plain.all_rows}
    assert (dear, many) == ({}, {})
