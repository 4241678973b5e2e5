"""What a device says of itself, judged: whose it is, and that nothing passes that a row could not hold."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import decode_uplink_record, encode_status, encode_uplink_record, write_json
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.messages import DeviceStatus
from schemas.records import DeviceWord
from services.ingest.device_words import word_of
from services.ingest.registry import BoundPerson, RegisteredDevice

NOW = 1_795_348_800_000
ANN = BoundPerson(person_no=1, home_no=3, from_ms=0, to_ms=2**53)
BEA = BoundPerson(person_no=2, home_no=3, from_ms=0, to_ms=2**53)
BAND = RegisteredDevice(
    device_no=7, device="band-7", home_no=3, shard=5, type=DEVICE_TYPE_BY_CODE["wearable_band"], people={1: (ANN,)}
)


def heard(payload: bytes, entry: RegisteredDevice | None = BAND, shard: int = 5) -> DeviceWord | None:
    return word_of(payload, entry=entry, shard=shard, received_at=NOW)


def test_a_last_will_and_a_good_bye_differ() -> None:
    will, left = heard(b'{"state":"offline"}'), heard(encode_status(DeviceStatus(state="offline", leaving=True)))
    assert will is not None
    assert left is not None
    assert (will.leaving, left.leaving) == (False, True)


def test_who_is_online_is_not_leaving_whatever_it_says() -> None:
    said = heard(b'{"state":"online","leaving":true,"battery_percent":80.5,"firmware":"2.1"}')
    assert said == DeviceWord(
        device_no=7, home_no=3, person_no=1, received_at=NOW, state="online", battery_percent=80.5, firmware="2.1"
    )


@pytest.mark.parametrize(
    ("people", "person_no"),
    [
        ({1: (ANN,)}, 1),
        ({1: (ANN,), 2: (BEA,)}, 0),
        ({1: (ANN,), 2: (ANN,)}, 1),
        ({}, 0),
        ({1: (replace(ANN, to_ms=NOW),)}, 0),
        ({1: (replace(ANN, home_no=4),)}, 0),
    ],
)
def test_it_is_about_the_one_person_who_has_the_device(
    people: dict[int, tuple[BoundPerson, ...]], person_no: int
) -> None:
    said = heard(b'{"state":"online"}', replace(BAND, people=people))
    assert said is not None
    assert said.person_no == person_no


@pytest.mark.parametrize(
    "payload", [b"", b"online", b"[]", b'{"state":"asleep"}', b'{"state":"online","firmware":"' + b"x" * 2000 + b'"}']
)
def test_what_is_no_status_says_nothing(payload: bytes) -> None:
    assert heard(payload) is None


def test_a_status_of_nobody_or_on_another_shard_says_nothing() -> None:
    assert heard(b'{"state":"online"}', None) is None
    assert heard(b'{"state":"online"}', shard=6) is None


@pytest.mark.parametrize(
    "rest",
    [{"battery_percent": 101}, {"battery_percent": -0.1}, {"firmware": "a\0b"}, {"firmware": "x" * 65}],
)
def test_a_battery_or_a_firmware_that_can_not_be_is_left_out(rest: dict[str, object]) -> None:
    said = heard(write_json({"state": "online", **rest}))
    assert said is not None
    assert (said.battery_percent, said.firmware) == (None, None)


JSON = st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=3)


@given(st.dictionaries(st.sampled_from(["state", "battery_percent", "firmware", "leaving", "more"]), JSON))
def test_whatever_it_says_a_word_can_be_kept_or_is_none(said: dict[str, object]) -> None:
    word = heard(write_json({"state": "online"} | said))
    if word is not None:
        assert decode_uplink_record(encode_uplink_record(word)) == word
