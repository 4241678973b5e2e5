"""A device without an outbox: it sends what a line asks it to, and remembers every ack."""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from deploy.reconcile.accounts import Published
from schemas.topics import shard_of
from tests.proving.faults.testbed import CriterionError, Testbed, expect

_CONNECTS_S: Final = 15.0
_EPOCH_LIMIT: Final = 2**53


class PlainDevice:
    """One device on a connection of its own, with an epoch of its own."""

    def __init__(self, testbed: Testbed, name: str) -> None:
        self.name, self.epoch = name, Random().randrange(_EPOCH_LIMIT)
        self.acks: list[Mapping[str, Any]] = []
        self.rejections: list[str] = []
        self._ground, self._topic = testbed, f"hb/v1/{shard_of(name)}/{name}"
        self._online = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.username_pw_set(name, testbed.passwords[name])
        self._client.max_inflight_messages_set(1000)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect, self._client.on_disconnect = self._on_connect, self._on_disconnect
        self._client.on_message = self._on_message

    @property
    def online(self) -> bool:
        """Whether the broker has taken its connection."""
        return self._online.is_set()

    def now_ms(self) -> int:
        """Platform time."""
        return self._ground.clock.now_ms()

    def open(self) -> None:
        """Connects."""
        self._client.connect(self._ground.stack.mqtt_host, self._ground.stack.mqtt_port)
        self._client.loop_start()
        expect(self._online.wait(_CONNECTS_S), f"{self.name} could not connect")

    def close(self) -> None:
        """Leaves."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, code: ReasonCode, _: Any) -> None:
        client.subscribe(f"{self._topic}/ack", qos=0)
        if not code.is_failure:
            self._online.set()

    def _on_disconnect(self, _client: mqtt.Client, _data: Any, _flags: Any, code: ReasonCode, _: Any) -> None:
        self._online.clear()
        self.rejections.append(str(code))

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        ack = json.loads(message.payload)
        if ack["epoch"] == self.epoch:
            self.acks.append(ack)

    def uplink(
        self,
        seq: int,
        *,
        readings: Sequence[Mapping[str, Any]] = (),
        events: Sequence[Mapping[str, Any]] = (),
        **more: Any,
    ) -> bytes:
        """An uplink as the contract has it; it goes to the oracle, too."""
        self._ground.oracle[self.name, self.epoch, seq] = Published(readings=len(readings), events=len(events))
        fields = {
            "epoch": self.epoch, "seq": seq, "sent_at": self._ground.clock.now_ms(), "clock": "synced", "oldest": 0,
            "readings": list(readings), "events": list(events),
        }  # fmt: skip
        return json.dumps(fields | more, separators=(",", ":")).encode()

    def pulse(self, seq: int, *, at: int | None = None, value: float = 70) -> bytes:
        """An uplink of one heart rate, observed now unless said otherwise."""
        at = self._ground.clock.now_ms() if at is None else at
        return self.uplink(seq, readings=[{"vital": "heart_rate", "value": value, "at": at}])

    def send(self, *payloads: bytes) -> None:
        """Publishes with QoS 1; returns when the broker has taken each."""
        expect(self._online.wait(_CONNECTS_S), f"{self.name} is not connected")
        sent = [self._client.publish(f"{self._topic}/up", payload, qos=1) for payload in payloads]
        deadline = time.monotonic() + _CONNECTS_S
        while not all(one.is_published() for one in sent):
            if time.monotonic() > deadline:
                raise CriterionError(f"the broker did not take what {self.name} sent")
            time.sleep(0.01)

    def offer(self, payload: bytes) -> None:
        """Publishes and does not wait: the broker may well refuse."""
        self._client.publish(f"{self._topic}/up", payload, qos=1)

    def settled(self, upto: int, *, within_s: float = 30.0) -> float:
        """Waits for the ack that everything up to there is settled; real seconds. Raises CriterionError."""
        return self._ground.until(
            lambda: any(ack["upto"] >= upto for ack in self.acks), f"{self.name} settled to {upto}", within_s=within_s
        )


@contextmanager
def plain_device(testbed: Testbed, kind: str, *, number: int = 0) -> Iterator[PlainDevice]:
    """The ``number``-th device of a kind (band, cuff, robot, ...) of the homes that no simulator plays."""
    name = sorted(one for one in testbed.passwords if one.startswith(f"{kind}-"))[number]
    device = PlainDevice(testbed, name)
    device.open()
    try:
        yield device
    finally:
        device.close()
