"""Whatever the bytes: ingest never fails, every item has one fate, and what is stored fits its columns.

`make fuzz` runs these with many more examples.
"""

import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.codec import write_json
from schemas.devices import DEVICE_TYPES
from schemas.events import EVENT_TYPES
from schemas.vitals import VITALS
from tests.proving.fuzz.judged import RECEIVED_AT, SENDERS, check_decoders, check_uplink

PROPERTIES = 4
many = settings(
    max_examples=int(os.environ.get("HB_FUZZ_EXAMPLES", "2000")) // PROPERTIES,
    suppress_health_check=[HealthCheck.too_slow],
)
senders = st.sampled_from(SENDERS)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
numbers = (
    st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0, -1, 1, 2**15, 2**31, 2**53 - 1, 2**53, 2**63, 2**64, 1e308, -0.0, 5e-324, True])
)
stamps = (
    st.integers(RECEIVED_AT - 32 * 86_400_000, RECEIVED_AT + 180_000)
    | st.sampled_from([RECEIVED_AT, RECEIVED_AT + 120_000, RECEIVED_AT + 120_001, RECEIVED_AT - 30 * 86_400_000])
    | numbers
)
units = st.sampled_from(sorted({unit for vital in VITALS for unit in vital.units})) | anything
codes = st.sampled_from([vital.code for vital in VITALS])
kinds = st.sampled_from([row.kind.value for row in EVENT_TYPES])
slots = st.integers(0, 3) | anything
words = st.sampled_from(["resting", "active", "upright", "lying", "good", "poor", "imu", "radar", "done", "expired"])


def sometimes(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


readings = st.builds(
    lambda needed, more: needed | more,
    st.fixed_dictionaries({"vital": codes, "value": numbers | st.floats(0, 700), "at": stamps}),
    sometimes(unit=units, slot=slots, activity=words, posture=words | anything, quality=words),
)
details = sorted({detail.name for row in EVENT_TYPES for detail in row.details})
events = st.builds(
    lambda needed, more: needed | more,
    st.fixed_dictionaries({"event": kinds, "at": stamps}),
    sometimes(slot=slots, **{name: words | numbers | st.text(max_size=70) | anything for name in details}),
)


def identified(epoch: int, seq: int, rest: dict[str, Any]) -> dict[str, Any]:
    """The identity first; a strategy of dictionaries keeps no order."""
    return {"epoch": epoch, "seq": seq} | rest


epochs = seqs = st.integers(0, 2**53 - 1)
almost_good = st.builds(
    identified,
    epochs,
    seqs,
    sometimes(
        sent_at=stamps,
        clock=st.sampled_from(["synced", "unsynced", "jumped"]) | anything,
        oldest=st.just(0) | numbers,
        readings=st.lists(readings | anything, max_size=6) | anything,
        events=st.lists(events | anything, max_size=6) | anything,
    ),
)
good_envelopes = st.builds(
    identified,
    epochs,
    seqs,
    st.fixed_dictionaries(
        {
            "sent_at": st.integers(0, 2**53 - 1),
            "clock": st.sampled_from(["synced", "unsynced", "jumped"]),
            "oldest": st.just(0),
            "readings": st.lists(readings, max_size=6),
            "events": st.lists(events, max_size=6),
        }
    ),
)


@many
@given(payload=st.binary(max_size=300), sender=senders)
def test_any_bytes_have_a_fate(payload: bytes, sender: Any) -> None:
    check_uplink(payload, sender)
    check_uplink(b'{"epoch":7,"seq":3,' + payload, sender)
    check_decoders(payload)
    check_decoders(b"\x01" + payload)


@many
@given(value=anything, sender=senders)
def test_any_json_has_a_fate(value: Any, sender: Any) -> None:
    check_uplink(write_json(value), sender)
    check_decoders(write_json(value))


@many
@given(body=almost_good, sender=senders)
def test_an_almost_good_uplink_has_a_fate(body: dict[str, Any], sender: Any) -> None:
    check_uplink(write_json(body), sender)


@many
@given(body=good_envelopes, sender=st.sampled_from(SENDERS[1:]))
def test_every_item_of_a_good_envelope_has_a_fate_of_its_own(body: dict[str, Any], sender: Any) -> None:
    uplink = check_uplink(write_json(body), sender)
    items = len(uplink.readings) + len(uplink.events) + len(uplink.rejections)
    assert items == len(body["readings"]) + len(body["events"])
    assert len(SENDERS) == len(DEVICE_TYPES) + 1
