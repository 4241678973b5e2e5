"""One MQTT connection as it passes by: nothing may be acknowledged on it that was not delivered on it."""

from dataclasses import dataclass, field
from struct import Struct
from typing import Final

_PUBLISH: Final = 0x30
_PUBACK: Final = 0x40
_KIND: Final = 0xF0
_QOS_BITS: Final = 0x06
_QOS_1: Final = 0x02
_CONTINUES: Final = 0x80
_LOW_BITS: Final = 0x7F
_TWO_BYTES: Final = Struct("!H")


@dataclass(slots=True)
class Packets:
    """Cuts one direction of a connection into packets: (first byte, what follows the length)."""

    _rest: bytes = b""

    def take(self, data: bytes) -> list[tuple[int, bytes]]:
        """The packets that ``data`` completes."""
        self._rest += data
        found, start = [], 0
        while (place := _body_of(self._rest, start)) is not None and place[1] <= len(self._rest):
            body, end = place
            found.append((self._rest[start], self._rest[body:end]))
            start = end
        self._rest = self._rest[start:]
        return found


@dataclass(slots=True)
class Handshakes:
    """What a client acknowledges of what the broker delivers with QoS 1. ``wrong`` holds the packet ids astray."""

    delivered: int = 0
    acknowledged: int = 0
    wrong: list[int] = field(default_factory=list)
    _from_broker: Packets = field(default_factory=Packets)
    _from_client: Packets = field(default_factory=Packets)
    _waiting: set[int] = field(default_factory=set)

    def broker_says(self, data: bytes) -> None:
        """Notes the messages that it delivers."""
        for first, body in self._from_broker.take(data):
            if first & _KIND == _PUBLISH and first & _QOS_BITS == _QOS_1:
                topic_length = _TWO_BYTES.unpack_from(body)[0]
                self._waiting.add(_TWO_BYTES.unpack_from(body, 2 + topic_length)[0])
                self.delivered += 1

    def client_says(self, data: bytes) -> None:
        """Holds its acknowledgements against what was delivered: each once, and none of another connection's."""
        for first, body in self._from_client.take(data):
            if first & _KIND != _PUBACK:
                continue
            packet_id = _TWO_BYTES.unpack_from(body)[0]
            # Removed, since a packet id is used again after its PUBACK.
            if packet_id in self._waiting:
                self._waiting.remove(packet_id)
                self.acknowledged += 1
            else:
                self.wrong.append(packet_id)


def _body_of(data: bytes, start: int) -> tuple[int, int] | None:
    """Where the packet at ``start`` has its body and its end; None where its length is not there yet."""
    length = shift = 0
    for position in range(start + 1, len(data)):
        length |= (data[position] & _LOW_BITS) << shift
        if data[position] < _CONTINUES:
            return position + 1, position + 1 + length
        shift += 7
    return None
