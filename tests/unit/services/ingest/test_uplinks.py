"""The path of an uplink: acknowledged to the broker after the bus has it, and not before."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import pytest

from schemas.codec import decode_uplink_record, encode_uplink, write_json
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.messages import DeviceEvent, Reading, Uplink
from schemas.metrics import METRICS
from schemas.reasons import Flag
from schemas.records import DeviceWord, JudgedUplink, UplinkRecord
from schemas.topics import MARKER_DEVICE, STATUS, UP, UPLINKS_JUDGED
from services.ingest.allowance import DeviceAllowances
from services.ingest.registry import BoundPerson, RegisteredDevice
from services.ingest.uplinks import UplinkPath
from services.ingest.watermark_markers import WatermarkMarkers
from services.runtime.bus.memory import MemoryBus
from services.runtime.bus.port import Record
from services.runtime.clock import FakeClock
from services.runtime.errors import RetryLaterError
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from services.runtime.mqtt import Link, MqttMessage
from services.runtime.pacing import Gather

if TYPE_CHECKING:
    from services.ingest.snapshot import SnapshotKeeper

NOW = 1_795_348_800_000
ANN = BoundPerson(person_no=1, home_no=3, from_ms=0, to_ms=2**53)
BAND = RegisteredDevice(
    device_no=7, device="band-7", home_no=3, shard=5, type=DEVICE_TYPE_BY_CODE["wearable_band"], people={1: (ANN,)}
)

NO_PAUSE = Gather(most_s=0, full=1)


class FilledLink:
    """An inbox given at the start, of which ``at_once`` are taken; remembers what was acknowledged."""

    sessions_lost = 0
    online = True

    def __init__(self, *messages: MqttMessage, at_once: int = 1000) -> None:
        self._inbox, self._at_once = list(messages), at_once
        self.acknowledged: list[MqttMessage] = []
        self.published: list[tuple[str, bytes]] = []

    async def take(self, *, wait_s: float) -> list[MqttMessage]:
        del wait_s
        await asyncio.sleep(0)
        taken, self._inbox = self._inbox[: self._at_once], self._inbox[self._at_once :]
        return taken

    @property
    def waiting(self) -> int:
        return len(self._inbox)

    def acknowledge(self, messages: Sequence[MqttMessage]) -> None:
        self.acknowledged += messages

    def publish_retained(self, messages: Sequence[tuple[str, bytes]]) -> None:
        self.published += messages


class Snapshot:
    """The registry as it is; ``stale`` makes it too old for ever."""

    def __init__(self, *, stale: bool = False) -> None:
        self._stale = stale

    @property
    def is_too_old(self) -> bool:
        return self._stale

    async def fresh(self, stop: asyncio.Event) -> dict[str, RegisteredDevice] | None:
        if self._stale:
            await stop.wait()
            return None
        return {BAND.device: BAND}


class FailingBus(MemoryBus):
    """Refuses so many bursts before it takes one."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    async def append(self, topic: str, records: Sequence[Record]) -> None:
        if self.times:
            self.times -= 1
            raise RetryLaterError from OSError()
        await super().append(topic, records)


def message(number: int, payload: bytes, device: str = BAND.device) -> MqttMessage:
    return MqttMessage(1, number, UP.of(5, device), payload)


def uplink(seq: int) -> bytes:
    readings = (Reading(vital="heart_rate", value=70, at=NOW),)
    return encode_uplink(Uplink(epoch=1, seq=seq, sent_at=NOW, clock="synced", oldest=0, readings=readings))


async def run(
    link: FilledLink,
    bus: MemoryBus,
    metrics: Metrics,
    *,
    stale: bool = False,
    for_s: float = 0.05,
    burst: int = 100,
    gather: Gather = NO_PAUSE,
    replays_retained: bool = False,
) -> None:
    await bus.prepare({UPLINKS_JUDGED.name: 72}, {UPLINKS_JUDGED.name: ("store",)})
    clock, wire = FakeClock(NOW), cast("Link", link)
    markers = WatermarkMarkers(wire, clock, instance="0", shard=5, partitions=1)
    snapshot = cast("SnapshotKeeper", Snapshot(stale=stale))
    path = UplinkPath(
        link=wire,
        bus=bus,
        snapshot=snapshot,
        markers=markers,
        limits=DeviceAllowances(per_s=1, burst=burst),
        clock=clock,
        metrics=metrics,
        log=logger("test"),
        gather=gather,
        replays_retained=replays_retained,
    )
    stop = asyncio.Event()
    running = asyncio.create_task(path.run(stop))
    await asyncio.sleep(for_s)
    stop.set()
    await running


async def appended(bus: MemoryBus) -> list[UplinkRecord]:
    return [decode_uplink_record(one.value) for one in await bus.read(UPLINKS_JUDGED.name, 0, 100, 0)]


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(METRICS)


async def test_a_burst_is_appended_in_order_and_then_acknowledged(metrics: Metrics) -> None:
    burst = [
        message(1, uplink(0)),
        message(2, b"noise"),
        message(3, uplink(1), "unregistered"),
        message(4, write_json(["0", NOW]), MARKER_DEVICE),
        message(5, uplink(2)),
    ]
    link, bus = FilledLink(*burst), MemoryBus()
    await run(link, bus, metrics)
    records = await appended(bus)
    assert [one.seq if isinstance(one, JudgedUplink) else one.received_at for one in records] == [0, -1, -1, NOW, 2]
    assert link.acknowledged == burst


