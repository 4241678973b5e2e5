"""A device sends at its pace and may catch up; one that floods is held to its allowance, but for emergencies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import encode_uplink, write_json
from schemas.events import EVENT_TYPES, EventType
from schemas.messages import DeviceEvent, Uplink
from services.ingest.allowance import BYTES_AN_UPLINK, Allowance, DeviceAllowances, may_hold_emergency

PLAIN = b'{"epoch":1,"seq":0}'
EMERGENCY = b'{"epoch":1,"seq":0,"events":[{"event":"sos_pressed"}]}'


def admitted(limits: DeviceAllowances, device: str, payload: bytes, *, times: int, at_s: float = 0.0) -> int:
    return sum(limits.admit(device, payload, at_s) for _ in range(times))


@given(
    st.lists(st.floats(min_value=0, max_value=30), min_size=1, max_size=200),
    st.floats(min_value=0.5, max_value=50),
    st.integers(min_value=1, max_value=60),
)
def test_within_any_span_no_device_gets_more_than_its_burst_and_its_pace(
    gaps: list[float], per_s: float, burst: int
) -> None:
    allowance, now, taken = Allowance(per_s=per_s, burst=burst), 0.0, []
    for gap in gaps:
        now += gap / 10
        if allowance.take("band", 1, now):
            taken.append(now)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            assert last - first + 1 <= burst + per_s * (taken[last] - taken[first]) + 0.001


@given(st.floats(min_value=0.5, max_value=50), st.integers(min_value=1, max_value=60))
def test_who_keeps_to_the_pace_is_never_throttled(per_s: float, burst: int) -> None:
    allowance = Allowance(per_s=per_s, burst=burst)
    assert all(allowance.take("band", 1, place / per_s + 0.001 * place) for place in range(200))


def test_a_device_that_was_offline_sends_all_that_may_be_under_way_at_once() -> None:
    limits = DeviceAllowances(per_s=20, burst=4096)
    assert admitted(limits, "band", PLAIN, times=4096) == 4096
    assert not limits.admit("band", PLAIN, 0.0)
    assert limits.admit("band", PLAIN, 0.05)


def test_a_flood_of_one_device_takes_nothing_from_another() -> None:
    limits = DeviceAllowances(per_s=1, burst=5)
    assert admitted(limits, "flood", PLAIN, times=100) == 5
    assert admitted(limits, "band", PLAIN, times=5) == 5


def test_an_emergency_gets_through_a_flood_and_a_flood_of_cries_is_bounded() -> None:
    limits = DeviceAllowances(per_s=1, burst=5)
    admitted(limits, "band", PLAIN, times=100)
    assert admitted(limits, "band", EMERGENCY, times=100) == 5


def test_size_counts() -> None:
    limits = DeviceAllowances(per_s=1, burst=10)
    large = PLAIN + b" " * (4 * BYTES_AN_UPLINK)
    assert admitted(limits, "band", large, times=10) == 2


def test_what_was_throttled_is_reported_once_and_again_only_when_it_was_given_back() -> None:
    limits = DeviceAllowances(per_s=1, burst=1)
    admitted(limits, "band", PLAIN, times=4)
    throttled = limits.drain(0.0)
    assert dict(throttled) == {"band": 3}
    assert not limits.drain(0.0)
    limits.give_back(throttled.items())
    admitted(limits, "band", PLAIN, times=1)
    assert dict(limits.drain(0.0)) == {"band": 4}


@pytest.mark.parametrize(
    ("payload", "emergencies"), [(PLAIN, False), (EMERGENCY, True), (b'{"event":"fall_suspected"', True)]
)
def test_an_emergency_is_seen_even_in_what_can_not_be_parsed(payload: bytes, emergencies: bool) -> None:  # noqa: FBT001
    assert may_hold_emergency(payload) is emergencies


def test_who_has_rested_is_forgotten_when_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ingest.allowance.MOST_DEVICES", 2)
    allowance = Allowance(per_s=1, burst=5)
    for number in range(3):
        allowance.take(f"band-{number}", number + 1, 0.0)
    allowance.forget_rested(2.5)
    assert not allowance.take("band-2", 5, 2.5)
    assert allowance.take("band-0", 5, 2.5)


def test_items_that_are_rejected_cost_allowance_and_what_is_owed_is_paid_off_first() -> None:
    limits = DeviceAllowances(per_s=1, burst=10)
    assert limits.admit("junk", b"x", 0.0)
    limits.charge_for("junk", 1, 0.0)
    assert limits.admit("junk", b"x", 0.0)
    limits.charge_for("junk", 256, 0.0)
    assert not limits.admit("junk", b"x", 100.0)
    assert limits.admit("junk", b"x", 140.0)
    assert limits.admit("plain", b"x", 0.0)
    assert limits.admit("junk", b'"sos_pressed"', 0.0)


@pytest.mark.parametrize("row", EVENT_TYPES, ids=lambda row: row.kind)
def test_a_look_at_the_bytes_sees_every_emergency_that_is_judged_to_be_one(row: EventType) -> None:
    """The search of the bytes and the judgement ask the same column of the same table."""
    event = DeviceEvent(event=row.kind, at=5, details={"method": "imu"})
    uplink = Uplink(epoch=1, seq=0, sent_at=5, clock="synced", oldest=0, events=(event,))
    assert may_hold_emergency(encode_uplink(uplink)) is row.is_emergency


@given(text=st.text(max_size=20), row=st.sampled_from(EVENT_TYPES))
def test_whatever_else_an_uplink_says_its_emergency_is_seen(text: str, row: EventType) -> None:
    body = {"epoch": 1, "seq": 0, text: text, "events": [text, {"x": text, "event": row.kind.value}]}
    assert may_hold_emergency(write_json(body)) or not row.is_emergency
