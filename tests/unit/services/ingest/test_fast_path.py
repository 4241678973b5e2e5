"""The short way judges as the full way does, or declines: the same records, the same flags, the same bytes on the bus.

Payloads are written letter by letter, so that what JSON can say and a dictionary can't is tried, too: fields twice,
fields in any order, numbers that no column holds.
"""

import json
import math
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.codec import encode_uplink_record, parse_json
from schemas.devices import DEVICE_TYPE_BY_CODE, DEVICE_TYPES
from schemas.messages import NEWEST_ACCEPTED_MS, OLDEST_ACCEPTED_MS, REBINDING_GRACE_MS, SEQ_LIMIT
from schemas.reasons import Flag
from schemas.records import JudgedReading, JudgedUplink
from schemas.validity import CLOCK_FLAGS, CONTEXT_FLAGS, READING_FIELDS, VALUE_RULES, accepted_stamps
from schemas.vitals import VITAL_BY_CODE, VITALS, Vital
from services.ingest.core import judge
from services.ingest.fast_path import judge_plain
from services.ingest.registry import BoundPerson, RegisteredDevice
from tests.golden import BAD, GOOD

CONTEXTS = (CLOCK_FLAGS, *CONTEXT_FLAGS.values())
NOW = 1_795_348_800_000
HOUR = 3_600_000
FOR_EVER = 2**53
HOME, ELSEWHERE = 1, 2
PLAIN_VITALS = ("heart_rate", "spo2", "respiratory_rate", "steps")
"""Of a wearable band; skin temperature has two units, so a reading of it has to name one."""
Fields = tuple[tuple[str, str], ...]
"""A JSON object as written: names and texts of values, in order, not necessarily once each."""


class Sent(NamedTuple):
    """What is judged, from whom, when."""

    payload: bytes
    entry: RegisteredDevice
    received_at: int = NOW
    retained: bool = False


def written(fields: Fields) -> str:
    return "{" + ",".join(f'"{name}":{text}' for name, text in fields) + "}"


def sent(readings: list[str], entry: RegisteredDevice, received_at: int = NOW) -> Sent:
    """An uplink with a set clock that holds nothing but ``readings``."""
    head = f'{{"epoch":11,"seq":4,"sent_at":{NOW},"clock":"synced","oldest":0,"readings":['
    return Sent(f"{head}{','.join(readings)}]}}".encode(), entry, received_at)


def bound(person_no: int, from_ms: int = 0, to_ms: int = FOR_EVER, home_no: int = HOME) -> BoundPerson:
    return BoundPerson(person_no=person_no, home_no=home_no, from_ms=from_ms, to_ms=to_ms)


def device(code: str = "wearable_band", *people: BoundPerson) -> RegisteredDevice:
    """A registered device of ``HOME`` with its first slot bound."""
    kind = DEVICE_TYPE_BY_CODE[code]
    return RegisteredDevice(device_no=7, device="d-7", home_no=HOME, shard=5, type=kind, people={1: people})


