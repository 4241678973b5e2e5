"""What is wrong with a device over time: retained uplinks, step totals, its clock, its battery, commands. Pure."""

from dataclasses import dataclass
from typing import Final

from schemas.alerts import EndReason
from services.score.rule import ENDED, MINUTE_MS
from services.score.rules.clock import RIGHT_AGAIN_AFTER_MS
from services.score.rules.firmware import (
    COUNTER_DROPS,
    COUNTER_READINGS,
    COUNTER_RISES,
    MOST_STEPS_PER_MINUTE,
    SAME_AGAIN,
    STOPPED_AFTER_MS,
)
from services.score.rules.low_battery import CHARGED_PERCENT, LOW_PERCENT, UNSAID_AFTER_MS

BEGAN: Final = 1


@dataclass(slots=True)
class FirmwareHabits:
    """Times in ms. ``retained``, ``total``, ``clock``, ``battery``, ``command`` number open episodes, 0 for none.

    ``clock_of``, ``battery_of`` and ``command_of`` are the people whom they are about, -1 where nobody wrote it down.
    ``run`` counts step readings in a row that were above 0 and not lower than the one before;
    ``rises`` of them were higher. ``same`` counts equal ones in a row up to now. ``percent`` is how full the battery
    was at last, by the device's status; -1 where none has said it.
    """

    retained: int = 0
    retained_at: int = 0
    total: int = 0
    steps_at: int = 0
    steps: float = 0.0
    run: int = 0
    rises: int = 0
    drops: int = 0
    same: int = 0
    clock: int = 0
    clock_at: int = 0
    battery: int = 0
    battery_at: int = 0
    percent: float = -1.0
    command: int = 0
    command_at: int = 0
    clock_of: int = -1
    battery_of: int = -1
    command_of: int = -1

    def to_plain(self) -> list[float]:
        """As plain values, in the order of the fields; those at the end that say nothing are left out."""
        found = [getattr(self, name) for name in self.__slots__]
        while found and found[-1] == _SAYS_NOTHING[len(found) - 1]:
            del found[-1]
        return found

    @property
    def is_well(self) -> bool:
        """Whether nothing is open that the next uplink could end."""
        return not (self.retained or self.clock or self.battery)

    def see_uplink(self, *, retained: bool, received_at: int) -> int | None:
        """BEGAN or ENDED where that follows from an uplink that came with or without the retain flag."""
        if retained:
            self.retained_at = max(self.retained_at, received_at)
            return None if self.retained else BEGAN
        return ENDED if self.retained and received_at - self.retained_at >= STOPPED_AFTER_MS else None

    def see_clock(self, *, is_ahead: bool, received_at: int) -> int | None:
        """BEGAN or ENDED where that follows from an uplink whose stamps had to be corrected, or had not."""
        if is_ahead:
            self.clock_at = max(self.clock_at, received_at)
            return None if self.clock else BEGAN
        return ENDED if self.clock and received_at - self.clock_at >= RIGHT_AGAIN_AFTER_MS else None

    def see_battery(self, *, is_low: bool, is_charging: bool, received_at: int) -> EndReason | int | None:
        """BEGAN, or why it ended, where that follows from the events of an uplink."""
        if is_low:
            self.battery_at = max(self.battery_at, received_at)
            return None if self.battery else BEGAN
        if not self.battery:
            return None
        if is_charging:
            return EndReason.RECOVERED
        # By its status it is not charged, and a status that does not change is not said again.
        if 0 <= self.percent <= CHARGED_PERCENT:
            return None
        return EndReason.NO_DATA if received_at - self.battery_at >= UNSAID_AFTER_MS else None

    def see_percent(self, percent: float, received_at: int) -> int | None:
        """BEGAN or ENDED where that follows from how full the battery is, in percent.

        Below the limit it begins where it falls: a device on its charger is not low again, though its battery still is.
        """
        before, self.percent = self.percent, percent
        if percent > CHARGED_PERCENT:
            return ENDED if self.battery else None
        if percent > LOW_PERCENT or self.battery or 0 <= before <= percent:
            return None
        self.battery_at = max(self.battery_at, received_at)
        return BEGAN

    def see_result(self, *, failed: bool, done: bool, at: int) -> int | None:
        """BEGAN or ENDED where that follows from how a command went; what is older than what is known says nothing."""
        if not (failed or done) or at < self.command_at:
            return None
        self.command_at = at
        if failed:
            return None if self.command else BEGAN
        return ENDED if self.command else None

    def see_steps(self, at: int, steps: float) -> tuple[bool, int | None]:
        """Whether a step reading shows movement; and BEGAN or ENDED where it shows a total, or none any more."""
        # A late reading: it can say nothing about a row of readings, but perhaps about movement.
        if at <= self.steps_at:
            return steps > 0 and not self.total, None
        # Most readings: nobody walks, as before.
        if not steps and not self.steps and not self.total:
            self.steps_at, self.same = at, self.same + 1
            return False, None
        before, since = self.steps, self.steps_at
        self.steps_at, self.steps = at, steps
        self.same = self.same + 1 if steps == before else 1
        # The same number again is a walk at one pace, unless nobody walks so fast.
        walkable = steps * MINUTE_MS <= MOST_STEPS_PER_MINUTE * (at - since)
        moved = steps > 0 and (self.same == 1 if self.total else walkable or self.same < SAME_AGAIN)
        if steps >= before and steps > 0 and self.run:
            self.run, self.rises = self.run + 1, self.rises + (steps > before)
        else:
            self.drops += steps < before
            self.run, self.rises = int(steps > 0), 0
        # A long rise forgives the drops before it: a total falls only at midnight.
        if self.run >= COUNTER_READINGS:
            self.drops = 0
            if self.rises >= COUNTER_RISES and not self.total:
                return moved, BEGAN
        if self.total and self.drops >= COUNTER_DROPS:
            return moved, ENDED
        return moved, None


_SAYS_NOTHING: Final = [getattr(FirmwareHabits(), name) for name in FirmwareHabits.__slots__]
