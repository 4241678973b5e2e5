"""How unlike others, and unlike themselves, a person's vitals are: features, score, alarm, and what it rests on. Pure.

Features and answer are apart: a row of features is made a person and hour, the forest is asked for all rows at once.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import isnan, nan
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.vitals import BODY_TEMPERATURE, HEART_RATE, RESPIRATORY_RATE, SPO2, SYSTOLIC, Vital
from services.score.models import hysteresis
from services.score.models.isolation_forest import IsolationForest
from services.score.models.own_course import Course
from services.score.rule import HOUR_MS, NEVER


class Watched(NamedTuple):
    """A vital that is looked at; its newest value speaks for ``carried_ms``, then nothing is known of it."""

    vital: Vital
    carried_ms: int


WATCHED: Final = (
    Watched(HEART_RATE, 6 * HOUR_MS),
    Watched(SPO2, 6 * HOUR_MS),
    Watched(BODY_TEMPERATURE, 24 * HOUR_MS),
    Watched(SYSTOLIC, 24 * HOUR_MS),
    Watched(RESPIRATORY_RATE, 6 * HOUR_MS),
)
"""Ours: as long as nobody would measure again, of what is measured twice a day; a worn device measures each minute."""
PLACES: Final = {one.vital.number: place for place, one in enumerate(WATCHED)}
CODES: Final = tuple(one.vital.code for one in WATCHED)
FEATURES: Final = (*CODES, *(f"{code}.from_usual" for code in CODES))
"""Of a row, in this order: levels of the last hours, then what they lie above the person's own usual."""
LEAST_APART_MS: Final = 55_000
"""Of values of a vital that come sooner one after the other only the first is taken.

Ours: hours count alike, however many values each has, so a value a minute says as much as six and
costs a sixth. A device that measures each minute may be early.
"""
LEAST_VITALS: Final = 3
"""So many have to be known, or a person is not scored: of fewer the row would be other people's medians."""
NAMED: Final = 3
"""So many vitals explain an alarm."""
SCORE_HALF_LIFE_H: Final = 6.0
"""Scores are averaged over hours: what is odd for one hour is a wrong reading or a walk, an illness stays."""
FORGET_H: Final = 12
"""After so many hours without a score the average begins anew."""
OFF_FOR: Final = 2
"""So many scores in a row below the off quantile end an alarm."""


@dataclass(slots=True)
class Asked:
    """What is remembered of one person to make rows: a course of each vital, in the order of ``WATCHED``.

    ``hour`` is that of the newest value, since 1970, UTC; before the first one -1.
    """

    courses: list[Course] = field(default_factory=lambda: [Course() for _ in WATCHED])
    hour: int = -1

    def ask(self, vital: int, value: float, at: int) -> tuple[float, ...] | None:
        """Takes the next usable value of a vital (by its number, in its unit) at ``at`` in ms, changes the state.

        The row to ask the model about, if an hour has ended since the value before: as of the beginning of this
        value's hour, without this value. Other vitals than those of ``WATCHED`` are left out, and what ``takes_from``
        leaves out.
        """
        place = PLACES.get(vital)
        if place is None or at < self.takes_from(vital):
            return None
        hour = at // HOUR_MS
        row = self.row_at(hour * HOUR_MS) if -1 < self.hour < hour else None
        self.hour = hour
        self.courses[place].add(value, at)
        return row

    def takes_from(self, vital: int) -> int:
        """From when on the next value of a vital of ``WATCHED`` is taken, in ms."""
        return self.courses[PLACES[vital]].at + LEAST_APART_MS

    def row_at(self, at: int) -> tuple[float, ...] | None:
        """Features at ``at`` in ms, NaN for what is not known; None where too little is."""
        levels, from_usual = [nan] * len(WATCHED), [nan] * len(WATCHED)
        known = 0
        for place, (course, watched) in enumerate(zip(self.courses, WATCHED, strict=True)):
            if at - course.at > watched.carried_ms:
                continue
            known += 1
            levels[place], usual = course.seen_at(at)
            if usual is not None:
                from_usual[place] = levels[place] - usual
        return (*levels, *from_usual) if known >= LEAST_VITALS else None

    def to_plain(self) -> list[Any]:
        """As plain values."""
        return [self.hour, *(course.to_plain(self.hour) for course in self.courses)]

    @classmethod
    def from_plain(cls, plain: Sequence[Any]) -> "Asked":
        """What ``to_plain`` wrote."""
        hour, *courses = plain
        return cls([Course.from_plain(one, hour) for one in courses], hour)


