"""The path of an uplink on the full stack: ingest, Kafka, store, TimescaleDB, and the ack back to the device."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from random import Random

import pytest
import pytest_asyncio

from deploy.reconcile.accounts import compare
from schemas.codec import encode_uplink
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.messages import MAX_AHEAD, MAX_REJECTED, WHOLE_UPLINK, DeviceEvent
from schemas.reasons import Flag, RejectionReason
from schemas.registry import Device, Register
from schemas.topics import UPLINKS_JUDGED
from services.runtime.bus.kafka import KafkaSubscription
from tests.golden import BAD, DEVICE_NAMES, GOOD, RECEIVED_AT, SECOND_SLOT_SINCE
from tests.integration.golden_play import epoch_of, play
from tests.integration.path_world import (
    World,
    bound,
    household,
    kill_and_start,
    open_world,
    person,
    until,
    uplink,
)

pytestmark = [
    pytest.mark.full_stack,
    pytest.mark.slow,
    pytest.mark.timeout(300),  # the first test brings up a stack of its own
    pytest.mark.asyncio(loop_scope="module"),
]

MINUTE = 60_000
LEAD_MS = 10_000
ANN, BOB = 1, 2
BANDS = tuple(f"band-{what}" for what in ("handed", "erased", "plain", "busy", "jumping", "evicting", "flooding"))
CUFF, UNREGISTERED, PROBE = "cuff-shared", "band-unregistered", "band-probe"


def golden_devices(*, slots: int) -> list[Device]:
    return [
        bound(name, code, *(ANN, BOB)[: min(slots, DEVICE_TYPE_BY_CODE[code].slots)])
        for code, name in DEVICE_NAMES.items()
    ]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    """Ann and Bob share home 1; ann has all the bands, the golden slots are as their index says."""
    bands = [bound(name, "wearable_band", ANN) for name in BANDS]
    devices = [*bands, bound(CUFF, "pressure_cuff", ANN, BOB)]
    first = Register(homes=(household(1, (ANN, BOB), [*devices, *golden_devices(slots=1)]),))
    second = Register(homes=(household(1, (ANN, BOB), golden_devices(slots=2)),))
    async with open_world(RECEIVED_AT) as opened:
        opened.admit(*BANDS, CUFF, UNREGISTERED, PROBE, *DEVICE_NAMES.values())
        await opened.register(first, at_ms=RECEIVED_AT - 40 * 24 * 60 * MINUTE)
        await opened.register(second, at_ms=SECOND_SLOT_SINCE - LEAD_MS)
        opened.start("store")
        opened.start("ingest")
        await opened.heard("band-plain")
        yield opened


@pytest.fixture(autouse=True)
def present(world: World) -> None:
    """Each test begins at the same moment."""
    world.clock.at_ms = RECEIVED_AT


async def books_balance(world: World, *, strays: int = 0) -> None:
    """All that the oracle knows is stored or rejected once and settled; ``strays``: what it never heard of."""
    accounts = await compare(world.dsn, world.oracle)
    assert (accounts.lost, accounts.twice, accounts.unsettled) == (0, 0, 0), accounts.examples
    assert accounts.foreign <= strays, accounts.examples
    assert await world.rows("select * from key_conflicts") == []


# Every golden payload


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wrongly_acked(world: World) -> list[str]:
    """Every golden payload was sent, each device's in their order, with good traffic beside; who got a wrong ack."""
    players = [
        play(world.device(name), [one for one in GOOD + BAD if one.type.code == code])
        for code, name in DEVICE_NAMES.items()
    ]
    good = [uplink(9, seq, at=RECEIVED_AT - seq) for seq in range(100)]
    wrong, _ = await asyncio.gather(asyncio.gather(*players), world.publish("band-plain", good))
    await world.device("band-plain").settled(9, 99)
    return [name for names in wrong for name in names]


async def test_a_device_hears_why_each_bad_payload_was_rejected(wrongly_acked: list[str]) -> None:
    assert wrongly_acked == []


async def test_what_is_rejected_is_kept_with_its_reason(world: World, wrongly_acked: list[str]) -> None:
    del wrongly_acked
    rows = await world.rows("select epoch, item, reason, field, raw from rejected where device like 'golden-%'")
    whole = {(raw, (reason, field)) for _, item, reason, field, raw in rows if item == WHOLE_UPLINK}
    refused = [one for one in BAD if WHOLE_UPLINK in one.rejected and one.decided_by == "ingest"]
    assert [one.name for one in refused if (one.payload, one.rejected[WHOLE_UPLINK]) not in whole] == []
    by_epoch: dict[int, dict[int, tuple[str, str]]] = {}
    for epoch, item, reason, field, _ in rows:
        by_epoch.setdefault(epoch, {})[item] = (reason, field)
    assert [one.name for one in BAD if one.acked and by_epoch.get(epoch_of(one)) != one.rejected] == []
    assert len(rows) == sum(len(one.rejected) for one in BAD)


