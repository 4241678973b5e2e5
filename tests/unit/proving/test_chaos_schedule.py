"""Every target gets its share, and a seed gives the same strikes again."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.proving.chaos.schedule import BACKEND, HANDS_OVER_TO, TARGETS, plan


def test_forty_strikes_are_three_or_four_of_every_process_server_and_a_backend() -> None:
    struck = Counter(one.target for one in plan(40, seed=7))
    assert set(struck) == set(TARGETS)
    assert set(struck.values()) <= {3, 4}


@given(strikes=st.integers(min_value=1, max_value=80), seed=st.integers())
def test_nobody_is_struck_again_before_everybody_was(strikes: int, seed: int) -> None:
    planned = plan(strikes, seed=seed)
    counted = Counter(one.target for one in planned)
    assert len(planned) == strikes
    assert max(counted.values()) - min(counted.get(target, 0) for target in TARGETS) <= 1
    assert planned == plan(strikes, seed=seed)


def test_other_seeds_are_other_strikes() -> None:
    assert plan(40, seed=1) != plan(40, seed=2)


def test_both_ways_occur_and_a_backend_is_only_killed() -> None:
    planned = plan(200, seed=3)
    assert {one.way for one in planned} == {"kill", "freeze"}
    assert {one.way for one in planned if one.target == BACKEND} == {"kill"}
    assert all(0 <= one.away_s <= 5 and one.pause_s > 0 for one in planned)


@pytest.mark.parametrize("target", HANDS_OVER_TO)
@pytest.mark.parametrize("seed", range(5))
def test_every_other_kill_of_who_hands_something_over_comes_while_the_next_in_line_is_away(
    target: str, seed: int
) -> None:
    kills = [one for one in plan(20, seed=seed, targets=(target, "api")) if one.target == target and one.way == "kill"]
    assert [one.laden for one in kills] == [number % 2 == 0 for number in range(len(kills))]
    assert kills[0].away == {target, HANDS_OVER_TO[target][0]}


def test_nobody_else_is_struck_laden_and_a_frozen_process_is_not() -> None:
    laden = [one for one in plan(200, seed=4) if one.laden]
    assert {one.target for one in laden} == set(HANDS_OVER_TO)
    assert {one.way for one in laden} == {"kill"}


def test_a_server_that_was_dead_is_what_recovers() -> None:
    recovers = {one.target: one.recovers for one in plan(200, seed=4) if one.laden}
    assert recovers == {"ingest": "kafka", "mosquitto": "mosquitto", "store": "store"}
    assert all(one.recovers == one.target for one in plan(200, seed=4) if not one.laden)
