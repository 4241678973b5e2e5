"""Judging: every reason and every flag, bindings, unset clocks, and emergencies, which nothing silences."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import parse_json, write_json
from schemas.devices import DEVICE_TYPE_BY_CODE, DEVICE_TYPES
from schemas.events import EVENT_TYPE_BY_KIND, EVENT_TYPE_BY_NUMBER, EventKind
from schemas.messages import MAX_ITEMS, NEWEST_ACCEPTED_MS, OLDEST_ACCEPTED_MS, WHOLE_UPLINK
from schemas.reasons import UNSETTLED, Flag, RejectionReason
from schemas.records import JudgedEvent, JudgedReading, JudgedUplink
from schemas.vitals import VITAL_BY_CODE, VITALS
from services.ingest.core import judge
from services.ingest.registry import BoundPerson, RegisteredDevice

NOW = 1_795_348_800_000
HOUR = 3_600_000
FOR_EVER = 2**53
HOME, ELSEWHERE = 1, 2
PULSE = {"vital": "heart_rate", "value": 70, "at": NOW}
SOS = {"event": "sos_pressed", "at": NOW}
FALL = {"event": "fall_suspected", "at": NOW, "method": "imu"}


def bound(person_no: int, from_ms: int = 0, to_ms: int = FOR_EVER, home_no: int = HOME) -> BoundPerson:
    return BoundPerson(person_no=person_no, home_no=home_no, from_ms=from_ms, to_ms=to_ms)


def device(code: str = "wearable_band", *people: Iterable[BoundPerson]) -> RegisteredDevice:
    """A registered device of ``HOME``; ``people`` by slot from 1, by default one person for ever in slot 1."""
    slots = people or ((bound(1),),)
    return RegisteredDevice(
        device_no=7,
        device="device-7",
        home_no=HOME,
        shard=5,
        type=DEVICE_TYPE_BY_CODE[code],
        people={slot: tuple(held) for slot, held in enumerate(slots, start=1)},
    )


def body(*, readings: Any = (), events: Any = (), **envelope: Any) -> bytes:
    """An uplink that is in order, except for what ``envelope`` says; None leaves a field out."""
    fields = {"epoch": 11, "seq": 4, "sent_at": NOW, "clock": "synced", "oldest": 0}
    fields |= {"readings": readings, "events": events} | envelope
    return write_json({name: value for name, value in fields.items() if value is not None})


def judged(payload: bytes, entry: RegisteredDevice | None = None, *, received_at: int = NOW) -> JudgedUplink:
    entry = entry or device()
    return judge(payload, device=entry.device, entry=entry, shard=entry.shard, received_at=received_at)


def one_reading(reading: Any, entry: RegisteredDevice | None = None, **envelope: Any) -> JudgedReading:
    (stored,) = judged(body(readings=[reading], **envelope), entry).readings
    return stored


def one_event(event: Any, entry: RegisteredDevice | None = None, **envelope: Any) -> JudgedEvent:
    (stored,) = judged(body(events=[event], **envelope), entry).events
    return stored


def pulse(**changed: Any) -> dict[str, Any]:
    return {**PULSE, **changed}


REASONS: dict[RejectionReason, tuple[str, bytes, int]] = {
    # reason: the kind of device, what it sends, the item that is refused
    RejectionReason.NO_IDENTITY: ("wearable_band", b'{"seq":4,"epoch":11}', WHOLE_UPLINK),
    RejectionReason.UNREADABLE: ("wearable_band", b'{"epoch":11,"seq":4,\xff', WHOLE_UPLINK),
    RejectionReason.BAD_ENVELOPE: ("wearable_band", body(readings=[PULSE], clock="sundial"), WHOLE_UPLINK),
    RejectionReason.TOO_MANY_ITEMS: ("wearable_band", body(readings=[PULSE] * MAX_ITEMS, events=[SOS]), WHOLE_UPLINK),
    RejectionReason.BAD_ITEM: ("wearable_band", body(readings=[pulse(activity="asleep")]), 0),
    RejectionReason.UNKNOWN_VITAL: ("wearable_band", body(readings=[pulse(vital="mood")]), 0),
    RejectionReason.VITAL_NOT_OF_DEVICE: ("scale", body(readings=[pulse(slot=1)]), 0),
    RejectionReason.BAD_VALUE: ("wearable_band", body(readings=[PULSE, pulse(value="70")]), 1),
    RejectionReason.UNIT_MISSING: ("scale", body(readings=[{"vital": "weight", "value": 80, "at": NOW, "slot": 1}]), 0),
    RejectionReason.UNKNOWN_UNIT: ("wearable_band", body(readings=[pulse(unit="bpm")]), 0),
    RejectionReason.OUT_OF_RANGE: ("wearable_band", body(readings=[pulse(value=251)]), 0),
    RejectionReason.BAD_TIME: ("wearable_band", body(readings=[pulse(at="noon")]), 0),
    RejectionReason.TOO_OLD: ("wearable_band", body(readings=[pulse(at=NOW - OLDEST_ACCEPTED_MS - 1)]), 0),
    RejectionReason.IN_THE_FUTURE: ("wearable_band", body(readings=[pulse(at=NOW + NEWEST_ACCEPTED_MS + 1)]), 0),
    RejectionReason.EARLIER_BOOT: ("wearable_band", body(readings=[pulse(at=501)], sent_at=500, clock="unsynced"), 0),
    RejectionReason.BAD_SLOT: ("pressure_cuff", body(readings=[pulse(slot=3)]), 0),
    RejectionReason.UNATTRIBUTED: ("pressure_cuff", body(readings=[pulse(slot=2)]), 0),
    RejectionReason.UNKNOWN_EVENT: ("wearable_band", body(events=[{"event": "sneezed", "at": NOW}]), 0),
    RejectionReason.EVENT_NOT_OF_DEVICE: ("scale", body(events=[SOS]), 0),
    RejectionReason.BAD_DETAIL: (
        "pill_dispenser",
        body(events=[{"event": "cup_lifted", "at": NOW, "compartment": 64}]),
        0,
    ),
}
DECIDED_ELSEWHERE = {RejectionReason.UNKNOWN_DEVICE, RejectionReason.WRONG_SHARD, *UNSETTLED}


def test_every_reason_has_its_case() -> None:
    assert REASONS.keys() | DECIDED_ELSEWHERE == set(RejectionReason)


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_is_given_for_the_item_it_is_about(reason: RejectionReason) -> None:
    code, payload, item = REASONS[reason]
    uplink = judged(payload, device(code))
    assert [(one.item, one.reason) for one in uplink.rejections] == [(item, reason)]


def test_a_device_that_nobody_registered_is_refused_whole_and_belongs_to_no_home() -> None:
    uplink = judge(body(readings=[PULSE]), device="unregistered", entry=None, shard=5, received_at=NOW)
    assert [(one.item, one.reason) for one in uplink.rejections] == [(WHOLE_UPLINK, RejectionReason.UNKNOWN_DEVICE)]
    assert (uplink.device_no, uplink.home_no, uplink.epoch, uplink.seq) == (0, 0, -1, -1)


@pytest.mark.parametrize("name", ["a\x00b", "x" * 5000, "tab\there", "\x1b[31m"])
def test_the_name_of_a_unregistered_device_can_always_be_stored(name: str) -> None:
    uplink = judge(b"", device=name, entry=None, shard=5, received_at=NOW)
    assert uplink.device.isprintable()
    assert len(uplink.device) <= 64


WARMTH = {"vital": "body_temperature", "value": 33.1, "unit": "Cel", "at": NOW}


def test_what_an_older_band_calls_body_temperature_is_kept_as_that_of_its_skin_and_a_thermometer_is_believed() -> None:
    skin, body_temperature = VITAL_BY_CODE["skin_temperature"], VITAL_BY_CODE["body_temperature"]
    assert one_reading(WARMTH).vital == one_reading(WARMTH | {"vital": "skin_temperature"}).vital == skin.number
    assert one_reading(WARMTH | {"value": skin.lowest}).value < body_temperature.lowest
    assert one_reading(WARMTH, device("thermometer")).vital == body_temperature.number


def test_what_an_older_band_sends_while_nobody_wears_it_is_kept_under_the_name_of_what_it_is() -> None:
    (refused,) = judged(body(readings=[WARMTH]), device("wearable_band", ())).rejections
    assert parse_json(refused.raw) == WARMTH | {"vital": "skin_temperature"}


FLAGS: dict[Flag, tuple[bytes, RegisteredDevice]] = {
    Flag.UNSYNCED: (body(readings=[pulse(at=400)], sent_at=500, clock="unsynced"), device()),
    Flag.JUMPED: (body(readings=[PULSE], clock="jumped"), device()),
    Flag.CORRECTED_CLOCK: (body(readings=[pulse(at=NOW + HOUR)], sent_at=NOW + HOUR), device()),
    Flag.UNUSUAL: (body(readings=[pulse(value=29)]), device()),
    Flag.CLIPPED: (body(readings=[{"vital": "glucose", "value": 401, "unit": "mg/dL", "at": NOW}]), device("cgm")),
    Flag.RESTAMPED: (body(events=[{**SOS, "at": "now"}]), device()),
    Flag.POOR_QUALITY: (body(readings=[pulse(quality="poor")]), device()),
    Flag.NOBODY: (body(events=[SOS]), device("wearable_band", ())),
    Flag.OTHER_HOME: (body(readings=[PULSE]), device("wearable_band", (bound(2, home_no=ELSEWHERE),))),
    Flag.RESTING: (body(readings=[pulse(activity="resting")]), device()),
    Flag.MOVING: (body(readings=[pulse(activity="active")]), device()),
    Flag.UPRIGHT: (body(readings=[pulse(posture="upright")]), device()),
    Flag.LYING: (body(readings=[pulse(posture="lying")]), device()),
    Flag.CUFFLESS: (body(readings=[pulse(method="cuffless")]), device()),
}


def test_every_flag_has_its_case_here_or_among_the_rebindings() -> None:
    others = {Flag.ASSIGNED, Flag.RETAINED, Flag.BEFORE_REBINDING, Flag.REPEATED, Flag.HELD}
    assert FLAGS.keys() | others == set(Flag)


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
def test_a_flag_says_what_is_worth_knowing_and_no_more(flag: Flag) -> None:
    uplink = judged(*FLAGS[flag])
    flags = [one.flags for one in uplink.readings] + [one.flags for one in uplink.events]
    assert flags == [flag]


def test_an_ordinary_reading_carries_no_flag() -> None:
    ordinary = pulse(posture="sitting", quality="good", unit="/min")
    assert one_reading(ordinary) == JudgedReading(0, 1, VITAL_BY_CODE["heart_rate"].number, 70.0, NOW, 0)


def test_the_bounds_of_every_vital_are_possible_and_what_lies_beyond_is_not() -> None:
    for vital in VITALS:
        entry = next(device(row.code) for row in DEVICE_TYPES if vital.code in row.vitals)
        common = {"vital": vital.code, "unit": vital.unit, "at": NOW, "slot": 1}
        values = [vital.lowest, vital.highest, vital.lowest - 0.001, vital.highest + 0.001]
        uplink = judged(body(readings=[{**common, "value": value} for value in values]), entry)
        assert [one.value for one in uplink.readings] == [vital.lowest, vital.highest]
        assert [(one.item, one.reason) for one in uplink.rejections] == [
            (2, RejectionReason.OUT_OF_RANGE),
            (3, RejectionReason.OUT_OF_RANGE),
        ]


@given(
    unit=st.sampled_from(VITAL_BY_CODE["glucose"].units),
    value=st.floats(1, 700) | st.sampled_from([0.6, 2.2, 2.22, 2.25, 22.2, 22.3, 39, 40, 400, 401]),
)
def test_only_a_sensor_that_is_worn_gives_bounds_for_glucose(unit: str, value: float) -> None:
    """A meter's 39 is 39; and both reject the same."""
    reading = {"vital": "glucose", "value": value, "unit": unit, "at": NOW}
    worn, meter = (judged(body(readings=[reading]), device(code)) for code in ("cgm", "glucose_meter"))
    assert [one.reason for one in worn.rejections] == [one.reason for one in meter.rejections]
    assert [one.flags for one in meter.readings] == [0] * len(meter.readings)
    for sensed, measured in zip(worn.readings, meter.readings, strict=True):
        assert sensed.value == measured.value
        assert sensed.flags == (0 if 40 <= sensed.value <= 400 else Flag.CLIPPED)


