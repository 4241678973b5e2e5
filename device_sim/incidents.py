"""What goes wrong in the simulated homes, planned ahead from the seed: who, when, and what the platform must say."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from device_sim.casting import BLOCK_MS, Casting
from device_sim.chance import dice
from device_sim.doses import dose_taken_late, dose_unheard, dose_unheard_and_missed, double_dose, missed_dose
from device_sim.emergencies import fall_answered, fall_answered_late, fall_unanswered, silent_device, sos
from device_sim.illness import (
    backlog,
    fast_breathing,
    fever,
    gap_in_episode,
    hypoglycaemia,
    hypoxia,
    low_by_meter,
    moving_and_ill,
    pressure_crisis,
    tachycardia,
    weight_gain,
    worn_off,
)
from device_sim.incident import Incident, OffBody, Spoilt
from device_sim.near_misses import NEAR_MISS_MAKERS
from device_sim.physiology import HOUR_MS, PROCESS_OF
from device_sim.world import Dose, World

IncidentMaker = Callable[[Casting, int], Iterator[Incident]]
NEAR_MISSES: Final = 3
"""So many for each incident."""
NO_ACTIVITY: Final = 0.2
"""Share of a band's hours in which it sends no activity and no posture."""
_LOOK_AHEAD_MS: Final = 2 * HOUR_MS


class IncidentPlan(Casting):
    """The incidents of a world, hour by hour, and ``near_misses`` for each of them.

    Each hour has one incident of each kind, or ``times`` as many, where there is somebody to have them. ``makers`` are
    the kinds; each may have its turn in but one of ``every`` hours.
    """

    def __init__(
        self,
        world: World,
        *,
        start_ms: int,
        rate: float,
        enabled: bool = True,
        times: int = 1,
        near_misses: int = NEAR_MISSES,
        no_activity: float = NO_ACTIVITY,
    ) -> None:
        super().__init__(world, start_ms=start_ms, rate=rate, no_activity=no_activity)
        self.every, self.makers = 1, MAKERS
        self._blocks = 0
        self._times = times if enabled else 0
        self._near = near_misses

    def ensure(self, until_ms: int) -> None:
        """Plans all that starts before ``until_ms``, and further: incidents may begin early."""
        while self._times and self.start_ms + self._blocks * BLOCK_MS < until_ms + _LOOK_AHEAD_MS:
            self._plan_block(self._blocks)
            self._blocks += 1

    def powered_off(self, device: str, at_ms: int) -> bool:
        """It has no power, and measures nothing."""
        return any(row.off and row.off.first_ms <= at_ms < row.off.last_ms for row in self.around(device, at_ms))

    def away(self, device: str, at_ms: int) -> bool:
        """It measures, and can't send."""
        return any(row.away and row.away.first_ms <= at_ms < row.away.last_ms for row in self.around(device, at_ms))

    def value(self, person_id: str, vital: str, at_ms: int) -> float:
        """The person's value of a vital, in its own unit, with whatever goes wrong for them."""
        process = PROCESS_OF[vital]
        value = process.value(self.world.bodies[person_id], at_ms)
        for row in self.around(person_id, at_ms):
            if row.excursion and row.excursion.vital == vital:
                value = row.excursion.bend(value, at_ms)
        return round(value, process.decimals)

    def lying(self, person_id: str, at_ms: int) -> bool:
        """On the floor."""
        rows = self.around(person_id, at_ms)
        return any(row.lying and row.lying.first_ms <= at_ms < row.lying.last_ms for row in rows)

    def off_body(self, device: str, at_ms: int) -> OffBody | None:
        """A band that lies about, as its wearer left it."""
        rows = self.around(device, at_ms)
        return next((row.off_body for row in rows if row.off_body and _within(row.off_body, at_ms)), None)

    def spoilt(self, device: str, vital: str, at_ms: int) -> Spoilt | None:
        """What a device sends in the place of the body's value."""
        found = (row.spoilt for row in self.around(device, at_ms) if row.spoilt and row.spoilt.vital == vital)
        return next((one for one in found if _within(one, at_ms)), None)

    def _plan_block(self, block: int) -> None:
        taken: set[str] = set()
        before = len(self.all)
        for turn in range(self._times):
            self.turn = turn
            for make in self.makers:
                for incident in make(self, block) if self._has_one(make, block) else ():
                    if incident.person_id not in taken:
                        taken.add(incident.person_id)
                        self.add(incident)
                        break
        self._plan_near_misses(block, self._near * (len(self.all) - before))

    def _has_one(self, make: IncidentMaker, block: int) -> bool:
        """Whether that kind has its turn in that hour."""
        # A gain of weight takes days, and has an hour of its own for that.
        if self.every == 1 or make is weight_gain:
            return True
        hours, place = divmod(block, self.every)
        return dice(self.world.seed, "hour", make.__name__, hours).randrange(self.every) == place

    def dose_late_ms(self, device: str, dose: Dose) -> int | None:
        """How late a dose is taken besides its few minutes; None: it stays in its cup."""
        if self.adherence.is_perfect or not dose.time_critical:
            return 0
        return self.adherence.dose_late_ms(device, dose.at_ms)

    def _plan_near_misses(self, block: int, wanted: int) -> None:
        """One of each kind after the other, until there are enough, or nobody is free."""
        self.turn, planned = 0, -1
        makers = list(NEAR_MISS_MAKERS.values())
        if self.every > 1:
            # A few an hour: not always the first of the list.
            dice(self.world.seed, "nearly of", block).shuffle(makers)
        while planned:
            planned = 0
            for make in makers:
                found = next(make(self, block), None) if wanted else None
                if found is not None:
                    self.add(found)
                    planned, wanted = planned + 1, wanted - 1
            self.turn += 1


def _within(one: OffBody | Spoilt, at_ms: int) -> bool:
    return one.span.first_ms <= at_ms < one.span.last_ms


MAKERS: Final[Sequence[IncidentMaker]] = (
    sos,
    # What few people can have comes before what everybody can.
    weight_gain,
    fever,
    missed_dose,
    double_dose,
    dose_taken_late,
    dose_unheard_and_missed,
    dose_unheard,
    silent_device,
    hypoglycaemia,
    low_by_meter,
    gap_in_episode,
    backlog,
    pressure_crisis,
    fall_unanswered,
    fall_answered,
    fall_answered_late,
    hypoxia,
    tachycardia,
    fast_breathing,
    moving_and_ill,
    worn_off,
)
