"""The smallest platform that keeps the contract: it settles what it hears and says so."""

import threading
import time
from collections import defaultdict
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from schemas.codec import encode_ack, identity_of
from schemas.messages import Ack
from schemas.topics import ACK, UP, device_of

_ACK_EVERY_S = 0.05


class FakePlatform:
    """``deaf``: what it hears is lost. ``settled`` holds every (device, epoch, seq) it ever kept."""

    def __init__(self, host: str, port: int) -> None:
        self.settled: set[tuple[str, int, int]] = set()
        self.heard = 0
        self.deaf = False
        self._upto: dict[tuple[str, int], int] = defaultdict(lambda: -1)
        self._dirty: dict[str, tuple[int, int]] = {}
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="fake-platform", protocol=paho.MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self._client.connect(host, port)
        self._thread = threading.Thread(target=self._acknowledge)

    def __enter__(self) -> Self:
        self._client.loop_start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def command(self, shard: int, device: str, payload: bytes) -> None:
        self._client.publish(f"hb/v1/{shard}/{device}/commands", payload, 1)

    @staticmethod
    def _on_connect(client: paho.Client, *_rest: Any) -> None:
        client.subscribe(UP.of_shard(0).replace("/0/", "/+/"), 1)

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        shard, device = device_of(message.topic)
        identity = identity_of(bytes(message.payload))
        if self.deaf or identity is None:
            return
        with self._lock:
            self.heard += 1
            self.settled.add((device, *identity))
            self._dirty[device] = (shard, identity[0])

    def _acknowledge(self) -> None:
        while not self._stop.wait(_ACK_EVERY_S):
            with self._lock:
                dirty, self._dirty = self._dirty, {}
                acks = {device: (shard, self._ack(device, epoch)) for device, (shard, epoch) in dirty.items()}
            for device, (shard, ack) in acks.items():
                self._client.publish(ACK.of(shard, device), encode_ack(ack), retain=True)

    def _ack(self, device: str, epoch: int) -> Ack:
        upto = self._upto[device, epoch]
        while (device, epoch, upto + 1) in self.settled:
            upto += 1
        self._upto[device, epoch] = upto
        return Ack(generation=0, epoch=epoch, upto=upto)

    def wait_until_heard(self, count: int, within_s: float = 20) -> None:
        deadline = time.monotonic() + within_s
        while self.heard < count:
            assert time.monotonic() < deadline
            time.sleep(0.02)
