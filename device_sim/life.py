"""Many days of simulated homes: now and then something happens, and people don't always do as they should."""

from collections.abc import Sequence
from typing import Final

from device_sim.adherence import Adherence
from device_sim.illness import hyperglycaemia, slow_pulse
from device_sim.incident import IncidentKind
from device_sim.incidents import MAKERS, IncidentMaker, IncidentPlan
from device_sim.world import World

NEAR_MISSES: Final = 6
DAYS_ONLY: Final = frozenset({IncidentKind.SLOW_PULSE, IncidentKind.HYPERGLYCAEMIA})
"""What a demo does not play."""
MAKERS_OF_DAYS: Final[Sequence[IncidentMaker]] = (*MAKERS, slow_pulse, hyperglycaemia)
"""Of all kinds."""


class LifePlan(IncidentPlan):
    """Each kind of incident once in ``every`` hours; people keep to ``adherence``.

    There are NEAR_MISSES for each incident that is planned: three for each that there is, as about as many come of
    themselves, of doses and of diabetes.
    """

    def __init__(self, world: World, *, start_ms: int, rate: float, every: int, adherence: Adherence) -> None:
        super().__init__(world, start_ms=start_ms, rate=rate, near_misses=NEAR_MISSES)
        self.makers, self.every, self.adherence = MAKERS_OF_DAYS, every, adherence
