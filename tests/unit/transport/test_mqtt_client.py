"""Packets are read whole however the network cuts them, and paho hears of the end of a connection."""

import ssl
from collections import deque
from collections.abc import Sequence
from itertools import pairwise

import paho.mqtt.client as paho
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from transport.mqtt_client import DONE, ShortcutClient

MINE = 0x32
"""A PUBLISH of QoS 1."""
DISCONNECT = b"\xe0\x00"


class Socket:
    """Gives what it is asked to, a read at a time, and no more at once than is asked for."""

    def __init__(self, *reads: bytes) -> None:
        self.incoming = deque(reads)

    def recv(self, size: int) -> bytes:
        if not self.incoming:
            raise BlockingIOError
        data = self.incoming.popleft()
        if data[size:]:
            self.incoming.appendleft(data[size:])
        return data[:size]

    def send(self, data: bytes) -> int:
        return len(data)

    def close(self) -> None:
        """Nothing to close."""


class Recorder(ShortcutClient):
    """Keeps the packets of one kind, and notes in ``order`` what happens."""

    def __init__(self, *, problem: MQTTErrorCode = DONE) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id="a", protocol=paho.MQTTv5)
        self.kept, self.order, self._problem = list[bytes](), list[str](), problem
        self.on_disconnect = lambda *_: self.order.append("disconnect")
        self.on_message = lambda _client, _data, message: self.order.append(message.topic)

    def take_packet(self, command: int, data: bytes, start: int, end: int) -> MQTTErrorCode:
        if command != MINE:
            return super().take_packet(command, data, start, end)
        self.kept.append(data[start:end])
        return self._problem

    def end_read(self) -> None:
        self.order.append("end")


def connected(client: paho.Client, *reads: bytes) -> None:
    client._sock = Socket(*reads)  # type: ignore[assignment]  # noqa: SLF001 - a client without a broker


def packet(command: int, body: bytes) -> bytes:
    length, coded = len(body), b""
    while True:
        length, digit = divmod(length, 128)
        coded += bytes([digit | 0x80 if length else digit])
        if not length:
            return bytes([command]) + coded + body


def message(topic: str, payload: bytes, packet_id: int | None = None) -> bytes:
    """A PUBLISH of MQTT 5; of QoS 1 where it has an id."""
    number = b"" if packet_id is None else packet_id.to_bytes(2, "big")
    body = len(topic).to_bytes(2, "big") + topic.encode() + number + b"\x00" + payload
    return packet(0x30 if packet_id is None else MINE, body)


def cut(stream: bytes, places: Sequence[float]) -> list[bytes]:
    """The stream cut at these shares of its length, in reads no longer than a client takes at once."""
    at = {round(place * len(stream)) for place in places} | set(range(0, len(stream), ShortcutClient.read_bytes))
    return [stream[start:end] for start, end in pairwise(sorted({0, *at, len(stream)}))]


Bodies = st.lists(st.binary(max_size=200) | st.sampled_from([127, 128, 16_383, 16_384]).map(bytes), max_size=6)


@given(Bodies, st.lists(st.floats(0, 1), max_size=40))
def test_packets_are_read_whole_however_they_are_cut(bodies: Sequence[bytes], places: Sequence[float]) -> None:
    client = Recorder()
    reads = cut(b"".join(packet(MINE, body) + message("other", b"x") for body in bodies), places)
    connected(client, *reads)

    assert [client.loop_read() for _ in reads] == [DONE] * len(reads)

    assert client.kept == bodies
    assert [one for one in client.order if one != "end"] == ["other"] * len(bodies)
    assert client.order.count("end") == len(reads)


def test_half_a_packet_is_forgotten_with_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Recorder()
    connected(client, packet(MINE, b"begun")[:4])
    client.loop_read()
    monkeypatch.setattr(paho.Client, "reconnect", lambda _self: DONE)
    client.reconnect()
    connected(client, packet(MINE, b"whole"))
    client.loop_read()
    assert client.kept == [b"whole"]


def test_what_came_with_a_broken_packet_is_passed_on_before_the_connection_ends() -> None:
    client = Recorder(problem=MQTTErrorCode.MQTT_ERR_PROTOCOL)
    connected(client, packet(MINE, b"broken") + packet(MINE, b"never looked at"))
    assert client.loop_read() == MQTTErrorCode.MQTT_ERR_PROTOCOL
    assert (client.kept, client.order) == ([b"broken"], ["end", "disconnect"])


def test_nothing_is_taken_after_the_packet_that_ends_the_connection() -> None:
    client = Recorder()
    connected(client, packet(MINE, b"before") + DISCONNECT + packet(MINE, b"after"))
    assert client.loop_read() == MQTTErrorCode.MQTT_ERR_NO_CONN
    assert (client.kept, client.order) == ([b"before"], ["disconnect", "end"])


@pytest.mark.parametrize("reads", [(), (b"",)])
def test_a_quiet_connection_is_no_end_and_an_empty_read_is_one(reads: tuple[bytes, ...]) -> None:
    client = Recorder()
    connected(client, *reads)
    assert bool(client.loop_read()) is bool(reads)
    assert client.order == ["disconnect"] * len(reads)
    if reads:
        assert client.loop_read() == MQTTErrorCode.MQTT_ERR_NO_CONN


class Encrypted(ssl.SSLSocket):
    """Gives a record a read, as OpenSSL does, and then the error or the end that it was made with."""

    records: deque[bytes]
    after: type[OSError] | None

    def recv(self, size: int = 1024, flags: int = 0) -> bytes:  # noqa: ARG002 - ssl's signature
        if self.records:
            return self.records.popleft()
        if self.after is None:
            return b""
        raise self.after

    def close(self) -> None:
        """Nothing to close."""


def encrypted(*records: bytes, after: type[OSError] | None = ssl.SSLWantReadError) -> Encrypted:
    sock = Encrypted.__new__(Encrypted)
    sock.records, sock.after = deque(records), after
    return sock


@given(records=st.lists(st.binary(min_size=1, max_size=20_000), max_size=12))
def test_one_read_takes_all_records_that_are_there(records: list[bytes]) -> None:
    client, sock = Recorder(), encrypted(*records)

    taken = b""
    while sock.records:
        before = len(sock.records)
        data = client.receive(sock)
        # All of them, but where that is more than is read at once.
        assert not sock.records or len(data) >= client.read_bytes
        assert len(sock.records) < before
        taken += data
    assert taken == b"".join(records)


def test_nothing_yet_is_no_lost_connection_by_tls() -> None:
    for after in (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        client = Recorder()
        client._sock = encrypted(after=after)  # noqa: SLF001 - a client without a broker
        assert client.loop_read() == DONE


@pytest.mark.parametrize("after", [None, ConnectionResetError, ssl.SSLError])
def test_what_came_before_the_end_is_taken_before_the_end(after: type[OSError] | None) -> None:
    client = Recorder()
    client._sock = encrypted(b"\x32\x01", b"a", after=after)  # noqa: SLF001 - a client without a broker

    assert client.loop_read() == DONE
    assert client.kept == [b"a"]
    assert client.loop_read() == MQTTErrorCode.MQTT_ERR_CONN_LOST