@pytest.mark.parametrize(("value", "stored"), [(0.6, [10.8108]), (0.5, [])])
def test_a_meter_measures_from_0_6_mmol(value: float, stored: list[float]) -> None:
    uplink = judged(
        body(readings=[{"vital": "glucose", "value": value, "unit": "mmol/L", "at": NOW}]), device("glucose_meter")
    )
    assert [one.value for one in uplink.readings] == stored


# Who had the slot at the time


HANDED_OVER = NOW - HOUR


@given(age=st.integers(min_value=0, max_value=OLDEST_ACCEPTED_MS))
def test_a_reading_belongs_to_whoever_had_the_device_when_it_was_observed(age: int) -> None:
    entry = device("wearable_band", (bound(1, to_ms=HANDED_OVER), bound(2, from_ms=HANDED_OVER)))
    assert one_reading(pulse(at=NOW - age), entry).person_no == (2 if NOW - age >= HANDED_OVER else 1)


@given(at=st.integers(min_value=NOW - 3 * HOUR, max_value=NOW))
def test_between_two_owners_a_reading_is_nobodys(at: int) -> None:
    entry = device("wearable_band", (bound(1, to_ms=NOW - 2 * HOUR), bound(2, from_ms=NOW - HOUR)))
    uplink = judged(body(readings=[pulse(at=at)]), entry)
    if NOW - 2 * HOUR <= at < NOW - HOUR:
        assert [one.reason for one in uplink.rejections] == [RejectionReason.UNATTRIBUTED]
    else:
        assert [one.person_no for one in uplink.readings] == [1 if at < NOW - 2 * HOUR else 2]