async def test_a_burst_waits_for_more_unless_the_broker_may_send_no_more(metrics: Metrics) -> None:
    paced = Gather(most_s=0.3, full=6, per_record_s=0.3)
    messages = [message(seq + 1, uplink(seq)) for seq in range(6)]
    behind, in_time = FilledLink(*messages, at_once=3), FilledLink(*messages[:5], at_once=3)
    await run(behind, MemoryBus(), metrics, gather=paced)
    await run(in_time, MemoryBus(), metrics, gather=paced)
    assert (behind.acknowledged, in_time.acknowledged) == (messages, messages[:3])


async def test_what_the_bus_refuses_is_not_acknowledged(metrics: Metrics) -> None:
    link, bus = FilledLink(message(1, uplink(0))), FailingBus(times=10**6)
    await run(link, bus, metrics)
    assert (link.acknowledged, bus.times < 10**6) == ([], True)
    assert metrics.registry.get_sample_value("hb_ingest_retries_total") == 10**6 - bus.times


async def test_a_burst_that_was_refused_is_appended_once_when_the_bus_is_back(metrics: Metrics) -> None:
    link, bus = FilledLink(message(1, uplink(0))), FailingBus(times=1)
    await run(link, bus, metrics, for_s=0.5)
    assert len(await appended(bus)) == len(link.acknowledged) == 1


async def test_what_a_device_sends_beyond_its_allowance_is_throttled_but_for_its_emergencies(metrics: Metrics) -> None:
    emergency = encode_uplink(
        Uplink(
            epoch=1, seq=9, sent_at=NOW, clock="synced", oldest=0, events=(DeviceEvent(event="sos_pressed", at=NOW),)
        )
    )
    messages = [*(message(seq + 1, uplink(seq)) for seq in range(9)), message(10, emergency)]
    link, bus = FilledLink(*messages), MemoryBus()
    await run(link, bus, metrics, burst=3)
    assert [one.seq for one in await appended(bus) if isinstance(one, JudgedUplink)] == [0, 1, 2, 9]
    assert link.acknowledged == messages  # or they would fill the broker's window; the device sends them again


async def test_a_bus_that_is_away_makes_ingest_not_ready(metrics: Metrics) -> None:
    await run(FilledLink(message(1, uplink(0))), FailingBus(times=10**6), metrics)
    assert metrics.waiting == ["bus"]


async def test_on_a_registry_that_is_too_old_nothing_is_judged(metrics: Metrics) -> None:
    link, bus = FilledLink(message(1, uplink(0))), MemoryBus()
    await run(link, bus, metrics, stale=True)
    assert (await appended(bus), link.acknowledged) == ([], [])


async def test_what_was_rejected_is_counted_by_its_reason(metrics: Metrics) -> None:
    await run(FilledLink(message(1, b"noise"), message(2, uplink(0), "unregistered")), MemoryBus(), metrics)
    counted = metrics.registry.get_sample_value
    assert counted("hb_ingest_rejected_total", {"reason": "no_identity"}) == 1
    assert counted("hb_ingest_rejected_total", {"reason": "unknown_device"}) == 1


async def test_what_a_broker_replays_because_of_a_subscription_is_no_news(metrics: Metrics) -> None:
    replayed, live = message(1, uplink(0))._replace(retained=True), message(2, uplink(1))
    link, bus = FilledLink(replayed, live), MemoryBus()
    await run(link, bus, metrics, replays_retained=True)
    assert [one.seq for one in await appended(bus) if isinstance(one, JudgedUplink)] == [1]
    assert (link.acknowledged, link.published) == ([replayed, live], [])


async def test_an_uplink_that_is_sent_with_the_retain_flag_is_taken_marked_and_cleared(metrics: Metrics) -> None:
    sent, cleared = message(1, uplink(0))._replace(retained=True), message(2, b"")._replace(retained=True)
    link, bus = FilledLink(sent, cleared), MemoryBus()
    await run(link, bus, metrics)
    (judged,) = [one for one in await appended(bus) if isinstance(one, JudgedUplink)]
    assert judged.readings[0].flags & Flag.RETAINED
    assert (link.acknowledged, link.published) == ([sent, cleared], [(sent.topic, b"")])


def status(number: int, payload: bytes, device: str = BAND.device, *, retained: bool = True) -> MqttMessage:
    return MqttMessage(1, number, STATUS.of(5, device), payload, retained)


async def test_a_status_is_passed_on_behind_the_uplinks_before_it_and_stays_retained(metrics: Metrics) -> None:
    """A link that can't publish: the status is not cleared at the broker, as a retained uplink is."""
    link, bus = FilledLink(message(1, uplink(0)), status(2, b'{"state":"offline"}')), MemoryBus()
    await run(link, bus, metrics)
    first, word = await appended(bus)
    assert isinstance(first, JudgedUplink)
    assert word == DeviceWord(device_no=7, home_no=3, person_no=1, received_at=NOW, state="offline")
    assert len(link.acknowledged) == 2


async def test_a_status_that_nobody_can_use_is_left_out_and_acknowledged(metrics: Metrics) -> None:
    useless = [status(1, b"noise"), status(2, b""), status(3, b'{"state":"online"}', "unregistered")]
    link, bus = FilledLink(*useless), MemoryBus()
    await run(link, bus, metrics)
    assert (await appended(bus), len(link.acknowledged)) == ([], 3)


async def test_what_a_broker_repeats_of_a_status_is_no_news(metrics: Metrics) -> None:
    """Such a broker sets the retain flag of repetitions alone."""
    said = b'{"state":"online"}'
    link, bus = FilledLink(status(1, said), status(2, said, retained=False)), MemoryBus()
    await run(link, bus, metrics, replays_retained=True)
    assert len(await appended(bus)) == 1
