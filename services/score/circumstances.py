"""Under which circumstances a person's readings were taken: moving or not, and each device on the body or off. Pure.

What is kept is what was said, by its time, so that it does not matter in which order it came.
"""

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, compress, pairwise
from typing import Any, Final

from services.score.rule import MINUTE_MS, NEVER
from services.score.sample import differences, runs_of, unrolled

COVERS_MS: Final = 5 * MINUTE_MS
"""How long a movement speaks for the readings after it."""
WALKING_STEPS_PER_MINUTE: Final = 20
"""So many steps since the device's previous reading of them are movement; fewer are none."""
WORN_AGAIN_MS: Final = 15 * MINUTE_MS
"""A device that says when it is off and never that it is worn counts as worn so long after."""
_MOST: Final = 32
"""Spans of movement of a person, and statements of a device, that are remembered."""
_MOST_STEPS: Final = 64
"""Readings of steps of a device that are kept at least."""
_MOST_DEVICES: Final = 16


def _walk(since: int, at: int, steps: float) -> tuple[int, int] | None:
    """The span of a reading of ``steps`` since the previous one; None where nobody walked.

    It begins after the previous one, whose neighbours are not of it.
    """
    if not steps or steps * MINUTE_MS < WALKING_STEPS_PER_MINUTE * (at - since):
        return None
    return max(since + 1, at - COVERS_MS), at


@dataclass(slots=True)
class _Steps:
    """A device's readings of steps, in order: their times in ms, and how many steps each counted; in few bytes."""

    at: "array[int]" = field(default_factory=lambda: array("q"))
    steps: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, at: int, steps: float) -> None:
        """One that is newer than all others."""
        self.at.append(at)
        self.steps.append(steps)

    def drop(self, count: int) -> None:
        """Forgets the oldest ones."""
        del self.at[:count], self.steps[:count]


