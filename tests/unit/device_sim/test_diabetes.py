"""Type 1 diabetes of simulated people: the same for a seed, as variable as real people's, and nobody else's."""

from math import fsum, sqrt

import pytest

from device_sim.diabetes import HIGHEST, LOWEST, make_type_one
from device_sim.fleet import make_fleet
from device_sim.incident import PART_OF, Part
from device_sim.incidents import IncidentPlan
from device_sim.world import make_world
from tests.unit.device_sim.sim_world import HOUR_MS, START_MS, uplinks

_STEP_MS = 300_000
_WEEK = 7 * 288


def trace(person: str, *, seed: int = 1, readings: int = _WEEK) -> list[float]:
    body = make_type_one(seed, person)
    return [body.sensed(body.glucose(at), at) for at in range(START_MS, START_MS + readings * _STEP_MS, _STEP_MS)]


def spread(values: list[float]) -> float:
    mean = fsum(values) / len(values)
    return sqrt(fsum((value - mean) ** 2 for value in values) / len(values))


def autocorrelation(values: list[float], steps: int) -> float:
    mean = fsum(values) / len(values)
    pairs = zip(values, values[steps:], strict=False)
    return fsum((one - mean) * (later - mean) for one, later in pairs) / len(values) / spread(values) ** 2


def test_the_same_seed_is_the_same_whenever_and_in_whichever_order_it_is_asked() -> None:
    body, again = make_type_one(3, "ann"), make_type_one(3, "ann")
    moments = range(START_MS, START_MS + 48 * HOUR_MS, HOUR_MS)
    assert [body.glucose(at) for at in moments] == [again.glucose(at) for at in reversed(moments)][::-1]
    assert trace("ann", readings=100) == trace("ann", readings=100)
    assert trace("ann", readings=100) != trace("ann", seed=2, readings=100)
    assert trace("ann", readings=100) != trace("bob", readings=100)


def test_glucose_varies_as_much_and_as_slowly_as_that_of_older_people_with_type_1_diabetes() -> None:
    """Population numbers of Weinstock 2016 as GlucoBench redistributes it; two dozen people are not the whole set."""
    traces = [trace(f"person {number}") for number in range(24)]
    values = [value for one in traces for value in one]
    assert fsum(spread(one) for one in traces) / len(traces) == pytest.approx(75.7, rel=0.12)
    assert fsum(values) / len(values) == pytest.approx(177, rel=0.1)
    for steps, real in ((1, 0.993), (3, 0.970), (6, 0.923), (12, 0.809)):
        assert fsum(autocorrelation(one, steps) for one in traces) / len(traces) == pytest.approx(real, rel=0.06)
    assert sum(value < 70 for value in values) / len(values) == pytest.approx(0.073, abs=0.035)
    assert sum(value > 250 for value in values) / len(values) == pytest.approx(0.179, abs=0.06)


@pytest.mark.parametrize(("glucose", "shown"), [(12.0, LOWEST), (900.0, HIGHEST)])
def test_a_sensor_shows_its_bounds_and_whole_numbers_between(glucose: float, shown: int) -> None:
    body = make_type_one(1, "ann")
    assert body.sensed(glucose, START_MS) == shown
    assert float(body.sensed(123.4, START_MS)).is_integer()


def test_only_who_has_it_swings_and_nobody_thinks_up_their_lows() -> None:
    register = make_fleet(homes=6, seed=1, start_ms=START_MS)
    monitor = next(device for home in register.homes for device in home.devices if device.type == "cgm")
    person = str(monitor.bindings[0].person_id)
    ill, well = (
        IncidentPlan(make_world(register, 1, type_1=who), start_ms=START_MS, rate=60) for who in ({person}, ())
    )
    for plan in (ill, well):
        plan.ensure(START_MS + 6 * HOUR_MS)
    shown = {}
    for name, plan in (("ill", ill), ("well", well)):
        device = next(device for device in plan.world.devices if device.device == monitor.device)
        quiet = IncidentPlan(plan.world, start_ms=START_MS, rate=60, enabled=False)
        shown[name] = [row.readings[0].value for row in uplinks(quiet, device, hours=24)]
    assert spread(shown["ill"]) > 2 * spread(shown["well"])
    of_glucose = {row.person_id for row in ill.planned if PART_OF[_type_of(ill, row.device)] is Part.GLUCOSE}
    assert of_glucose
    assert person not in of_glucose
    assert person in {row.person_id for row in well.planned}


def _type_of(plan: IncidentPlan, name: str) -> str:
    return next(device.type for device in plan.world.devices if device.device == name)
