"""From the bytes of records to the bytes of COPY: field by field what PostgreSQL's protocol says."""

import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import BrokenRecordError, decode_uplink_record, encode_uplink_record, seal
from schemas.records import JudgedReading, JudgedUplink, SealedUplink
from schemas.validity import STAMP_LIMIT
from services.store.rows import READING_COLUMNS, binary_copy, reading_rows

PG_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
FIELDS = {
    "person_no": ">i", "vital": ">h", "observed_at": ">q", "device_no": ">i", "epoch": ">q", "seq": ">q",
    "item": ">h", "value": ">d", "flags": ">i", "received_at": ">q",
}  # fmt: skip
TIMES = st.integers(min_value=0, max_value=4_102_444_800_000)
SERIALS = st.integers(min_value=0, max_value=2**31 - 1)
SMALL = st.integers(min_value=0, max_value=2**15 - 1)
BIG = st.integers(min_value=0, max_value=2**53 - 1)
READINGS = st.builds(
    JudgedReading, SMALL, SERIALS, SMALL, st.floats(allow_nan=False, allow_infinity=False), TIMES, SERIALS
)


@st.composite
def uplinks(draw: st.DrawFn) -> JudgedUplink:
    return JudgedUplink(
        device_no=draw(SERIALS),
        device="band-1",
        home_no=1,
        shard=2,
        epoch=draw(BIG),
        seq=draw(BIG),
        oldest=0,
        sent_at=0,
        received_at=draw(TIMES),
        readings=tuple(draw(st.lists(READINGS, max_size=4))),
    )


def rows_one_by_one(judged: list[JudgedUplink]) -> list[tuple[float, ...]]:
    return [
        (
            one.person_no, one.vital, one.observed_at, uplink.device_no, uplink.epoch, uplink.seq, one.item, one.value,
            one.flags, uplink.received_at,
        )
        for uplink in judged
        for one in uplink.readings
    ]  # fmt: skip


async def stream(sealed: list[SealedUplink]) -> bytes:
    return b"".join([chunk async for chunk in binary_copy(reading_rows(sealed))])


def parsed(copy: bytes) -> Iterator[dict[str, float]]:
    """What a server reads from the stream, by the chapter on COPY of PostgreSQL's manual."""
    assert copy[:19] == b"PGCOPY\n\xff\r\n\0" + bytes(8)
    place = 19
    while (number := struct.unpack_from(">h", copy, place)[0]) != -1:
        assert number == len(FIELDS)
        place += 2
        row = {}
        for name, form in FIELDS.items():
            assert struct.unpack_from(">i", copy, place) == (struct.calcsize(form),)
            (row[name],) = struct.unpack_from(form, copy, place + 4)
            place += 4 + struct.calcsize(form)
        yield row
    assert place + 2 == len(copy)


def milliseconds(microseconds: float) -> float:
    """A timestamptz of the wire as milliseconds since 1970."""
    return (PG_EPOCH + timedelta(microseconds=microseconds)).timestamp() * 1000


def test_the_columns_are_those_of_the_stream() -> None:
    assert tuple(FIELDS) == READING_COLUMNS


@given(judged=st.lists(uplinks(), max_size=6))
def test_rows_are_what_one_by_one_would_have_given(judged: list[JudgedUplink]) -> None:
    assert reading_rows([seal(one) for one in judged]).tolist() == rows_one_by_one(judged)


@given(judged=st.lists(uplinks(), max_size=6))
async def test_the_stream_says_the_same(judged: list[JudgedUplink]) -> None:
    found = [
        tuple(round(milliseconds(value)) if name.endswith("_at") else value for name, value in row.items())
        for row in parsed(await stream([seal(one) for one in judged]))
    ]
    assert found == rows_one_by_one(judged)


async def test_no_readings_are_an_empty_stream() -> None:
    assert list(parsed(await stream([]))) == []


@given(
    value=st.floats() | st.sampled_from([0.0, -0.0, 1e308]),
    observed_at=st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-1, 0, STAMP_LIMIT - 1, STAMP_LIMIT]),
)
def test_a_reading_is_refused_exactly_where_the_codec_refuses_it(value: float, observed_at: int) -> None:
    """Store looks at columns, the codec at readings, one by one: one rule, said in both."""
    uplink = JudgedUplink(1, "band-1", 1, 2, 7, 3, 0, 0, 0, (JudgedReading(0, 1, 1, value, observed_at, 0),))
    assert is_refused(lambda: reading_rows([seal(uplink)])) is is_refused(
        lambda: decode_uplink_record(encode_uplink_record(uplink))
    )


def is_refused(read: Callable[[], object]) -> bool:
    try:
        read()
    except BrokenRecordError:
        return True
    return False
