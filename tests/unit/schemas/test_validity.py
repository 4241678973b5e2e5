"""The table of what is valid says what the rows of vitals say, and the words that the messages may hold."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import Activity, DeviceClock, Posture, Quality
from schemas.reasons import Flag
from schemas.validity import CLOCK_FLAGS, CONTEXT_FLAGS, STAMP_LIMIT, VALUE_RULES, accepted_stamps
from schemas.vitals import VITALS, Vital

WORDS = {"activity": get_args(Activity), "posture": get_args(Posture), "quality": get_args(Quality)}


def test_every_word_that_a_message_may_hold_has_its_flags() -> None:
    assert tuple(CLOCK_FLAGS) == get_args(DeviceClock)
    assert {name: tuple(words) for name, words in CONTEXT_FLAGS.items()} == WORDS


@pytest.mark.parametrize("vital", VITALS, ids=lambda vital: vital.code)
def test_a_value_rule_is_the_row_of_its_vital(vital: Vital) -> None:
    rule = VALUE_RULES[vital.code]
    assert (rule.lowest, rule.highest) == (vital.lowest, vital.highest)
    for bound, below in ((vital.flag_below, True), (vital.flag_above, False)):
        if bound is not None:
            assert rule.flags_of(bound) == 0
            assert rule.flags_of(bound - 1 if below else bound + 1) == Flag.UNUSUAL
    for clip in (vital.clipped_low, vital.clipped_high):
        assert clip is None or rule.flags_of(clip) == Flag.CLIPPED


@given(vital=st.sampled_from(VITALS), value=st.floats(allow_nan=False, allow_infinity=False))
def test_nothing_is_to_be_said_in_the_plain_range(vital: Vital, value: float) -> None:
    rule = VALUE_RULES[vital.code]
    lowest, highest = rule.plain_range
    assert rule.lowest <= lowest <= highest <= rule.highest
    assert not lowest <= value <= highest or rule.flags_of(value) == 0


@given(received_at=st.integers(0, STAMP_LIMIT - 1))
def test_what_is_believed_is_a_stamp(received_at: int) -> None:
    oldest, newest = accepted_stamps(received_at)
    assert 0 <= oldest <= received_at <= newest < STAMP_LIMIT
