"""Whatever the seed and the size of the fleet, incidents and near-misses keep out of each other's way."""

from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_sim.casting import BLOCK_MS
from device_sim.habits import HABITS, uses
from device_sim.incident import PART_OF, Excursion, Incident
from device_sim.incidents import IncidentPlan
from device_sim.physiology import PROCESS_OF
from schemas.devices import DEVICE_TYPES
from tests.unit.device_sim.sim_world import HOUR_MS, MINUTE_MS, START_MS, lively_plan, plan, world

_APART_MS = 15 * MINUTE_MS
ASKED = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10_000),
        "homes": st.integers(1, 24),
        "rate": st.sampled_from((1.0, 60.0, 600.0)),
        "times": st.integers(1, 3),
        "near_misses": st.integers(0, 4),
    }
)


def made_of(asked: dict[str, Any]) -> IncidentPlan:
    options = {name: asked[name] for name in ("rate", "times", "near_misses")}
    return IncidentPlan(world(seed=asked["seed"], homes=asked["homes"]), start_ms=START_MS, **options)


def collide(one: Incident, other: Incident, apart_ms: int) -> bool:
    first, last = one.busy
    return other.busy.overlaps(first - apart_ms, last + apart_ms)


@given(ASKED)
@settings(max_examples=25, deadline=None)
def test_nothing_else_touches_the_part_of_a_person_that_a_near_miss_plays_with(asked: dict[str, Any]) -> None:
    made = made_of(asked)
    made.ensure(START_MS + 3 * HOUR_MS)
    for person in made.world.bodies:
        for one, other in combinations(made.of_person(person), 2):
            if one.near_miss or other.near_miss:
                assert one.part is not other.part or not collide(one, other, _APART_MS)
            else:
                assert not collide(one, other, 0)


@given(ASKED)
@settings(max_examples=25, deadline=None)
def test_near_misses_are_as_many_as_asked_for_or_as_there_is_room_for(asked: dict[str, Any]) -> None:
    made = made_of(asked)
    made.ensure(START_MS)
    assert len(made.near_misses) <= asked["near_misses"] * len(made.all)
    assert len({row.name for row in made.planned}) == len(made.planned)
    for row in made.near_misses:
        block = int(row.name.rsplit("-", 2)[1])
        assert START_MS + block * BLOCK_MS <= row.busy.first_ms + 2 * MINUTE_MS
        assert row.person_id != made.first_person
        assert not row.alert_expected


@given(ASKED, st.integers(0, 5), st.integers(1, 5))
@settings(max_examples=25, deadline=None)
def test_what_is_planned_hour_by_hour_is_what_is_planned_at_once(asked: dict[str, Any], hours: int, steps: int) -> None:
    made, again = made_of(asked), made_of(asked)
    for step in range(steps + 1):
        again.ensure(START_MS + hours * HOUR_MS * step // steps)
    made.ensure(START_MS + hours * HOUR_MS)
    assert again.planned == made.planned


@given(
    st.floats(-50, 250), st.floats(-50, 250), st.floats(0.01, 100), st.integers(0, 100), st.integers(0, 100),
    st.integers(-50, 400),
)  # fmt: skip
def test_an_excursion_leaves_what_is_usual_never_overshoots_and_comes_back(
    usual: float, target: float, rate: float, starts: int, lasts: int, minute: int
) -> None:
    bend = Excursion(
        vital="glucose", target=target, rate=rate, from_ms=starts * MINUTE_MS, back_ms=(starts + lasts) * MINUTE_MS
    )
    value = bend.bend(usual, minute * MINUTE_MS)
    assert min(usual, target) - 1e-6 <= value <= max(usual, target) + 1e-6
    if minute <= starts:
        assert value == usual
    if starts < minute <= starts + lasts and abs(target - usual) <= rate * (minute - starts):
        assert value == pytest.approx(target)
    if minute >= starts + 2 * lasts:
        assert value == pytest.approx(usual)


@given(st.integers(0, 1000), st.lists(st.integers(0, 14 * 24 * 60), max_size=12), st.sampled_from(sorted(HABITS)))
@settings(max_examples=40, deadline=None)
def test_habits_are_the_same_however_time_is_cut(seed: int, cuts: list[int], kind: str) -> None:
    made = plan(seed=seed, homes=6, incidents=False)
    device = next((row for row in made.world.devices if row.type == kind), None)
    if device is None:
        return
    edges = sorted({0, 14 * 24 * 60, *cuts})
    whole = sorted(uses(made, device, START_MS, START_MS + edges[-1] * MINUTE_MS))
    pieces = [
        one
        for first, last in pairwise(edges)
        for one in sorted(uses(made, device, START_MS + first * MINUTE_MS, START_MS + last * MINUTE_MS))
    ]
    assert pieces == whole


def test_every_device_type_measures_a_part() -> None:
    assert set(PART_OF) == {row.code for row in DEVICE_TYPES}


def test_what_changes_what_a_device_says_lies_within_the_reach_of_its_incident() -> None:
    made = lively_plan(hours=4)
    for row in made.planned:
        for span in (row.busy, row.still, row.lying, row.walk, row.off, row.away):
            assert span is None or row.reach.first_ms <= span.first_ms <= span.last_ms <= row.reach.last_ms
        if row.excursion is not None:
            usual = PROCESS_OF[row.excursion.vital].value(made.world.bodies[row.person_id], row.reach.last_ms)
            assert row.excursion.bend(usual, row.reach.last_ms) == usual
