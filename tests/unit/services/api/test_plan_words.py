"""Plans in words: how much, when, and what an edit changed."""

from dataclasses import replace
from datetime import date, time

import pytest

from schemas.doses import PlanKind
from schemas.plan_versions import PlanContent
from services.api.plan_words import amount, changes, listed, schedule

PLAN = PlanContent(
    device="pills", compartment=1, drug="Metformin", zone="Europe/Berlin", at_times=(time(8), time(20, 0, 30))
)


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (PLAN, "each day at 08:00 and 20:00:30"),
        (replace(PLAN, weekdays=(1, 3, 7)), "on Monday, Wednesday and Sunday at 08:00 and 20:00:30"),
        (
            replace(PLAN, every_days=3, anchor=date(2026, 12, 1), at_times=(time(9),)),
            "every 3 days, counted from 2026-12-01, at 09:00",
        ),
        (
            replace(PLAN, at_times=(time(9),), from_day=date(2026, 12, 1), until_day=date(2026, 12, 31)),
            "each day at 09:00, from 2026-12-01, until 2026-12-31",
        ),
        (
            replace(PLAN, kind=PlanKind.AS_NEEDED, at_times=(), least_interval_min=390, most_per_day=4),
            "as needed, at least 6 h 30 min apart, at most 4 a day",
        ),
        (
            replace(PLAN, kind=PlanKind.AS_NEEDED, at_times=(), least_interval_min=45),
            "as needed, at least 45 min apart",
        ),
    ],
)
def test_when_a_plan_is_due(plan: PlanContent, words: str) -> None:
    assert schedule(plan) == words


def test_how_much_is_a_dose() -> None:
    assert amount(replace(PLAN, count=0.5, strength="500 mg")).split(" \N{MULTIPLICATION SIGN} ") == ["0.5", "500 mg"]
    assert amount(PLAN) == "1"


def test_what_an_edit_changed_is_said_field_by_field() -> None:
    after = replace(PLAN, strength="850 mg", count=2.0, listed=True, at_times=(time(8),), zone="Asia/Tokyo")
    assert changes(PLAN, after) == [
        "Strength: none → 850 mg",
        "Count: 1 → 2",
        "Dangerous when taken twice: no → yes",
        "When: each day at 08:00 and 20:00:30 → each day at 08:00",
        "Time zone: Europe/Berlin → Asia/Tokyo",
    ]
    assert changes(PLAN, PLAN) == []


def test_several_words_are_listed() -> None:
    assert [listed(words) for words in ((), ("a",), ("a", "b"), ("a", "b", "c"))] == ["", "a", "a and b", "a, b and c"]
