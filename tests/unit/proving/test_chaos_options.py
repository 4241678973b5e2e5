"""How a run is laid out: long enough for its strikes, with homes enough for its uplinks."""

from typing import Final

import pytest

from device_sim.fleet import make_fleet
from device_sim.incidents import IncidentPlan
from device_sim.world import make_world
from tests.proving.chaos.options import INCIDENTS_TIMES, RATE, Options
from tests.proving.chaos.schedule import TARGETS, last_blows, plan

START_MS: Final = 1_763_886_600_000


def test_more_strikes_take_longer_and_more_uplinks_take_more_homes() -> None:
    small, large = Options(kills=6, uplinks=1_500, seed=1), Options(kills=40, uplinks=200_000, seed=1)
    assert large.runs_for_s > small.runs_for_s
    assert large.homes > 10 * small.homes


def test_without_resends_the_broker_is_spared() -> None:
    options = Options(kills=6, uplinks=1_500, seed=1, resends=False)
    assert set(options.struck_targets) == {*TARGETS} - {"mosquitto"}
    assert options.resend_after_s > 10 * options.runs_for_s


def test_strikes_keep_to_their_targets() -> None:
    options = Options(kills=9, uplinks=1_500, seed=1, targets=("store", "ingest"))
    struck = [one.target for one in plan(options.kills, seed=options.seed, targets=options.struck_targets)]
    assert set(struck) == {"store", "ingest"}
    assert [one.target for one in last_blows()] == ["store", "ingest"]


def test_a_full_run_must_see_fifty_incidents_and_a_small_one_some() -> None:
    assert Options(kills=40, uplinks=50_000, seed=1).incidents == 50
    assert Options(kills=6, uplinks=1_500, seed=1).incidents == 1


@pytest.mark.parametrize("seed", range(1, 9))
def test_the_plan_of_a_full_run_has_far_more_than_fifty_incidents(seed: int) -> None:
    options = Options(kills=40, uplinks=50_000, seed=seed)
    ends_ms = START_MS + round(options.runs_for_s * RATE * 1000)
    world = make_world(make_fleet(homes=options.homes, seed=seed, start_ms=START_MS), seed)
    plan = IncidentPlan(world, start_ms=START_MS, rate=RATE, times=INCIDENTS_TIMES)
    plan.ensure(ends_ms)
    assert sum(row.alert_expected and row.due_at_ms < ends_ms for row in plan.all) >= 60