async def test_what_is_good_is_stored_as_whose_it_is_and_when_it_was(world: World, wrongly_acked: list[str]) -> None:
    del wrongly_acked
    rows = await world.rows(
        "select epoch, item, p.person_id, (extract(epoch from observed_at) * 1000)::bigint, flags from"
        " (select epoch, item, person_no, observed_at, flags, device_no from readings union all"
        "  select epoch, item, person_no, observed_at, flags, device_no from device_events) as stored"
        " join devices using (device_no) left join people p using (person_no) where device like 'golden-%'"
    )
    found = {(epoch, item): (whose, at, flags) for epoch, item, whose, at, flags in rows}
    acked = [one for one in GOOD + BAD if one.acked and one.decided_by == "ingest"]
    assert len(rows) == len(found) == sum(len(one.stored) for one in acked)
    for one in acked:
        for item, expected in one.stored.items():
            whose, at, flags = found[epoch_of(one), item]
            # Two files may say the same of one moment.
            assert flags & ~Flag.REPEATED == expected.flags, one.name
            assert expected.observed_at in {None, at}, one.name
            assert expected.person_no is None or whose == person(expected.person_no), one.name


async def test_a_unregistered_device_is_rejected_and_hears_nothing(world: World) -> None:
    payload = encode_uplink(uplink(1, 0, at=RECEIVED_AT))
    await world.device(UNREGISTERED).send(payload)
    await world.publish("band-plain", [uplink(10, 0, at=RECEIVED_AT)])
    await world.device("band-plain").settled(10, 0)
    rows = await world.rows("select device_no, item, reason, raw from rejected where device = $1", UNREGISTERED)
    assert rows == [(0, WHOLE_UPLINK, RejectionReason.UNKNOWN_DEVICE, payload)]
    assert world.device(UNREGISTERED).acks == []


# Whose a reading is


async def test_a_full_outbox_survives_a_rebinding_with_each_reading_at_its_person(world: World) -> None:
    """Sixty minutes in an outbox; the band changes hands after the fortieth, and half is under way before that."""
    name, epoch = "band-handed", 5
    began = RECEIVED_AT - 40 * MINUTE
    outbox = [uplink(epoch, seq, at=began + seq * MINUTE) for seq in range(60)]
    await world.publish(name, outbox[:20])
    await world.device(name).settled(epoch, 19)
    handed_over = Register(
        homes=(household(1, (ANN, BOB), [bound(name, "wearable_band", BOB), bound(PROBE, "wearable_band", ANN)]),)
    )
    await world.register(handed_over, at_ms=RECEIVED_AT - LEAD_MS, probe=PROBE)
    world.clock.at_ms = RECEIVED_AT + 20 * MINUTE
    await world.publish(name, reversed(outbox))
    await world.device(name).settled(epoch, 59)
    assert await world.readings_of(name, epoch) == [
        (seq, person(ANN if seq < 40 else BOB), began + seq * MINUTE, 70.0) for seq in range(60)
    ]


async def test_a_device_that_lost_its_storage_loses_nothing_more(world: World) -> None:
    name, before, after = "band-erased", 700, 41
    await world.publish(name, [uplink(before, seq, at=RECEIVED_AT - MINUTE + seq, values=[60]) for seq in range(10)])
    await world.device(name).settled(before, 9)
    await world.publish(name, [uplink(after, seq, at=RECEIVED_AT + seq, values=[80]) for seq in range(10)])
    ack = await world.device(name).settled(after, 9)
    assert (ack.upto, ack.gaps, ack.rejected) == (9, (), ())
    assert [row[3] for row in await world.readings_of(name, before)] == [60.0] * 10
    assert [row[3] for row in await world.readings_of(name, after)] == [80.0] * 10


async def test_the_same_measurement_in_a_new_epoch_is_another_measurement(world: World) -> None:
    """Device, epoch and seq make an uplink, not its content: nothing is taken for a copy that was not sent again."""
    name = "band-erased"
    await world.publish(name, [uplink(81, 0, at=RECEIVED_AT), uplink(82, 0, at=RECEIVED_AT)])
    await world.device(name).settled(82, 0)
    assert len(await world.readings_of(name, 81)) == len(await world.readings_of(name, 82)) == 1


