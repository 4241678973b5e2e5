"""Real mosquitto, Kafka and TimescaleDB: retained uplinks, slots that change hands, readings assigned later."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from schemas.codec import encode_uplink
from schemas.messages import MAX_RAW_BYTES, REBINDING_GRACE_MS, DeviceEvent
from schemas.reasons import Flag
from schemas.registry import Register
from schemas.topics import UP, shard_of
from services.assign import NobodyHereError, Wish, assign
from services.runtime.clock import to_datetime
from services.runtime.database import load_queries
from services.store.retention import MOST_WITH_BYTES, Chores
from tests.golden import RECEIVED_AT
from tests.integration.path_world import World, bound, household, open_world, person, until, uplink

pytestmark = [
    pytest.mark.full_stack,
    pytest.mark.slow,
    pytest.mark.timeout(300),  # the first test brings up a stack of its own
    pytest.mark.asyncio(loop_scope="module"),
]

MINUTE, HOUR = 60_000, 3_600_000
LEAD_MS = 10_000
ANN, BOB = 1, 2
BANDS = ("band-keeps", "band-replayed", "band-handed", "band-junk", "band-probe")
DRAWER, DISPENSER = "band-drawer", "pills-drawer"
PROBE = "band-probe"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    """Ann has every band; nobody has what lies in the drawer."""
    devices = [bound(name, "wearable_band", ANN) for name in BANDS]
    devices += [bound(DRAWER, "wearable_band"), bound(DISPENSER, "pill_dispenser")]
    async with open_world(RECEIVED_AT) as opened:
        opened.admit(*BANDS, DRAWER, DISPENSER)
        await opened.register(Register(homes=(household(1, (ANN, BOB), devices),)), at_ms=RECEIVED_AT - 1000 * HOUR)
        opened.start("store")
        opened.start("ingest")
        await opened.heard("band-probe")
        yield opened


@pytest.fixture(autouse=True)
def present(world: World) -> None:
    world.clock.at_ms = RECEIVED_AT


async def flags_of(world: World, device: str, epoch: int) -> list[tuple[int, Flag]]:
    rows = await world.rows(
        "select seq, flags from readings join devices using (device_no) where device = $1 and epoch = $2 order by 1",
        device,
        epoch,
    )
    return [(seq, Flag(flags)) for seq, flags in rows]


async def kept_at_broker(world: World, device: str) -> list[bytes]:
    """What the broker gives to a fresh subscriber of the device's uplinks."""
    found: list[bytes] = []
    client = Client(CallbackAPIVersion.VERSION2, "trace-0", protocol=MQTTProtocolVersion.MQTTv5)
    client.username_pw_set("trace-0", world.stack.platform_secrets["trace-0"])

    def keep(_client: Client, _data: object, message: MQTTMessage) -> None:
        found.append(bytes(message.payload))

    client.on_message = keep
    client.connect(world.stack.mqtt_host, world.stack.mqtt_port)
    client.loop_start()
    await until(client.is_connected, "a subscriber")
    client.subscribe(UP.of(shard_of(device), device), qos=1)
    await asyncio.sleep(0.5)
    client.disconnect()
    client.loop_stop()
    return found


async def forget_session(world: World) -> None:
    """As if ingest had never been connected."""
    client = Client(CallbackAPIVersion.VERSION2, "ingest-0", protocol=MQTTProtocolVersion.MQTTv5)
    client.username_pw_set("ingest-0", world.stack.platform_secrets["ingest-0"])
    client.connect(world.stack.mqtt_host, world.stack.mqtt_port, clean_start=True)
    client.loop_start()
    await until(client.is_connected, "the session is gone")
    client.disconnect()
    client.loop_stop()


async def test_a_live_uplink_with_the_retain_flag_is_stored_flagged_and_cleared_at_the_broker(world: World) -> None:
    name = "band-keeps"
    device = world.device(name)
    await device.send(encode_uplink(uplink(1, 0, at=RECEIVED_AT)), retain=True)
    await device.settled(1, 0)
    assert await flags_of(world, name, 1) == [(0, Flag.RETAINED)]
    await until(lambda: world.counted("hb_ingest_retained_total") >= 1, "the clearing is sent")
    assert await kept_at_broker(world, name) == []
    await device.send(encode_uplink(uplink(1, 1, at=RECEIVED_AT + 1_000)))
    await device.settled(1, 1)
    assert await flags_of(world, name, 1) == [(0, Flag.RETAINED), (1, Flag(0))]
    assert await world.rows("select 1 from rejected where device = $1", name) == []


