"""Whether a person's days drift from what is usual for them, as in a beginning illness: one step a day. Pure.

The model of the rule ``baseline``. Whether inputs of a model have drifted is ``feature_drift``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any, Final, NamedTuple

from services.runtime.errors import HearthBeatError
from services.score.models import hysteresis
from services.score.models.usual import Channel, Deviation, PastDays, deviation

VERSION: Final = 1
"""Of the form in which a state is written."""
_NEVER: Final = -1


class DriftError(HearthBeatError):
    """A day was given that is not later than the last one, or a state of an unknown form."""


RESTING_PULSE: Final = "resting_pulse"
SLEEPING_PULSE: Final = "sleeping_pulse"
STEPS: Final = "steps"
RESPIRATORY_RATE: Final = "respiratory_rate"
SKIN_TEMPERATURE: Final = "skin_temperature"
WEIGHT: Final = "weight"

CHANNELS: Final = (
    Channel(code=RESTING_PULSE, group="pulse", way=1, weight=1.0, least_spread=1.0),
    Channel(code=SLEEPING_PULSE, group="pulse", way=1, weight=1.0, least_spread=1.0),
    Channel(code=STEPS, group="steps", way=-1, weight=1.0, least_spread=0.25, is_log=True),
    Channel(code=RESPIRATORY_RATE, group="respiratory_rate", way=1, weight=1.0, least_spread=0.5),
    Channel(code=SKIN_TEMPERATURE, group="skin_temperature", way=1, weight=1.0, least_spread=0.2),
    Channel(code=WEIGHT, group="weight", way=-1, weight=0.5, least_spread=0.5),
)
"""/min, /min, steps a day, /min, Celsius, kg. Of weight a loss alone: what a gain means is the rule ``weight``'s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftModel:
    """How days are compared and when they count as a drift: a recipe of published parts, fitted to nobody.

    The baseline is that of ``among_days`` days ending ``until_days`` before the day itself, as far as ``least_days`` of
    them have a value. Each group of channels that has one counts by its weight, and the sum is divided by what it would
    vary by were the groups independent, so that a missing channel leaves the rate of false alarms as it is.
    Groups weigh the same (Dawes, The robust beauty of improper linear models, American Psychologist 1979). ``pace`` is
    within what is usual for EWMA charts, 0.05 to 0.25, and ``on`` their limit of 3 standard deviations (1.0) with a
    margin (3.4), because a spread estimated from so few days makes the tails heavier, and days depend on each other
    (Roberts, Technometrics 1959; Lucas and Saccucci, Technometrics 1990). Which of these were taken was decided with
    figures of recorded people at hand: the scorecard has those of others.
    """

    channels: tuple[Channel, ...] = CHANNELS
    among_days: int = 28
    until_days: int = 3
    least_days: int = 10
    lowest: float = -4.0
    highest: float = 6.0
    pace: float = 0.2
    on: float = 1.13
    least_weight: float = 1.0
    """Less than that in all is not evaluated: weight alone."""
    over_days: int = 5
    """An episode is over after so many days with values below ``on``."""
    lasting_days: int = 7
    """From so many days at or above ``on``, the drift lasts. Waiting makes it rarer, not more often an illness."""
    frozen_days: int = 14
    """A baseline that stands still for an episode moves again after so many: it has become what is usual."""
    longest_gap_days: int = 14
    """After as long without values the average, and an episode, begin anew."""

    def advance(self, state: "DriftState", day: int, values: Mapping[str, float]) -> "DriftDay | None":
        """Takes the next day's values by the channel's code, in its unit; ``day`` counts from 1970.

        None, and no change, where none of the channels has a value: such a day neither continues nor ends anything.
        Raises DriftError where ``day`` is not later than the last one.
        """
        given = [(channel, values[channel.code]) for channel in self.channels if channel.code in values]
        if not given:
            return None
        self._pass_time(state, day)
        own_day = day - state.held_days
        deviations = self._deviations(state, own_day, given)
        said = self._judged(state, day, deviations)
        if not state.is_frozen(day, self.frozen_days):
            for channel, value in given:
                state.past.setdefault(channel.code, PastDays()).add(own_day, channel.scaled(value))
        return said

    def _pass_time(self, state: "DriftState", day: int) -> None:
        if day <= state.last_day:
            raise DriftError(f"day {day} came after day {state.last_day}")
        gap = day - state.last_day if state.last_day != _NEVER else 0
        if state.is_frozen(day, self.frozen_days):
            state.held_days += gap
        if gap > self.longest_gap_days:
            state.average, state.began, state.days_on, state.days_below = 0.0, None, 0, 0
        state.last_day = day

    def _deviations(self, state: "DriftState", own_day: int, given: Iterable[tuple[Channel, float]]) -> list[Deviation]:
        last, found = own_day - self.until_days, []
        for past in state.past.values():
            past.forget(last - self.among_days + 1)
        for channel, value in given:
            before = state.past[channel.code].until(last) if channel.code in state.past else ()
            if len(before) >= self.least_days:
                one = deviation(channel, value, before)
                found.append(one._replace(z=min(max(one.z, self.lowest), self.highest)))
        return found

    def combined(self, deviations: Iterable[Deviation]) -> float | None:
        """One figure of a day's deviations, of about variance 1; None where too little is known."""
        groups: dict[str, list[Deviation]] = {}
        for one in deviations:
            groups.setdefault(one.channel.group, []).append(one)
        weights = {name: max(one.channel.weight for one in ones) for name, ones in groups.items()}
        if sum(weights.values()) < self.least_weight:
            return None
        pull = sum(weights[name] * sum(one.z for one in ones) / len(ones) for name, ones in groups.items())
        return pull / sqrt(sum(weight**2 for weight in weights.values()))

    def _judged(self, state: "DriftState", day: int, deviations: list[Deviation]) -> "DriftDay":
        combined, was_active = self.combined(deviations), state.is_active
        is_on = combined is not None and state.take(self, day, combined)
        return DriftDay(
            day=day,
            combined=combined,
            average=state.average,
            is_on=is_on,
            has_begun=state.is_active and not was_active,
            has_recovered=was_active and not state.is_active,
            level=state.level(self.lasting_days),
            deviations=tuple(sorted(deviations, key=lambda one: -one.channel.weight * one.z)),
        )


