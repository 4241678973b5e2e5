"""What a person's closed day comes to for the model of drifts: one figure a channel. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from schemas import vitals
from services.score.models.drift import (
    RESPIRATORY_RATE,
    RESTING_PULSE,
    SKIN_TEMPERATURE,
    SLEEPING_PULSE,
    STEPS,
    WEIGHT,
)

LEAST_HOURS: Final = 6
"""A day on which a band measured in fewer hours of the clock says nothing of a day."""
LEAST_HOURS_OF_SLEEP: Final = 12
"""With fewer, the lowest fifth of the day's pulse need not be of sleep."""
LEAST_VALUES: Final = 72
"""Six hours of a value each five minutes, where a day's hours are not known."""
_LOW: Final = 0.2


class DayOfVital(NamedTuple):
    """A closed day of one vital: how many values in how many hours of the clock (0 to 24), and figures in its unit.

    ``low``: a fifth of the values are no higher; ``total``: their sum. None of what was not kept.
    """

    values: int
    median: float
    hours: int | None = None
    low: float | None = None
    total: float | None = None

    @property
    def is_worn(self) -> bool:
        """Whether it stands for the day."""
        return self.values >= LEAST_VALUES if self.hours is None else self.hours >= LEAST_HOURS


def day_of_vital(counts: Sequence[tuple[int, int]], steps_a_unit: int, hours: int) -> DayOfVital:
    """Of a day's values, in order, each in steps of which a unit has ``steps_a_unit``, with how often it came.

    There is at least one. ``hours``: a bit for each hour of the clock with a value.
    """
    values = sum(count for _, count in counts)
    middle = (_at(counts, (values - 1) // 2) + _at(counts, values // 2)) / 2
    low = _at(counts, int((values - 1) * _LOW))
    total = sum(step * count for step, count in counts)
    return DayOfVital(values, middle / steps_a_unit, hours.bit_count(), low / steps_a_unit, total / steps_a_unit)


def channels_of(day: Mapping[int, DayOfVital]) -> dict[str, float]:
    """The channels of a day that are known, by their code, from its vitals by their number.

    Resting pulse is the median of what was not measured in movement, the pulse of the hours of sleep the day's lowest
    fifth: which hours these are need not be known. Steps count where the band was worn, by its pulse where it measures
    one: few steps of a band on the table are no illness. Weight is measured once a day.
    """
    found = {
        code: one.median
        for code, vital in (
            (RESTING_PULSE, vitals.HEART_RATE),
            (RESPIRATORY_RATE, vitals.RESPIRATORY_RATE),
            (SKIN_TEMPERATURE, vitals.SKIN_TEMPERATURE),
        )
        if (one := day.get(vital.number)) is not None and one.is_worn
    }
    pulse, steps, weight = (day.get(one.number) for one in (vitals.HEART_RATE, vitals.STEPS, vitals.WEIGHT))
    if pulse is not None and pulse.low is not None and (pulse.hours or 0) >= LEAST_HOURS_OF_SLEEP:
        found[SLEEPING_PULSE] = pulse.low
    # Where the hours of a pulse are not known, the day began before steps were kept: their sum is not the day's.
    is_whole = pulse is None or pulse.hours is not None
    if steps is not None and steps.total is not None and (pulse or steps).is_worn and is_whole:
        found[STEPS] = steps.total
    if weight is not None:
        found[WEIGHT] = weight.median
    return found


def _at(counts: Sequence[tuple[int, int]], place: int) -> int:
    """The value at a place among all of them, from 0."""
    passed = 0
    for step, count in counts:
        passed += count
        if place < passed:
            return step
    raise IndexError(place)
