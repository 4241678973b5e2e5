"""A small fleet at a fixed moment, for the tests of the simulator."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Final

from device_sim.fleet import make_fleet
from device_sim.incidents import IncidentPlan
from device_sim.observations import Planned, observations
from device_sim.world import SimDevice, World, make_world

START_MS: Final = 1_763_886_600_000
HOUR_MS: Final = 3_600_000
MINUTE_MS: Final = 60_000


def world(*, seed: int = 1, homes: int = 20, start_ms: int = START_MS) -> World:
    return make_world(make_fleet(homes=homes, seed=seed, start_ms=start_ms), seed)


def plan(
    *,
    seed: int = 1,
    homes: int = 20,
    rate: float = 60,
    incidents: bool = True,
    times: int = 1,
    near_misses: int = 0,
    no_activity: float = 0.0,
) -> IncidentPlan:
    """Incidents alone; ``lively_plan`` is what the simulator really runs."""
    made = IncidentPlan(
        world(seed=seed, homes=homes),
        start_ms=START_MS,
        rate=rate,
        enabled=incidents,
        times=times,
        near_misses=near_misses,
        no_activity=no_activity,
    )
    made.ensure(START_MS + HOUR_MS)
    return made


def lively_plan(
    *, seed: int = 1, homes: int = 20, rate: float = 60, hours: float = 1, start_ms: int = START_MS
) -> IncidentPlan:
    made = IncidentPlan(world(seed=seed, homes=homes, start_ms=start_ms), start_ms=start_ms, rate=rate)
    made.ensure(start_ms + round(hours * HOUR_MS))
    return made


def uplinks(made: IncidentPlan, device: SimDevice, *, hours: float) -> Iterator[Planned]:
    return takewhile(lambda row: row.at_ms < made.start_ms + hours * HOUR_MS, observations(made, device))


def all_uplinks(made: IncidentPlan, *, hours: float) -> Sequence[tuple[str, Planned]]:
    return [(device.device, row) for device in made.world.devices for row in uplinks(made, device, hours=hours)]


def device_named(made: IncidentPlan, name: str) -> SimDevice:
    return next(device for device in made.world.devices if device.device == name)
