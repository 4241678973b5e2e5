"""Every golden payload meets the fate that its index states."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import identity_of, write_json
from schemas.messages import MAX_ITEMS, WHOLE_UPLINK
from schemas.reasons import Flag, RejectionReason
from schemas.records import JudgedUplink
from services.ingest.core import judge
from services.ingest.registry import BoundPerson, RegisteredDevice
from tests.golden import BAD, DEVICE_NAMES, GOOD, RECEIVED_AT, SECOND_SLOT_SINCE, Golden, Stored

FOR_EVER = 2**53
MINUTE = GOOD[0]
DAY_MS = 86_400_000


def sender_of(example: Golden, *, moved_by: int = 0) -> RegisteredDevice:
    """A registered device whose slots are bound as the index says."""
    first = BoundPerson(person_no=1, home_no=1, from_ms=0, to_ms=FOR_EVER)
    second = BoundPerson(person_no=2, home_no=1, from_ms=SECOND_SLOT_SINCE + moved_by, to_ms=FOR_EVER)
    return RegisteredDevice(
        device_no=1,
        device=DEVICE_NAMES[example.type.code],
        home_no=1,
        shard=5,
        type=example.type,
        people={1: (first,), 2: (second,)},
    )


def judged(payload: bytes, sender: RegisteredDevice, received_at: int = RECEIVED_AT) -> JudgedUplink:
    return judge(payload, device=sender.device, entry=sender, shard=5, received_at=received_at)


def fates(uplink: JudgedUplink) -> tuple[dict[int, Stored], dict[int, tuple[str, str]]]:
    """What is stored and what is rejected, by item."""
    stored = {
        one.item: Stored(flags=Flag(one.flags), value=one.value, observed_at=one.observed_at, person_no=one.person_no)
        for one in uplink.readings
    }
    stored |= {
        one.item: Stored(flags=Flag(one.flags), value=None, observed_at=one.observed_at, person_no=one.person_no)
        for one in uplink.events
    }
    return stored, {one.item: (one.reason, one.field) for one in uplink.rejections}


def agrees(actual: Stored, expected: Stored) -> bool:
    """Whether all that the index says is so."""
    return (
        actual.flags == expected.flags
        and expected.value in {None, actual.value}
        and expected.observed_at in {None, actual.observed_at}
        and expected.person_no in {None, actual.person_no}
    )


@pytest.mark.parametrize("example", GOOD + BAD, ids=lambda example: example.name)
def test_a_golden_payload_meets_its_fate(example: Golden) -> None:
    uplink = judged(example.payload, sender_of(example))
    stored, rejected = fates(uplink)
    if example.decided_by == "ingest":
        assert rejected == example.rejected
        assert stored.keys() == example.stored.keys()
    assert [item for item, expected in example.stored.items() if not agrees(stored[item], expected)] == []


@pytest.mark.parametrize("example", GOOD + BAD, ids=lambda example: example.name)
def test_who_can_get_an_ack_gets_one(example: Golden) -> None:
    uplink = judged(example.payload, sender_of(example))
    identity = identity_of(example.payload)
    assert (uplink.epoch, uplink.seq) == (identity if example.acked else (-1, -1))
    assert bool(uplink.device_no) is example.acked


@pytest.mark.parametrize("example", BAD, ids=lambda example: example.name)
def test_the_bytes_of_a_refused_uplink_are_kept(example: Golden) -> None:
    uplink = judged(example.payload, sender_of(example))
    assert all(one.raw == example.payload for one in uplink.rejections if one.item == WHOLE_UPLINK)


@given(days=st.integers(min_value=-60, max_value=60))
def test_a_fate_does_not_depend_on_the_date(days: int) -> None:
    moved_by = days * DAY_MS
    for example in GOOD + BAD:
        sender = sender_of(example, moved_by=moved_by)
        uplink = judged(example.payload_at(RECEIVED_AT + moved_by), sender, RECEIVED_AT + moved_by)
        assert example.decided_by == "store" or fates(uplink)[1] == example.rejected


def test_an_unregistered_device_is_rejected_and_nobody_gets_an_ack() -> None:
    uplink = judge(MINUTE.payload, device="unregistered-1", entry=None, shard=5, received_at=RECEIVED_AT)
    assert fates(uplink) == ({}, {WHOLE_UPLINK: (RejectionReason.UNKNOWN_DEVICE, "")})
    assert (uplink.device_no, uplink.epoch, uplink.seq) == (0, -1, -1)


def uplink_of(items: int) -> bytes:
    reading = {"vital": "heart_rate", "value": 70, "at": RECEIVED_AT}
    body: dict[str, Any] = {"epoch": 1, "seq": 0, "sent_at": RECEIVED_AT, "clock": "synced", "oldest": 0}
    return write_json(body | {"readings": [reading] * items})


def test_an_uplink_may_be_full_but_not_more() -> None:
    sender = sender_of(MINUTE)
    assert len(judged(uplink_of(MAX_ITEMS), sender).readings) == MAX_ITEMS
    too_many = judged(uplink_of(MAX_ITEMS + 1), sender)
    assert fates(too_many) == ({}, {WHOLE_UPLINK: (RejectionReason.TOO_MANY_ITEMS, "readings")})


def test_depth_is_bounded() -> None:
    payload = b'{"epoch":1,"seq":0,"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    assert fates(judged(payload, sender_of(MINUTE)))[1] == {WHOLE_UPLINK: (RejectionReason.UNREADABLE, "")}


@given(payload=st.binary(max_size=400))
def test_no_bytes_make_the_judge_fail(payload: bytes) -> None:
    after_identity = judged(b'{"epoch":7,"seq":3,' + payload, sender_of(MINUTE))
    assert (after_identity.epoch, after_identity.seq) == (7, 3)
    judged(payload, sender_of(MINUTE))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["vital", "value", "at", "unit", "slot", "activity", "posture", "quality", "event", "method"])
WORDS = st.sampled_from(["heart_rate", "spo2", "skin_temperature", "Cel", "fall_suspected", "resting", RECEIVED_AT, 70])
ITEMS = st.lists(JSON | st.dictionaries(FIELDS, JSON | WORDS), max_size=6)


@given(readings=ITEMS, events=ITEMS)
def test_every_item_has_exactly_one_fate(readings: list[Any], events: list[Any]) -> None:
    body = {"epoch": 7, "seq": 3, "sent_at": RECEIVED_AT, "clock": "synced", "oldest": 0}
    uplink = judged(write_json(body | {"readings": readings, "events": events}), sender_of(MINUTE))
    stored, rejected = fates(uplink)
    items = [*stored, *rejected]
    assert len(items) == len(uplink.readings) + len(uplink.events) + len(uplink.rejections)
    assert sorted(items) == list(range(len(readings) + len(events)))
