"""A person's values since the last hour closed, until they are counted with their days. Pure.

This is part of the fast state, so that a reading costs no more than to be put down here.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Final

from schemas.vitals import VITAL_BY_CODE, VITAL_BY_NUMBER
from services.score.days import CLOSES_AFTER_DAYS, DAY_MS, STEPS_A_UNIT, Days, Values, day_of, pairs
from services.score.episodes import Report
from services.score.measured_spans import MeasuredSpans
from services.score.rule import HOUR_MS, NEVER

_MOST: Final = 256
"""So many values of a vital and day wait at most, and more only where they are the same again and again."""
_SPREAD_S: Final = 3_600
_PRIME: Final = 7_919
_VITALS: Final = 256
"""More than there are: a day and a vital are one number below."""
_HOURS: Final = 24
_STEP_BITS: Final = 27
"""A value waits with its hour of the clock above so many bits."""
_STEPS: Final = (1 << _STEP_BITS) - 1


class RecentValues:
    """``due_at``: when an hour or a day of this person closes, in ms; NEVER while there is nothing to close.

    Each person's hours close at another moment, so that not all are written at once. Time is the log's: that of a
    record of the home, or a watermark marker's.
    What one device sends each second waits counted, since few of its values are different.
    ``measured``: when devices measured what no rule looks at, of open days.
    """

    __slots__ = (
        "_after_ms",
        "_counted",
        "_day_key",
        "_hour_bits",
        "_hour_from",
        "_values",
        "days",
        "due_at",
        "is_folded",
        "measured",
    )

    def __init__(self, person_no: int, days: Days | None = None) -> None:
        self._after_ms = person_no * _PRIME % _SPREAD_S * 1000
        self._values: dict[int, array[int]] = {}
        self._counted: dict[int, Counter[int]] = {}
        self._turn_to(0)
        self.days = days or Days()
        self.due_at = NEVER
        self.is_folded = False
        self.measured = MeasuredSpans()

    def add(self, vital: int, value: float, at: int, received_at: int) -> bool:
        """Takes a value of a vital that has days; whether ``due_at`` came nearer or the days changed."""
        if not 0 <= at - self._hour_from < HOUR_MS:
            self._turn_to(at // HOUR_MS)
        key = self._day_key + vital
        values = self._values.get(key)
        if values is None:
            # Too late for its day, which is closed.
            if day_of(received_at) - day_of(at) >= CLOSES_AFTER_DAYS:
                return False
            values = self._values[key] = array("I")
        values.append(int(value * STEPS_A_UNIT[vital] + 0.5) + self._hour_bits)
        if len(values) >= _MOST and self._count(key):
            return True
        # The first value of an hour: the others find a moment set.
        if self.due_at > received_at + HOUR_MS:
            self.due_at = min(self.due_at, self._hour_after(received_at))
            return True
        return False

    def _count(self, key: int) -> bool:
        """Counts what waits of a vital and day; whether that was too much, and so has changed the days."""
        known = self._counted.setdefault(key, Counter())
        known.update(self._values[key])
        self._values[key] = array("I")
        if len(known) < _MOST:
            return False
        self._fold()
        return True

    def _turn_to(self, hour: int) -> None:
        """The hour of the last value, counted from 1970: most values are of the same one."""
        self._hour_from = hour * HOUR_MS
        self._day_key, self._hour_bits = hour // _HOURS * _VITALS, hour % _HOURS << _STEP_BITS

    def pass_time(self, now: int) -> None:
        """Closes what is due at ``now``."""
        if now < self.due_at:
            return
        self._fold()
        self.days.close(day_of(now - self._after_ms) - CLOSES_AFTER_DAYS + 1)
        self.measured.forget(self.days.open_from * DAY_MS)
        self.look_ahead()

    def look_ahead(self) -> None:
        """Sets ``due_at`` by what is known now: when a day closes, or an open drift has had no days for too long."""
        days = [self.days.first_open, self.days.reported.pauses_after]
        first = min((day for day in days if day is not None), default=None)
        self.due_at = NEVER if first is None else self.closes_at(first)

    def closes_at(self, day: int) -> int:
        """When a day of this person closes, in ms."""
        return (day + CLOSES_AFTER_DAYS) * DAY_MS + self._after_ms

    def report_drifts(self, numbers: MutableMapping[str, int], rule: str) -> list[Report]:
        """What has to be said of days that have closed: of drifts. ``numbers``: of episodes, by rule."""
        days = self.days
        pauses_after = days.reported.pauses_after
        if not days.drifted and (pauses_after is None or days.open_from <= pauses_after):
            return []
        drifted, days.drifted = days.drifted, []
        reports = days.reported.report(drifted, numbers, rule, closed=days.open_from - 1)
        self.look_ahead()
        return reports

    def counted(self) -> Days:
        """The days with all values that wait."""
        self._fold()
        return self.days

    def saved(self, days: Days) -> None:
        """``days`` is what was written, with what others had written."""
        self.days, self.is_folded = days, False

    def _fold(self) -> None:
        waiting = {
            key: [*values, *self._counted.get(key, Counter()).elements()] for key, values in self._values.items()
        }
        self.days.add(
            Values(*divmod(key, _VITALS), [one & _STEPS for one in values], _hours_of(values))
            for key, values in sorted(waiting.items())
        )
        self._values, self._counted = {}, {}
        self.is_folded = True

    def _hour_after(self, at: int) -> int:
        return (at - self._after_ms) // HOUR_MS * HOUR_MS + HOUR_MS + self._after_ms

    def to_plain(self) -> dict[str, Any]:
        """The same for the same story; empty before there is one."""
        if self.due_at == NEVER:
            return {}
        values = [
            [
                key // _VITALS,
                VITAL_BY_NUMBER[key % _VITALS].code,
                *_counted_with_hours(steps, self._counted.get(key, {})),
            ]
            for key, steps in sorted(self._values.items())
        ]
        measured = self.measured.to_plain()
        return {"due_at": self.due_at, "values": values} | ({"measured": measured} if measured else {})

    def read_plain(self, plain: dict[str, Any]) -> None:
        """Goes on from what ``to_plain`` wrote."""
        if plain:
            self.due_at = plain["due_at"]
            # Not known before 2026-11-30: what was sent then and comes again counts twice.
            self.measured = MeasuredSpans.from_plain(plain.get("measured", []))
            for day, code, counts, *known in plain["values"]:
                steps = array("I", [step for step, count in pairs(counts) for _ in range(count)])
                # Which value was of which hour need not be known. Of before 2026-11-30 no hour is: it is the first.
                hours = [hour for hour in range(_HOURS) if known and known[0] >> hour & 1] or [0]
                for place in range(len(steps)):
                    steps[place] += hours[place % len(hours)] << _STEP_BITS
                self._values[day * _VITALS + VITAL_BY_CODE[code].number] = steps


def _counted_with_hours(values: "array[int]", counted: Mapping[int, int]) -> tuple[list[int], int]:
    """What waits, counted, and its hours: this is written with every checkpoint, and few values are different."""
    different = Counter(values)
    different.update(counted)
    steps: dict[int, int] = {}
    for value, count in different.items():
        step = value & _STEPS
        steps[step] = steps.get(step, 0) + count
    return [number for pair in sorted(steps.items()) for number in pair], _hours_of(different)


def _hours_of(values: Iterable[int]) -> int:
    """A bit for each hour of the clock of values that wait."""
    bits = 0
    for hour in {value >> _STEP_BITS for value in values}:
        bits |= 1 << hour
    return bits


class NoDays(RecentValues):
    """None are kept: for runs of rules that look at no days, over records that others have counted."""

    __slots__ = ()

    def add(self, *_of_value: float) -> bool:
        """Nothing."""
        return False
