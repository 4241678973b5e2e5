"""Rows before a loss held against rows after the restore."""

from collections import Counter

from tests.proving.drill.rows import Difference, Rows, compare_rows


def rows(*readings: tuple[int, ...]) -> Rows:
    return Rows(tables={"readings": Counter(readings), "events": Counter()})


def test_the_same_rows_are_no_difference() -> None:
    assert compare_rows(rows((1, 2), (3, 4)), rows((3, 4), (1, 2))) == Difference(lost=0, duplicated=0)


def test_a_row_that_is_missing_is_lost() -> None:
    assert compare_rows(rows((1, 2), (3, 4)), rows((1, 2))) == Difference(lost=1, duplicated=0)


def test_a_row_that_is_there_twice_is_a_duplicate() -> None:
    assert compare_rows(rows((1, 2)), rows((1, 2), (1, 2))) == Difference(lost=0, duplicated=1)


def test_a_row_that_changed_is_lost_and_strange() -> None:
    assert compare_rows(rows((1, 2)), rows((1, 3))) == Difference(lost=1, duplicated=1)