def test_people_who_share_a_cuff_each_get_their_own() -> None:
    entry = device("pressure_cuff", (bound(1),), (bound(2),))
    uplink = judged(body(readings=[pulse(slot=1), pulse(slot=2)]), entry)
    assert [one.person_no for one in uplink.readings] == [1, 2]


def test_a_quiet_event_of_the_device_itself_needs_nobody() -> None:
    stored = one_event({"event": "low_battery", "at": NOW, "percent": 9}, device("wearable_band", ()))
    assert (stored.person_no, Flag(stored.flags), stored.details) == (0, Flag.NOBODY, {"percent": 9})


def test_an_answer_without_a_person_is_nobodys_and_rejected() -> None:
    uplink = judged(body(events=[{"event": "fall_answered", "at": NOW}]), device("wearable_band", ()))
    assert [one.reason for one in uplink.rejections] == [RejectionReason.UNATTRIBUTED]


# Clocks that were never set


@given(age=st.integers(min_value=0, max_value=OLDEST_ACCEPTED_MS), sent_at=st.integers(min_value=0, max_value=2**40))
def test_the_age_by_an_unset_clock_is_counted_back_from_reception(age: int, sent_at: int) -> None:
    uplink = judged(body(readings=[pulse(at=sent_at - age)], sent_at=sent_at, clock="unsynced"))
    if age > sent_at:
        assert [one.reason for one in uplink.rejections] == [RejectionReason.BAD_TIME]
    else:
        assert [one.observed_at for one in uplink.readings] == [NOW - age]


