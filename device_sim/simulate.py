"""The simulated fleet as sources of a run: plan of observations, incidents and faults of each device of a register."""

from collections.abc import Iterator, Sequence

from device_sim.faults import Fault, fault_of, loses_storage, spoil
from device_sim.incidents import IncidentPlan
from device_sim.observations import Planned, observations
from device_sim.run import Source
from device_sim.whose import answer_to
from device_sim.world import SimDevice


def make_sources(plan: IncidentPlan, *, faults: bool) -> Sequence[Source]:
    """One source for each device of the plan's world."""
    return [_source(plan, device, faults=faults) for device in plan.world.devices]


def _source(plan: IncidentPlan, device: SimDevice, *, faults: bool) -> Source:
    seed, name = plan.world.seed, device.device
    return Source(
        device=name,
        type=device.type,
        planned=_planned(plan, device, faults=faults),
        fallen=lambda at_ms: any(plan.lying(person, at_ms) for person in device.people),
        powered_off=lambda at_ms: plan.powered_off(name, at_ms) or plan.away(name, at_ms),
        loses_storage_at=lambda hour: loses_storage(seed, name, hour) if faults else None,
        whose=lambda vital, at_ms, slot: answer_to(plan, device, vital, at_ms, slot),
    )


def _planned(plan: IncidentPlan, device: SimDevice, *, faults: bool) -> Iterator[tuple[Planned, Fault | None]]:
    seed = plan.world.seed
    for planned in observations(plan, device):
        fault = fault_of(seed, device.device, planned) if faults else None
        yield spoil(seed, device.device, planned, fault), fault