async def test_two_people_share_a_cuff_and_each_gets_their_own(world: World) -> None:
    values, slots = [120.0, 150.0], [1, 2]
    uplinks = [
        uplink(3, seq, at=RECEIVED_AT - seq * MINUTE, values=values, slots=slots, vital="systolic") for seq in range(20)
    ]
    await world.publish(CUFF, uplinks)
    await world.device(CUFF).settled(3, 19)
    whose = [(row[1], row[3]) for row in await world.readings_of(CUFF, 3)]
    assert whose == [(person(ANN), 120.0), (person(BOB), 150.0)] * 20


# Sequence numbers


async def test_a_seq_far_ahead_is_rejected_unsettled_until_the_gap_is_given_up(world: World) -> None:
    name, far = "band-jumping", MAX_AHEAD + 500
    await world.publish(name, [uplink(6, 0, at=RECEIVED_AT)])
    await world.device(name).send(encode_uplink(uplink(6, far, at=RECEIVED_AT + 1)))
    ack = await world.device(name).acked(lambda ack: bool(ack.rejected))
    assert [(one.seq, one.item, one.reason) for one in ack.rejected] == [(far, WHOLE_UPLINK, RejectionReason.SEQ_JUMP)]
    assert (ack.upto, ack.gaps) == (0, ())
    assert len(await world.readings_of(name, 6)) == 1
    await world.publish(name, [uplink(6, far, at=RECEIVED_AT + 1, oldest=far)])
    await world.device(name).settled(6, far)
    assert [row[0] for row in await world.readings_of(name, 6)] == [0, far]


async def test_ten_copies_are_one_row_and_each_time_acknowledged(world: World) -> None:
    name, device = "band-plain", world.device("band-plain")
    uplinks = [uplink(20, seq, at=RECEIVED_AT, values=[70, 300]) for seq in range(30)]
    await world.publish(name, uplinks)
    first = await device.settled(20, 29)
    for _ in range(10):
        device.acks.clear()
        await world.publish(name, uplinks)
        assert await device.settled(20, 29) == first
    assert len(await world.readings_of(name, 20)) == 30
    refused = await world.rows("select count(*) from rejected join devices d using (device) where epoch = 20")
    assert refused == [(30,)]
    assert [one.seq for one in first.rejected] == list(range(30))[-MAX_REJECTED:]


async def test_the_order_of_arrival_does_not_matter(world: World) -> None:
    name, device = "band-plain", world.device("band-plain")
    uplinks = [uplink(21, seq, at=RECEIVED_AT - seq) for seq in range(300)]
    Random(7).shuffle(uplinks)
    late = [one for one in uplinks if one.seq in {3, 4, 90}]
    await world.publish(name, [one for one in uplinks if one not in late])
    ack = await device.acked(lambda ack: ack.epoch == 21 and ack.gaps == ((3, 4), (90, 90)))
    assert ack.upto == 2
    await world.publish(name, late)
    await device.settled(21, 299)
    assert [row[0] for row in await world.readings_of(name, 21)] == list(range(300))


async def test_what_a_full_outbox_gave_up_is_not_waited_for_and_stays_countable(world: World) -> None:
    name, device = "band-evicting", world.device("band-evicting")
    await world.publish(name, [uplink(8, seq, at=RECEIVED_AT) for seq in (0, 1, 2, 7)])
    await device.acked(lambda ack: ack.upto == 2 and ack.gaps == ((3, 6),))
    await world.publish(name, [uplink(8, 10, at=RECEIVED_AT, oldest=6)])
    assert (await device.acked(lambda ack: ack.upto == 5)).gaps == ((6, 6), (8, 9))
    abandoned = await world.rows(
        "select floor - (select coalesce(sum(upper(part) - lower(part)), 0)"
        " from unnest(settled * int8multirange(int8range(0, floor))) as part)::bigint"
        " from device_cursor join devices using (device_no) where device = $1",
        name,
    )
    assert abandoned == [(3,)]
    await world.publish(name, [uplink(8, 4, at=RECEIVED_AT, oldest=4)])
    await until_stored(world, name, 8, [0, 1, 2, 4, 7, 10])


async def until_stored(world: World, name: str, epoch: int, seqs: list[int]) -> None:
    device = world.device(name)
    device.acks.clear()
    await device.acked(lambda ack: ack.epoch == epoch)
    assert [row[0] for row in await world.readings_of(name, epoch)] == seqs


async def test_the_ack_waits_at_the_broker_for_a_device_that_comes_back(world: World) -> None:
    name = "band-plain"
    await world.publish(name, [uplink(22, seq, at=RECEIVED_AT) for seq in range(5)])
    ack = await world.device(name).settled(22, 4)
    again = world.reconnect(name)
    assert await again.settled(22, 4) == ack
    assert len(again.acks) == 1


