"""Another fit takes over in the middle of an episode: it judges what comes, and what was said goes on to its end."""

from dataclasses import replace

import pytest

from schemas.alerts import EndReason, Finding
from schemas.codec import parse_json, write_json
from services.score.core import step
from services.score.followups import Tally
from services.score.home_state import HomeState
from services.score.limit_book import ALWAYS, DEFAULT_BOOK
from services.score.partition import Partition
from services.score.re_ruled import use_rules
from services.score.rule_book import RuleBook
from services.score.rule_timeline import RuleTimeline
from services.score.rules import RULES
from services.score.rules.glucose_forecast import with_model
from tests.unit.services.score.forecast_cases import monitor
from tests.unit.services.score.models.made_model import model
from tests.unit.services.score.story import HOME, minute

RULE = "glucose_forecast"
EACH_MIN, TURN = 5, 3


def book(warns_below: float) -> RuleBook:
    made = model()
    trees = replace(made.trees, threshold=made.trees.threshold * warns_below / 80)
    fit = replace(with_model(replace(made, trees=trees)), artefact=f"below {warns_below}")
    return RuleBook([fit if rule.name == RULE else rule for rule in RULES])


CAREFUL, CALM = book(90), book(80)


def said(before: RuleBook, after: RuleBook, values: list[float], dies_at: int) -> list[tuple[int, int, str]]:
    """Level, in which minute, and why; ``after`` takes over at minute 15, and score dies before value ``dies_at``."""
    home, found = HomeState(before, DEFAULT_BOOK), list[tuple[int, int, str]]()
    for place, record in enumerate(monitor(*values)):
        if place == TURN:
            use_rules(home, after)
        if place == dies_at:
            home = HomeState.from_plain(parse_json(write_json(home.to_plain())), home.rules, DEFAULT_BOOK)
        spoken = [one for one in step(home, record, Tally()) if isinstance(one, Finding) and one.rule == RULE]
        found += [(one.level, EACH_MIN * place, str(one.end_reason or "")) for one in spoken]
    return found


DIES_AT = pytest.mark.parametrize("dies_at", [99, 2, TURN, TURN + 1, 9])


@DIES_AT
def test_what_only_the_new_fit_sees_is_said_with_the_next_reading(dies_at: int) -> None:
    found = said(CALM, CAREFUL, [100, 85, 85, 85, *[100] * 14], dies_at)
    assert found == [(1, 15, ""), (0, 75, "recovered")]


@DIES_AT
def test_what_the_new_fit_would_have_said_before_it_was_live_is_not_said(dies_at: int) -> None:
    assert said(CALM, CAREFUL, [100, 85, 85, *[100] * 14], dies_at) == []
    found = said(CALM, CAREFUL, [100, 85, 85, 100, 85, *[100] * 14], dies_at)
    assert found == [(1, 20, ""), (0, 80, "recovered")]


@DIES_AT
def test_what_the_fit_before_has_said_goes_on_to_its_end(dies_at: int) -> None:
    found = said(CAREFUL, CALM, [100, 85, 85, 85, 100, 79, *[100] * 8, 79, *[100] * 13], dies_at)
    assert found == [(1, 5, ""), (0, 65, "recovered"), (1, 70, ""), (0, 130, "recovered")]


def test_without_the_file_of_the_fit_that_has_said_it_an_episode_ends_with_the_next_reading() -> None:
    home, found = HomeState(CAREFUL, DEFAULT_BOOK), list[Finding]()
    for place, record in enumerate(monitor(100, 85, 85, 100)):
        if place == TURN:
            home = HomeState.from_plain(parse_json(write_json(home.to_plain())), CALM, DEFAULT_BOOK)
        found += [one for one in step(home, record, Tally()) if isinstance(one, Finding) and one.rule == RULE]
    assert [(one.level, one.end_reason) for one in found] == [(1, None), (0, EndReason.DISPROVED)]


def test_homes_in_which_another_fit_goes_on_are_written_with_it() -> None:
    timeline = RuleTimeline([(ALWAYS, CALM), (minute(15), CAREFUL)])
    partition = Partition(rules=CALM, homes={HOME + 1: HomeState(CALM, DEFAULT_BOOK)})
    partition.follow(timeline)
    for record in monitor(100, 85, 85):
        partition.take(record, Tally())
    partition.dirty.clear()
    partition.turn(minute(15))
    assert partition.dirty == {HOME}
    assert [partition.homes[one].rules for one in (HOME, HOME + 1)] == [CAREFUL, CALM]
