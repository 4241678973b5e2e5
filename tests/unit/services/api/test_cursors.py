"""A cursor says exactly where a page of readings ended, and nothing else passes for one."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.cursors import CURSOR, ReadingKey, before_all_of, read_cursor, write_cursor

moments = st.datetimes(timezones=st.just(UTC))
small, large, item = (
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-(2**15), 2**15 - 1),
)
keys = st.builds(ReadingKey, moments, small, large, large, item)


@given(keys)
def test_a_key_comes_back_to_the_microsecond(key: ReadingKey) -> None:
    cursor = write_cursor(key)
    assert re.fullmatch(CURSOR, cursor)
    assert read_cursor(cursor) == key


@given(st.one_of(st.text(), st.from_regex(CURSOR, fullmatch=True), st.text("Aa0_-+/= \n", min_size=40, max_size=40)))
def test_what_passes_for_a_cursor_is_one_and_all_else_is_refused(text: str) -> None:
    try:
        key = read_cursor(text)
    except ValueError:
        return
    assert write_cursor(key) == text


@pytest.mark.parametrize("junk", ["", "A" * 39, "A" * 41, "A" * 39 + "=", "A" * 39 + "+", "z" * 40, "\u00e9" * 40])
def test_junk_is_no_cursor(junk: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_cursor(junk)


@given(moments, st.integers(1, 2**31 - 1), st.integers(0, 2**53), st.integers(0, 2**53), st.integers(0, 255))
def test_before_all_of_a_moment_lies_between_it_and_the_microsecond_before(
    moment: datetime, device: int, epoch: int, seq: int, item: int
) -> None:
    first = before_all_of(moment)
    assert first < ReadingKey(moment, device, epoch, seq, item)
    if moment > datetime.min.replace(tzinfo=UTC):
        assert first > ReadingKey(moment - timedelta(microseconds=1), device, epoch, seq, item)