async def test_an_emergency_with_a_wrong_clock_and_nobody_is_stored_for_the_home(world: World) -> None:
    name = DEVICE_NAMES["fall_robot"]
    fall = DeviceEvent(event="fall_suspected", at=1, details={"method": "vision"})
    await world.publish(name, [uplink(23, 0, at=RECEIVED_AT, values=(), events=[fall])])
    await world.device(name).settled(23, 0)
    rows = await world.rows(
        "select home_id, (extract(epoch from observed_at) * 1000)::bigint, flags from device_events e"
        " join homes using (home_no) where epoch = 23"
    )
    assert rows == [(person(1001), RECEIVED_AT, Flag.RESTAMPED)]


# What is taken away under traffic, and comes back


async def feed(world: World, name: str, epoch: int, enough: asyncio.Event) -> int:
    """Publishes until it is enough, and a little more; how many uplinks that were. Nothing is sent twice."""
    number = 0
    last = 10**9
    while number < last:
        await world.publish(name, [uplink(epoch, number, at=RECEIVED_AT + number)])
        number += 1
        if enough.is_set() and last == 10**9:
            last = number + 20
    return number


async def survives(world: World, epoch: int, disturb: Callable[[], Awaitable[None]]) -> None:
    """Everything published before, during and after ``disturb`` is stored once, though no device sends again."""
    name, enough = "band-busy", asyncio.Event()
    feeding = asyncio.create_task(feed(world, name, epoch, enough))
    await asyncio.sleep(0.3)
    await disturb()
    enough.set()
    number = await feeding
    await world.device(name).settled(epoch, number - 1)
    assert [row[0] for row in await world.readings_of(name, epoch)] == list(range(number))


async def test_ingest_stops_and_starts_again_and_nothing_is_lost(world: World) -> None:
    async def restart() -> None:
        await world.stop("ingest")
        await asyncio.sleep(0.3)
        world.start("ingest")

    await survives(world, 30, restart)


@pytest.mark.parametrize("service", ["ingest", "store"])
async def test_a_service_crashes_and_starts_again_and_nothing_is_lost(world: World, service: str) -> None:
    async def crash() -> None:
        for _ in range(3):
            await world.crash(service)
            world.start(service)
            await asyncio.sleep(0.3)

    await survives(world, 31 if service == "ingest" else 32, crash)


@pytest.mark.parametrize("server", ["kafka", "postgresql"])
async def test_a_server_is_killed_and_started_again_and_nothing_is_lost(world: World, server: str) -> None:
    await survives(world, 33 if server == "kafka" else 34, lambda: kill_and_start(world.stack, server))


async def test_the_broker_is_killed_and_what_the_device_sends_again_is_stored_once(world: World) -> None:
    name, device = "band-busy", world.device("band-busy")
    uplinks = [uplink(35, seq, at=RECEIVED_AT + seq) for seq in range(400)]
    await world.publish(name, uplinks)
    await kill_and_start(world.stack, "mosquitto")
    for _ in range(20):
        await world.publish(name, uplinks)
        if await device.has_settled(35, 399, within_s=2):
            break
    await device.settled(35, 399)
    assert [row[0] for row in await world.readings_of(name, 35)] == list(range(400))


async def test_a_batch_that_is_read_again_changes_no_row(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Store ends between the commit of the database and that of Kafka.

    Not at a commit that only moved past a marker, which may well come first. The device has its ack by then, so the
    ack says nothing about the second reading.
    """
    commit = KafkaSubscription.commit

    async def die_once_stored(subscription: KafkaSubscription, positions: Mapping[int, int]) -> None:
        if subscription.topic == UPLINKS_JUDGED.name and await world.readings_of(name, 36):
            raise ZeroDivisionError
        await commit(subscription, positions)

    name, device = "band-busy", world.device("band-busy")
    before = world.counted("hb_store_duplicates_total")
    monkeypatch.setattr(KafkaSubscription, "commit", die_once_stored)
    await world.crash("ingest")
    world.start("ingest")
    await world.publish(name, [uplink(36, seq, at=RECEIVED_AT) for seq in range(50)])
    assert isinstance(await world.ended("store"), ZeroDivisionError)
    monkeypatch.undo()
    world.start("store")
    await device.settled(36, 49)
    await until(lambda: world.counted("hb_store_duplicates_total") >= before + 50, "the batch is read again")
    assert [row[0] for row in await world.readings_of(name, 36)] == list(range(50))


async def test_the_books_balance(world: World) -> None:
    golden = sum(1 for one in GOOD + BAD if one.acked)
    await books_balance(world, strays=2 * golden + 1)
