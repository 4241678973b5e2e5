"""A small change of one source file, and the ten that have a name. Pure."""

from dataclasses import dataclass
from typing import Final

SCORE: Final = "tests/unit/services/score"
"""Unit tests, property tests and case tables of score."""


class StaleMutationError(ValueError):
    """The source that a mutation changes is no longer written like that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """``before`` becomes ``after`` in the file ``path``; ``tests`` are those that have to notice.

    ``at`` is where it stands, in bytes; below 0 where there is but one such place.
    """

    name: str
    path: str
    before: str
    after: str
    at: int = -1
    tests: tuple[str, ...] = (SCORE,)

    def changed(self, source: str) -> str:
        """The source with the change in it. Raises StaleMutationError."""
        held, before = source.encode(), self.before.encode()
        if self.at < 0 and held.count(before) != 1:
            raise StaleMutationError(f"{self.name}: {self.path} holds its place {held.count(before)} times")
        at = held.index(before) if self.at < 0 else self.at
        if held[at : at + len(before)] != before:
            raise StaleMutationError(f"{self.name}: {self.path} says something else there")
        return (held[:at] + self.after.encode() + held[at + len(before) :]).decode()

    def line(self, source: str) -> int:
        """The number of the line in which it begins, from 1."""
        held = source.encode()
        at = held.index(self.before.encode()) if self.at < 0 else self.at
        return held.count(b"\n", 0, at) + 1


NAMED: Final = (
    Mutation(
        name="recovered without values",
        path="services/score/beyond.py",
        before="back = limits.is_cleared(sample.value, side) and not self._is_opposite(side, sample.value)",
        after="back = True",
    ),
    Mutation(
        name="worse not found",
        path="services/score/beyond.py",
        before=" or worse >= limits.worse_by:",
        after=":",
    ),
    Mutation(
        name="age ignored",
        path="services/score/age.py",
        before="        return age <= CURRENT_FOR_MS",
        after="        return True",
    ),
    Mutation(
        name="direction ignored",
        path="schemas/limits.py",
        before="(value - self.on) * side > 0",
        after="abs(value - self.on) > 0",
    ),
    Mutation(
        name="limits' version ignored",
        path="services/score/limit_book.py",
        before="number = max(0, bisect_right(self._begin, received_at) - 1)",
        after="number = len(self._begin) - 1",
    ),
    Mutation(
        name="poor steps count",
        path="services/score/core.py",
        before="if (not flags & SHOWS_WORN and vital != _STEPS) or flags & _NOT_SCORED:",
        after="if not flags & SHOWS_WORN and vital != _STEPS:",
    ),
    Mutation(
        name="devices' tracks mixed",
        path="services/score/beyond.py",
        before="track = state.tracks.get(sample[2])",
        after="track = next(iter(state.tracks.values()), None)",
    ),
    Mutation(
        name="a clipped value said as a number",
        path="services/score/rule.py",
        before='clipped: Mapping[str, Fact] = {"clipped": 1} if mark.last.flags & Flag.CLIPPED else {}',
        after="clipped: Mapping[str, Fact] = {}",
    ),
    Mutation(
        name="worn ignored",
        path="services/score/window.py",
        before="return self.wearing[sample.device_no].is_worn(sample.at)",
        after="return True",
    ),
    Mutation(
        name="retained counts as news",
        path="services/store/core.py",
        before="if not (is_retained(uplink) and self.holds(uplink.seq)):",
        after="if uplink.received_at:",
        tests=("tests/unit/services/store",),
    ),
)
"""What a platform of this kind gets wrong, each one line of ours."""
