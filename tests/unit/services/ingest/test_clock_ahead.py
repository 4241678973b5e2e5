"""A clock that is ahead: the whole uplink is shifted by the difference, and nothing is rejected for it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import decode_uplink_record, encode_uplink_record, write_json
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.messages import NEWEST_ACCEPTED_MS, OLDEST_ACCEPTED_MS, REBINDING_GRACE_MS
from schemas.reasons import NOT_SCORED, Flag, RejectionReason
from schemas.records import JudgedEvent, JudgedReading, JudgedUplink
from schemas.validity import STAMP_LIMIT
from services.ingest.core import judge
from services.ingest.registry import BoundPerson, RegisteredDevice

NOW = 1_795_348_800_000
HOUR = 3_600_000
FOR_EVER = 2**53
LEAST = NEWEST_ACCEPTED_MS + 1
"""The least offset that is corrected."""
offsets = st.integers(LEAST, 400 * 24 * HOUR) | st.integers(LEAST, STAMP_LIMIT - NOW - NEWEST_ACCEPTED_MS - 1)
ages = st.integers(-NEWEST_ACCEPTED_MS - 9, 2 * HOUR) | st.integers(OLDEST_ACCEPTED_MS - 9, OLDEST_ACCEPTED_MS + 9)


def judged(
    *,
    ages: list[int],
    ahead: int = 0,
    clock: str = "synced",
    events: list[dict[str, Any]] | None = None,
    people: tuple[BoundPerson, ...] = (BoundPerson(person_no=1, home_no=1, from_ms=0, to_ms=FOR_EVER),),
) -> JudgedUplink:
    """Readings of these ages in ms, and events, of a device whose clock shows ``ahead`` more than the platform's."""
    clock_now = NOW + ahead
    entry = RegisteredDevice(
        device_no=7, device="d-7", home_no=1, shard=5, type=DEVICE_TYPE_BY_CODE["wearable_band"], people={1: people}
    )
    body = {
        "epoch": 11,
        "seq": 4,
        "sent_at": clock_now,
        "clock": clock,
        "oldest": 0,
        "readings": [{"vital": "heart_rate", "value": 70, "at": clock_now - age} for age in ages],
        "events": [{**one, "at": clock_now - one["age"]} for one in events or ()],
    }
    return judge(write_json(body), device="d-7", entry=entry, shard=5, received_at=NOW)


def fates(uplink: JudgedUplink, *, without: int = 0) -> list[tuple[Any, ...]]:
    """What became of each item, its flags but for ``without``."""
    items: list[JudgedReading | JudgedEvent] = [*uplink.readings, *uplink.events]
    kept = [(one.item, one.person_no, one.observed_at, one.flags & ~without) for one in items]
    return sorted(kept) + sorted((one.item, one.reason, one.field) for one in uplink.rejections)


@given(ahead=offsets, back=st.lists(ages, max_size=5), calls=st.lists(ages, max_size=2))
def test_an_uplink_of_a_clock_that_is_ahead_is_judged_as_one_of_a_clock_that_is_right(
    ahead: int, back: list[int], calls: list[int]
) -> None:
    events = [{"event": "worn", "age": age} for age in calls] + [{"event": "sos_pressed", "age": age} for age in calls]
    right = judged(ages=back, events=events)
    shifted = judged(ages=back, events=events, ahead=ahead)
    assert fates(shifted, without=Flag.CORRECTED_CLOCK) == fates(right)
    assert all(one.flags & Flag.CORRECTED_CLOCK for one in shifted.readings)
    assert all(one.flags & Flag.CORRECTED_CLOCK for one in shifted.events)
    assert (shifted.sent_at, shifted.received_at) == (NOW + ahead, NOW)
    assert decode_uplink_record(encode_uplink_record(shifted)) == shifted


