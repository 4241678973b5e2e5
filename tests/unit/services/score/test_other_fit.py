"""Another fit takes over in the middle of an episode: what it sees is said, and what it does not see ends."""

from dataclasses import replace

import pytest

from schemas.alerts import EndReason, Finding
from schemas.codec import parse_json, write_json
from services.score.core import step
from services.score.followups import Tally
from services.score.home_state import HomeState
from services.score.limit_book import DEFAULT_BOOK
from services.score.re_ruled import use_rules
from services.score.rule_book import RuleBook
from services.score.rules import RULES
from services.score.rules.glucose_forecast import with_model
from tests.unit.services.score.forecast_cases import monitor
from tests.unit.services.score.models.made_model import model

RULE = "glucose_forecast"
EACH_MIN, TURN = 5, 3


def book(warns_below: float) -> RuleBook:
    made = model()
    trees = replace(made.trees, threshold=made.trees.threshold * warns_below / 80)
    fit = replace(with_model(replace(made, trees=trees)), artefact=f"below {warns_below}")
    return RuleBook([fit if rule.name == RULE else rule for rule in RULES])


CAREFUL, CALM = book(90), book(80)


def said(before: RuleBook, after: RuleBook, values: list[float], *, dies: bool) -> list[tuple[int, int, str]]:
    """Level, in which minute, and why; ``after`` takes over at minute 15. ``dies``: score dies just after that."""
    home, found = HomeState(before, DEFAULT_BOOK), list[tuple[int, int, str]]()
    for place, record in enumerate(monitor(*values)):
        if place == TURN:
            use_rules(home, after)
            if dies:
                home = HomeState.from_plain(parse_json(write_json(home.to_plain())), after, DEFAULT_BOOK)
        spoken = [one for one in step(home, record, Tally()) if isinstance(one, Finding) and one.rule == RULE]
        found += [(one.level, EACH_MIN * place, str(one.end_reason or "")) for one in spoken]
    return found


@pytest.mark.parametrize("dies", [False, True])
def test_what_only_the_new_fit_sees_is_said_with_the_next_reading(dies: bool) -> None:  # noqa: FBT001
    assert said(CALM, CAREFUL, [100, 85, 85, 85, *[100] * 14], dies=dies) == [(1, 15, ""), (0, 65, "recovered")]


@pytest.mark.parametrize("dies", [False, True])
def test_what_only_the_fit_before_has_seen_ends_with_the_next_reading(dies: bool) -> None:  # noqa: FBT001
    found = said(CAREFUL, CALM, [100, 85, 85, 85, 100, 79, *[100] * 13], dies=dies)
    assert found == [(1, 5, ""), (0, 15, str(EndReason.DISPROVED)), (1, 25, ""), (0, 85, "recovered")]


@pytest.mark.parametrize("dies", [False, True])
def test_what_both_see_goes_on_as_one(dies: bool) -> None:  # noqa: FBT001
    found = said(CAREFUL, CALM, [100, 79, 79, *[100] * 14], dies=dies)
    assert found == [(1, 5, ""), (0, 65, "recovered")]
