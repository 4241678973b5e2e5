"""Lines 11, 12, 14 and 15: Kafka is away, stutters, rebalances, has forgotten how far its readers were."""

import socket
import struct
import time
from typing import Final

from deploy.platform.services import ServiceProcess
from deploy.platform.tool import ToolError
from deploy.reconcile.latency import counter_value, read_metrics
from tests.proving.faults.broker import resident_mb
from tests.proving.faults.kills import twin_settings
from tests.proving.faults.line import Figures
from tests.proving.faults.stream import close_books, streaming
from tests.proving.faults.testbed import CriterionError, Testbed, expect

_MEMORY_MB: Final = 300
_READINGS: Final = "select count(*) from readings"
_LAST_SECONDS_S: Final = 45.0
"""A static member that has left is a member until its session is over after 10 s; then its group is empty."""
_DELETE_GROUPS: Final = 42
_NON_EMPTY_GROUP: Final = 68


def kafka_away(testbed: Testbed) -> Figures:
    """Line 11. What ingest acknowledged to the broker too early would be lost: nobody resends.

    But for devices whose first ack comes after the outage; a tenth of what is published in it would be too many.
    """
    outage_s = 15 if testbed.quick else 40
    peak = 0.0
    with streaming(testbed, uplinks_per_s=150, resends=False) as stream:
        testbed.server_down("kafka")
        stored = testbed.value(_READINGS)
        ends = time.monotonic() + outage_s
        while time.monotonic() < ends:
            peak = max(peak, resident_mb(testbed, "ingest"))
            time.sleep(0.5)
        came = testbed.value(_READINGS) - stored
        testbed.server_up("kafka")
        back = time.monotonic()
        stream.check()
    drained_s = time.monotonic() - back
    expect(peak < _MEMORY_MB, f"ingest grew to {peak:.0f} MB")
    expect(drained_s <= 2 * outage_s, f"the backlog took {drained_s:.0f} s")
    again = stream.uplinks["sent_again"]
    expect(again < 15 * outage_s, f"{again} were sent again, which could have healed what was lost")
    return {"outage_s": outage_s, "stored_meanwhile": came, "drained_s": round(drained_s, 1),
            "ingest_mb": round(peak), **stream.figures}  # fmt: skip


def kafka_stutters(testbed: Testbed) -> Figures:
    """Line 12. The first freeze outlasts requests and sessions, the others requests alone."""
    frozen = (12,) if testbed.quick else (33, 12, 12)
    with streaming(testbed, resends=False) as stream:
        for seconds in frozen:
            kafka = testbed.stack.process("kafka")
            kafka.freeze()
            try:
                time.sleep(seconds)
            finally:
                kafka.thaw()
            time.sleep(6)
    return {"frozen_s": "+".join(map(str, frozen)), **stream.figures}


def stores_come_and_go(testbed: Testbed) -> Figures:
    """Line 14, small: a second store joins and leaves, in good order and killed."""
    rounds = 2 if testbed.quick else 5
    slowest = None
    settings = twin_settings(testbed, "store") | {"HB_STORE_INSTANCE": "1"}
    with streaming(testbed, uplinks_per_s=300) as stream:
        for number in range(rounds):
            second = ServiceProcess("store-1", ["services.store"], settings, testbed.fresh("store-1.log"))
            before = testbed.value(_READINGS)
            second.start()
            time.sleep(5)
            second.kill() if number % 2 else second.stop()
            time.sleep(5)
            grown = testbed.value(_READINGS) - before
            slowest = grown if slowest is None else min(slowest, grown)
    expect(slowest, "in ten seconds nothing was stored")
    return {"joins": rounds, "least_readings_in_10_s": slowest, **stream.figures}


def offsets_deleted(testbed: Testbed) -> Figures:
    """Line 15."""
    store = testbed.platform.processes["store"]
    with streaming(testbed):
        time.sleep(3)
    store.stop()
    deadline = time.monotonic() + _LAST_SECONDS_S
    while (code := delete_group(testbed.stack.kafka_bootstrap, "store")) == _NON_EMPTY_GROUP:
        if time.monotonic() > deadline:
            raise CriterionError("the group of store still has a member")
        time.sleep(1)
    expect(not code, f"Kafka did not delete the group: error {code}")
    before = testbed.value(_READINGS)
    store.start()
    testbed.until(lambda: not store.alive, "store refuses to start without offsets", within_s=60)
    expect(store.exit_code, "store ended as if all were well")
    said = "MissingOffsetError" in store.tail(60)
    expect(said, f"store does not say why: {store.tail()}")
    prepared_s = testbed.until(lambda: _prepared(testbed), "the prepare command sets offsets", within_s=_LAST_SECONDS_S)
    testbed.platform.restart_ended()
    with streaming(testbed) as stream:
        time.sleep(5)
    again = counter_value(read_metrics(testbed.platform.metrics_ports["store"]), "hb_store_duplicates_total")
    expect(again, "nothing was read again: the line shows nothing")
    close_books(testbed)
    return {"refused_with": store.exit_code or "MissingOffsetError", "rows_before": before,
            "uplinks_read_again": round(again), "prepared_after_s": round(prepared_s), **stream.figures}  # fmt: skip


def _prepared(testbed: Testbed) -> bool:
    """Kafka takes no offsets from outside while the session of the store that refused to start lasts."""
    try:
        testbed.platform.prepare()
    except ToolError:
        return False
    return True


def delete_group(bootstrap: str, group: str) -> int:
    """DeleteGroups of Kafka's protocol; its error code, 0 for none."""
    host, _, port = bootstrap.rpartition(":")
    name = struct.pack(f">h{len(group)}s", len(group), group.encode())
    body = struct.pack(">hhih", _DELETE_GROUPS, 0, 1, -1) + struct.pack(">i", 1) + name
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(struct.pack(">i", len(body)) + body)
        (size,) = struct.unpack(">i", connection.recv(4, socket.MSG_WAITALL))
        answer = connection.recv(size, socket.MSG_WAITALL)
    return int(struct.unpack(">h", answer[-2:])[0])
