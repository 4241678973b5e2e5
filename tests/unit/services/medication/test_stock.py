"""What is left of a medicine, and on which day it runs out."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.medication.stock import (
    REFILL_DUE_DAYS,
    StockEntry,
    StockWhat,
    Used,
    left_of,
    supply_of,
)

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
COUNTED, REFILLED = StockWhat.COUNTED, StockWhat.REFILLED


def after(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def dues(count: float = 1, *, every_h: int = 12, days: int = 400) -> list[Used]:
    return [Used(after(hours), count) for hours in range(every_h, days * 24, every_h)]


def test_what_was_counted_and_added_less_what_was_taken_is_left() -> None:
    entries = [StockEntry(1, START, 30, COUNTED), StockEntry(2, after(48), 28, REFILLED)]

    assert left_of(entries, [Used(after(8), 1), Used(after(20), 1), Used(after(60), 2)]) == 54


def test_a_count_replaces_all_that_was_thought_before() -> None:
    entries = [
        StockEntry(1, START, 30, COUNTED),
        StockEntry(2, after(1), 28, REFILLED),
        StockEntry(3, after(2), 9, COUNTED),
    ]

    assert left_of(entries, [Used(after(0.5), 1), Used(after(1.5), 1), Used(after(2), 1), Used(after(3), 1)]) == 8


def test_of_two_entries_of_one_moment_the_later_number_came_later() -> None:
    entries = [StockEntry(5, START, 10, COUNTED), StockEntry(4, START, 20, COUNTED)]

    assert left_of(entries, []) == 10


def test_a_refill_without_a_count_begins_at_nothing() -> None:
    assert left_of([StockEntry(1, START, 14, REFILLED)], [Used(after(-5), 3), Used(after(5), 3)]) == 11
    assert left_of([], [Used(START, 1)]) == 0


def test_more_taken_than_was_there_is_nothing_left() -> None:
    assert left_of([StockEntry(1, START, 1, COUNTED)], [Used(after(1), 4)]) == 0


@pytest.mark.parametrize(
    ("left", "count", "hours"), [(0, 1, 12), (0.5, 1, 12), (1, 1, 24), (3, 1, 48), (3, 2, 24), (1.5, 0.5, 48)]
)
def test_it_runs_out_at_the_first_dose_that_is_not_covered_whole(left: float, count: float, hours: int) -> None:
    assert supply_of(left, dues(count), START).runs_out_at == after(hours)


def test_a_refill_is_due_a_week_ahead() -> None:
    daily = dues(every_h=24)
    assert supply_of(6, daily, START).refill_due
    assert supply_of(6, daily, START).runs_out_at == after(7 * 24)
    assert REFILL_DUE_DAYS == 7
    assert not supply_of(7, daily, START).refill_due


def test_a_plan_without_doses_to_come_never_runs_out() -> None:
    found = supply_of(0, [], START)
    assert (found.runs_out_at, found.refill_due) == (None, False)


def test_medicine_for_longer_than_is_counted_is_not_forecast() -> None:
    daily = dues(every_h=24)

    assert supply_of(119, daily, START).runs_out_at == after(120 * 24)
    assert supply_of(120, daily, START).runs_out_at is None


entries_of = st.lists(
    st.builds(
        StockEntry,
        st.integers(1, 10_000),
        st.integers(-100, 100).map(after),
        st.integers(0, 90).map(float),
        st.sampled_from(StockWhat),
    ),
    max_size=8,
    unique_by=lambda entry: entry.stock_no,
)
used_of = st.lists(
    st.builds(Used, st.integers(-100, 100).map(after), st.integers(0, 8).map(lambda n: n / 2)), max_size=30
)


@given(entries_of, used_of, st.randoms(use_true_random=False))
def test_what_is_left_does_not_depend_on_the_order_and_never_owes(
    entries: list[StockEntry], used: list[Used], random: Random
) -> None:
    left = left_of(entries, used)
    mixed, other = list(entries), list(used)
    random.shuffle(mixed)
    random.shuffle(other)

    assert left_of(mixed, other) == left
    assert 0 <= left <= sum(entry.count for entry in entries)


@given(st.integers(0, 200), st.integers(1, 4), st.integers(0, 100))
def test_more_medicine_never_runs_out_sooner_and_all_before_that_is_covered(left: int, count: int, more: int) -> None:
    to_come = dues(count)
    few, many = supply_of(left, to_come, START), supply_of(left + more, to_come, START)

    assert many.runs_out_at is None or (few.runs_out_at is not None and few.runs_out_at <= many.runs_out_at)
    if few.runs_out_at is not None:
        before = sum(due.count for due in to_come if due.at < few.runs_out_at)
        assert before <= left < before + count