@given(ahead=st.integers(min_value=1, max_value=2**40))
def test_a_stamp_above_the_transmission_by_an_unset_clock_is_from_an_earlier_boot(ahead: int) -> None:
    uplink = judged(body(readings=[pulse(at=500 + ahead)], sent_at=500, clock="unsynced"))
    assert [one.reason for one in uplink.rejections] == [RejectionReason.EARLIER_BOOT]


@given(at=st.integers(min_value=-(2**60), max_value=2**60), received_at=st.integers(min_value=2**41, max_value=2**42))
def test_no_stored_stamp_lies_outside_what_is_accepted(at: int, received_at: int) -> None:
    uplink = judged(body(readings=[pulse(at=at)], sent_at=received_at), received_at=received_at)
    inside = received_at - OLDEST_ACCEPTED_MS <= at <= received_at + NEWEST_ACCEPTED_MS
    assert [one.observed_at for one in uplink.readings] == ([at] if inside else [])


# Emergencies


ANYTHING: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
EMERGENCIES = tuple(row.kind.value for row in EVENT_TYPE_BY_NUMBER.values() if row.is_emergency)
ENVELOPES = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("sent_at", "clock", "oldest", "readings", "firmware"), ANYTHING)
)


@given(
    kind=st.sampled_from(EMERGENCIES),
    fields=st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("at", "slot", "method", "confidence", "still_s", "posture", "room"), ANYTHING)
    ),
    envelope=ENVELOPES,
    people=st.lists(
        st.builds(bound, st.integers(1, 9), st.integers(0, 2 * NOW), st.integers(0, 2 * NOW), st.integers(1, 2)),
        max_size=2,
    ),
)
def test_nothing_but_noise_silences_an_emergency(
    kind: str, fields: dict[str, Any], envelope: dict[str, Any], people: list[BoundPerson]
) -> None:
    uplink = judged(body(events=[{**fields, "event": kind}], **envelope), device("wearable_band", people))
    (heard,) = uplink.events
    assert heard.kind == EVENT_TYPE_BY_KIND[kind].number
    assert NOW - OLDEST_ACCEPTED_MS <= heard.observed_at <= NOW + NEWEST_ACCEPTED_MS
    assert bool(heard.person_no) is not bool(heard.flags & Flag.NOBODY)
    assert heard.item not in {one.item for one in uplink.rejections}