class Change(StrEnum):
    """What a score did to the alarm."""

    BEGAN = "began"
    ENDED = "ended"


@dataclass(slots=True)
class Concluded:
    """What is remembered of one person's scores: their average, of which moment in ms, and the alarm.

    ``total`` and ``weight`` are sums with weights by age. ``below``: scores in a row under the off quantile.
    """

    at: int = -NEVER
    total: float = 0.0
    weight: float = 0.0
    is_on: bool = False
    below: int = 0

    def average(self, score: float, at: int) -> float:
        """The average with the next score, at ``at`` in ms."""
        passed_h = (at - self.at) / HOUR_MS
        decay = 0.5 ** (passed_h / SCORE_HALF_LIFE_H) if passed_h <= FORGET_H else 0.0
        self.at, self.total, self.weight = at, self.total * decay + score, self.weight * decay + 1.0
        return self.total / self.weight


class Odd(NamedTuple):
    """A vital that an alarm rests on: its level and what that is above the person's usual, in the vital's unit.

    ``from_usual`` None: not known yet. ``robust_z``: the larger of two distances from the middle of people, that of the
    level and that of ``from_usual``, by their spread; with its sign.
    """

    code: str
    level: float
    from_usual: float | None
    robust_z: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyModel:
    """What was fitted, and the limits of the alarm.

    ``medians`` and ``spreads`` (features): of the people it was fitted on, spread is 1.4826 times the median absolute
    deviation. ``oddness``: of their averaged scores, as positive numbers, evenly spaced quantiles from 0 to 1, rising.
    ``on`` and ``off`` are quantiles, 0 to 1, ``off`` the lower.
    """

    forest: IsolationForest
    medians: NDArray[np.float64]
    spreads: NDArray[np.float64]
    oddness: tuple[float, ...]
    on: float
    off: float

    def answer(self, rows: Sequence[Sequence[float]] | NDArray[np.float64]) -> NDArray[np.float64]:
        """The oddness of each row of ``FEATURES``, 0 to 1, whatever the other rows are; NaN stands for not known."""
        found = np.asarray(rows, dtype=np.float64).reshape(-1, len(FEATURES))
        return -self.forest.scores(np.where(np.isnan(found), self.medians, found))

    def quantile(self, oddness: float) -> float:
        """The share of hours of the people it was fitted on that were less odd; at the ends 0 and 1."""
        place = bisect_right(self.oddness, oddness)
        if not 0 < place < len(self.oddness):
            return 1.0 if place else 0.0
        below, above = self.oddness[place - 1], self.oddness[place]
        return (place - 1 + (oddness - below) / (above - below)) / (len(self.oddness) - 1)

    def conclude(self, concluded: Concluded, answer: float, at: int) -> tuple[float, Change | None]:
        """Takes the answer to a row of ``at``, in ms, changes ``concluded``; the quantile, and what it did."""
        quantile, was_on = self.quantile(concluded.average(answer, at)), concluded.is_on
        concluded.is_on, concluded.below = hysteresis.follow(
            quantile, is_on=was_on, run=concluded.below, on=self.on, off=self.off, off_for=OFF_FOR
        )
        if concluded.is_on is was_on:
            return quantile, None
        return quantile, Change.ENDED if was_on else Change.BEGAN

    def explanation(self, row: Sequence[float]) -> tuple[Odd, ...]:
        """The vitals that are the oddest in ``row``, at most three, the oddest first."""
        robust = [(one - middle) / spread for one, middle, spread in zip(row, self.medians, self.spreads, strict=True)]
        found = []
        for place, code in enumerate(CODES):
            level, from_usual = row[place], row[place + len(CODES)]
            of_level, of_usual = robust[place], robust[place + len(CODES)]
            if not isnan(level):
                larger = of_usual if abs(of_usual) > abs(of_level) else of_level
                found.append(Odd(code, level, None if isnan(from_usual) else from_usual, larger))
        return tuple(sorted(found, key=lambda one: -abs(one.robust_z))[:NAMED])