@dataclass(slots=True)
class DriftState:
    """Of one person. ``average``: the EWMA; ``began``: the day on which the open episode began; None: there is none.

    Days that belong to an episode do not count as usual, and the days before it take their place: ``past`` has days in
    a count that stood still for ``held_days`` in all.
    """

    past: dict[str, PastDays] = field(default_factory=dict)
    held_days: int = 0
    last_day: int = _NEVER
    average: float = 0.0
    began: int | None = None
    days_on: int = 0
    days_below: int = 0

    @property
    def is_active(self) -> bool:
        """An episode is open."""
        return self.began is not None

    def take(self, model: DriftModel, day: int, combined: float) -> bool:
        """The next day's figure; whether the average is at or above the threshold."""
        self.average += model.pace * (combined - self.average)
        is_on = self.average >= model.on
        is_active, self.days_below = hysteresis.follow(
            self.average,
            is_on=self.is_active,
            run=self.days_below,
            on=model.on,
            off=model.on,
            off_for=model.over_days,
        )
        if is_active:
            self.began = day if self.began is None else self.began
            self.days_on += is_on
        else:
            self.began, self.days_on = None, 0
        return is_on

    def is_frozen(self, day: int, at_most: int) -> bool:
        """The baseline stands still on ``day``."""
        return self.began is not None and day - self.began <= at_most

    def level(self, lasting_days: int) -> int:
        """0: no episode, 1: one is open, 2: it lasts."""
        if not self.is_active:
            return 0
        return 2 if self.days_on >= lasting_days else 1

    def to_plain(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "version": VERSION,
            "past": {code: self.past[code].to_plain() for code in sorted(self.past)},
            "held_days": self.held_days,
            "last_day": self.last_day,
            "average": self.average,
            "began": self.began,
            "days_on": self.days_on,
            "days_below": self.days_below,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "DriftState":
        """What ``to_plain`` wrote. Raises DriftError."""
        if plain["version"] != VERSION:
            raise DriftError(f"its form is version {plain['version']}, and this score reads {VERSION}")
        others = {name: value for name, value in plain.items() if name not in ("version", "past")}
        return cls(past={code: PastDays.from_plain(one) for code, one in plain["past"].items()}, **others)

    @classmethod
    def of(cls, model: DriftModel, days: Sequence[tuple[int, Mapping[str, float]]]) -> "DriftState":
        """The state of somebody whose ``days`` are known, in order: the one that having lived them would have left."""
        state = cls()
        for day, values in days:
            model.advance(state, day, values)
        return state


class DriftDay(NamedTuple):
    """What a day's values come to. ``combined`` is None where no baseline was known for them.

    ``is_on``: the average is at or above the threshold. ``level``: as of the state. ``deviations``: those that speak
    most for illness first.
    """

    day: int
    combined: float | None
    average: float
    is_on: bool
    has_begun: bool
    has_recovered: bool
    level: int
    deviations: tuple[Deviation, ...]

    def reasons(self, most: int = 3) -> list[Deviation]:
        """The channels that speak most for illness: "resting pulse 7 above usual"."""
        return [one for one in self.deviations if one.z > 0][:most]


DRIFT_MODEL: Final = DriftModel()
"""The product's, and the one whose figures the scorecard gives."""
