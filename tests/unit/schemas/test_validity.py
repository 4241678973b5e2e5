"""The table of what is valid says what the rows of vitals say, and the words that the messages may hold."""

import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.devices import DEVICE_TYPES
from schemas.devices.device_type import DeviceType, Measuring
from schemas.messages import Activity, DeviceClock, Posture, Quality
from schemas.reasons import Flag
from schemas.validity import CLOCK_FLAGS, CONTEXT_FLAGS, STAMP_LIMIT, VALUE_RULES, accepted_stamps
from schemas.vitals import GLUCOSE, VITAL_BY_CODE, Vital

MEASURED = [(kind, VITAL_BY_CODE[code]) for kind in DEVICE_TYPES for code in kind.vitals]
WORDS = {"activity": get_args(Activity), "posture": get_args(Posture), "quality": get_args(Quality)}


def test_every_word_that_a_message_may_hold_has_its_flags() -> None:
    assert tuple(CLOCK_FLAGS) == get_args(DeviceClock)
    assert {name: tuple(words) for name, words in CONTEXT_FLAGS.items()} == WORDS


@pytest.mark.parametrize(("kind", "vital"), MEASURED, ids=lambda row: row.code)
def test_a_value_rule_is_the_row_of_its_vital(kind: DeviceType, vital: Vital) -> None:
    rule = VALUE_RULES[kind.code][vital.code]
    assert (rule.lowest, rule.highest) == (vital.lowest, vital.highest)
    for bound, below in ((vital.flag_below, True), (vital.flag_above, False)):
        if bound is not None:
            assert rule.flags_of(bound) == 0
            assert rule.flags_of(bound - 1 if below else bound + 1) == Flag.UNUSUAL


@pytest.mark.parametrize(("kind", "vital"), MEASURED, ids=lambda row: row.code)
def test_a_value_is_a_bound_only_where_a_worn_sensor_cannot_measure(kind: DeviceType, vital: Vital) -> None:
    rule = VALUE_RULES[kind.code][vital.code]
    clips = kind.measuring is Measuring.CONTINUOUS
    for clip, beyond in ((vital.clipped_low, -1), (vital.clipped_high, 1)):
        if clip is not None:
            assert rule.flags_of(clip) == 0
            assert rule.flags_of(math.nextafter(clip, beyond * math.inf)) == (Flag.CLIPPED if clips else 0)


def test_glucose_is_measured_from_40_to_400_by_a_sensor_and_from_10_by_a_meter() -> None:
    assert (GLUCOSE.clipped_low, GLUCOSE.clipped_high, GLUCOSE.lowest) == (40, 400, 10)
    rules = {kind.code: VALUE_RULES[kind.code][GLUCOSE.code] for kind, vital in MEASURED if vital is GLUCOSE}
    assert {code: rule.flags_of(39) for code, rule in rules.items()} == {"cgm": Flag.CLIPPED, "glucose_meter": 0}


@given(measured=st.sampled_from(MEASURED), value=st.floats(allow_nan=False, allow_infinity=False))
def test_nothing_is_to_be_said_in_the_plain_range_and_something_beyond_it(
    measured: tuple[DeviceType, Vital], value: float
) -> None:
    kind, vital = measured
    rule = VALUE_RULES[kind.code][vital.code]
    lowest, highest = rule.plain_range
    assert rule.lowest <= lowest <= highest <= rule.highest
    if rule.lowest <= value <= rule.highest:
        assert (lowest <= value <= highest) is (rule.flags_of(value) == 0)


@given(received_at=st.integers(0, STAMP_LIMIT - 1))
def test_what_is_believed_is_a_stamp(received_at: int) -> None:
    oldest, newest = accepted_stamps(received_at)
    assert 0 <= oldest <= received_at <= newest < STAMP_LIMIT
