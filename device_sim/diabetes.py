"""Glucose of somebody with type 1 diabetes: meals, insulin that fits them badly, drifts, a sensor. Pure, by time.

Nothing of it is recorded. The process was set so that its variability, its autocorrelation and the shares of time
below 70 and above 250 mg/dL come near to those of people of 60 years and more with type 1 diabetes who wore a
continuous monitor for two weeks: Weinstock 2016 (T1D Exchange), as GlucoBench redistributes it, CC BY-SA 4.0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp
from typing import Final, NamedTuple

from device_sim.chance import Noise, dice

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
_DAY_MS: Final = 24 * _HOUR_MS
LOWEST, HIGHEST = 39, 401
"""What a monitor shows of whatever lies below 40, or above 400 mg/dL."""
_LEVEL, _LEVEL_SPREAD = 175.0, 0.185
"""What is usual between meals, in mg/dL, and how far people differ, on the scale of logarithms."""
_SWING_SPREAD: Final = 0.15
"""How far people differ in how much it swings, on the same scale."""
_MEALS: Final = (
    (8.0, 1.0, 0.9),
    (13.0, 1.0, 1.0),
    (19.0, 1.0, 1.1),
    (10.5, 0.4, 0.5),
    (16.0, 0.5, 0.5),
    (22.0, 0.5, 0.7),
)
"""Hour, how many days of all, and size of the meals and snacks of a day."""
_EATEN_WITHIN_H: Final = 1.2
_MEAL_H, _INSULIN_H, _INSULIN_AFTER_H = 1.5, 2.5, 1.5
"""When what a meal, and its insulin, do is at its highest."""
_LASTS_H: Final = 14.0
_MEAL, _MEAL_SPREAD = 0.55, 0.45
_MATCH, _MATCH_SPREAD = 0.55, 0.38
"""How much of a meal its insulin takes away again, and how far that differs from meal to meal."""
_MEAN_OF_MEALS: Final = 0.1
_DAWN: Final = 0.08
_LOWERING: Final = 1.2
"""How much more what lowers it does than what raises it."""
_DRIFTS: Final = ((340, 0.9), (120, 0.15), (45, 0.1))
"""Minutes from one point to the next of what else moves it, and by how much: activity, stress, basal insulin."""
_SENSOR_MG_DL: Final = 8.0


class Meal(NamedTuple):
    """Eaten at ``at_ms`` of the wall clock; ``rise`` of what is usual, of which insulin takes ``match`` away again."""

    at_ms: int
    rise: float
    match: float


@dataclass(slots=True, kw_only=True)
class TypeOne:
    """Type 1 diabetes of one person: ``level`` in mg/dL, ``swing`` in parts of what is usual for everybody."""

    seed: int
    person: str
    level: float
    swing: float
    _noises: list[Noise] = field(default_factory=list)
    _days: dict[int, Sequence[Meal]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._noises = [Noise(self.seed, self.person, "drift", period) for period, _ in _DRIFTS]
        self._noises.append(Noise(self.seed, self.person, "sensor"))

    def glucose(self, local_ms: int) -> float:
        """What the blood has, in mg/dL, at that moment of the home's wall clock."""
        drift = sum(
            share * noise.smooth(local_ms, period * _MINUTE_MS)
            for (period, share), noise in zip(_DRIFTS, self._noises, strict=False)
        )
        moved = self.swing * (drift + self._eaten(local_ms) - _MEAN_OF_MEALS + _dawn(local_ms))
        # What lowers it takes a part of what is there; what raises it comes on top.
        return self.level * (exp(_LOWERING * moved) if moved < 0 else 1 + moved)

    def sensed(self, glucose: float, at_ms: int) -> float:
        """What a sensor shows of ``glucose``, in whole mg/dL within its range."""
        error = _SENSOR_MG_DL * self._noises[-1].smooth(at_ms, 10 * _MINUTE_MS)
        return min(HIGHEST, max(LOWEST, round(glucose + error)))

    def _eaten(self, local_ms: int) -> float:
        day = local_ms // _DAY_MS
        return sum(
            meal.rise * (_course(hours / _MEAL_H) - meal.match * _course((hours - _INSULIN_AFTER_H) / _INSULIN_H))
            for meal in (*self._meals(day - 1), *self._meals(day))
            if 0 < (hours := (local_ms - meal.at_ms) / _HOUR_MS) < _LASTS_H
        )

    def _meals(self, day: int) -> Sequence[Meal]:
        known = self._days.get(day)
        if known is None:
            known = self._days[day] = tuple(self._draw_meals(day))
        return known

    def _draw_meals(self, day: int) -> list[Meal]:
        draw = dice(self.seed, "meals", self.person, day)
        meals = []
        for hour, share, size in _MEALS:
            is_eaten = draw.random() < share
            at_ms = day * _DAY_MS + round((hour + draw.uniform(-_EATEN_WITHIN_H, _EATEN_WITHIN_H)) * _HOUR_MS)
            rise = _MEAL * size * exp(_MEAL_SPREAD * draw.gauss())
            match = max(0.0, _MATCH + _MATCH_SPREAD * draw.gauss())
            if is_eaten:
                meals.append(Meal(at_ms, rise, match))
        return meals


def make_type_one(seed: int, person: str) -> TypeOne:
    """The same for the same seed and person."""
    draw = dice(seed, "type one", person)
    level, swing = _LEVEL * exp(_LEVEL_SPREAD * draw.gauss()), exp(_SWING_SPREAD * draw.gauss())
    return TypeOne(seed=seed, person=person, level=level, swing=swing)


def _course(shape: float) -> float:
    """0 at 0, 1 at 1, and slowly back."""
    return shape * exp(1 - shape) if shape > 0 else 0.0


def _dawn(local_ms: int) -> float:
    """The liver lets sugar go before people get up."""
    away = local_ms % _DAY_MS / _HOUR_MS - 7
    return _DAWN * exp(-away * away / 4)