class Movement:
    """When a person moved: as their devices say it of a reading, and as steps show it.

    ``spans`` are those ``[first, last]`` of both, in order and apart; each speaks for COVERS_MS more.
    """

    __slots__ = ("_active", "_steps", "spans")

    def __init__(self) -> None:
        self.spans: list[list[int]] = []
        self._active: list[list[int]] = []
        self._steps: dict[int, _Steps] = {}

    def is_moving(self, at: int) -> bool:
        """Whether a reading of that moment was taken in movement."""
        place = bisect_right(self.spans, [at, NEVER])
        return place > 0 and at < self.spans[place - 1][1] + COVERS_MS

    def is_counted(self, device_no: int, at: int) -> bool:
        """Whether a device has counted steps, none perhaps, so shortly before that a movement would be known of."""
        known = self._steps.get(device_no)
        if known is None:
            return False
        place = bisect_right(known.at, at)
        # The first one stands for what was before.
        return place > 1 and known.at[place - 1] > at - COVERS_MS

    def move(self, at: int) -> bool:
        """A reading of ``at`` says that the person moves; gives whether that was not known."""
        before = self.is_moving(at) and self.is_moving(at + COVERS_MS - 1)
        _join(self._active, at, at)
        _join(self.spans, at, at)
        return not before

    def walks_since(self, device_no: int, at: int, steps: float) -> int:
        """From when on a reading of steps changes what is known, in ms; NEVER where it does not."""
        known = self._steps.get(device_no)
        since = known.at[-1] if known else at - COVERS_MS
        # A late one changes what the next one says, and so what is known since the one before.
        span = (known.at[0], at) if known and at <= since else _walk(since, at, steps)
        return NEVER if span is None else span[0]

    def stands(self, device_no: int, at: int) -> bool:
        """Whether a reading of no steps is only put down: it comes in order, and none has to be dropped for it."""
        known = self._steps.get(device_no)
        if known is None or at <= known.at[-1] or len(known.at) >= 2 * _MOST_STEPS:
            return False
        known.at.append(at)
        known.steps.append(0)
        return True

    def has_counted(self, device_no: int, at: int) -> bool:
        """Whether a device's steps of that very moment are known."""
        known = self._steps.get(device_no)
        if known is None or at > known.at[-1]:
            return False
        return known.at[bisect_left(known.at, at)] == at

    def walk(self, device_no: int, at: int, steps: float) -> bool:
        """A reading of steps, as many as since the device's previous one; gives whether it changes what was known."""
        known = self._steps.get(device_no)
        if known is None:
            if len(self._steps) >= _MOST_DEVICES:
                del self._steps[min(self._steps, key=lambda one: (self._steps[one].at[-1], one))]
            known = self._steps[device_no] = _Steps()
            # Of a device whose previous reading is not known: as if it had been within the time that it speaks for.
            known.add(at - COVERS_MS, 0)
        if at <= known.at[-1]:
            return self._walk_late(known, at, steps)
        span = _walk(known.at[-1], at, steps)
        known.add(at, steps)
        if len(known.at) > 2 * _MOST_STEPS:
            known.drop(len(known.at) - _MOST_STEPS)
            self._look_again()
        elif span is not None:
            _join(self.spans, *span)
        return span is not None

    def _walk_late(self, known: _Steps, at: int, steps: float) -> bool:
        place = bisect_left(known.at, at)
        if known.at[place] == at:
            return False
        known.at.insert(place, at)
        known.steps.insert(place, steps)
        before = self.spans
        self._look_again()
        return self.spans != before

    def _look_again(self) -> None:
        self.spans = [list(one) for one in self._active]
        for known in self._steps.values():
            # The first says no more than since when the second counts.
            for since, at, steps in zip(known.at, known.at[1:], known.steps[1:], strict=False):
                span = _walk(since, at, steps)
                if span is not None:
                    _join(self.spans, *span)

    def ended(self, before: int) -> list[list[int]]:
        """Movements that speak for nothing from ``before`` on."""
        return [one for one in self.spans if one[1] + COVERS_MS <= before]

    def stepped_at(self, device_no: int) -> list[int]:
        """When a device has counted steps, which shows that it was worn."""
        known = self._steps.get(device_no)
        return list(compress(known.at, known.steps)) if known else []

    def forget(self, before: int) -> None:
        """Drops what speaks for nothing from ``before`` on."""
        self._active = [one for one in self._active if one[1] + COVERS_MS > before]
        for device_no, known in list(self._steps.items()):
            # The one before the first that is needed says since when that counts.
            known.drop(max(0, bisect_left(known.at, before - COVERS_MS) - 1))
            if known.at[-1] + COVERS_MS <= before:
                del self._steps[device_no]
        # Where nobody moved, nobody has moved without what was dropped.
        if self.spans:
            self._look_again()

    def to_plain(self) -> list[Any]:
        """As plain values."""
        return [
            self._active,
            [
                [device_no, runs_of(differences(known.at)), runs_of(map(_short, known.steps))]
                for device_no, known in sorted(self._steps.items())
            ],
        ]

    @classmethod
    def from_plain(cls, plain: Sequence[Any]) -> "Movement":
        """What ``to_plain`` wrote."""
        found = cls()
        found._active = [list(one) for one in plain[0]]
        found._steps = {
            device_no: _Steps(array("q", accumulate(unrolled(at))), array("d", unrolled(steps)))
            for device_no, at, steps in plain[1]
        }
        found._look_again()
        return found


def _short(steps: float) -> float:
    return int(steps) if steps == int(steps) else steps


def _join(spans: list[list[int]], first: int, last: int) -> None:
    """Adds a span to spans in order; those that speak for the same time become one."""
    if spans and spans[-1][0] <= first:
        newest = spans[-1]
        if first <= newest[1] + COVERS_MS:
            newest[1] = max(newest[1], last)
        else:
            spans.append([first, last])
            del spans[:-_MOST]
        return
    near = [one for one in spans if one[1] + COVERS_MS >= first and one[0] <= last + COVERS_MS]
    for one in near:
        spans.remove(one)
    insort(spans, [min([first, *(one[0] for one in near)]), max([last, *(one[1] for one in near)])])
    del spans[:-_MOST]


