"""Many days of simulated homes: now and then something happens, and people don't always do as they should."""

from collections.abc import Sequence
from typing import Final

from device_sim.adherence import Adherence
from device_sim.illness import hyperglycaemia, slow_pulse
from device_sim.incident import IncidentKind
from device_sim.incidents import MAKERS, IncidentMaker, IncidentPlan
from device_sim.world import World

DAYS_ONLY: Final = frozenset({IncidentKind.SLOW_PULSE, IncidentKind.HYPERGLYCAEMIA})
"""What a demo does not play."""
MAKERS_OF_DAYS: Final[Sequence[IncidentMaker]] = (*MAKERS, slow_pulse, hyperglycaemia)
"""Of all kinds."""


class LifePlan(IncidentPlan):
    """Each kind of incident once in ``every`` hours, with three near-misses for each; people keep to ``adherence``."""

    def __init__(self, world: World, *, start_ms: int, rate: float, every: int, adherence: Adherence) -> None:
        super().__init__(world, start_ms=start_ms, rate=rate)
        self.makers, self.every, self.adherence = MAKERS_OF_DAYS, every, adherence
