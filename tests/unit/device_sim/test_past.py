"""The past of simulated homes: the same each time, and it ends where what is live begins, without a step."""

import json
from itertools import pairwise, takewhile
from typing import Any

import pytest

from device_sim.fleet import make_fleet
from device_sim.incidents import IncidentPlan
from device_sim.observations import observations
from device_sim.past import PAST_EPOCH, PastPlan, past_of
from device_sim.physiology import HOUR_MS, MINUTE_MS, effort, walked
from device_sim.world import SimDevice, World, make_world

END = 1_790_000_000_000
DAYS = 3
DAY_MS = 24 * HOUR_MS


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(make_fleet(homes=2, seed=5, start_ms=END), 5)


def device(world: World, kind: str) -> SimDevice:
    return next(one for one in world.devices if one.type == kind)


def past(world: World, kind: str) -> list[dict[str, Any]]:
    plan = PastPlan(world, end_ms=END, days=DAYS)
    return [json.loads(one.payload) | {"received_at": one.received_at} for one in past_of(plan, device(world, kind))]


def stamps(uplinks: list[dict[str, Any]], vital: str) -> list[int]:
    return [one["at"] for uplink in uplinks for one in uplink.get("readings", ()) if one["vital"] == vital]


def test_it_is_the_same_each_time(world: World) -> None:
    assert past(world, "wearable_band") == past(world, "wearable_band")


@pytest.mark.parametrize("kind", ["wearable_band", "cgm", "pressure_cuff", "pill_dispenser"])
def test_it_is_numbered_without_a_gap_and_received_before_it_ends(world: World, kind: str) -> None:
    uplinks = past(world, kind)

    assert [(one["epoch"], one["seq"]) for one in uplinks] == [(PAST_EPOCH, seq) for seq in range(len(uplinks))]
    received = [one["received_at"] for one in uplinks]
    assert received == sorted(received)
    assert END - DAYS * DAY_MS <= received[0] <= received[-1] < END


@pytest.mark.parametrize(("kind", "vital", "usual_min"), [("cgm", "glucose", 5), ("wearable_band", "heart_rate", 1)])
def test_reports_lie_a_quarter_of_an_hour_apart_until_the_last_day_and_then_as_usual(
    world: World, kind: str, vital: str, usual_min: int
) -> None:
    at = stamps(past(world, kind), vital)
    # A band that lies on the table, or on its charger, leaves longer ones.
    sparse = [later - one for one, later in pairwise(at) if later < END - DAY_MS]
    full = [later - one for one, later in pairwise(at) if one >= END - DAY_MS]

    assert min(sparse) == 15 * MINUTE_MS
    assert min(full) == usual_min * MINUTE_MS
    assert len(sparse) > 0.8 * (DAYS - 1) * 96
    assert len(full) > 0.8 * 24 * 60 / usual_min


@pytest.mark.parametrize(("kind", "vital", "usual_min"), [("cgm", "glucose", 5), ("wearable_band", "heart_rate", 1)])
def test_what_is_live_goes_on_in_step_with_it(world: World, kind: str, vital: str, usual_min: int) -> None:
    live = IncidentPlan(world, start_ms=END, rate=1.0, enabled=False)
    planned = takewhile(lambda one: one.at_ms < END + HOUR_MS, observations(live, device(world, kind)))
    first = next(one.at for uplink in planned for one in uplink.readings if one.vital == vital)

    assert first - stamps(past(world, kind), vital)[-1] == usual_min * MINUTE_MS


def test_values_are_those_of_the_live_signal_at_that_time(world: World) -> None:
    """Asked for a time that both know, as a run does that begins a day earlier."""
    live = IncidentPlan(world, start_ms=END - DAY_MS, rate=1.0, enabled=False)
    planned = takewhile(lambda one: one.at_ms < END, observations(live, device(world, "cgm")))
    known = {one.at: one.value for uplink in planned for one in uplink.readings}
    made = {one["at"]: one["value"] for uplink in past(world, "cgm") for one in uplink["readings"]}

    assert len(known) > 12 * 23
    assert {at: made[at] for at in known} == known


def test_steps_of_a_quarter_of_an_hour_are_the_sum_of_its_minutes(world: World) -> None:
    body = world.bodies[device(world, "wearable_band").people[0]]
    quarters = range(END - DAY_MS, END, 15 * MINUTE_MS)

    found = [walked(body, at - 15 * MINUTE_MS, at) for at in quarters]

    by_minute = [sum(effort(body, at - minute * MINUTE_MS).steps for minute in range(15)) for at in quarters]
    assert sum(found) > 0
    # Each minute is cut to whole steps.
    assert all(abs(one - other) <= 15 for one, other in zip(found, by_minute, strict=True))
