"""A plain MQTT 5 client that remembers what the broker answered and sent it."""

import threading
import time
from collections.abc import Callable
from typing import Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

ANSWER_S = 10.0
SILENCE_S = 0.3
NOT_AUTHORISED = 0x87
BAD_PASSWORD = 0x86
_WITH_WILL = 0x04
#: The second says that nobody is subscribed.
ACCEPTED = {0x00, 0x10}


class Peer:
    """One MQTT 5 connection that remembers what the broker sent it."""

    def __init__(
        self,
        port: int,
        user: str | None,
        password: str,
        client_id: str | None = None,
        *,
        keeps_s: int = 0,
        will: tuple[str, bytes] | None = None,
    ) -> None:
        self.connected: ReasonCode | None = None
        self.lost = threading.Event()
        self.messages: list[tuple[str, bytes]] = []
        self._answered = threading.Event()
        self._acknowledged: dict[int, int] = {}
        self._client = Client(CallbackAPIVersion.VERSION2, client_id or user or "", protocol=MQTTProtocolVersion.MQTTv5)
        if user is not None:
            self._client.username_pw_set(user, password)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = lambda *_: self.lost.set()
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_acknowledged
        self._client.on_subscribe = self._on_subscribed
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = keeps_s
        if will is not None:
            self._client.will_set(*will, qos=1, retain=True)
        self._client.connect("127.0.0.1", port, clean_start=keeps_s == 0, properties=properties)
        self._client.loop_start()
        assert self._answered.wait(ANSWER_S), "the broker did not answer CONNECT"

    @property
    def refusal(self) -> int:
        assert self.connected is not None
        return self.connected.value

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        number = self._client.publish(topic, payload, qos=1, retain=retain).mid
        return self._answer(number)

    def send_unanswered(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, qos=1)

    def subscribe(self, topic: str) -> int:
        _, number = self._client.subscribe(topic, qos=1)
        assert number is not None
        return self._answer(number)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def leave_with_will(self) -> None:
        self._client.disconnect(ReasonCode(PacketTypes.DISCONNECT, identifier=_WITH_WILL))
        self._client.loop_stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self, number: int) -> int:
        wait_until(lambda: number in self._acknowledged)
        return self._acknowledged[number]

    def _on_connect(self, _client: Client, _data: object, _flags: object, reason: ReasonCode, _: object) -> None:
        self.connected = reason
        self._answered.set()
        if reason.is_failure:
            self._client.disconnect()

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self.messages.append((message.topic, bytes(message.payload)))

    def _on_acknowledged(
        self, _client: Client, _data: object, number: int, reason: ReasonCode, _: Properties | None
    ) -> None:
        self._acknowledged[number] = reason.value

    def _on_subscribed(
        self, _client: Client, _data: object, number: int, reasons: list[ReasonCode], _: Properties | None
    ) -> None:
        self._acknowledged[number] = reasons[0].value


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + ANSWER_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {ANSWER_S:.0f} s"
        time.sleep(0.01)