def test_an_emergency_with_a_bad_stamp_takes_the_time_of_reception() -> None:
    heard = one_event({**FALL, "at": NOW + 10 * HOUR})
    assert (heard.observed_at, Flag(heard.flags), heard.person_no) == (NOW, Flag.RESTAMPED, 1)


def test_an_emergency_keeps_the_details_that_can_be_read() -> None:
    heard = one_event({**FALL, "confidence": 2, "peak_g": 3.5, "room": "kitchen", "posture": "folded"})
    assert heard.details == {"method": "imu", "peak_g": 3.5, "room": "kitchen"}


def test_an_emergency_in_an_uplink_with_too_many_items_is_heard() -> None:
    uplink = judged(body(readings=[PULSE] * MAX_ITEMS, events=[SOS]))
    assert [(one.item, one.observed_at) for one in uplink.events] == [(MAX_ITEMS, NOW)]


def test_a_device_that_cannot_fall_cannot_emergency_either() -> None:
    assert judged(body(events=[SOS], clock="sundial"), device("scale")).events == ()


# Whatever comes


ITEM = st.one_of(
    ANYTHING,
    st.fixed_dictionaries(
        {"vital": st.sampled_from([row.code for row in VITALS])},
        optional={
            "at": st.just(NOW) | ANYTHING,
            "value": st.integers(0, 300) | ANYTHING,
            "slot": st.integers(0, 3) | ANYTHING,
            "unit": st.sampled_from([unit for row in VITALS for unit in row.units]) | ANYTHING,
            "quality": st.just("poor") | ANYTHING,
        },
    ),
    st.fixed_dictionaries(
        {"event": st.sampled_from([kind.value for kind in EventKind])},
        optional={
            "at": st.just(NOW) | ANYTHING,
            "compartment": st.integers(0, 64) | ANYTHING,
            "result": st.just("done") | ANYTHING,
        }
        | dict.fromkeys(("slot", "answer", "command_id", "room"), ANYTHING),
    ),
)


@given(
    code=st.sampled_from([row.code for row in DEVICE_TYPES]),
    readings=st.lists(ITEM, max_size=6),
    events=st.lists(ITEM, max_size=6),
    envelope=ENVELOPES.map(lambda fields: {name: fields[name] for name in fields if name != "readings"}),
)
def test_an_uplink_of_any_device_is_refused_whole_or_each_item_has_one_fate(
    code: str, readings: list[Any], events: list[Any], envelope: dict[str, Any]
) -> None:
    uplink = judged(body(readings=readings, events=events, **envelope), device(code, (bound(1),), (bound(2),)))
    stored = [one.item for one in uplink.readings] + [one.item for one in uplink.events]
    fates = stored + [one.item for one in uplink.rejections]
    if WHOLE_UPLINK in fates:
        emergencies = {EVENT_TYPE_BY_KIND[kind].number for kind in EMERGENCIES}
        assert uplink.readings == ()
        assert len(uplink.rejections) == 1
        assert {one.kind for one in uplink.events} <= emergencies
    else:
        assert sorted(fates) == list(range(len(readings) + len(events)))


@given(payload=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_whatever_the_bytes_the_refusal_keeps_them(payload: bytes) -> None:
    uplink = judged(payload)
    assert [one.raw for one in uplink.rejections] == [payload]
