"""The short way through paho reads the same packets as paho, however they are cut, and keeps the broker's window."""

from collections import deque
from typing import Any

import paho.mqtt.client as paho
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion

from device_sim.mqtt_client import UplinkClient
from device_sim.publish import source_of

UP, ACK = "hb/v1/3/band-1/up", "hb/v1/3/band-1/ack"


class Socket:
    """A socket that gives what it is given and remembers what it gets."""

    def __init__(self) -> None:
        self.incoming: deque[bytes] = deque()
        self.written = bytearray()
        self.room = 10**9

    def recv(self, _size: int) -> bytes:
        if not self.incoming:
            raise BlockingIOError
        return self.incoming.popleft()

    def send(self, data: bytes) -> int:
        if not self.room:
            raise BlockingIOError
        taken = min(self.room, len(data))
        self.room -= taken
        self.written += data[:taken]
        return taken

    def close(self) -> None:
        """Nothing to close."""


def made(version: int = 5) -> tuple[UplinkClient, Socket, list[bytes], list[Any]]:
    protocol = paho.MQTTv5 if version == 5 else paho.MQTTv311
    client = UplinkClient(CallbackAPIVersion.VERSION2, client_id="band-1", protocol=protocol, up=UP, quick_topic=ACK)
    sock, acks, messages = Socket(), list[bytes](), list[Any]()
    client._sock = sock  # type: ignore[assignment]  # noqa: SLF001
    client.on_quick = acks.append
    client.on_message = lambda _client, _data, message: messages.append(message)
    return client, sock, acks, messages


def packet(command: int, body: bytes) -> bytes:
    length, coded = len(body), b""
    while True:
        length, digit = divmod(length, 128)
        coded += bytes([digit | 0x80 if length else digit])
        if not length:
            return bytes([command]) + coded + body


def text(value: str) -> bytes:
    return len(value).to_bytes(2, "big") + value.encode()


def published(topic: str, payload: bytes, version: int) -> bytes:
    return packet(0x30, text(topic) + (b"\x00" if version == 5 else b"") + payload)


@pytest.mark.parametrize("version", [3, 5])
@given(st.lists(st.binary(max_size=300), max_size=6), st.randoms(use_true_random=False))
def test_packets_are_understood_however_the_network_cuts_them(version: int, payloads: list[bytes], draw: Any) -> None:
    client, sock, acks, messages = made(version)
    stream = b"".join(
        published(ACK, payload, version) + packet(0x40, b"\xff\xfe") + published("other", b"x", version)
        for payload in payloads
    )
    while stream:
        cut = draw.randint(1, len(stream))
        sock.incoming.append(stream[:cut])
        stream = stream[cut:]
        client.loop_read()
    assert acks == payloads
    assert [message.topic for message in messages] == ["other"] * len(payloads)


@pytest.mark.parametrize("version", [3, 5])
def test_an_uplink_is_the_packet_that_paho_would_have_made(version: int) -> None:
    payload = b"y" * 300
    ours, our_socket, _, _ = made(version)
    theirs, their_socket, _, _ = made(version)
    ours.send_uplink(0, payload)
    theirs.publish(UP, payload, 1)
    assert our_socket.written == their_socket.written


def test_twenty_uplinks_at_most_wait_for_the_broker_and_the_rest_follows() -> None:
    client, sock, _, _ = made()
    for seq in range(25):
        client.send_uplink(seq, b"%d" % seq)
    before = len(sock.written)
    sock.incoming.append(packet(0x40, (1).to_bytes(2, "big")))
    client.loop_read()
    assert sock.written[before:].endswith(b"20")
    assert client.undelivered() == list(range(1, 25))
    assert client.undelivered() == []


def test_a_socket_that_takes_half_a_packet_gets_the_other_half_before_the_next() -> None:
    client, sock, _, _ = made()
    sock.room = 10
    client.send_uplink(0, b"first")
    client.send_uplink(1, b"second")
    assert client.want_write()
    sock.room = 10**9
    client.loop_write()
    whole, their_socket, _, _ = made()
    whole.send_uplink(0, b"first")
    whole.send_uplink(1, b"second")
    assert sock.written == their_socket.written


def test_a_refusal_of_the_broker_is_raised() -> None:
    client, sock, _, _ = made()
    codes: list[int] = []
    client.on_refused = codes.append
    client.send_uplink(0, b"x")
    sock.incoming.append(packet(0x40, b"\x00\x01\x87\x00"))
    client.loop_read()
    assert codes == [0x87]


def test_the_end_of_the_connection_is_noticed() -> None:
    client, sock, _, _ = made()
    ended: list[int] = []
    client.on_disconnect = lambda *_: ended.append(1)
    sock.incoming.append(b"")
    assert client.loop_read()
    assert ended == [1]
    assert client.socket() is None


def test_ten_thousand_connections_come_from_one_address_of_loopback_and_others_from_the_next() -> None:
    assert source_of("127.0.0.1", 9_999) == ""
    assert source_of("127.0.0.1", 10_000) == "127.0.0.2"
    assert source_of("127.0.0.1", 20_000) == "127.0.0.3"
    assert source_of("broker.example.org", 20_000) == ""
