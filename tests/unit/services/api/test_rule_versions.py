"""What runs of a rule's models, by the rows of what was done, and what a rollback would give back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.api.rule_versions import Found, counted_since, models_of

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)


def row(variant: str, artefact: str, change: str) -> dict[str, Any]:
    return {"variant": variant, "artefact": artefact, "change": change}


SHIPPED, TRIED = row("live", "a", "shipped"), row("shadow", "b", "tried")
PROMOTED = [row("live", "b", "promoted"), row("shadow", "", "ended")]


@pytest.mark.parametrize(
    ("chosen", "live", "before", "tried", "others"),
    [
        ([], "", "", "", ["a", "b", "c"]),
        ([SHIPPED], "a", "", "", ["b", "c"]),
        ([SHIPPED, TRIED], "a", "", "b", ["c"]),
        ([SHIPPED, TRIED, *PROMOTED], "b", "a", "", ["a", "c"]),
        ([SHIPPED, TRIED, *PROMOTED, row("live", "a", "rolled_back")], "a", "", "", ["b", "c"]),
        ([SHIPPED, TRIED, *PROMOTED, row("live", "c", "shipped")], "c", "", "", ["a", "b"]),
        ([SHIPPED, row("live", "b", "shipped")], "b", "", "", ["a", "c"]),
    ],
)
def test_what_was_done_last_in_each_place_holds(
    chosen: list[dict[str, Any]], live: str, before: str, tried: str, others: list[str]
) -> None:
    one = models_of("glucose_forecast", chosen, ["a", "b", "c"], (Found(), Found()), NOW)
    assert (one.live, one.before, one.tried, one.others) == (live, before, tried, others)
    assert one.trail == list(reversed(chosen))


@pytest.mark.parametrize(
    ("chosen", "days"),
    [
        ([], 7),
        ([(SHIPPED, 30)], 7),
        ([(SHIPPED, 3)], 3),
        ([(SHIPPED, 30), (TRIED, 2)], 2),
        ([(SHIPPED, 30), (TRIED, 9)], 7),
        ([(SHIPPED, 30), (TRIED, 5), (PROMOTED[0], 1), (PROMOTED[1], 1)], 1),
        ([(SHIPPED, 30), (TRIED, 5), (row("shadow", "", "ended"), 1)], 7),
    ],
)
def test_both_are_counted_since_the_trial_began_or_else_since_the_live_one_runs(
    chosen: list[tuple[dict[str, Any], int]], days: int
) -> None:
    rows = [one | {"valid_from": NOW - timedelta(days=ago)} for one, ago in chosen]
    assert NOW - counted_since(rows, NOW) == timedelta(days=days)
