"""Seeded chance: every draw is named by what it is for, so that one more draw elsewhere changes nothing here."""

from random import Random
from typing import Final

_POINTS: Final = 256
_SPREAD: Final = 2654435761
_HIGHEST: Final = 2.0


def dice(seed: int, *names: object) -> Random:
    """A generator of its own for ``names``: the same for the same seed and names, on every machine."""
    return Random("/".join(map(str, (seed, *names))))


class Noise:
    """Noise as a pure function of time, in [-1, 1]: asked twice, or in another order, it answers the same."""

    __slots__ = ("_table",)

    def __init__(self, seed: int, *names: object) -> None:
        draw = dice(seed, "noise", *names)
        self._table = [max(-_HIGHEST, min(_HIGHEST, draw.gauss())) / _HIGHEST for _ in range(_POINTS)]

    def _point(self, index: int) -> float:
        return self._table[((index * _SPREAD) >> 7) % _POINTS]

    def smooth(self, at_ms: int, period_ms: int) -> float:
        """Drifts from point to point, one each ``period_ms``."""
        index, rest = divmod(at_ms, period_ms)
        left = self._point(index)
        return left + (self._point(index + 1) - left) * (rest / period_ms)

    def sudden(self, at_ms: int) -> float:
        """Another number for each second."""
        return self._point(at_ms // 1000)

    def share(self, index: int) -> float:
        """A number in [0, 1) for each ``index``, evenly spread."""
        return (((index + 1) * _SPREAD + int(self._table[index % _POINTS] * 1e6)) % 1_000_003) / 1_000_003
