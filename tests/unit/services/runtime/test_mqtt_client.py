"""A burst is what paho would have given; two threads write on one connection, ours and paho's."""

import threading
import time
from collections.abc import Sequence
from random import Random
from struct import Struct

import paho.mqtt.client as paho
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion

from services.runtime.mqtt_client import Arrived, BurstClient
from tests.unit.transport.test_mqtt_client import connected, cut, message

PUBACK = Struct("!BBH")


class SlowSocket:
    """Takes a few bytes at a time, lets other threads run in between, and is full now and then."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self._random = Random(5)

    def send(self, data: bytes) -> int:
        if self._random.random() < 0.2:
            raise BlockingIOError
        taken = self._random.randint(1, 7)
        self.sent += data[:taken]
        time.sleep(0)
        return min(taken, len(data))

    def close(self) -> None:
        """Nothing to close."""


def test_packets_of_two_threads_are_never_mixed() -> None:
    client, socket = BurstClient("ingest-0", lambda _: None), SlowSocket()
    client._sock = socket  # type: ignore[assignment]  # noqa: SLF001 - a client without a broker
    bursts = [range(start, start + 5) for start in range(1, 2001, 5)]

    def write(which: list[range]) -> None:
        for burst in which:
            client.acknowledge(burst)

    threads = [threading.Thread(target=write, args=(bursts[half::2],)) for half in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while client.want_write():
        client.loop_write()

    called = [packet_id for kind, length, packet_id in PUBACK.iter_unpack(socket.sent) if (kind, length) == (0x40, 2)]
    assert sorted(called) == list(range(1, 2001))


@given(st.lists(st.binary(max_size=200), max_size=6), st.lists(st.floats(0, 1), max_size=40))
def test_bursts_are_what_paho_would_have_given_one_by_one(payloads: Sequence[bytes], places: Sequence[float]) -> None:
    stream = b"".join(message(f"a/{number}", payload, number + 1) for number, payload in enumerate(payloads))
    reads = cut(stream, places)
    bursts, one_by_one = list[Sequence[Arrived]](), list[paho.MQTTMessage]()
    ours = BurstClient("a", bursts.append)
    theirs = paho.Client(CallbackAPIVersion.VERSION2, client_id="a", protocol=paho.MQTTv5, manual_ack=True)
    theirs.on_message = lambda _client, _data, one: one_by_one.append(one)
    connected(ours, *reads)
    connected(theirs, stream)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("services.runtime.mqtt_client._PAUSE_S", 0)
        for _ in reads:
            ours.loop_read()
    for _ in payloads:
        theirs.loop_read()

    given_out = [(one.packet_id, one.topic, one.payload) for burst in bursts for one in burst]
    assert given_out == [(one.mid, one.topic, one.payload) for one in one_by_one]
    assert len(given_out) == len(payloads)
    assert all(bursts)
