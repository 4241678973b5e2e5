"""Other rules for a home that goes on: as after a start from its checkpoint, and with every number kept."""

from dataclasses import replace
from math import cos, tau
from random import Random

import pytest

from schemas.alerts import Finding, Variant
from schemas.codec import parse_json, write_json
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.records import JudgedUplink
from services.score.core import step, with_answers
from services.score.followups import Tally
from services.score.home_state import HomeState
from services.score.learned import load
from services.score.limit_book import DEFAULT_BOOK
from services.score.re_ruled import use_rules
from services.score.rule_book import RULE_BOOK, RuleBook
from services.score.settings import SHIPPED
from tests.unit.services.score.story import PERSON, minute, uplink

LEARNED = load(SHIPPED).book
TRIED = RuleBook([*LEARNED.rules, *(replace(rule, variant=Variant.SHADOW) for rule in LEARNED.rules if rule.artefact)])
MONITOR, BAND = (DEVICE_TYPE_BY_CODE[code].number for code in ("cgm", "wearable_band"))


def story(seed: int) -> list[JudgedUplink]:
    """Six hours of a monitor and a band: glucose that falls, and a pulse that rises."""
    chance, records = Random(seed), []
    for place in range(360):
        if place % 5 == 0:
            glucose = 108 + 48 * cos(tau * place / 150) + chance.gauss(0, 1.5)
            records.append(uplink(place, place, {"glucose": round(glucose)}, device=12, device_type=MONITOR))
        values = {"heart_rate": chance.gauss(140 if place // 90 % 2 else 75, 3), "spo2": 97, "respiratory_rate": 16}
        records.append(uplink(place, place, values, device_type=BAND))
    return records


def take(home: HomeState, records: list[JudgedUplink]) -> list[Finding]:
    effects = [effect for record in records for effect in step(home, record, Tally())]
    return [one for one in with_answers(effects, lambda _: home) if isinstance(one, Finding)]


@pytest.mark.parametrize(("before", "after"), [(LEARNED, TRIED), (TRIED, LEARNED), (RULE_BOOK, LEARNED)])
@pytest.mark.parametrize("seed", [1, 2])
def test_it_goes_on_as_a_start_from_the_checkpoint_does(before: RuleBook, after: RuleBook, seed: int) -> None:
    records = story(seed)
    changed, restarted = HomeState(before, DEFAULT_BOOK), HomeState(before, DEFAULT_BOOK)
    take(changed, records[:200])
    take(restarted, records[:200])
    days = restarted.subject(PERSON).recent.days
    restarted = HomeState.from_plain(parse_json(write_json(restarted.to_plain())), after, DEFAULT_BOOK)
    restarted.subject(PERSON).recent.days = days
    use_rules(changed, after)
    assert take(changed, records[200:]) == take(restarted, records[200:])
    assert changed.to_compare() == restarted.to_compare()


def test_what_is_tried_changes_nothing_of_what_is_live() -> None:
    live, both = HomeState(LEARNED, DEFAULT_BOOK), HomeState(TRIED, DEFAULT_BOOK)
    found, with_shadow = take(live, story(3)), take(both, story(3))
    assert [one for one in with_shadow if one.variant is Variant.LIVE] == found
    tried = {one.rule for one in with_shadow if one.variant is Variant.SHADOW}
    assert "glucose_forecast" in tried


def test_numbers_of_a_rule_that_was_tried_go_on_where_it_is_tried_again() -> None:
    home = HomeState(TRIED, DEFAULT_BOOK)
    found = [one for one in take(home, story(3)) if one.variant is Variant.SHADOW and one.rule == "glucose_forecast"]
    highest = max(one.episode for one in found)
    use_rules(home, LEARNED)
    assert home.subject(PERSON).episodes["glucose_forecast|shadow"] == highest
    use_rules(home, TRIED)
    later = [
        one._replace(seq=one.seq + 1000, received_at=one.received_at + minute(600) - minute(0)) for one in story(3)
    ]
    shift = minute(600) - minute(0)
    later = [
        one._replace(readings=tuple(item._replace(observed_at=item.observed_at + shift) for item in one.readings))
        for one in later
    ]
    again = [one for one in take(home, later) if one.variant is Variant.SHADOW and one.rule == "glucose_forecast"]
    assert min(one.episode for one in again) > highest


def test_the_same_rules_change_nothing() -> None:
    home = HomeState(LEARNED, DEFAULT_BOOK)
    take(home, story(1)[:50])
    person = home.subject(PERSON)
    use_rules(home, LEARNED)
    assert home.subject(PERSON) is person
