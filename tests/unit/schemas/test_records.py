"""The records of the bus as bytes: nothing changes on the way, and what is no record is said to be none."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.codec import (
    BrokenRecordError,
    decode_settled,
    decode_uplink_record,
    encode_ack,
    encode_settled,
    encode_uplink_record,
    open_settled,
    open_uplink_record,
    seal,
)
from schemas.messages import SEQ_LIMIT, Ack, RejectedItem
from schemas.records import (
    DeviceWord,
    JudgedEvent,
    JudgedReading,
    JudgedUplink,
    Rejection,
    SettledRecord,
    WatermarkMarker,
)

NUMBERS = st.integers(min_value=0, max_value=2**53 - 1)
SMALL = st.integers(min_value=0, max_value=2**15 - 1)
SERIALS = st.integers(min_value=0, max_value=2**31 - 1)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=64)

READINGS = st.builds(
    JudgedReading,
    SMALL,
    SERIALS,
    SMALL,
    st.floats(allow_nan=False, allow_infinity=False),
    NUMBERS,
    SERIALS,
)
EVENTS = st.builds(
    JudgedEvent,
    SMALL,
    SERIALS,
    SMALL,
    NUMBERS,
    SERIALS,
    st.dictionaries(NAMES, st.booleans() | SMALL | NAMES, max_size=2),
)
REFUSALS = st.builds(
    Rejection,
    st.integers(min_value=-1, max_value=255),
    NAMES,
    NAMES,
    st.binary(max_size=40),
    st.integers(min_value=0, max_value=SEQ_LIMIT - 1),
    st.integers(min_value=0, max_value=2**31 - 1),
)
UPLINKS = st.builds(
    JudgedUplink,
    device_no=SERIALS,
    device=NAMES,
    home_no=SERIALS,
    shard=st.integers(min_value=-1, max_value=63),
    epoch=NUMBERS | st.just(-1),
    seq=NUMBERS | st.just(-1),
    oldest=NUMBERS,
    sent_at=NUMBERS,
    received_at=NUMBERS,
    readings=st.lists(READINGS, max_size=5).map(tuple),
    events=st.lists(EVENTS, max_size=2).map(tuple),
    rejections=st.lists(REFUSALS, max_size=2).map(tuple),
    device_type=st.integers(min_value=0, max_value=255),
)


@example(
    uplink=JudgedUplink(1, "d", 1, 0, 1, 1, 0, 0, 0, rejections=(Rejection(0, "", "", b"", observed_at=0, flags=1),))
)
@given(uplink=UPLINKS)
def test_an_uplink_comes_back_as_it_was(uplink: JudgedUplink) -> None:
    value = encode_uplink_record(uplink)
    assert decode_uplink_record(value) == uplink
    assert open_uplink_record(value) == seal(uplink)


@given(uplink=UPLINKS)
def test_a_record_of_before_types_were_written_is_read_without_one(uplink: JudgedUplink) -> None:
    value = encode_uplink_record(uplink)
    assert decode_uplink_record(b"\x01" + value[2:]) == uplink._replace(device_type=0)


@given(instance=NAMES, at=NUMBERS)
def test_a_marker_comes_back_as_it_was(instance: str, at: int) -> None:
    marker = WatermarkMarker(instance=instance, received_at=at)
    assert (
        decode_uplink_record(encode_uplink_record(marker)) == open_uplink_record(encode_uplink_record(marker)) == marker
    )


WORDS = st.builds(
    DeviceWord,
    device_no=st.integers(0, 2**31 - 1),
    home_no=st.integers(0, 2**31 - 1),
    person_no=st.integers(0, 2**31 - 1),
    received_at=NUMBERS,
    state=st.sampled_from(["online", "offline"]),
    leaving=st.booleans(),
    battery_percent=st.none() | st.floats(0, 100),
    firmware=st.none() | NAMES,
)


@given(word=WORDS)
def test_a_word_of_a_device_comes_back_as_it_was(word: DeviceWord) -> None:
    value = encode_uplink_record(word)
    assert decode_uplink_record(value) == open_uplink_record(value) == word


@given(word=WORDS, number=st.sampled_from([-1, 2**31]))
def test_a_word_with_a_number_that_no_row_holds_is_broken(word: DeviceWord, number: int) -> None:
    for broken in (replace(word, device_no=number), replace(word, home_no=number), replace(word, person_no=number)):
        with pytest.raises(BrokenRecordError):
            open_uplink_record(encode_uplink_record(broken))


@given(uplink=UPLINKS, data=st.data())
def test_a_record_that_was_cut_short_is_broken_or_lacks_only_what_follows_the_readings(
    uplink: JudgedUplink, data: st.DataObject
) -> None:
    value = encode_uplink_record(uplink)
    cut = value[: data.draw(st.integers(min_value=0, max_value=len(value) - 1))]
    try:
        left = decode_uplink_record(cut)
    except BrokenRecordError:
        return
    assert left == uplink._replace(events=(), rejections=())


@given(value=st.binary(max_size=120))
def test_whatever_the_bytes_a_record_is_read_or_broken(value: bytes) -> None:
    try:
        decode_uplink_record(value)
    except BrokenRecordError:
        return
    assert value[0] in {1, 2, 3, 4}


@pytest.mark.parametrize(
    "value", [b"", b"\x01", b"\x03", b"\x02", b"\x02{}", b"\x04" + bytes(80), b"\x04{}", b'["uplink"]']
)
def test_these_are_no_records(value: bytes) -> None:
    with pytest.raises(BrokenRecordError):
        open_uplink_record(value)


@given(
    shard=st.integers(min_value=0, max_value=63),
    upto=st.integers(min_value=-1, max_value=2**53 - 1),
    rejected=st.lists(st.builds(RejectedItem, seq=NUMBERS, item=SMALL, reason=NAMES), max_size=3).map(tuple),
)
def test_the_payload_of_a_settled_record_is_the_ack_that_the_device_gets(
    shard: int, upto: int, rejected: tuple[RejectedItem, ...]
) -> None:
    record = SettledRecord(
        device="band-7", shard=shard, ack=Ack(generation=1, epoch=4, upto=upto, gaps=((8, 9),), rejected=rejected)
    )
    value = encode_settled(record)
    assert open_settled(value) == (shard, "band-7", encode_ack(record.ack))
    assert decode_settled(value) == record


@pytest.mark.parametrize("value", [b"", b"3", b"3 band-7", b"three band-7 {}", b"3 band-7 {}", b"3 band-7 [1]"])
def test_these_are_no_settled_records(value: bytes) -> None:
    with pytest.raises(BrokenRecordError):
        decode_settled(value)
