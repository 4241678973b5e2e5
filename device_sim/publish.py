"""Many devices' MQTT connections in one thread: paho clients driven from outside through one selector."""

import selectors
import ssl
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final, Protocol

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from device_sim.mqtt_client import UplinkClient
from schemas.codec import encode_status
from schemas.messages import DeviceStatus
from schemas.topics import ACK, COMMANDS, STATUS, UP
from transport.tls import client_context

_KEEPALIVE_S: Final = 30
_SESSION_EXPIRY_S: Final = 24 * 3600
_CONNECTS_A_POLL: Final = 20
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 5.0
_MISC_EVERY_S: Final = 1.0
_LOOPBACK: Final = "127.0.0.1"
_OF_ONE_ADDRESS: Final = 10_000
"""Connections. With half of an address's ports taken the kernel searches milliseconds for each further one."""
FIRMWARE: Final = "sim-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the broker is, which MQTT it is spoken to in (5 or 3), and the devices' passwords, if it asks for them.

    ``ca_file``: by TLS, with a certificate of this CA.
    """

    host: str
    port: int
    mqtt: int = 5
    passwords: Mapping[str, str]
    ca_file: Path | None = None

    def context(self) -> ssl.SSLContext | None:
        """For TLS; None where there is none. Raises OSError."""
        return None if self.ca_file is None else client_context(self.ca_file)


class Listener(Protocol):
    """The device behind a connection."""

    def on_connected(self, *, session_present: bool, undelivered: Iterable[int]) -> None:
        """The broker took the connection. ``undelivered``: numbers it never confirmed on the one before."""

    def on_ack(self, payload: bytes) -> None:
        """An end-to-end acknowledgement."""

    def on_command(self, payload: bytes) -> None:
        """Something the platform asks for."""


def source_of(host: str, number: int) -> str:
    """The address that the connection after ``number`` others comes from, "" for any; loopback has many (on Linux)."""
    return f"127.0.0.{1 + number // _OF_ONE_ADDRESS}" if host == _LOOPBACK and number >= _OF_ONE_ADDRESS else ""


class Link:
    """One device's connection. Nothing is published from inside a paho callback."""

    def __init__(self, network: "Network", device: str, shard: int, listener: Listener) -> None:
        self.device, self.listener, self.online = device, listener, False
        self.wanted = True
        self.battery_percent: float | None = 90
        self.retry_at, self.pause = 0.0, _FIRST_PAUSE_S
        self._network = network
        self._up, self._status = UP.of(shard, device), STATUS.of(shard, device)
        self._ack, self._commands = ACK.of(shard, device), COMMANDS.of(shard, device)
        self._undelivered: list[int] = []
        self.client = self._make_client(network.broker, source_of(network.broker.host, len(network.links)))

    def _make_client(self, broker: Broker, source: str) -> UplinkClient:
        five = broker.mqtt == 5  # noqa: PLR2004 - MQTT 5
        client = UplinkClient(
            CallbackAPIVersion.VERSION2,
            client_id=self.device,
            clean_session=None if five else False,
            protocol=paho.MQTTv5 if five else paho.MQTTv311,
            up=self._up,
            quick_topic=self._ack,
        )
        client.connect_timeout = 1.0
        if (context := self._network.context) is not None:
            client.use_tls(context)
        # To paho, 0 means no limit.
        client.max_queued_messages_set(0)
        client.username_pw_set(self.device, broker.passwords.get(self.device))
        client.will_set(self._status, encode_status(DeviceStatus(state="offline")), qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_quick = self._on_quick
        client.on_refused = self._on_refused
        client.on_socket_open = self._network.on_open
        client.on_socket_close = self._network.on_close
        client.user_data_set(self)
        properties = None
        if five:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = _SESSION_EXPIRY_S
            client.connect_async(
                broker.host, broker.port, _KEEPALIVE_S, source, clean_start=False, properties=properties
            )
        else:
            client.connect_async(broker.host, broker.port, _KEEPALIVE_S, source)
        return client

    def _on_connect(self, client: paho.Client, _data: Any, flags: paho.ConnectFlags, code: ReasonCode, _p: Any) -> None:
        if code.is_failure:
            self._network.rejections[f"connect: {code}"] += 1
            return
        five = self._network.broker.mqtt == 5  # noqa: PLR2004 - MQTT 5
        if five:
            client.subscribe([(self._ack, SubscribeOptions(qos=0)), (self._commands, SubscribeOptions(qos=1))])
        else:
            client.subscribe([(self._ack, 0), (self._commands, 1)])
        self.online, self.pause = True, _FIRST_PAUSE_S
        self._network.arrived.append((self, flags.session_present))

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _p: Any) -> None:
        if self.online:
            self._network.disconnects += 1
        if code.is_failure:
            self._network.rejections[f"disconnect: {code}"] += 1
        self.online = False
        self._network.wait(self)

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self._network.inbox.append((self, message))

    def _on_quick(self, payload: bytes) -> None:
        self._network.acks.append((self, payload))

    def _on_refused(self, code: int) -> None:
        self._network.rejections[f"publish: 0x{code:02x}"] += 1

    def deliver(self, message: paho.MQTTMessage) -> None:
        """Hands the device what came by paho's own way."""
        if message.topic == self._commands:
            self.listener.on_command(bytes(message.payload))
        elif message.topic == self._ack:
            self.listener.on_ack(bytes(message.payload))

    def begin(self, *, session_present: bool) -> None:
        """After the broker's answer: says who is there and lets the device send."""
        status = DeviceStatus(state="online", battery_percent=self.battery_percent, firmware=FIRMWARE)
        self.client.publish(self._status, encode_status(status), qos=1, retain=True)
        self.listener.on_connected(session_present=session_present, undelivered=self._undelivered)
        self._undelivered = []
        self._go_on_writing()

    def send(self, seq: int, payload: bytes) -> None:
        """Publishes an uplink."""
        self.client.send_uplink(seq, payload)
        self._go_on_writing()

    def publish_raw(self, topic: str, payload: bytes, *, retain: bool) -> None:
        """Publishes bytes as they are, in paho's own way."""
        self.client.publish(topic, payload, qos=1, retain=retain)
        self._go_on_writing()

    def _go_on_writing(self) -> None:
        if self.client.want_write():
            self._network.watch_writes(self)

    def open(self) -> bool:
        """Begins to connect; False where nobody answers. What the broker has not confirmed is the device's again."""
        self.client.drop_out_messages()
        self._undelivered += self.client.undelivered()
        try:
            self.client.reconnect()
        except OSError:
            self._network.wait(self)
            return False
        return True

    def leave(self) -> None:
        """Says that the device goes, and goes."""
        left = DeviceStatus(state="offline", leaving=True)
        self.client.publish(self._status, encode_status(left), qos=1, retain=True)
        self.client.disconnect()

    def cut(self) -> None:
        """Ends the connection without a word, as a power cut does."""
        sock = self.client.socket()
        self.online = False
        if sock is not None:
            self._network.forget(self)
            sock.close()  # paho notices when it is asked to connect again