async def test_what_the_broker_replays_is_neither_stored_nor_heard(world: World) -> None:
    """Neither when ingest subscribes for the first time nor when it comes back to its session."""
    name = "band-replayed"
    device = world.device(name)
    await world.stop("ingest")
    await forget_session(world)
    old = encode_uplink(uplink(3, 0, at=RECEIVED_AT - HOUR))
    await device.send(old, retain=True)
    assert await kept_at_broker(world, name) == [old]

    for turn in range(2):
        world.start("ingest")
        probe = encode_uplink(uplink(100 + turn, 0, at=RECEIVED_AT))
        while not any(ack.epoch == 100 + turn for ack in world.device(PROBE).acks):
            await world.device(PROBE).send(probe)
            await asyncio.sleep(0.2)
        assert await flags_of(world, name, 3) == []
        assert (
            await world.rows("select 1 from device_cursor join devices using (device_no) where device = $1", name) == []
        )
        await world.stop("ingest")

    world.start("ingest")
    await device.send(old)
    await device.settled(3, 0)
    assert await flags_of(world, name, 3) == [(0, Flag(0))]


async def test_for_a_day_after_a_rebinding_old_readings_are_the_former_persons_unscored_then_nobodys(
    world: World,
) -> None:
    name = "band-handed"
    handed = Register(homes=(household(1, (ANN, BOB), [bound(name, "wearable_band", BOB)]),))
    await world.register(handed, at_ms=RECEIVED_AT - LEAD_MS)
    await asyncio.sleep(3)  # ingest looks at the register every two seconds
    device = world.device(name)

    world.clock.at_ms = RECEIVED_AT + REBINDING_GRACE_MS
    await device.send(encode_uplink(uplink(5, 0, at=RECEIVED_AT - MINUTE)))
    await device.settled(5, 0)
    world.clock.at_ms += 1000
    late = [uplink(5, 1, at=RECEIVED_AT - MINUTE, values=(61,)), uplink(5, 2, at=RECEIVED_AT + MINUTE, values=(62,))]
    await device.send(*map(encode_uplink, late))
    await device.settled(5, 2)

    assert await flags_of(world, name, 5) == [(0, Flag.BEFORE_REBINDING), (2, Flag(0))]
    assert [row[:2] for row in await world.readings_of(name, 5)] == [(0, person(ANN)), (2, person(BOB))]
    assert await world.rows("select seq, reason from rejected where device = $1", name) == [(1, "unattributed")]

    moved = await assign(
        world.pool,
        Wish(
            device=name,
            person_id=person(ANN),
            since=to_datetime(RECEIVED_AT - HOUR),
            until=to_datetime(RECEIVED_AT),
            by="operator on duty",
            reason="the daughter confirms when it was handed over",
        ),
        world.clock,
    )
    assert moved == (1, 0, 0)
    assert await flags_of(world, name, 5) == [(0, Flag.BEFORE_REBINDING), (1, Flag.ASSIGNED), (2, Flag(0))]
    assert [row[1] for row in await world.readings_of(name, 5)] == [person(ANN), person(ANN), person(BOB)]
    assert await world.rows("select 1 from rejected where device = $1", name) == []
    trail = await world.rows(
        "select readings, events, assigned_by, p.person_id from assignments join people p using (person_no)"
        " join devices d using (device_no) where d.device = $1",
        name,
    )
    assert trail == [(1, 0, "operator on duty", person(ANN))]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await world.pool.execute("update assignments set reason = 'another'")


