"""Every target gets its share, and a seed gives the same strikes again."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from deploy.chaos.schedule import BACKEND, TARGETS, plan


def test_forty_strikes_are_four_of_every_process_server_and_a_backend() -> None:
    assert Counter(one.target for one in plan(40, seed=7)) == dict.fromkeys(TARGETS, 4)
    assert len(TARGETS) == 10


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