class Network:
    """All connections of a simulator."""

    def __init__(self, broker: Broker, draw: Random) -> None:
        self.broker, self.context = broker, broker.context()
        self.links: list[Link] = []
        self.arrived: deque[tuple[Link, bool]] = deque()
        self.acks: list[tuple[Link, bytes]] = []
        self.inbox: deque[tuple[Link, paho.MQTTMessage]] = deque()
        self.rejections: Counter[str] = Counter()
        self.disconnects = 0
        self._draw = draw
        self._selector = selectors.DefaultSelector()
        self._waiting: deque[Link] = deque()
        self._next_misc = 0.0

    def add(self, device: str, shard: int, listener: Listener) -> Link:
        """A device that will be connected by the next polls."""
        link = Link(self, device, shard, listener)
        self.links.append(link)
        self._waiting.append(link)
        return link

    @property
    def unconfirmed(self) -> bool:
        """Whether uplinks wait for the broker's confirmation."""
        return any(link.client.has_unconfirmed for link in self.links)

    def wait(self, link: Link) -> None:
        """Connects again after a pause that grows."""
        link.retry_at = time.monotonic() + link.pause * self._draw.uniform(0.5, 1)
        link.pause = min(2 * link.pause, _LONGEST_PAUSE_S)
        if link.wanted and link not in self._waiting:
            self._waiting.append(link)

    def connect_at_once(self) -> None:
        """The broker is there again: nobody waits any longer."""
        for link in self._waiting:
            link.retry_at, link.pause = 0.0, _FIRST_PAUSE_S

    def power_off(self, link: Link) -> None:
        link.wanted = False
        link.cut()

    def power_on(self, link: Link) -> None:
        link.wanted, link.retry_at = True, 0.0
        if link not in self._waiting:
            self._waiting.append(link)

    def on_open(self, _client: paho.Client, link: Link, sock: Any) -> None:
        self._selector.register(sock, selectors.EVENT_READ, link)

    def on_close(self, _client: paho.Client, _link: Link, sock: Any) -> None:
        self._unregister(sock)

    def forget(self, link: Link) -> None:
        """Stops watching a connection."""
        self._unregister(link.client.socket())

    def _unregister(self, sock: Any) -> None:
        try:
            self._selector.unregister(sock)
        except (KeyError, ValueError):
            return

    def watch_writes(self, link: Link) -> None:
        """The socket did not take everything: goes on as soon as it can."""
        sock = link.client.socket()
        if sock is not None:
            self._selector.modify(sock, selectors.EVENT_READ | selectors.EVENT_WRITE, link)

    def poll(self, timeout_s: float) -> None:
        """Reads and writes what can be read and written, opens what has to be opened, hands the devices what came."""
        self._open_some()
        for key, mask in self._selector.select(timeout_s):
            link: Link = key.data
            if mask & selectors.EVENT_READ:
                link.client.loop_read()
            if link.client.want_write():
                self._write(link)
            elif mask & selectors.EVENT_WRITE:
                self._watch_reads(link)
        self._deliver()
        now = time.monotonic()
        if now >= self._next_misc:
            self._next_misc = now + _MISC_EVERY_S
            for link in self.links:
                link.client.loop_misc()

    def _write(self, link: Link) -> None:
        link.client.loop_write()
        if link.client.want_write():
            self.watch_writes(link)
        else:
            self._watch_reads(link)

    def _watch_reads(self, link: Link) -> None:
        sock = link.client.socket()
        if sock is not None:
            self._selector.modify(sock, selectors.EVENT_READ, link)

    def _deliver(self) -> None:
        while self.arrived:
            link, session_present = self.arrived.popleft()
            if link.online:
                link.begin(session_present=session_present)
        acks, self.acks = self.acks, []
        for link, payload in acks:
            link.listener.on_ack(payload)
        while self.inbox:
            link, message = self.inbox.popleft()
            link.deliver(message)

    def _open_some(self) -> None:
        now, opened = time.monotonic(), 0
        for _ in range(len(self._waiting)):
            link = self._waiting.popleft()
            if not link.wanted:
                continue
            if link.retry_at > now or opened >= _CONNECTS_A_POLL:
                self._waiting.append(link)
                continue
            opened += 1
            if not link.open():
                break  # a broker that does not answer must not hold up the rest

    def close(self) -> None:
        """Leaves; sessions stay at the broker."""
        # Those that we make ourselves here are not counted.
        disconnects = self.disconnects
        for link in self.links:
            link.wanted = False
            if link.online:
                link.leave()
        deadline = time.monotonic() + 2
        while any(link.online for link in self.links) and time.monotonic() < deadline:
            self.poll(0.05)
        self._selector.close()
        self.disconnects = disconnects