async def test_what_a_device_in_the_drawer_sent_can_be_given_to_somebody_of_its_time_and_slot(world: World) -> None:
    lifted = DeviceEvent(event="cup_lifted", at=RECEIVED_AT - 5 * MINUTE, details={"compartment": 3})
    await world.device(DISPENSER).send(encode_uplink(uplink(8, 0, at=RECEIVED_AT, values=(), events=(lifted,))))
    minutes = [uplink(8, n, at=RECEIVED_AT - n * MINUTE, values=(70 + n,)) for n in range(10)]
    await world.device(DRAWER).send(*map(encode_uplink, minutes))
    await world.device(DRAWER).settled(8, 9)
    await world.device(DISPENSER).settled(8, 0)

    def wish(device: str, *, slot: int = 1) -> Wish:
        since, until_ = to_datetime(RECEIVED_AT - 5 * MINUTE), to_datetime(RECEIVED_AT)
        return Wish(device=device, person_id=person(BOB), since=since, until=until_, by="me", reason="seen", slot=slot)

    assert await assign(world.pool, wish(DRAWER, slot=2), world.clock) == (0, 0, 5)
    assert await assign(world.pool, wish(DRAWER), world.clock) == (5, 0, 0)
    assert await assign(world.pool, wish(DRAWER), world.clock) == (0, 0, 0)
    assert await assign(world.pool, wish(DISPENSER), world.clock) == (0, 1, 0)
    assert [(row[0], row[1], row[3]) for row in await world.readings_of(DRAWER, 8)] == [
        (n, person(BOB), 70.0 + n) for n in range(1, 6)
    ]
    events = await world.rows(
        "select p.person_id, e.flags, e.details, e.observed_at from device_events e join people p using (person_no)"
        " join devices d using (device_no) where d.device = $1",
        DISPENSER,
    )
    at = to_datetime(RECEIVED_AT - 5 * MINUTE)
    assert events == [(person(BOB), Flag.ASSIGNED, {"compartment": 3}, at)]
    assert len(await world.rows("select 1 from rejected where device = $1", DRAWER)) == 5
    with pytest.raises(NobodyHereError):
        await assign(world.pool, wish("band-nowhere"), world.clock)


async def test_of_junk_the_first_four_kilobytes_are_kept_for_the_newest_thousand_of_a_day_and_rows_for_a_while(
    world: World,
) -> None:
    name = "band-junk"
    junk = [b'{"epoch":4,"seq":%d,' % seq + b"x" * 60_000 for seq in range(20)]
    await world.device(name).send(*junk)
    await world.device(name).settled(4, 19)
    kept = await world.rows("select seq, raw from rejected where device = $1 order by seq", name)
    assert kept == [(seq, junk[seq][:MAX_RAW_BYTES]) for seq in range(20)]

    days = [("today", RECEIVED_AT, 1_500), ("old", RECEIVED_AT - 91 * 24 * HOUR, 30)]
    await world.pool.executemany(_ROWS, [(count, to_datetime(at), name, reason) for _, at, count in days
                                         for reason in ("out_of_range", "unattributed")])  # fmt: skip
    await tidy(world)
    today, old = to_datetime(RECEIVED_AT - HOUR), to_datetime(RECEIVED_AT - 90 * 24 * HOUR)
    assert await counted(world, name, "out_of_range", since=today) == (1_500, MOST_WITH_BYTES - 20, True)
    assert await counted(world, name, "unattributed", since=today) == (1_500, 1_500, True)
    gone = await world.rows("select reason, count(*) from rejected where received_at < $1 group by 1", old)
    assert gone == [("unattributed", 30)]
    assert len(await world.rows("select 1 from rejected where device = $1 and seq < 20 and raw <> ''", name)) == 20


async def tidy(world: World) -> None:
    chores = Chores(
        pool=world.pool,
        sql=load_queries("services.store"),
        clock=world.clock,
        metrics=world.metrics,
        kept_for=timedelta(days=90),
    )
    while await chores.look():
        pass


async def counted(world: World, device: str, reason: str, *, since: Any) -> tuple[int, int, bool]:
    """Rows, rows with bytes, and whether those with bytes are the newest."""
    rows: Sequence[tuple[bool]] = await world.rows(
        "select raw <> '' from rejected where device = $1 and reason = $2 and received_at >= $3 and seq >= 1000"
        " order by received_at desc, seq desc",
        device,
        reason,
        since,
    )
    have = [row[0] for row in rows]
    return len(have), sum(have), have == sorted(have, reverse=True)


_ROWS = """
insert into rejected (device_no, epoch, seq, item, device, reason, field, raw, received_at)
select 999, extract(epoch from $2::timestamptz)::bigint + ascii($4), 1000 + n, 0, $3, $4, '', 'bytes',
       $2::timestamptz - n * interval '1 ms'
from generate_series(1, $1::integer) as n
"""
