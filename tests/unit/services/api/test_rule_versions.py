"""What runs of a rule's models, by the rows of what was done, and what a rollback would give back."""

from typing import Any

import pytest

from services.api.rule_versions import Found, models_of


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
    one = models_of("glucose_forecast", chosen, ["a", "b", "c"], (Found(), Found()))
    assert (one.live, one.before, one.tried, one.others) == (live, before, tried, others)
    assert one.trail == list(reversed(chosen))
