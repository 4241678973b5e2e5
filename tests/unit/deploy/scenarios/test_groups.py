"""Which scenarios share a platform."""

from dataclasses import replace

from deploy.scenarios.run import groups_of
from device_sim.scenario.scenario import read_scenario
from tests.repo.tree import ROOT

HOUR_MS = 3_600_000
ONE = read_scenario(ROOT / "tests/scenarios/oxygen-low-and-back.yaml")
STOPS = read_scenario(ROOT / "tests/scenarios/store-was-stopped.yaml")


def test_many_of_one_start_are_played_in_parts_those_that_last_long_together() -> None:
    many = [replace(ONE, name=f"n{number}", lasts_ms=(number % 30 + 1) * HOUR_MS) for number in range(130)]
    parts = groups_of(many)
    assert sorted(one.name for part in parts for one in part) == sorted(one.name for one in many)
    assert [len(part) for part in parts] == [44, 44, 42]
    lasts = [one.lasts_ms for part in parts for one in part]
    assert lasts == sorted(lasts, reverse=True)


def test_another_start_and_whoever_stops_a_part_have_a_platform_of_their_own() -> None:
    later = replace(ONE, name="later", starts_ms=ONE.starts_ms + HOUR_MS)
    groups = groups_of([ONE, STOPS, later, replace(STOPS, name="again")])
    assert sorted([one.name for one in group] for group in groups) == [
        ["again"],
        ["later"],
        ["oxygen-low-and-back"],
        ["store-was-stopped"],
    ]
