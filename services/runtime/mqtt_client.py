"""A paho client with a short way for what a busy service does all day, in bursts: QoS 1 in, PUBACKs and acks out.

Every other packet goes the way that `transport.mqtt_client` says.
"""

import ssl
from collections.abc import Callable, Sequence
from struct import Struct
from threading import RLock
from time import sleep
from typing import Any, Final, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from transport.mqtt_client import DONE, ShortcutClient

_PAUSE_S: Final = 0.008
"""A pause after a burst, so that the next read finds more than one message. A read costs as much as
ten messages, and the further work on a burst as much as thirty."""
_CONTINUES: Final = 0x80
_LOW_BITS: Final = 0x7F
# Leaves out the flags for a duplicate and for retain.
_KIND_AND_QOS: Final = 0xF6
_PUBLISH_QOS_1: Final = paho.PUBLISH | 0x02
_RETAIN_BIT: Final = 0x01
_RETAINED: Final = bytes((paho.PUBLISH | 0x01,))
_TWO_BYTES: Final = Struct("!H")
_ACK: Final = Struct("!BBH")


class Arrived(NamedTuple):
    """A QoS 1 message as it came."""

    packet_id: int
    topic: str
    payload: bytes
    retained: bool


OnBurst = Callable[[Sequence[Arrived]], None]


class BurstClient(ShortcutClient):
    """MQTT 5 with manual acknowledgement. ``on_burst`` gets, in paho's thread, the QoS 1 messages of one read."""

    read_bytes = 262_144

    def __init__(self, client_id: str, on_burst: OnBurst) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5, manual_ack=True)
        self._on_burst = on_burst
        self._burst: list[Arrived] = []
        self._writing = RLock()

    def _packet_write(self) -> MQTTErrorCode:
        """One thread at a time: paho lets a second one in between the two halves of a packet."""
        with self._writing:
            return super()._packet_write()

    def receive(self, sock: Any) -> bytes:
        """As inherited. By TLS never while another thread writes: both use one state of OpenSSL."""
        if not isinstance(sock, ssl.SSLSocket):
            return super().receive(sock)
        with self._writing:
            return super().receive(sock)

    def acknowledge(self, packet_ids: Sequence[int]) -> None:
        """One write for all PUBACKs, in order."""
        if packet_ids:
            # Two bytes follow: the id. MQTT 5 leaves the reason code out where it says success.
            packets = b"".join(_ACK.pack(paho.PUBACK, 2, packet_id) for packet_id in packet_ids)
            self._packet_queue(paho.PUBACK, packets, 0, 0)

    def publish_retained(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """One write for many retained messages of QoS 0."""
        if messages:
            packets = b"".join([_retained(topic.encode(), payload) for topic, payload in messages])
            # Queued as a PUBACK, since paho keeps no account of these and does not look inside.
            self._packet_queue(paho.PUBACK, packets, 0, 0)

    def reconnect(self) -> MQTTErrorCode:
        """Drops what the last connection brought and nobody got: the broker sends it again."""
        self._burst = []
        return super().reconnect()

    def take_packet(self, command: int, data: bytes, start: int, end: int) -> MQTTErrorCode:
        """Messages of QoS 1."""
        if command & _KIND_AND_QOS == _PUBLISH_QOS_1:
            self._burst.append(_arrived(data, start, end, retained=bool(command & _RETAIN_BIT)))
            return DONE
        return self.take_slowly(command, data[start:end])

    def end_read(self) -> None:
        """Passes the burst on, and waits for the next one to grow."""
        if self._burst:
            burst, self._burst = self._burst, []
            self._on_burst(burst)
            sleep(_PAUSE_S)


def _retained(topic: bytes, payload: bytes) -> bytes:
    """A PUBLISH of QoS 0 with the retain flag and without properties."""
    length = 2 + len(topic) + 1 + len(payload)
    return b"".join((_RETAINED, _as_variable(length), _TWO_BYTES.pack(len(topic)), topic, b"\x00", payload))


def _as_variable(number: int) -> bytes:
    """``number`` as a variable byte integer."""
    digits = bytearray()
    while number >= _CONTINUES:
        digits.append(number & _LOW_BITS | _CONTINUES)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def _variable_integer(data: bytes, at: int) -> tuple[int, int]:
    """A variable byte integer at ``at`` and where it ends; an end of 0 where it is not all there."""
    value, shift = 0, 0
    for position in range(at, len(data)):
        value |= (data[position] & _LOW_BITS) << shift
        if data[position] < _CONTINUES:
            return value, position + 1
        shift += 7
    return 0, 0


def _arrived(data: bytes, body: int, end: int, *, retained: bool) -> Arrived:
    """The message of a PUBLISH packet; its properties are passed over."""
    topic_end = body + 2 + _TWO_BYTES.unpack_from(data, body)[0]
    topic = data[body + 2 : topic_end].decode(errors="replace")
    length, properties = _variable_integer(data, topic_end + 2)
    return Arrived(_TWO_BYTES.unpack_from(data, topic_end)[0], topic, data[properties + length : end], retained)