@dataclass(slots=True)
class Wearing:
    """Of one device: when it said that it is off the body, and when something first showed that it is on it again.

    ``shown_at`` is the first time that it ever showed that it is worn, NEVER before that; ``charging`` are those times
    of ``off`` at which it was on its charger. Times in ms.
    """

    shown_at: int = NEVER
    off: list[int] = field(default_factory=list)
    on: list[int] = field(default_factory=list)
    charging: list[int] = field(default_factory=list)

    def take_off(self, at: int, shown: Iterable[int], *, is_charging: bool = False) -> bool:
        """It said that it is off; ``shown`` are times at which it is known to have been worn. Whether that is news."""
        if is_charging and at not in self.charging:
            insort(self.charging, at)
        place = bisect_left(self.off, at)
        if place < len(self.off) and self.off[place] == at:
            return False
        self.off.insert(place, at)
        del self.off[:-_MOST]
        again = min((one for one in shown if one > at), default=None)
        if again is not None:
            self._put_on(again)
        return True

    def is_known(self, at: int) -> bool:
        """Whether it says nothing new that it was worn at ``at``: it never was off, or has been on again for long."""
        return self.shown_at <= at and (not self.off or bool(self.on and self.off[-1] < self.on[-1] <= at))

    def show(self, at: int, *, is_said: bool = False) -> bool:
        """Something shows that it was worn at ``at``; gives whether that changes what was known.

        ``is_said``: the device says so itself, which is kept: it may say later that it was off before that.
        """
        self.shown_at = min(self.shown_at, at)
        changed = self._put_on(at)
        if is_said:
            self._keep(at)
        return changed

    def _put_on(self, at: int) -> bool:
        place = bisect_left(self.off, at)
        if not place:
            return False
        again = bisect_right(self.on, self.off[place - 1])
        # Only the first after each time off says anything.
        if again < len(self.on) and self.on[again] <= at:
            return False
        self._keep(at)
        return True

    def _keep(self, at: int) -> None:
        if at in self.on:
            return
        insort(self.on, at)
        if len(self.on) > _MOST:
            # What follows another one without a time off between them goes first.
            between = (
                place
                for place, (before, one) in enumerate(pairwise(self.on), 1)
                if bisect_left(self.off, before) == bisect_left(self.off, one)
            )
            del self.on[next(between, 0)]

    def is_worn(self, at: int) -> bool:
        """Whether it was on the body at ``at``; so it is where it has said nothing."""
        place = bisect_right(self.off, at)
        if not place:
            return True
        said = self.off[place - 1]
        again = bisect_right(self.on, said)
        if again < len(self.on) and self.on[again] <= at:
            return True
        return self.shown_at > at >= said + WORN_AGAIN_MS

    def off_spans(self) -> Iterator[tuple[int, int, bool]]:
        """When it was off the body, from and until, and whether on its charger; apart, the last one may go on."""
        for said, until in pairwise([*self.off, NEVER]):
            again = bisect_right(self.on, said)
            end = min(until, self.on[again] if again < len(self.on) else NEVER)
            if self.shown_at > said + WORN_AGAIN_MS:
                end = min(end, said + WORN_AGAIN_MS)
            yield said, end, said in self.charging

    def says_nothing_from(self, before: int) -> bool:
        """Whether it was on the body from ``before`` on, for all that is known."""
        return not self.off or bool(self.on and self.off[-1] < self.on[-1] <= before)

    def forget(self, before: int) -> None:
        """Drops what says nothing of readings from ``before`` on."""
        del self.off[: max(0, bisect_right(self.off, before) - 1)]
        # One from then on may still follow a time off that becomes known late.
        first = min(self.off[0], before) if self.off else before
        self.on = [one for one in self.on if one > first]
        # It was on again before that; a later time off has a sign of its own.
        if self.off and self.on and self.off[0] < self.on[0] <= min(before, *self.off[1:2], NEVER):
            del self.off[0]
            self.on = [one for one in self.on if one > before]
        self.charging = [one for one in self.charging if one in self.off]

    def to_plain(self) -> list[Any]:
        """As plain values."""
        return [None if self.shown_at == NEVER else self.shown_at, self.off, self.on, self.charging]

    @classmethod
    def from_plain(cls, plain: Sequence[Any]) -> "Wearing":
        """What ``to_plain`` wrote."""
        return cls(NEVER if plain[0] is None else plain[0], list(plain[1]), list(plain[2]), list(plain[3]))
