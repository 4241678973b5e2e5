"""What a decision does to a stored reading."""

import pytest

from schemas.held_readings import HeldState
from schemas.reasons import NOT_SCORED, NOT_SHOWN, Flag
from schemas.vitals import SYSTOLIC, WEIGHT
from services.score.held_rows import change_of, looked_back_on, looks_back_for


def _after(state: HeldState, *, is_held: bool) -> int:
    """The flags of a reading that was waiting, or was scored at once."""
    before = Flag.HELD if is_held else Flag(0)
    change = change_of(state, is_held=is_held)
    return (int(before) & ~change.clears) | change.sets


@pytest.mark.parametrize("is_held", [True, False])
def test_what_is_kept_counts_and_what_is_nobodys_does_not(*, is_held: bool) -> None:
    assert _after(HeldState.KEPT, is_held=is_held) == 0
    assert _after(HeldState.DISMISSED, is_held=is_held) & NOT_SCORED & NOT_SHOWN
    # Else no rule of whom it is moved to would ever see it.
    assert _after(HeldState.MOVED, is_held=is_held) & NOT_SCORED == 0


def test_what_waits_is_neither_scored_nor_shown_unless_it_was_scored_at_once() -> None:
    assert _after(HeldState.OPEN, is_held=True) & NOT_SCORED & NOT_SHOWN
    assert _after(HeldState.OPEN, is_held=False) == 0


@pytest.mark.parametrize("state", list(HeldState))
def test_rules_look_back_exactly_where_what_they_have_seen_changes(state: HeldState) -> None:
    # What waits may have been seen by a look back before it got its flag.
    assert change_of(state, is_held=True).looks_back is (state in {HeldState.KEPT, HeldState.OPEN})
    assert change_of(state, is_held=False).looks_back is (state in {HeldState.MOVED, HeldState.DISMISSED})


def test_whoever_it_is_moved_to_is_looked_back_on_and_whom_it_was_taken_for_if_rules_had_seen_it() -> None:
    assert looked_back_on(7, 8, change_of(HeldState.MOVED, is_held=True)) == [8]
    assert looked_back_on(7, 8, change_of(HeldState.MOVED, is_held=False)) == [7, 8]
    assert looked_back_on(7, None, change_of(HeldState.KEPT, is_held=True)) == [7]
    assert looked_back_on(7, None, change_of(HeldState.DISMISSED, is_held=True)) == []


def test_each_rule_that_reads_the_vital_looks_back_on_the_reading_alone() -> None:
    looks = looks_back_for(7, 3, SYSTOLIC.number, 1_000, 9_000)
    assert {"blood_pressure", "news2"} <= {one.rule for one in looks}
    assert {(one.first_at, one.last_at, one.received_at) for one in looks} == {(1_000, 1_000, 9_000)}
    assert [one.rule for one in looks_back_for(7, 3, WEIGHT.number, 1, 2)] == ["weight"]
