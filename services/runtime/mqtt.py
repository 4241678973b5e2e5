"""One persistent MQTT 5 connection: paho's thread fills an inbox, the event loop drains it and acknowledges."""

import asyncio
import ssl
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from services.runtime.errors import ConnectionEndedError, RetryLaterError
from services.runtime.logs import logger
from services.runtime.mqtt_client import Arrived, BurstClient
from services.runtime.settings import MqttSettings

WINDOW: Final = 1000
"""Unacknowledged messages the broker may send us (``receive_maximum``); the broker's own limit must not be lower."""
_SESSION_EXPIRY_S: Final = 7 * 24 * 3600
_KEEPALIVE_S: Final = 15
_TAKEN_OVER: Final = 0x8E


class TakenOverError(ConnectionEndedError):
    """Another process uses the same client id; two of one instance were started by mistake."""


class MqttMessage(NamedTuple):
    """A message as received. ``connection`` says which connection its packet id belongs to.

    ``retained``: with the retain flag. Where the broker was asked for no replay its sender has set it just now.
    """

    connection: int
    packet_id: int
    topic: str
    payload: bytes
    retained: bool = False


class Link:
    """A connection that comes back by itself. Nothing here blocks; nothing raises inside paho's thread."""

    def __init__(self, settings: MqttSettings, client_id: str, filters: Sequence[str], how: SubscribeOptions) -> None:
        self.sessions_lost = 0
        self._filters, self._how = filters, how
        self._inbox: deque[MqttMessage] = deque()
        self._connection = 0
        self._loop = asyncio.get_running_loop()
        self._filled = asyncio.Event()
        self._online = asyncio.Event()
        self._failure: Exception | None = None
        self._refused = ""
        self._closing = False
        self._client = self._make_client(settings, client_id)
        self._thread = threading.Thread(target=self._run, args=(settings,), name=f"mqtt-{client_id}", daemon=True)

    def _make_client(self, settings: MqttSettings, client_id: str) -> BurstClient:
        client = BurstClient(client_id, self._on_burst)
        if (password := settings.password_of(client_id)) is not None:
            client.username_pw_set(client_id, password)
        if (context := settings.tls.context()) is not None:
            client.use_tls(context, settings.server_name)
        client.max_inflight_messages_set(WINDOW)
        # To paho, 0 means no limit.
        client.max_queued_messages_set(0)
        client.reconnect_delay_set(1, 2)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_connect_fail = self._on_connect_fail
        client.on_message = self._on_message
        return client

    def _on_connect_fail(self, _client: paho.Client, _data: Any) -> None:
        """A broker that is away comes back by itself; one whose certificate is refused needs somebody."""
        error = sys.exc_info()[1]
        if isinstance(error, ssl.SSLError) and str(error) != self._refused:
            self._refused = str(error)
            logger("mqtt").error("the broker's TLS was refused", reason=self._refused)

    def _run(self, settings: MqttSettings) -> None:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        # Only who subscribes has something to lose between two connections.
        properties.SessionExpiryInterval = _SESSION_EXPIRY_S if self._filters else 0
        properties.ReceiveMaximum = WINDOW
        try:
            self._client.connect_async(
                settings.host,
                settings.port,
                keepalive=_KEEPALIVE_S,
                clean_start=not self._filters,
                properties=properties,
            )
            # Without the argument, paho gives up where the broker is not there yet.
            self._client.loop_forever(retry_first_connection=True)
        except Exception as error:  # noqa: BLE001 - whatever ended the thread must end the process too
            self._failure = self._failure or error
        if not self._closing:
            self._failure = self._failure or ConnectionEndedError("the network thread ended")
            # Wakes ``take``, which raises the failure.
            self._loop.call_soon_threadsafe(self._filled.set)

    def _on_connect(self, client: paho.Client, _data: Any, flags: paho.ConnectFlags, code: ReasonCode, _p: Any) -> None:
        if code.is_failure:
            return
        # Counted at both ends of a connection, so that packet ids of a lost one match no later one.
        self._connection += 1
        if self._filters:
            if not flags.session_present:
                self.sessions_lost += 1
            client.subscribe([(name, self._how) for name in self._filters])
        self._loop.call_soon_threadsafe(self._online.set)

    def _on_disconnect(self, client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _p: Any) -> None:
        self._connection += 1
        if code.value == _TAKEN_OVER:
            # And no reconnecting: the two would throw each other out for ever.
            self._failure = TakenOverError(client._client_id.decode())  # noqa: SLF001 - paho shows it nowhere else
            client.disconnect()
        self._loop.call_soon_threadsafe(self._online.clear)

    def _on_burst(self, burst: Sequence[Arrived]) -> None:
        connection = self._connection
        self._inbox.extend([MqttMessage(connection, *arrived) for arrived in burst])
        if len(self._inbox) <= len(burst):  # looked at afterwards: whoever waits has seen the inbox empty before
            self._loop.call_soon_threadsafe(self._filled.set)

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        """QoS 0: nothing to acknowledge, so its packet id is 0."""
        self._on_burst([Arrived(0, message.topic, bytes(message.payload), message.retain)])

    @property
    def online(self) -> bool:
        """Connected as far as is known."""
        return self._online.is_set()

    async def connected(self) -> None:
        """Waits for the first connection."""
        await self._online.wait()

    @property
    def waiting(self) -> int:
        """How many messages ``take`` would find."""
        return len(self._inbox)

    async def take(self, *, wait_s: float, most: int = 2 * WINDOW) -> list[MqttMessage]:
        """What has arrived, in order; waits up to ``wait_s`` for the first. Raises ConnectionEndedError."""
        if not self._inbox:
            self._filled.clear()
            # A second look, after clearing: what paho's thread adds from here on sets the event
            # again.
            if not self._inbox and self._failure is None:
                try:
                    async with asyncio.timeout(wait_s):
                        await self._filled.wait()
                except TimeoutError:
                    return []
        if self._failure is not None:
            raise self._failure
        return [self._inbox.popleft() for _ in range(min(len(self._inbox), most))]

    def acknowledge(self, messages: Sequence[MqttMessage]) -> None:
        """PUBACKs, in order, what came on the present connection; the rest is delivered again by the broker."""
        self._client.acknowledge(
            [one.packet_id for one in messages if one.packet_id and one.connection == self._connection]
        )

    def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> paho.MQTTMessageInfo:
        """Hands a message to the connection. Raises RetryLaterError while there is none, and ConnectionEndedError."""
        self._check_online()
        return self._client.publish(topic, payload, qos=qos, retain=retain)

    def publish_retained(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Hands many retained messages of QoS 0 (topic, payload) over at once. Raises as ``publish`` does."""
        self._check_online()
        self._client.publish_retained(messages)

    def _check_online(self) -> None:
        if self._failure is not None:
            raise self._failure
        if not self._online.is_set():
            raise RetryLaterError("the MQTT broker is not connected")

    def start(self) -> None:
        """Begins to connect, and to connect again whenever the connection ends."""
        self._thread.start()

    async def close(self) -> None:
        """Leaves; a persistent session stays at the broker."""
        self._closing = True
        self._client.disconnect()
        await asyncio.to_thread(self._thread.join, 5)


WHAT_IS_KEPT: Final = SubscribeOptions(qos=1)
"""Begin with what the broker has retained: it is the present state of something."""
NEWS_ALONE: Final = SubscribeOptions(qos=1, retainAsPublished=True, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
"""Nothing retained, at no subscription: it was news once. Live messages come with the flag that they were sent with."""


@asynccontextmanager
async def open_link(
    settings: MqttSettings, *, client_id: str, filters: Sequence[str] = (), how: SubscribeOptions = NEWS_ALONE
) -> AsyncIterator[Link]:
    """A link with the user name ``client_id``. With ``filters`` it keeps a session and acknowledges by hand."""
    link = Link(settings, client_id, filters, how)
    link.start()
    try:
        yield link
    finally:
        await link.close()
