"""When devices measured what days count and no rule looks at, so that what they send twice counts once. Pure.

Not each moment is kept, but spans in which a device measured at an even pace: a day of one takes a few numbers.
"""

from array import array
from typing import Any, Final

from schemas.vitals import VITAL_BY_CODE, VITAL_BY_NUMBER
from services.score.days import CLOSES_AFTER_DAYS, day_of
from services.score.rule import MINUTE_MS

_ROW: Final = 5
"""Of a span: epoch, the highest ``seq`` in it, its first and last moment, the distance of the last two, in ms."""
_EPOCH, _SEQ, _FIRST, _LAST, _PACE = range(_ROW)
_FIRST_PACE_MS: Final = 15 * MINUTE_MS
"""Two moments make a span if they are no further apart; then half as much again as the pace may pass."""
_MOST_SPANS: Final = 96
_VITALS: Final = 256
"""More than there are: a device and a vital are one number below."""


class MeasuredSpans:
    """By device and vital, in the order of their last moments; the newest 96 of each.

    What lies in a span of another epoch is a repetition, and so is what has a higher number than all of its own span,
    since devices number what they measure in its order. What comes late for the first time has a lower one. A device
    that numbers anew what it measured within a span without having sent it is not known: that does not count.
    """

    __slots__ = ("_spans",)

    def __init__(self) -> None:
        self._spans: dict[int, array[int]] = {}

    def is_news(self, device_no: int, vital: int, epoch: int, seq: int, at: int, received_at: int) -> bool:
        """Whether a device has not sent before what it measured at ``at``; which is then known."""
        key = device_no * _VITALS + vital
        rows = self._spans.get(key)
        if rows is None:
            # Of a day that is closed nothing begins: it counts no more.
            if day_of(received_at) - day_of(at) < CLOSES_AFTER_DAYS:
                self._spans[key] = array("q", (epoch, seq, at, at, 0))
            return True
        # Nearly always: the device goes on as before.
        apart = at - rows[-2]
        if 0 < 2 * apart <= 3 * rows[-1] and rows[-5] == epoch and seq >= rows[-4]:
            rows[-4], rows[-2], rows[-1] = seq, at, apart
            return True
        place = len(rows)
        while place and rows[place - _ROW + _LAST] >= at:
            place -= _ROW
        spans = [rows[row : row + _ROW] for row in range(place, len(rows), _ROW) if rows[row + _FIRST] <= at]
        if not spans:
            self._put(rows, place, epoch, seq, at)
        return all(span[_EPOCH] == epoch and seq <= span[_SEQ] for span in spans)

    def _put(self, rows: "array[int]", place: int, epoch: int, seq: int, at: int) -> None:
        """A moment that no span has, before the span at ``place``."""
        before, after = place - _ROW, place
        if before >= 0 and rows[before] == epoch and _is_near(at - rows[before + _LAST], rows[before + _PACE]):
            rows[before + _PACE], rows[before + _LAST] = at - rows[before + _LAST], at
            rows[before + _SEQ] = max(seq, rows[before + _SEQ])
        elif after < len(rows) and rows[after] == epoch and _is_near(rows[after + _FIRST] - at, rows[after + _PACE]):
            rows[after + _PACE], rows[after + _FIRST] = rows[after + _FIRST] - at, at
            rows[after + _SEQ] = max(seq, rows[after + _SEQ])
        else:
            rows[place:place] = array("q", (epoch, seq, at, at, 0))
            if len(rows) > _MOST_SPANS * _ROW:
                del rows[:_ROW]

    def forget(self, before: int) -> None:
        """Drops the spans that were over before ``before``, in ms."""
        for key, rows in list(self._spans.items()):
            while rows and rows[_LAST] < before:
                del rows[:_ROW]
            if not rows:
                del self._spans[key]

    def to_plain(self) -> list[Any]:
        """As plain values, in the order of devices and vitals."""
        return [
            [key // _VITALS, VITAL_BY_NUMBER[key % _VITALS].code, rows.tolist()]
            for key, rows in sorted(self._spans.items())
        ]

    @classmethod
    def from_plain(cls, plain: list[Any]) -> "MeasuredSpans":
        """What ``to_plain`` wrote."""
        found = cls()
        for device_no, code, rows in plain:
            found._spans[device_no * _VITALS + VITAL_BY_CODE[code].number] = array("q", rows)
        return found


def _is_near(apart: int, pace: int) -> bool:
    return 2 * apart <= 3 * pace if pace else apart <= _FIRST_PACE_MS
