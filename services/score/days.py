"""What a person's days were like: each day's values of each vital, counted, and their figures once it is closed. Pure.

This is the slow state: it belongs to the person, is written when an hour or a day closes, and moves with them to
another home. Days are those of UTC.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

from schemas.vitals import (
    BODY_TEMPERATURE,
    DIASTOLIC,
    GLUCOSE,
    HEART_RATE,
    RESPIRATORY_RATE,
    SKIN_TEMPERATURE,
    SPO2,
    STEPS,
    SYSTOLIC,
    VITAL_BY_CODE,
    VITAL_BY_NUMBER,
    WEIGHT,
)
from services.runtime.errors import HearthBeatError
from services.score.models.day_channels import DayOfVital, channels_of, day_of_vital
from services.score.models.drift import DRIFT_MODEL, DriftDay, DriftState
from services.score.models.drift import VERSION as DRIFT_VERSION
from services.score.reported_drift import ReportedDrift

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
    STEPS.number: 1,
    SKIN_TEMPERATURE.number: 10,
}
"""The vitals of which days are kept, and how fine the steps are in which their values are counted."""
CLOSES_AFTER_DAYS: Final = 2
"""A day closes when the next one is over: a value counts for its day if it is received until then."""
KEPT_DAYS: Final = 35
"""Of closed days so many stand, the newest: the 28 of a baseline, which ends three days before, and what led here."""
VERSION: Final = 2
"""Of the form that is written. Whoever changes the form raises it, and reads the older one."""
_HOURS_NOT_KNOWN: Final = 1 << 24
"""Beside the bits of the hours: some values are of before 2026-11-30, when these were not kept."""
_NOT_KNOWN: Final = 255


class UnknownDaysError(HearthBeatError):
    """A person's days were written by a newer version of score, which this one can't read."""


class Values(NamedTuple):
    """Values of a vital of one day, in steps of it (``STEPS_A_UNIT``); ``day`` counts from 1970.

    ``hours``: a bit for each hour of the clock with a value.
    """

    day: int
    vital: int
    steps: Sequence[int]
    hours: int = 0


class ClosedDay(NamedTuple):
    """A day of a vital, as ``DayOfVital``: the others than ``values`` and ``median`` are not known of older days."""

    day: int
    values: int
    median: float
    hours: int | None = None
    low: float | None = None
    total: float | None = None


def day_of(at: int) -> int:
    """The day of a moment in ms."""
    return at // DAY_MS


@dataclass(slots=True)
class _Closed:
    """The closed days of a vital, in order, in few bytes: figures in its steps, the median in halves of them."""

    steps_a_unit: int
    days: "array[int]" = field(default_factory=lambda: array("I"))
    values: "array[int]" = field(default_factory=lambda: array("I"))
    medians: "array[int]" = field(default_factory=lambda: array("I"))
    hours: "array[int]" = field(default_factory=lambda: array("B"))
    lows: "array[int]" = field(default_factory=lambda: array("I"))
    totals: "array[int]" = field(default_factory=lambda: array("Q"))

    def _columns(self) -> Sequence["array[int]"]:
        return self.days, self.values, self.medians, self.hours, self.lows, self.totals

    def add(self, one: ClosedDay) -> None:
        row = (
            one.day,
            one.values,
            round(one.median * 2 * self.steps_a_unit),
            _NOT_KNOWN if one.hours is None else one.hours,
            round((one.low or 0) * self.steps_a_unit),
            round((one.total or 0) * self.steps_a_unit),
        )
        for column, number in zip(self._columns(), row, strict=True):
            column.append(number)

    def forget(self, before: int) -> None:
        while self.days and self.days[0] < before:
            for column in self._columns():
                del column[0]

    def each(self) -> Iterator[ClosedDay]:
        unit = self.steps_a_unit
        for day, values, median, hours, low, total in zip(*self._columns(), strict=True):
            of_values = ClosedDay(day, values, median / 2 / unit)
            yield of_values if hours == _NOT_KNOWN else ClosedDay(*of_values[:3], hours, low / unit, total / unit)


class Days:
    """Of one person. ``revision`` counts how often it was written, 0 for never; ``unsaved`` came since.

    All values before day ``open_from`` are closed: what comes later for such a day does not count. ``drift`` is where
    the closed days have led, ``reported`` what was said of it, and ``drifted`` the days of which nothing was said yet.
    """

    __slots__ = ("_closed", "_open", "drift", "drifted", "open_from", "reported", "revision", "unsaved")

    def __init__(self, revision: int = 0) -> None:
        # The bits of the hours, and then steps and how often each came.
        self._open: dict[tuple[int, int], array[int]] = {}
        self._closed: dict[int, _Closed] = {}
        self.open_from = 0
        self.revision = revision
        self.unsaved: list[Values] = []
        self.drift = DriftState()
        self.reported = ReportedDrift()
        self.drifted: list[DriftDay] = []

    def add(self, parts: Iterable[Values]) -> None:
        """Counts values with their days."""
        for part in parts:
            if part.day >= self.open_from:
                key = part.day, part.vital
                hours, *before = self._open.get(key, (0,))
                self._open[key] = array("I", (hours | part.hours, *counted(part.steps, before)))
                self.unsaved.append(part)

    def close(self, before: int) -> None:
        """Days before ``before`` are over: their figures stand, the newest 35 are kept, and the drift goes on."""
        self.open_from = max(before, self.open_from)
        for day, keys in groupby(sorted(key for key in self._open if key[0] < self.open_from), key=itemgetter(0)):
            found = {vital: self._close(day, vital) for _, vital in keys}
            drifted = DRIFT_MODEL.advance(self.drift, day, channels_of(found))
            self.drifted += [drifted] if drifted else []

    def _close(self, day: int, vital: int) -> DayOfVital:
        hours, *counts = self._open.pop((day, vital))
        one = day_of_vital(pairs(counts), STEPS_A_UNIT[vital], hours)
        if hours & _HOURS_NOT_KNOWN:
            one = DayOfVital(one.values, one.median)
        closed = self._closed.setdefault(vital, _Closed(STEPS_A_UNIT[vital]))
        closed.add(ClosedDay(day, *one))
        closed.forget(day - KEPT_DAYS + 1)
        return one

    @property
    def first_open(self) -> int | None:
        """The oldest day that has values and is not closed."""
        return min((day for day, _ in self._open), default=None)

    def closed(self, vital: int) -> list[ClosedDay]:
        """The closed days of a vital that are kept, in order."""
        found = self._closed.get(vital)
        return list(found.each()) if found else []

    def lived(self) -> DriftState:
        """Where the closed days that are kept lead, for somebody of whom nothing else is known."""
        days: dict[int, dict[int, DayOfVital]] = {}
        for vital in self._closed:
            for one in self.closed(vital):
                days.setdefault(one.day, {})[vital] = DayOfVital(*one[1:])
        return DriftState.of(DRIFT_MODEL, [(day, channels_of(days[day])) for day in sorted(days)])

    def saved(self) -> None:
        """What stands here was written."""
        self.revision += 1
        self.unsaved = []

    def onto(self, other: "Days") -> "Days":
        """``other``, which somebody else wrote meanwhile, with what came here since the last writing."""
        if self.drift.last_day > other.drift.last_day:
            other.reported = self.reported
        other.add(self.unsaved)
        other.close(self.open_from)
        other.drifted = []
        return other

    def go_on(self, plain: Mapping[str, Any]) -> None:
        """Puts what ``to_plain`` wrote of later days behind these; a day of both has the values of both.

        Unless it was closed there: then its values of here don't count, as they would have come too late. Of drifts in
        days that come in so, nothing is to be said.
        """
        for day, code, counts, *hours in plain["open"]:
            steps = [step for step, count in pairs(counts) for _ in range(count)]
            self.add([Values(day, VITAL_BY_CODE[code].number, steps, hours[0] if hours else _HOURS_NOT_KNOWN)])
        self.close(plain["open_from"])
        for code, days in plain["closed"].items():
            vital = VITAL_BY_CODE[code].number
            closed = self._closed.setdefault(vital, _Closed(STEPS_A_UNIT[vital]))
            for one in days:
                if not closed.days or one[0] > closed.days[-1]:
                    closed.add(ClosedDay(*one))
                    closed.forget(one[0] - KEPT_DAYS + 1)
        # What days of before come to is not news; where they have led is known from now on.
        self.drift, self.drifted = self.lived(), []
        self.reported = ReportedDrift.from_plain(plain.get("reported", ()))

    def copied(self) -> "Days":
        """Days that go their own way."""
        found = Days.from_plain(self.to_plain(), self.revision)
        found.unsaved = list(self.unsaved)
        return found

    def fill(self, stored: Mapping[str, Sequence[Sequence[Any]]]) -> None:
        """Takes the closed days of ``stored``, by code as ``to_plain``, before the first that was counted whole here.

        Where the days have led is found anew; of drifts in days that come in so nothing is to be said, but an open one
        goes on.
        """
        since, has_more = self._counted_since, False
        for code, days in stored.items():
            vital = VITAL_BY_CODE[code].number
            before = {one[0]: ClosedDay(*one) for one in days if one[0] < since}
            if before:
                merged = {one.day: one for one in self.closed(vital)} | before
                has_more, closed = True, _Closed(STEPS_A_UNIT[vital])
                for day in sorted(merged):
                    closed.add(merged[day])
                closed.forget(max(merged) - KEPT_DAYS + 1)
                self._closed[vital] = closed
                # Nothing more is counted for any of them.
                self.open_from = max(self.open_from, max(before) + 1)
        if has_more:
            self.drift, self.drifted = self.lived(), []

    @property
    def _counted_since(self) -> int:
        """The first day of which all figures are known, and none of any later day is missing."""
        closed = [one for vital in self._closed for one in self.closed(vital)]
        partly = max((one.day for one in closed if one.hours is None), default=None)
        if partly is not None:
            return partly + 1
        return min([*(one.day for one in closed), *(day for day, _ in self._open)], default=self.open_from)

    @property
    def first_closed(self) -> int | None:
        """The oldest day that is closed and kept."""
        return min((one.days[0] for one in self._closed.values() if one.days), default=None)

    def to_plain(self) -> dict[str, Any]:
        """The same for the same values, in whatever order they came."""
        return {
            "version": VERSION,
            "open_from": self.open_from,
            "open": [
                [day, VITAL_BY_NUMBER[vital].code, counts.tolist(), hours]
                for (day, vital), (hours, counts) in sorted((key, (one[0], one[1:])) for key, one in self._open.items())
            ],
            "closed": {
                VITAL_BY_NUMBER[vital].code: [list(one) for one in self.closed(vital)] for vital in sorted(self._closed)
            },
            "drift": self.drift.to_plain(),
            "reported": self.reported.to_plain(),
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any], revision: int = 0) -> "Days":
        """What ``to_plain`` wrote, in this form or an older one. Raises UnknownDaysError."""
        version = plain["version"]
        if version not in (1, VERSION) or isinstance(version, bool):
            raise UnknownDaysError(f"their form is version {version}, and this score reads up to {VERSION}")
        found = cls(revision)
        found.open_from = plain["open_from"]
        for day, code, counts, *hours in plain["open"]:
            bits = hours[0] if hours else _HOURS_NOT_KNOWN
            found._open[day, VITAL_BY_CODE[code].number] = array("I", (bits, *counts))
        for code, days in plain["closed"].items():
            vital = VITAL_BY_CODE[code].number
            closed = found._closed[vital] = _Closed(STEPS_A_UNIT[vital])
            for one in days:
                closed.add(ClosedDay(*one))
        drift = plain.get("drift")
        # Whoever has lived days that were closed before drifts were kept does not begin anew.
        is_known = drift is not None and drift["version"] == DRIFT_VERSION
        found.drift = DriftState.from_plain(plain["drift"]) if is_known else found.lived()
        found.reported = ReportedDrift.from_plain(plain.get("reported", ()))
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
