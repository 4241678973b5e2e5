"""What is usual for a person: median and spread of their own last days, and how far a day lies from it. Pure."""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import expm1, log1p
from typing import Any, Final, NamedTuple

MAD_TO_SD: Final = 1.4826
"""The median absolute deviation by this factor estimates the standard deviation where values are normal.

Source: Rousseeuw and Croux, Alternatives to the median absolute deviation, JASA 1993.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A figure of which there is one a day.

    ``way``: 1 where more than usual speaks for illness, -1 where less does. ``least_spread``: in the channel's unit, or
    in logarithms where ``is_log``; people who vary less than that are taken to vary so much. Channels of one ``group``
    measure the same thing in different ways, and speak with one voice: ``weight`` is the group's.
    """

    code: str
    group: str
    way: int
    weight: float
    least_spread: float
    is_log: bool = False

    def scaled(self, value: float) -> float:
        """The value as it is compared."""
        return log1p(value) if self.is_log else value

    def unscaled(self, scaled: float) -> float:
        """In the channel's unit again."""
        return expm1(scaled) if self.is_log else scaled


class Deviation(NamedTuple):
    """How far a day's ``value`` lies from ``usual``, both in the channel's unit.

    ``z``: in the person's own standard deviations, positive where it speaks for illness.
    """

    channel: Channel
    value: float
    usual: float
    z: float

    @property
    def above(self) -> float:
        """How much it lies above what is usual, in the channel's unit; negative below."""
        return self.value - self.usual


@dataclass(slots=True)
class PastDays:
    """The days of one channel that a baseline may go over, in order, with their values as they are compared."""

    days: "array[int]" = field(default_factory=lambda: array("l"))
    values: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, day: int, scaled: float) -> None:
        """A day later than those known."""
        self.days.append(day)
        self.values.append(scaled)

    def forget(self, before: int) -> None:
        """Drops the days before ``before``."""
        while self.days and self.days[0] < before:
            del self.days[0], self.values[0]

    def until(self, last: int) -> "array[float]":
        """The values of the days up to ``last``."""
        return self.values[: bisect_right(self.days, last)]

    def to_plain(self) -> list[Any]:
        """As plain values."""
        return [self.days.tolist(), self.values.tolist()]

    @classmethod
    def from_plain(cls, plain: Sequence[Any]) -> "PastDays":
        """What ``to_plain`` wrote."""
        days, values = plain
        return cls(array("l", days), array("d", values))


def deviation(channel: Channel, value: float, past: Sequence[float]) -> Deviation:
    """Of a day's value, in the channel's unit, from ``past`` values, one or more, as they are compared."""
    usual = _median(past)
    spread = MAD_TO_SD * _median([abs(one - usual) for one in past])
    z = channel.way * (channel.scaled(value) - usual) / max(spread, channel.least_spread)
    return Deviation(channel, value, channel.unscaled(usual), z)


def _median(values: Sequence[float]) -> float:
    """A tenth of the time that ``statistics.median`` takes for as few as these."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
