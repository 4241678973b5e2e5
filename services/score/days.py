"""What a person's days were like: each day's values of each vital, counted, and their median once it is closed. Pure.

This is the slow state: it belongs to the person, is written when an hour or a day closes, and moves with them to
another home. Days are those of UTC.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from schemas.vitals import (
    BODY_TEMPERATURE,
    DIASTOLIC,
    GLUCOSE,
    HEART_RATE,
    RESPIRATORY_RATE,
    SPO2,
    SYSTOLIC,
    VITAL_BY_CODE,
    VITAL_BY_NUMBER,
    WEIGHT,
)
from services.runtime.errors import HearthBeatError

DAY_MS: Final = 24 * 3_600_000
STEPS_A_UNIT: Final[Mapping[int, int]] = {
    HEART_RATE.number: 1,
    SPO2.number: 1,
    RESPIRATORY_RATE.number: 1,
    BODY_TEMPERATURE.number: 10,
    SYSTOLIC.number: 1,
    DIASTOLIC.number: 1,
    GLUCOSE.number: 1,
    WEIGHT.number: 10,
}
"""The vitals of which days are kept, and how fine the steps are in which their values are counted."""
CLOSES_AFTER_DAYS: Final = 2
"""A day closes when the next one is over: a value counts for its day if it is received until then."""
_KEPT_DAYS: Final = 35
VERSION: Final = 1
"""Of the form that is written. Whoever changes the form raises it, and reads the older one."""


class UnknownDaysError(HearthBeatError):
    """A person's days were written by a newer version of score, which this one can't read."""


class Values(NamedTuple):
    """Values of a vital of one day, in steps of it (``STEPS_A_UNIT``); ``day`` counts from 1970."""

    day: int
    vital: int
    steps: Sequence[int]


class ClosedDay(NamedTuple):
    """A day of a vital: how many values, and their median in the vital's unit."""

    day: int
    values: int
    median: float


def day_of(at: int) -> int:
    """The day of a moment in ms."""
    return at // DAY_MS


@dataclass(slots=True)
class _Closed:
    """The closed days of a vital, in order, in few bytes."""

    days: "array[int]" = field(default_factory=lambda: array("I"))
    values: "array[int]" = field(default_factory=lambda: array("I"))
    medians: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, one: ClosedDay) -> None:
        self.days.append(one.day)
        self.values.append(one.values)
        self.medians.append(one.median)

    def forget(self, before: int) -> None:
        while self.days and self.days[0] < before:
            for column in (self.days, self.values, self.medians):
                del column[0]


class Days:
    """Of one person. ``revision`` counts how often it was written, 0 for never; ``unsaved`` came since.

    All values before day ``open_from`` are closed: what comes later for such a day does not count.
    """

    __slots__ = ("_closed", "_open", "open_from", "revision", "unsaved")

    def __init__(self, revision: int = 0) -> None:
        self._open: dict[tuple[int, int], array[int]] = {}
        self._closed: dict[int, _Closed] = {}
        self.open_from = 0
        self.revision = revision
        self.unsaved: list[Values] = []

    def add(self, parts: Iterable[Values]) -> None:
        """Counts values with their days."""
        for part in parts:
            if part.day >= self.open_from:
                key = part.day, part.vital
                self._open[key] = array("I", counted(part.steps, self._open.get(key, ())))
                self.unsaved.append(part)

    def close(self, before: int) -> None:
        """Days before ``before`` are over: each vital's median stands, and the newest 35 days are kept."""
        self.open_from = max(before, self.open_from)
        for day, vital in sorted(key for key in self._open if key[0] < self.open_from):
            counts = pairs(self._open.pop((day, vital)))
            closed = self._closed.setdefault(vital, _Closed())
            total = sum(count for _, count in counts)
            closed.add(ClosedDay(day, total, _median(counts, total) / STEPS_A_UNIT[vital]))
            closed.forget(day - _KEPT_DAYS + 1)

    @property
    def first_open(self) -> int | None:
        """The oldest day that has values and is not closed."""
        return min((day for day, _ in self._open), default=None)

    def closed(self, vital: int) -> list[ClosedDay]:
        """The closed days of a vital that are kept, in order."""
        found = self._closed.get(vital, _Closed())
        return [ClosedDay(*one) for one in zip(found.days, found.values, found.medians, strict=True)]

    def saved(self) -> None:
        """What stands here was written."""
        self.revision += 1
        self.unsaved = []

    def onto(self, other: "Days") -> "Days":
        """``other``, which somebody else wrote meanwhile, with what came here since the last writing."""
        other.add(self.unsaved)
        other.close(self.open_from)
        return other

    def to_plain(self) -> dict[str, Any]:
        """The same for the same values, in whatever order they came."""
        return {
            "version": VERSION,
            "open_from": self.open_from,
            "open": [
                [day, VITAL_BY_NUMBER[vital].code, self._open[day, vital].tolist()] for day, vital in sorted(self._open)
            ],
            "closed": {
                VITAL_BY_NUMBER[vital].code: [list(one) for one in self.closed(vital)] for vital in sorted(self._closed)
            },
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any], revision: int = 0) -> "Days":
        """What ``to_plain`` wrote. Raises UnknownDaysError."""
        if plain["version"] != VERSION:
            raise UnknownDaysError(f"their form is version {plain['version']}, and this score reads {VERSION}")
        found = cls(revision)
        found.open_from = plain["open_from"]
        found._open = {(day, VITAL_BY_CODE[code].number): array("I", counts) for day, code, counts in plain["open"]}
        for code, days in plain["closed"].items():
            closed = found._closed[VITAL_BY_CODE[code].number] = _Closed()
            for one in days:
                closed.add(ClosedDay(*one))
        return found


def counted(steps: Iterable[int], before: Sequence[int] = ()) -> list[int]:
    """Each step with how often it came, added to ``before``: pairs in order, one after the other.

    A mapping of them would take ten times the room.
    """
    counts = Counter(steps)
    for step, count in pairs(before):
        counts[step] += count
    return [number for pair in sorted(counts.items()) for number in pair]


def pairs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Steps and how often each came, of what ``counted`` gave."""
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _median(counts: Sequence[tuple[int, int]], total: int) -> float:
    """Of sorted values with how often each came; of an even number, the mean of the middle two."""
    low = high = passed = 0
    for step, count in counts:
        if passed <= (total - 1) // 2 < passed + count:
            low = step
        if passed <= total // 2 < passed + count:
            high = step
            break
        passed += count
    return (low + high) / 2
