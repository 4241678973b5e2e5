"""An alarm with two limits: it goes on and off where each is met, and so often in a row."""

from collections.abc import Sequence
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.score.models.hysteresis import course, follow


@pytest.mark.parametrize(
    ("values", "on_for", "off_for", "expected"),
    [
        # On at the limit itself, off only below the other one.
        ([4.9, 5, 4, 3.9], 1, 1, "nyyn"),
        ([5, 3, 3], 1, 2, "yyn"),
        ([5, 3, 4, 3, 3], 1, 2, "yyyyn"),
        ([5, 4.9, 5, 5], 2, 1, "nnny"),
        # What ended it does not count for the next, nor what began it for its end.
        ([5, 5, 3, 3, 5, 5], 2, 2, "nyynny"),
        # What is not known speaks for neither, and breaks what went on.
        ([5, nan, 5, 5, 3, nan, 3, 3], 2, 2, "nnnyyyyn"),
    ],
)
def test_both_limits_need_so_many_in_a_row(values: list[float], on_for: int, off_for: int, expected: str) -> None:
    found = course(values, on=5, off=4, on_for=on_for, off_for=off_for)
    assert "".join("y" if one else "n" for one in found) == expected


def by_looking_back(values: Sequence[int], on_for: int, off_for: int) -> list[bool]:
    """The same from all values before, without a state but on and off."""
    found = [False]
    for end in range(1, len(values) + 1):
        needed = off_for if found[-1] else on_for
        last = values[max(0, end - needed) : end]
        turns = len(last) == needed and all(one < 3 if found[-1] else one >= 5 for one in last)
        found.append(found[-1] is not turns)
    return found[1:]


@given(st.lists(st.integers(0, 7)), st.integers(1, 4), st.integers(1, 4))
def test_it_is_what_looking_back_at_all_values_would_say(values: list[int], on_for: int, off_for: int) -> None:
    assert course(values, on=5, off=3, on_for=on_for, off_for=off_for) == by_looking_back(values, on_for, off_for)


@given(st.lists(st.integers(0, 7)), st.integers(1, 4))
def test_with_one_state_carried_over_it_is_the_same_as_in_one_go(values: list[int], off_for: int) -> None:
    is_on, run = False, 0
    for one in values:
        is_on, run = follow(one, is_on=is_on, run=run, on=5, off=3, off_for=off_for)
        assert 0 <= run < off_for
    assert [is_on] == (course(values, on=5, off=3, off_for=off_for) or [False])[-1:]
