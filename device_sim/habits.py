"""When people use the devices that measure at will: not every day, less on weekends, in the morning and the evening."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Final

from device_sim.casting import Casting
from device_sim.chance import dice
from device_sim.incident import PART_OF
from device_sim.physiology import HOUR_MS, MINUTE_MS, Body
from device_sim.world import SimDevice, wall_ms

_WEEKEND: Final = 0.8
"""On Saturdays and Sundays people measure so much less than on other days. Ours."""
_DAYS, _WORKDAYS = 7, 5
_DAY: Final = timedelta(days=1)
_DAY_MS: Final = 24 * HOUR_MS
_APART_MS: Final = 3 * MINUTE_MS
"""Between two people who share a device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """A device is used on a share of ``days``, at these ``hours`` of the home's clock, give or take ``jitter_h``."""

    days: float
    hours: tuple[float, ...]
    jitter_h: float = 0.6

    def share(self, weekend: bool) -> float:  # noqa: FBT001 - a day is one or the other
        """Of days of that kind, so that the week comes to ``days``."""
        workday = self.days * _DAYS / (_WORKDAYS + (_DAYS - _WORKDAYS) * _WEEKEND)
        return min(1.0, workday * _WEEKEND if weekend else workday)


HABITS: Final[Mapping[str, Habit]] = MappingProxyType(
    {
        "pressure_cuff": Habit(days=0.75, hours=(7.5, 19.5)),
        "scale": Habit(days=0.81, hours=(7.2,)),
        "glucose_meter": Habit(days=0.95, hours=(7.4, 12.2, 18.2, 22.0), jitter_h=0.4),
        "thermometer": Habit(days=0.6, hours=(8.0, 20.0)),
        "finger_oximeter": Habit(days=0.7, hours=(9.0, 21.0)),
    }
)
"""Shares of days for cuff and scale are those of the issue; the others, and all hours, are ours."""


def uses(plan: Casting, device: SimDevice, first: int, last: int) -> Iterator[tuple[int, int]]:
    """When somebody uses the device in [first, last), and their slot.

    On the first day somebody shows them how, within half an hour. Nobody does while something else is played on it.
    """
    shown = plan.start_ms + dice(plan.world.seed, "spot", device.device).randrange(2 * MINUTE_MS, 27 * MINUTE_MS)
    for slot, person in enumerate(device.people, start=1):
        wanted = [shown + (slot - 1) * _APART_MS, *_by_habit(plan, device, person, slot, first, last)]
        for at in wanted:
            if first <= at < last and not plan.busy(person, at, at + 1, PART_OF[device.type]):
                yield at, slot


def _by_habit(plan: Casting, device: SimDevice, person: str, slot: int, first: int, last: int) -> Iterator[int]:
    habit, body = HABITS[device.type], plan.world.bodies[person]
    for day in _days(body, first, last):
        draw = dice(plan.world.seed, "habit", device.device, person, day)
        kept = plan.adherence.still_measures((wall_ms(day, 0, body.zone) - plan.start_ms) / _DAY_MS)
        if draw.random() >= kept * habit.share(weekend=day.isoweekday() > _WORKDAYS):
            continue
        for hour in habit.hours:
            at = wall_ms(day, round(60 * (hour + draw.uniform(-habit.jitter_h, habit.jitter_h))), body.zone)
            # Not the very moment of the other's.
            at += draw.randrange(MINUTE_MS) + (slot - 1) * _APART_MS
            if at >= plan.start_ms:
                yield at


def _days(body: Body, first: int, last: int) -> Iterator[date]:
    day = datetime.fromtimestamp((first - HOUR_MS) / 1000, UTC).astimezone(body.zone).date()
    end = datetime.fromtimestamp((last + HOUR_MS) / 1000, UTC).astimezone(body.zone).date()
    while day <= end:
        yield day
        day += _DAY
