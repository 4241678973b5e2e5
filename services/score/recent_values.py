"""A person's values since the last hour closed, until they are counted with their days. Pure.

This is part of the fast state, so that a reading costs no more than to be put down here.
"""

from array import array
from typing import Any, Final

from schemas.vitals import VITAL_BY_CODE, VITAL_BY_NUMBER
from services.score.days import CLOSES_AFTER_DAYS, DAY_MS, STEPS_A_UNIT, Days, Values, counted, day_of, pairs
from services.score.rule import HOUR_MS, NEVER

_MOST: Final = 256
"""So many values of a vital and day wait at most; a device that floods has them counted earlier."""
_SPREAD_S: Final = 3_600
_PRIME: Final = 7_919
_VITALS: Final = 256
"""More than there are: a day and a vital are one number below."""


class RecentValues:
    """``due_at``: when an hour or a day of this person closes, in ms; NEVER while there is nothing to close.

    Each person's hours close at another moment, so that not all are written at once. Time is the log's: that of a
    record of the home, or a watermark marker's.
    """

    __slots__ = ("_after_ms", "_values", "days", "due_at", "is_folded")

    def __init__(self, person_no: int, days: Days | None = None) -> None:
        self._after_ms = person_no * _PRIME % _SPREAD_S * 1000
        self._values: dict[int, array[int]] = {}
        self.days = days or Days()
        self.due_at = NEVER
        self.is_folded = False

    def add(self, vital: int, value: float, at: int, received_at: int) -> bool:
        """Takes a value of a vital that has days; whether ``due_at`` came nearer or the days changed."""
        key = at // DAY_MS * _VITALS + vital
        values = self._values.get(key)
        if values is None:
            # Too late for its day, which is closed.
            if day_of(received_at) - day_of(at) >= CLOSES_AFTER_DAYS:
                return False
            values = self._values[key] = array("I")
        values.append(int(value * STEPS_A_UNIT[vital] + 0.5))
        if len(values) >= _MOST:
            self._fold()
            return True
        # The first value of an hour: the others find a moment set.
        if self.due_at > received_at + HOUR_MS:
            self.due_at = min(self.due_at, self._hour_after(received_at))
            return True
        return False

    def pass_time(self, now: int) -> None:
        """Closes what is due at ``now``."""
        if now < self.due_at:
            return
        self._fold()
        self.days.close(day_of(now - self._after_ms) - CLOSES_AFTER_DAYS + 1)
        first = self.days.first_open
        self.due_at = NEVER if first is None else (first + CLOSES_AFTER_DAYS) * DAY_MS + self._after_ms

    def counted(self) -> Days:
        """The days with all values that wait."""
        self._fold()
        return self.days

    def saved(self, days: Days) -> None:
        """``days`` is what was written, with what others had written."""
        self.days, self.is_folded = days, False

    def _fold(self) -> None:
        self.days.add(Values(*divmod(key, _VITALS), values) for key, values in sorted(self._values.items()))
        self._values = {}
        self.is_folded = True

    def _hour_after(self, at: int) -> int:
        return (at - self._after_ms) // HOUR_MS * HOUR_MS + HOUR_MS + self._after_ms

    def to_plain(self) -> dict[str, Any]:
        """The same for the same story; empty before there is one."""
        if self.due_at == NEVER:
            return {}
        # Counted: an hour has few different values, and this is written with every checkpoint.
        values = [
            [key // _VITALS, VITAL_BY_NUMBER[key % _VITALS].code, counted(steps)]
            for key, steps in sorted(self._values.items())
        ]
        return {"due_at": self.due_at, "values": values}

    def read_plain(self, plain: dict[str, Any]) -> None:
        """Goes on from what ``to_plain`` wrote."""
        if plain:
            self.due_at = plain["due_at"]
            self._values = {
                day * _VITALS + VITAL_BY_CODE[code].number: array(
                    "I", [step for step, count in pairs(counts) for _ in range(count)]
                )
                for day, code, counts in plain["values"]
            }
