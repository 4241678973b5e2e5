"""A paho client with a short way for the two packets that make up all the traffic: uplinks out, PUBACKs and acks in.

Measured with 1,000 connections and 4,000 uplinks/s: 196 us an uplink by paho's own way, 57 us by this one. Commands go
paho's own way, as does all that `transport.mqtt_client` says.
"""

from collections import deque
from collections.abc import Callable
from struct import Struct
from time import monotonic
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode

from transport.mqtt_client import DONE, ShortcutClient

_IN_FLIGHT: Final = 20
_PUBLISH_QOS_1: Final = 0x32
_PUBACK: Final = 0x40
_TWO_BYTES: Final = Struct("!H")
TakesPayload = Callable[[bytes], None]
TakesCode = Callable[[int], None]


class UplinkClient(ShortcutClient):
    """``on_quick(payload)`` gets what arrives on ``quick_topic`` with QoS 0; ``on_refused(code)`` gets bad PUBACKs."""

    def __init__(self, *arguments: Any, up: str, quick_topic: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.on_quick: TakesPayload = lambda _payload: None
        self.on_refused: TakesCode = lambda _code: None
        self._five = self._protocol == paho.MQTTv5
        self._up = _TWO_BYTES.pack(len(up)) + up.encode()
        quick = _TWO_BYTES.pack(len(quick_topic)) + quick_topic.encode()
        self._quick = quick + b"\x00" if self._five else quick
        self._under_way: dict[int, int] = {}
        self._queued: deque[tuple[int, bytes]] = deque()

    def send_uplink(self, seq: int, payload: bytes) -> None:
        """Publishes with QoS 1; waits in memory while the broker has twenty to confirm."""
        if len(self._under_way) >= _IN_FLIGHT or self._sock is None:
            self._queued.append((seq, payload))
        else:
            self._send_now(seq, payload)

    def undelivered(self) -> list[int]:
        """The numbers that the broker has not confirmed; they are forgotten here."""
        numbers = [*self._under_way.values(), *(seq for seq, _ in self._queued)]
        self._under_way.clear()
        self._queued.clear()
        return numbers

    @property
    def has_unconfirmed(self) -> bool:
        """Whether the broker has not confirmed something yet."""
        return bool(self._under_way or self._queued)

    def _send_now(self, seq: int, payload: bytes) -> None:
        mid = self._mid_generate()
        self._under_way[mid] = seq
        properties = b"\x00" if self._five else b""
        length = len(self._up) + 2 + len(properties) + len(payload)
        packet = bytearray((_PUBLISH_QOS_1,))
        self._pack_remaining_length(packet, length)
        packet += self._up
        packet += _TWO_BYTES.pack(mid)
        packet += properties
        packet += payload
        sent = 0
        # Straight to the socket, but never past what paho has queued: packets must keep their
        # order.
        if not self._out_packet and self._sock is not None:
            try:
                sent = self._sock.send(packet)
            except OSError:
                sent = 0  # paho finds out what it is when it tries to write the rest
            self._last_msg_out = monotonic()
        if sent < len(packet):
            self._packet_queue(_PUBLISH_QOS_1, packet[sent:], mid, 1)

    def take_packet(self, command: int, data: bytes, start: int, end: int) -> MQTTErrorCode:
        """PUBACKs of uplinks, and what arrives on the quick topic."""
        if command == _PUBACK:
            mid = data[start] << 8 | data[start + 1]
            if self._under_way.pop(mid, None) is not None:
                # A reason of 0 is success, and is left out.
                if end - start > 2 and data[start + 2]:  # noqa: PLR2004 - MQTT 5 adds a reason
                    self.on_refused(data[start + 2])
                if self._queued:
                    self._send_now(*self._queued.popleft())
                return DONE
        # Without the bits for a duplicate and for retain: QoS 0 alone, and on the quick topic.
        elif command & 0xF6 == paho.PUBLISH and data.startswith(self._quick, start, end):
            self.on_quick(data[start + len(self._quick) : end])
            return DONE
        return self.take_slowly(command, data[start:end])
