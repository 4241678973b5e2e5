"""A paho client that reads all there is in one go and gives the packets it knows a short way.

paho makes four ``recv`` calls, six objects and six locks for each packet. Connecting, subscribing,
keep-alive and errors stay paho's, and so does every packet that a subclass does not know.
"""

from time import monotonic
from typing import Any, ClassVar, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode

DONE: Final = MQTTErrorCode.MQTT_ERR_SUCCESS
_SHORTEST_PACKET: Final = 2
_CONTINUES: Final = 0x80
_LOW_BITS: Final = 0x7F


class ShortcutClient(paho.Client):
    """A subclass takes in ``take_packet`` what it is faster at than paho; all else it passes on."""

    read_bytes: ClassVar[int] = 65_536

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._rest = b""

    def take_packet(self, command: int, data: bytes, start: int, end: int) -> MQTTErrorCode:
        """A packet, whose body is ``data`` from ``start`` to ``end``. By paho's own way."""
        return self.take_slowly(command, data[start:end])

    def end_read(self) -> None:
        """Called once the packets of a read were taken, before paho hears what is wrong with one."""

    def reconnect(self) -> MQTTErrorCode:
        """Forgets half a packet of the connection before."""
        self._rest = b""
        return super().reconnect()

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:  # noqa: ARG002 - paho's signature
        """Reads what is there in one go."""
        if self._sock is None:
            return MQTTErrorCode.MQTT_ERR_NO_CONN
        try:
            data = self._sock.recv(self.read_bytes)
        except BlockingIOError:
            return DONE
        except OSError:
            data = b""
        if not data:
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        self._last_bytes_received = monotonic()  # without paho's lock: one store, nothing to tear
        problem = self._take_packets(self._rest + data if self._rest else data)
        self.end_read()
        if problem is None:
            return MQTTErrorCode.MQTT_ERR_NO_CONN
        return self._loop_rc_handle(problem) if problem else DONE

    def _take_packets(self, data: bytes) -> MQTTErrorCode | None:
        """What is wrong with a packet, if anything; None where one has ended the connection."""
        start, end = 0, len(data)
        while end - start >= _SHORTEST_PACKET:
            length, body, shift = data[start + 1], start + 2, 7
            if length >= _CONTINUES:
                length -= _CONTINUES
                # MQTT's variable length: seven bits a byte, the lowest first, the high bit says
                # that more follow.
                while body < end and data[body - 1] >= _CONTINUES:
                    length |= (data[body] & _LOW_BITS) << shift
                    shift += 7
                    body += 1
                if data[body - 1] >= _CONTINUES:
                    break
            if end - body < length:
                break
            problem = self.take_packet(data[start], data, body, body + length)
            if problem:
                return problem
            # A callback has closed the connection: the rest of the data is nobody's.
            if self._sock is None:
                return None
            start = body + length
        # The beginning of a packet whose rest has not arrived.
        self._rest = data[start:]
        return DONE

    def take_slowly(self, command: int, body: bytes) -> MQTTErrorCode:
        """Hands a packet to paho as if paho had read it."""
        self._in_packet = {
            "command": command,
            "have_remaining": 1,
            "remaining_count": [],
            "remaining_mult": 1,
            "remaining_length": len(body),
            "packet": bytearray(body),
            "to_process": 0,
            "pos": 0,
        }
        return self._packet_handle()
