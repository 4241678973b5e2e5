"""The exit code: found goes before not checked, and not checked is never clean."""

import io

import pytest
from rich.console import Console

from deploy.audit.report import Outcome, Part, outcome_of, show

CLEAN = Part(name="clean", looked_at=3)
FOUND = Part(name="found", looked_at=3, wrong={"thing": "breaks [here]"}, unchecked={"other": "away"})
UNCHECKED = Part(name="unchecked", looked_at=3, unchecked={f"thing {n}": "away" for n in range(20)})
NOTHING = Part(name="nothing", looked_at=0)


@pytest.mark.parametrize(
    ("parts", "outcome"),
    [
        ([CLEAN], Outcome.CLEAN),
        ([CLEAN, UNCHECKED], Outcome.NOT_CHECKED),
        ([NOTHING], Outcome.NOT_CHECKED),
        ([], Outcome.NOT_CHECKED),
        ([UNCHECKED, FOUND], Outcome.FOUND),
    ],
)
def test_the_outcome_is_that_of_the_worst_part(parts: list[Part], outcome: Outcome) -> None:
    assert outcome_of(parts) is outcome


def test_an_outcome_that_is_not_clean_is_not_0_and_is_no_wrong_argument() -> None:
    assert {int(one) for one in Outcome if one is not Outcome.CLEAN} & {0, 2} == set()


def shown(*parts: Part) -> str:
    page = io.StringIO()
    show(list(parts), Console(file=page, width=200))
    return page.getvalue()


def test_what_is_wrong_and_what_was_not_checked_is_named() -> None:
    page = shown(CLEAN, FOUND, UNCHECKED)
    assert "found: thing: breaks [here]" in page
    assert "found: NOT CHECKED, away: other" in page
    assert "thing 0, thing 1" in page
    assert "and 8 more" in page


def test_only_what_was_checked_whole_is_shown_as_clean() -> None:
    assert "no all-clear" in shown(CLEAN, UNCHECKED)
    assert "no all-clear" not in shown(CLEAN)
    assert "NOT CHECKED" in shown(NOTHING)
    assert CLEAN.to_plain() == {"looked_at": 3, "outcome": "clean", "wrong": {}, "unchecked": {}}