def people_of(received_at: int) -> tuple[tuple[BoundPerson, ...], ...]:
    """Whose the slot may be: one person's, a lodger's, somebody's before, from now on, soon; nobody's."""
    now = received_at
    return (
        (bound(1),),
        (bound(1, home_no=ELSEWHERE),),
        (),
        (bound(1, 0, now), bound(2, now, FOR_EVER, ELSEWHERE)),
        (bound(1, 0, now + 1), bound(2, now + 1)),
        (bound(1, 0, now), bound(1, now)),
        (bound(1, 0, now - HOUR), bound(2, now - HOUR, FOR_EVER, ELSEWHERE)),
        (bound(1, 0, now - HOUR, ELSEWHERE), bound(2, now - HOUR)),
        (bound(1, now - HOUR, now - HOUR // 2),),
        (bound(1, 0, now - REBINDING_GRACE_MS - 1), bound(2, now - REBINDING_GRACE_MS - 1)),
        (bound(1, now),),
        (bound(1, now + 1),),
        (bound(1, now - HOUR, now + HOUR),),
    )


def ulps(value: float) -> tuple[float, float, float]:
    return math.nextafter(value, -math.inf), value, math.nextafter(value, math.inf)


def edges_of(vital: Vital) -> list[float]:
    """Every bound of a vital, what lies next to it, and what lies one unit beside it."""
    named = (vital.lowest, vital.highest, vital.flag_below, vital.flag_above, vital.clipped_low, vital.clipped_high)
    bounds = [bound for bound in named if bound is not None]
    return sorted({near for bound in bounds for near in (*ulps(bound), bound - 1, bound + 1)})


def stamps_around(received_at: int) -> list[int]:
    """Every bound of what is believed, and what lies beside it."""
    named = (
        0,
        received_at,
        received_at - OLDEST_ACCEPTED_MS,
        received_at + NEWEST_ACCEPTED_MS,
        received_at - HOUR,
        received_at - HOUR // 2,
        received_at - REBINDING_GRACE_MS,
        received_at + HOUR,
        SEQ_LIMIT,
    )
    return sorted({near for stamp in named for near in (stamp - 1, stamp, stamp + 1)})


def judged(one: Sent, **patched: Any) -> JudgedUplink:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in patched.items():
            patch.setattr(f"services.ingest.core.{name}", value)
        return judge(
            one.payload,
            device=one.entry.device,
            entry=one.entry,
            shard=5,
            received_at=one.received_at,
            retained=one.retained,
        )


def in_full(one: Sent) -> JudgedUplink:
    """What the full judgement says, the short way shut."""
    return judged(one, judge_plain=lambda *_: None)


def check(one: Sent) -> None:
    """Both ways say the same: by value, by type (70 is not 70.0), by the bytes that the bus gets."""
    short, full = judged(one), in_full(one)
    assert repr(short) == repr(full)
    assert encode_uplink_record(short) == encode_uplink_record(full)
    plain = plain_readings(one)
    if plain is not None and set_and_sent(one):
        assert repr(plain) == repr(full.readings)
        assert [refused for refused in full.rejections if refused.item in range(len(plain))] == []


def plain_readings(one: Sent) -> tuple[JudgedReading, ...] | None:
    """What the short way itself says of the readings."""
    body = parse_json(one.payload) if readable(one.payload) else None
    readings = body.get("readings", []) if isinstance(body, dict) else None
    if not isinstance(readings, list):
        return None
    return judge_plain(readings, one.entry, one.received_at, *accepted_stamps(one.received_at))


def readable(payload: bytes) -> bool:
    try:
        parse_json(payload)
    except ValueError:
        return False
    return True


def set_and_sent(one: Sent) -> bool:
    """Whether the full way gets to the readings with no flag for all of them: only then the short way is asked."""
    asked = []

    def ask(*_: Any) -> None:
        asked.append(1)

    judged(one, judge_plain=ask)
    return bool(asked)


# Every bound, one at a time: no chance involved.


def bare(code: str, value: str, at: str) -> str:
    return written((("vital", json.dumps(code)), ("value", value), ("at", at)))


def every_two() -> Iterator[Sent]:
    """Two readings of an uplink around each change of the slot's owner: what holds for one need not for the other."""
    stamps = [NOW - back + off for back in (0, HOUR // 2, HOUR, REBINDING_GRACE_MS) for off in (-1, 0, 1)]
    for people, *pair in product(people_of(NOW), stamps, stamps):
        readings = [bare("heart_rate", "70", str(at)) for at in pair]
        yield sent(readings, device("wearable_band", *people))


def every_edge() -> Iterator[Sent]:
    for kind, vital in product(DEVICE_TYPES, VITALS):
        for value in edges_of(vital):
            for text in {json.dumps(value), *([str(int(value))] if value == int(value) else [])}:
                yield sent([bare(vital.code, text, str(NOW))], device(kind.code, bound(1)))
    for received_at in (NOW, HOUR, OLDEST_ACCEPTED_MS, SEQ_LIMIT - 1):
        for people, at in product(people_of(received_at), stamps_around(received_at)):
            yield sent([bare("heart_rate", "70", str(at))], device("wearable_band", *people), received_at)


def test_every_bound_of_values_stamps_and_bindings_is_the_same_both_ways() -> None:
    for one in (*every_edge(), *every_two()):
        check(one)


@pytest.mark.parametrize("code", PLAIN_VITALS)
def test_the_short_way_goes_as_far_as_nothing_is_to_be_said(code: str) -> None:
    """Neither so wide that it is wrong, nor so narrow that it is of no use."""
    entry, stamps = device("wearable_band", bound(1)), accepted_stamps(NOW)
    for value in edges_of(VITAL_BY_CODE[code]):
        full = in_full(sent([bare(code, json.dumps(value), str(NOW))], entry))
        plain = judge_plain([{"vital": code, "value": value, "at": NOW}], entry, NOW, *stamps)
        nothing_to_say = [reading.flags for reading in full.readings] == [0]
        assert (plain is not None) is nothing_to_say


@pytest.mark.parametrize("at", stamps_around(NOW))
def test_the_short_way_takes_every_stamp_that_is_believed(at: int) -> None:
    entry = device("wearable_band", bound(1))
    full = in_full(sent([bare("heart_rate", "70", str(at))], entry))
    plain = judge_plain([{"vital": "heart_rate", "value": 70, "at": at}], entry, NOW, *accepted_stamps(NOW))
    assert (plain is not None) is bool(full.readings)


def test_the_short_way_is_taken_for_what_is_usual_and_for_nothing_else() -> None:
    pulse = {"vital": "heart_rate", "value": 70, "at": NOW}
    ask = partial(judge_plain, entry=device("wearable_band", bound(1)), received_at=NOW)
    asked: Callable[[list[Any]], Any] = lambda readings: ask(readings, oldest=0, newest=NOW)  # noqa: E731
    number = VITAL_BY_CODE["heart_rate"].number
    assert asked([pulse]) == (JudgedReading(0, 1, number, 70.0, NOW, 0),)
    assert asked([pulse, pulse | {"quality": "poor"}]) is None
    assert asked([pulse | {"value": 25}]) is None


@pytest.mark.parametrize("example", GOOD + BAD, ids=lambda example: example.name)
def test_a_golden_payload_is_judged_the_same_both_ways(example: Any) -> None:
    check(Sent(example.payload, device(example.type.code, bound(1))))


# Every field, one at a time: whatever JSON can hold in its place, beside it, instead of it.

LITERALS = (
    "null", "true", "false", "0", "-0", "-0.0", "1", "1.0", "-1", "70", "70.0", "7e1", "1e-400", "1e400", "-1e400",
    "NaN", "Infinity", "-Infinity", str(2**31), str(2**53), str(2**53 - 1), str(2**63), str(2**64), str(10**400),
    "[]", "{}", '""', '"70"', '"synced"', '"heart_rate"', '"heart\\u005frate"', '"HEART_RATE"', '"h\\u00e9"',
    '"\\ud800"', "[70]", '{"value":70}', "0070", "+70", "70.", '"/min"', '"%"', '"Cel"', '"good"', '"poor"',
    '"resting"', "[" * 300 + "]" * 300,
)  # fmt: skip


def every_stamp() -> Iterator[Sent]:
    """Whatever a stamp is written as, also where 1 is a good one."""
    entry = device("wearable_band", bound(1))
    for received_at, text in product((0, 1, 70, HOUR, NOW), (*LITERALS, f"{NOW}.0", f'"{NOW}"', "1795348800e3")):
        yield sent([bare("heart_rate", "70", text)], entry, received_at)


def every_field() -> Iterator[Sent]:
    entry = device("wearable_band", bound(1))
    for code, text in product(PLAIN_VITALS, (*LITERALS, *(json.dumps(word) for said in CONTEXTS for word in said))):
        fields = (("vital", json.dumps(code)), ("value", "70" if code != "spo2" else "97"), ("at", str(NOW)))
        for place, name in product(range(len(fields)), READING_FIELDS):
            yield sent([written((*fields[:place], (name, text), *fields[place + 1 :]))], entry)
        for name in (*READING_FIELDS, "extra", "Vital", ""):
            yield sent([written((*fields, (name, text)))], entry)
            yield sent([written(((name, text), *fields))], entry)
        yield sent([text], entry)
        yield sent([written(fields), text, written(fields)], entry)


def test_whatever_a_field_holds_is_the_same_both_ways() -> None:
    for one in (*every_field(), *every_stamp()):
        check(one)


# Anything at all.

SOS = f'[{{"event":"sos_pressed","at":{NOW}}}]'
literals = st.sampled_from(LITERALS) | st.integers().map(str) | st.floats().map(json.dumps)
words = st.sampled_from([json.dumps(word) for said in CONTEXTS for word in said])
edges = (
    st.sampled_from([json.dumps(value) for vital in VITALS for value in edges_of(vital)])
    | st.sampled_from([str(int(value)) for vital in VITALS for value in edges_of(vital)])
    | st.floats(0, 300).map(json.dumps)
)
names = st.sampled_from([*READING_FIELDS, "extra", "Vital", ""])


def mostly(usual: st.SearchStrategy[Any], other: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The usual, eleven times of twelve: of many such choices most leave an uplink plain, or off by one."""
    return st.integers(0, 11).flatmap(lambda number: other if number == 7 else usual)


def one_of(*texts: str) -> st.SearchStrategy[str]:
    return st.sampled_from(texts)


@st.composite
def a_reading(draw: st.DrawFn, received_at: int) -> str:
    """A plain one, at times changed in a field or two: another text, a field more, less, twice, in another place."""
    code = draw(mostly(one_of(*PLAIN_VITALS), one_of(*(vital.code for vital in VITALS))))
    lowest, highest = next(rules[code] for rules in VALUE_RULES.values() if code in rules).plain_range
    value = draw(mostly(st.floats(lowest, highest).map(json.dumps) | st.just(str(int(highest))), edges))
    at = draw(mostly(st.integers(received_at - HOUR, received_at + 9), st.sampled_from(stamps_around(received_at))))
    fields = [("vital", json.dumps(code)), ("value", value), ("at", str(at))]
    for _ in range(draw(mostly(st.just(0), st.integers(1, 2)))):
        place = draw(st.integers(0, len(fields) - 1)) if fields else 0
        match draw(one_of("text", "more", "less", "twice", "turn", "swap")):
            case "text" if fields:
                fields[place] = (fields[place][0], draw(literals))
            case "more" | "text":
                fields.append((draw(names), draw(words | literals)))
            case "less" if fields:
                del fields[place]
            case "twice" if fields:
                fields.append((fields[place][0], draw(edges | literals)))
            case "swap" if fields:
                fields[place] = (draw(names), draw(words | literals))
            case _:
                fields.reverse()
    return written(tuple(fields))


@st.composite
def something_sent(draw: st.DrawFn) -> Sent:
    """Mostly an uplink that could be plain. Anything about it may be otherwise."""
    received_at = draw(mostly(st.just(NOW), st.sampled_from([0, HOUR, OLDEST_ACCEPTED_MS, SEQ_LIMIT - 1, NOW * 2])))
    readings = draw(st.lists(mostly(a_reading(received_at), literals), max_size=4))
    events = draw(mostly(one_of("", "[]", SOS), one_of("[3]", "null", "{}")))
    envelope = [
        ("epoch", draw(mostly(st.just("11"), one_of("0", str(2**53 - 1), str(2**53))))),
        ("seq", "4"),
        ("sent_at", draw(mostly(st.just(str(NOW)), literals))),
        ("clock", draw(mostly(st.just('"synced"'), words | literals))),
        ("oldest", draw(mostly(one_of("0", "4"), one_of("5", "-1", "true", "null")))),
        ("readings", f"[{','.join(readings)}]"),
        *([("events", events)] if events else []),
    ]
    more = st.lists(st.tuples(one_of("epoch", "clock", "readings", "x"), literals), max_size=2)
    envelope += draw(mostly(st.just([]), more))
    people = draw(st.sampled_from(people_of(received_at)))
    code = draw(mostly(st.just("wearable_band"), one_of(*(kind.code for kind in DEVICE_TYPES))))
    retained = draw(mostly(st.just(False), st.just(True)))  # noqa: FBT003
    return Sent(written(tuple(envelope)).encode("utf-8"), device(code, *people), received_at, retained)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(one=something_sent())
def test_whatever_is_sent_both_ways_say_the_same(one: Sent) -> None:
    check(one)
    assert repr(judged(one)) == repr(judged(one))  # sent again: nothing is remembered


def test_what_is_tried_is_judged_the_short_way_often_enough() -> None:
    """A comparison with something that always declines would prove nothing."""
    taken: list[bool] = []

    @settings(max_examples=120, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(one=something_sent())
    def count(one: Sent) -> None:
        plain = plain_readings(one)
        taken.append(bool(plain) and set_and_sent(one))

    count()
    assert sum(taken) >= len(taken) // 10, f"{sum(taken)} of {len(taken)}"


def test_flags_of_the_short_way_are_only_those_of_persons() -> None:
    lodger = device("wearable_band", bound(1, home_no=ELSEWHERE))
    assert judge_plain([{"vital": "heart_rate", "value": 70, "at": NOW}], lodger, NOW, *accepted_stamps(NOW))
    (reading,) = judged(sent([bare("heart_rate", "70", str(NOW))], lodger)).readings
    assert reading.flags == Flag.OTHER_HOME
