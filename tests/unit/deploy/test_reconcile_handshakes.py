"""What the proof of a connection finds: acknowledgements of what it has not delivered, however the bytes are cut."""

from hypothesis import given
from hypothesis import strategies as st

from deploy.reconcile.handshakes import Handshakes

TOPIC = b"hb/v1/7/band-1/up"


def publish(packet_id: int, *, payload: bytes = b"x", qos: int = 1, again: bool = False) -> bytes:
    body = len(TOPIC).to_bytes(2) + TOPIC + (packet_id.to_bytes(2) if qos else b"") + b"\x00" + payload
    length, rest = b"", len(body)
    while True:
        rest, digit = divmod(rest, 128)[0], rest % 128
        length += bytes((digit | (0x80 if rest else 0),))
        if not rest:
            return bytes((0x30 | qos << 1 | again << 3,)) + length + body


def puback(packet_id: int) -> bytes:
    return b"\x40\x02" + packet_id.to_bytes(2)


def watched(delivered: bytes, acknowledged: bytes) -> Handshakes:
    made = Handshakes()
    made.broker_says(delivered)
    made.client_says(acknowledged)
    return made


def test_what_was_delivered_may_be_acknowledged() -> None:
    made = watched(publish(1) + publish(2, payload=b"y" * 5000), puback(1) + puback(2))
    assert (made.delivered, made.acknowledged, made.wrong) == (2, 2, [])


def test_what_was_not_delivered_may_not() -> None:
    assert watched(publish(1), puback(1) + puback(7)).wrong == [7]


def test_the_acknowledgement_of_an_old_message_under_the_same_number_shows_as_a_second_one() -> None:
    assert watched(publish(1), puback(1) + puback(1)).wrong == [1]


def test_a_number_may_be_used_again_once_it_was_acknowledged() -> None:
    made = watched(publish(1), puback(1))
    made.broker_says(publish(1, again=True))
    made.client_says(puback(1))
    assert made.wrong == []


def test_a_message_of_qos_0_has_nothing_to_acknowledge() -> None:
    assert watched(publish(0, qos=0), puback(1)).wrong == [1]


def test_other_packets_pass_by() -> None:
    made = watched(b"\x20\x03\x00\x00\x00" + publish(3) + b"\xd0\x00", b"\xc0\x00" + puback(3) + b"\xe0\x00")
    assert (made.acknowledged, made.wrong) == (1, [])


@given(ids=st.lists(st.integers(1, 65_535), unique=True, max_size=30), cut=st.integers(1, 9), size=st.integers(0, 400))
def test_the_bytes_may_be_cut_anywhere(ids: list[int], cut: int, size: int) -> None:
    made = Handshakes()
    for says, stream in (
        (made.broker_says, b"".join(publish(one, payload=b"p" * size) for one in ids)),
        (made.client_says, b"".join(puback(one) for one in ids)),
    ):
        for start in range(0, len(stream), cut):
            says(stream[start : start + cut])
    assert (made.delivered, made.acknowledged, made.wrong) == (len(ids), len(ids), [])
