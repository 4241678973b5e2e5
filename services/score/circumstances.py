"""Under which circumstances a person's readings were taken: moving or not, and each device on the body or off. Pure."""

from bisect import bisect_right, insort
from collections.abc import Sequence
from typing import Any, Final

from services.score.rule import MINUTE_MS

COVERS_MS: Final = 5 * MINUTE_MS
"""How long a movement speaks for the readings after it."""
WALKING_STEPS_PER_MINUTE: Final = 20
"""So many steps since the device's previous reading of them are movement; fewer are none."""
WORN_AGAIN_MS: Final = 15 * MINUTE_MS
"""A device that says when it is off and never that it is worn counts as worn so long after."""
_MOST: Final = 32
"""Spans of movement of a person, and changes of a device, that are remembered."""


def walking_from(steps: float, since: int, at: int) -> int | None:
    """From when on a reading of ``steps`` since the previous one shows walking, in ms; None where it does not."""
    if since >= at or steps * MINUTE_MS < WALKING_STEPS_PER_MINUTE * (at - since):
        return None
    return max(since, at - COVERS_MS)


class Movement:
    """Spans ``[first, last]`` in which the person moved, in order and apart; they speak for COVERS_MS more."""

    __slots__ = ("spans",)

    def __init__(self, spans: Sequence[Sequence[int]] = ()) -> None:
        self.spans = [list(one) for one in spans]

    def is_moving(self, at: int) -> bool:
        """Whether a reading of that moment was taken in movement."""
        place = bisect_right(self.spans, [at, at])
        if place < len(self.spans) and self.spans[place][0] <= at:
            return True
        return place > 0 and at < self.spans[place - 1][1] + COVERS_MS

    def add(self, first: int, last: int) -> None:
        """The person moved from ``first`` to ``last``."""
        near = [one for one in self.spans if one[1] + COVERS_MS >= first and one[0] <= last + COVERS_MS]
        for one in near:
            self.spans.remove(one)
        insort(self.spans, [min([first, *(one[0] for one in near)]), max([last, *(one[1] for one in near)])])
        del self.spans[:-_MOST]

    def forget(self, before: int) -> None:
        """Drops what speaks for nothing from ``before`` on."""
        self.spans = [one for one in self.spans if one[1] + COVERS_MS >= before]


class Wearing:
    """Of one device: since when it is off the body or on it, as far as it says. ``says_worn``: it ever said the latter."""

    __slots__ = ("_changes", "says_worn")

    def __init__(self) -> None:
        self._changes: list[tuple[int, bool]] = []
        self.says_worn = False

    def note(self, at: int, *, worn: bool) -> bool:
        """It said at ``at`` whether it is worn; gives whether that changes anything."""
        place = bisect_right(self._changes, (at, True))
        before = self._changes[place - 1][1] if place else True
        if worn and not self.says_worn:
            self.says_worn = True
            if before and not self._changes:
                return False
        if before is worn and (worn or self.says_worn):
            return False
        # What follows says the same: it was so from now on already.
        if place < len(self._changes) and self._changes[place][1] is worn and (worn or self.says_worn):
            del self._changes[place]
        self._changes.insert(place, (at, worn))
        del self._changes[:-_MOST]
        return True

    def is_worn(self, at: int) -> bool:
        """Whether it was on the body at ``at``; so it is where it has said nothing."""
        place = bisect_right(self._changes, (at, True))
        if not place or self._changes[place - 1][1]:
            return True
        return not self.says_worn and at >= self._changes[place - 1][0] + WORN_AGAIN_MS

    def to_plain(self) -> list[Any]:
        """As plain values."""
        return [self.says_worn, [[at, worn] for at, worn in self._changes]]

    @classmethod
    def from_plain(cls, plain: Sequence[Any]) -> "Wearing":
        """What ``to_plain`` wrote."""
        found = cls()
        found.says_worn = plain[0]
        found._changes = [(at, worn) for at, worn in plain[1]]
        return found
