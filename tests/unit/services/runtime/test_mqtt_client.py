"""Two threads write on one connection: ours, and paho's for what a full socket left over."""

import threading
import time
from random import Random
from struct import Struct

from services.runtime.mqtt_client import BurstClient

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
