"""A person's window: the samples of all vitals that rules read, kept once, and when the person moved. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from heapq import merge
from typing import Any, Final

from schemas.vitals import VITAL_BY_CODE, VITAL_BY_NUMBER
from services.score.rule import MINUTE_MS
from services.score.sample import Sample, pack, unpack

REST_MS: Final = 10 * MINUTE_MS
"""How long after a movement a person is not at rest."""
MOST_SAMPLES: Final = 32
"""Of a vital a rule looks back over so many at most, and those at the same time as the oldest."""
MOST_OF_A_MOMENT: Final = 256
"""Samples of a vital with one and the same time; a device whose clock stands still has no more to say."""
_MOST_MOVES: Final = 16


class Window:
    """``samples`` by vital, in order. ``moves`` are spans ``[first, last]`` of movements less than REST_MS apart."""

    __slots__ = ("moves", "samples")

    def __init__(self) -> None:
        self.samples: dict[int, list[Sample]] = {}
        self.moves: list[list[int]] = []

    def of(self, vital: int) -> list[Sample]:
        """The samples of a vital, begun where there are none yet."""
        found = self.samples.get(vital)
        if found is None:
            found = self.samples[vital] = []
        return found

    @staticmethod
    def is_full_at(samples: Sequence[Sample], at: int) -> bool:
        """Whether no more samples of that very moment are taken."""
        if len(samples) < MOST_OF_A_MOMENT:
            return False
        return bisect_left(samples, (at + 1,)) - bisect_left(samples, (at,)) >= MOST_OF_A_MOMENT

    def since(self, vitals: Sequence[int], at: int) -> list[Sample]:
        """The samples of these vitals from ``at`` on, in order."""
        # A tuple of the time alone sorts before every sample of that time.
        known = [self.samples[vital] for vital in vitals if vital in self.samples]
        parts = [samples[bisect_left(samples, (at,)) :] for samples in known]
        return parts[0] if len(parts) == 1 else list(merge(*parts))

    def newest(self, vitals: Sequence[int]) -> Sample | None:
        """The last of them."""
        last = [samples[-1] for vital in vitals if (samples := self.samples.get(vital))]
        return max(last, default=None)

    def oldest_of_most(self, vitals: Sequence[int]) -> int:
        """When the first of the newest MOST_SAMPLES was taken, in ms; 0 where there are fewer."""
        if len(vitals) == 1:
            samples = self.samples.get(vitals[0])
            return samples[-MOST_SAMPLES].at if samples and len(samples) >= MOST_SAMPLES else 0
        together = sorted(sample for vital in vitals for sample in self.samples.get(vital, ())[-MOST_SAMPLES:])
        return together[-MOST_SAMPLES].at if len(together) >= MOST_SAMPLES else 0

    def is_at_rest(self, at: int) -> bool:
        """Whether no movement lies less than REST_MS before ``at``."""
        for first, last in reversed(self.moves):
            # Spans are in order and apart: past the end of the newest one, no earlier one holds it.
            if at >= last + REST_MS:
                return True
            if at >= first:
                return False
        return True

    def move(self, at: int) -> None:
        """The person moved at ``at``."""
        moves = self.moves
        if moves and moves[-1][0] <= at <= moves[-1][1] + REST_MS:
            moves[-1][1] = max(at, moves[-1][1])
            return
        apart = [one for one in moves if one[1] + REST_MS < at or one[0] > at + REST_MS]
        near = [one for one in moves if one[1] + REST_MS >= at and one[0] <= at + REST_MS]
        joined = [min([at, *(one[0] for one in near)]), max([at, *(one[1] for one in near)])]
        self.moves = sorted([*apart, joined])[-_MOST_MOVES:]

    def forget(self, vital: int, before: int) -> None:
        """Drops the samples of a vital that no rule looks back to any more."""
        samples = self.samples.get(vital)
        if samples:
            del samples[: bisect_left(samples, (before,))]

    def forget_moves(self, before: int) -> None:
        """Drops movements that say nothing of samples from ``before`` on."""
        self.moves = [one for one in self.moves if one[1] + REST_MS > before]

    def to_plain(self) -> dict[str, Any]:
        """As plain values; vitals by their codes, in the order of their numbers."""
        return {
            "samples": {
                VITAL_BY_NUMBER[vital].code: pack(samples) for vital, samples in sorted(self.samples.items()) if samples
            },
            "moves": self.moves,
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "Window":
        """The window that ``to_plain`` wrote."""
        window = cls()
        for code, columns in plain["samples"].items():
            vital = VITAL_BY_CODE[code].number
            window.samples[vital] = unpack(columns, vital)
        window.moves = [list(one) for one in plain["moves"]]
        return window