@given(ahead=st.integers(-400 * 24 * HOUR, NEWEST_ACCEPTED_MS), age=st.integers(0, HOUR))
def test_a_clock_that_is_behind_or_ahead_by_two_minutes_at_most_is_left_as_it_is(ahead: int, age: int) -> None:
    uplink = judged(ages=[age], ahead=ahead)
    at = NOW + ahead - age
    if at < NOW - OLDEST_ACCEPTED_MS:
        assert [one.reason for one in uplink.rejections] == [RejectionReason.TOO_OLD]
    else:
        assert [(one.observed_at, one.flags) for one in uplink.readings] == [(at, 0)]


@pytest.mark.parametrize(
    ("ahead", "observed_at", "flags"),
    [
        (NEWEST_ACCEPTED_MS - 1, NOW + NEWEST_ACCEPTED_MS - 1, 0),
        (NEWEST_ACCEPTED_MS, NOW + NEWEST_ACCEPTED_MS, 0),
        (LEAST, NOW, Flag.CORRECTED_CLOCK),
    ],
)
def test_the_bound_is_two_minutes(ahead: int, observed_at: int, flags: int) -> None:
    assert [(one.observed_at, one.flags) for one in judged(ages=[0], ahead=ahead).readings] == [(observed_at, flags)]


def test_after_the_shift_the_other_bounds_hold_for_each_item() -> None:
    beyond = [OLDEST_ACCEPTED_MS, OLDEST_ACCEPTED_MS + 1, -NEWEST_ACCEPTED_MS, -NEWEST_ACCEPTED_MS - 1]
    uplink = judged(ages=beyond, ahead=4 * HOUR)
    assert [one.item for one in uplink.readings] == [0, 2]
    assert [(one.item, one.reason) for one in uplink.rejections] == [
        (1, RejectionReason.TOO_OLD),
        (3, RejectionReason.IN_THE_FUTURE),
    ]


@given(ahead=offsets | st.integers(-HOUR, 0), age=st.integers(0, HOUR))
def test_an_age_by_an_unset_clock_is_counted_back_once(ahead: int, age: int) -> None:
    (reading,) = judged(ages=[age], ahead=ahead, clock="unsynced").readings
    assert (reading.observed_at, Flag(reading.flags)) == (NOW - age, Flag.UNSYNCED)


def test_a_clock_that_jumped_and_is_ahead_is_shifted_and_still_not_scored() -> None:
    (reading,) = judged(ages=[HOUR], ahead=HOUR, clock="jumped").readings
    assert (reading.observed_at, Flag(reading.flags)) == (NOW - HOUR, Flag.JUMPED | Flag.CORRECTED_CLOCK)
    assert reading.flags & NOT_SCORED


def test_what_was_corrected_is_scored() -> None:
    (reading,) = judged(ages=[0], ahead=HOUR).readings
    assert not reading.flags & NOT_SCORED


def test_a_call_for_help_is_shifted_and_takes_the_time_of_reception_only_where_that_gives_no_time() -> None:
    calls = [{"event": "sos_pressed", "age": 5000}, {"event": "sos_pressed", "age": -HOUR}]
    uplink = judged(ages=[], events=calls, ahead=HOUR)
    assert [(one.observed_at, Flag(one.flags)) for one in uplink.events] == [
        (NOW - 5000, Flag.CORRECTED_CLOCK),
        (NOW, Flag.CORRECTED_CLOCK | Flag.RESTAMPED),
    ]


def test_an_item_belongs_to_whoever_had_the_device_at_the_corrected_time() -> None:
    changed = NOW - HOUR
    people = (
        BoundPerson(person_no=1, home_no=1, from_ms=0, to_ms=changed),
        BoundPerson(person_no=2, home_no=1, from_ms=changed, to_ms=FOR_EVER),
    )
    uplink = judged(ages=[HOUR + 1, HOUR], ahead=REBINDING_GRACE_MS, people=people)
    assert [one.person_no for one in uplink.readings] == [1, 2]


def test_what_nobody_owns_is_kept_with_the_corrected_time() -> None:
    (refused,) = judged(ages=[9], ahead=HOUR, people=()).rejections
    assert (refused.reason, refused.observed_at, refused.flags) == (
        RejectionReason.UNATTRIBUTED,
        NOW - 9,
        Flag.CORRECTED_CLOCK,
    )
