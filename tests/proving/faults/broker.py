"""Lines 7 to 10, 24 and 26: the MQTT broker dies, forgets, overflows, refuses, is stormed."""

import time
from typing import Final, Self

import paho.mqtt.client as mqtt
import psutil
from paho.mqtt.enums import CallbackAPIVersion

from deploy.reconcile.latency import counter_value, read_metrics
from tests.proving.faults.kills import struck
from tests.proving.faults.line import Figures
from tests.proving.faults.plain_device import plain_device
from tests.proving.faults.stream import close_books, streaming
from tests.proving.faults.testbed import Testbed, expect

_COUNTER: Final = "$SYS/broker/publish/messages/dropped"
_DROPPED: Final = "select count(*) from platform_incidents where kind = 'dropped_at_broker' and notified_at is not null"


def broker_killed(testbed: Testbed) -> Figures:
    """Line 7, where the broker keeps nothing."""
    before = _sessions_lost(testbed)
    with streaming(testbed) as stream:
        took = struck(testbed, "mosquitto", times=2 if testbed.quick else 4)
    counted = _sessions_lost(testbed) - before
    expect(counted == len(took), f"{len(took)} sessions were lost, {counted:.0f} counted")
    testbed.until(lambda: testbed.notified_operators("session lost"), "operators are notified of a lost session")
    return {"kills": len(took), "slowest_recovery_s": round(max(took), 2), **stream.figures}


def broker_restarted(testbed: Testbed) -> Figures:
    """Line 8, and line 7 once more where the broker saves a snapshot now and then."""
    with streaming(testbed) as killed:
        took = struck(testbed, "mosquitto", times=2)
    with streaming(testbed, resends=False) as stream:
        for _ in range(1 if testbed.quick else 2):
            time.sleep(3)
            testbed.stack.process("mosquitto").stop()
            testbed.server_up("mosquitto")
        time.sleep(3)
    return {"kills": len(took), "with_resends": killed.figures, "without": stream.figures}


def session_lost_while_ingest_holds(testbed: Testbed) -> Figures:
    """Line 9: what ingest acknowledges afterwards has the numbers of other messages."""
    times = 1 if testbed.quick else 3
    before = _sessions_lost(testbed)
    with streaming(testbed, uplinks_per_s=200) as stream:
        for _ in range(times):
            time.sleep(2)
            kafka = testbed.stack.process("kafka")
            kafka.freeze()
            try:
                time.sleep(2)
                testbed.server_down("mosquitto")
                testbed.server_up("mosquitto")
                time.sleep(4)
            finally:
                kafka.thaw()
    counted = _sessions_lost(testbed) - before
    expect(counted == times, f"{times} sessions were lost, {counted:.0f} counted")
    return {"held_each_time": "about 400", **stream.figures}


def ingest_down_past_the_queue(testbed: Testbed) -> Figures:
    """Line 10, and the broker killed on top of it: the devices' outboxes are what is left."""
    notified_before = testbed.value(_DROPPED)
    with DropCounter(testbed) as dropped, streaming(testbed, uplinks_per_s=150) as stream:
        testbed.platform.processes["ingest"].stop()
        wanted = 2 * testbed.kind.mqtt_max_queued
        time.sleep(wanted / 150)
        lost = dropped.counted(within_s=15)
        expect(lost > 0, "the broker dropped nothing: the line shows nothing")
        notified = _notified_of_what_the_broker_dropped(testbed, notified_before)
        testbed.server_down("mosquitto")
        testbed.server_up("mosquitto")
        testbed.platform.restart_ended()
    return {"dropped_at_broker": lost, "incidents_notified": notified, **stream.figures}


def _notified_of_what_the_broker_dropped(testbed: Testbed, opened_before: int) -> int:
    """Incidents of it that watch opened, each with a mail to the operators."""
    testbed.until(lambda: testbed.value(_DROPPED) > opened_before, "an incident dropped_at_broker is opened")
    testbed.until(
        lambda: testbed.notified_operators("dropped at broker"), "operators are notified that the broker dropped some"
    )
    return int(testbed.value(_DROPPED)) - opened_before


class DropCounter:
    """What mosquitto says itself of messages that it dropped."""

    def __init__(self, testbed: Testbed) -> None:
        self._seen: list[int] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="watch-1")
        self._client.username_pw_set("watch-1", testbed.stack.platform_secrets["watch-1"])
        self._client.on_connect = lambda client, *_: client.subscribe(_COUNTER)
        self._client.on_message = lambda _client, _data, message: self._seen.append(int(message.payload))
        self._client.connect(testbed.stack.mqtt_host, testbed.stack.mqtt_port)

    def __enter__(self) -> Self:
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def counted(self, *, within_s: float) -> int:
        """The number that the broker has announced last, waiting for one above 0."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline and not any(self._seen):
            time.sleep(0.2)
        return max(self._seen, default=0)


def oversized(testbed: Testbed) -> Figures:
    """Line 24."""
    sizes = (70_000, 1_000_000, 10_000_000)
    resident = resident_mb(testbed, "ingest")
    notified: set[str] = set()
    for size in sizes:
        with plain_device(testbed, "band") as band:
            band.offer(b"x" * size)
            testbed.until(lambda device=band: device.rejections, f"{size} bytes are refused")  # type: ignore[misc]
            notified.update(band.rejections)
    with plain_device(testbed, "band") as band:
        band.send(band.pulse(0))
        band.settled(0)
    grown = resident_mb(testbed, "ingest") - resident
    expect(grown < 20, f"ingest grew by {grown:.0f} MB")
    close_books(testbed)
    return {
        "refused": len(sizes),
        "device_was_notified": "; ".join(sorted(notified)),
        "ingest_grew_mb": round(grown, 1),
    }


def everybody_comes_back(testbed: Testbed) -> Figures:
    """Line 26."""
    with streaming(testbed, uplinks_per_s=200, all_bands=True) as stream:
        time.sleep(2)
        testbed.server_down("mosquitto")
        testbed.server_up("mosquitto")
        time.sleep(5)
    disconnects = stream.report["disconnects"]
    rejections = {why: times for why, times in stream.report["rejections"].items() if why.startswith("connect")}
    expect(disconnects >= testbed.kind.bands, f"only {disconnects} devices were disconnected")
    expect(not rejections, f"connections were refused: {rejections}")
    expect(stream.drained_in_s <= 60, f"all were back and empty only after {stream.drained_in_s:.0f} s")
    return {"devices": testbed.kind.bands, "all_empty_after_s": round(stream.drained_in_s + 5, 1), **stream.figures}


def _sessions_lost(testbed: Testbed) -> float:
    return counter_value(read_metrics(testbed.platform.metrics_ports["ingest"]), "hb_ingest_sessions_lost_total")


def resident_mb(testbed: Testbed, service: str) -> float:
    """Resident memory of a service."""
    return float(psutil.Process(testbed.platform.processes[service].pid).memory_info().rss) / 1e6
