"""The fold of a limit that moves with the person: above the median of their own last days, beside the others. Pure.

The rule ``baseline`` is another: of several figures that drift over days (``models/drift``).
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any, Final

from schemas.limits import LevelLimit, Limits, Side
from services.score.beyond import Beyond, BeyondState
from services.score.days import DAY_MS
from services.score.rule import Against, Mark
from services.score.sample import Sample

LEAST_DAYS: Final = 5
"""So many days with readings make a baseline."""
AMONG_DAYS: Final = 14
"""Of so many before the day of the reading itself; days are those of UTC."""
_MOST_A_DAY: Final = 16
_JUST_BELOW: Final = 0.01
"""Finer than a thermometer says: so much lies at most between what is beyond a limit and what is not."""


@dataclass(slots=True)
class OwnDays:
    """The medians of a person's days, in the vital's unit, and the readings of the newest day, whose number is ``day``.

    Only readings that somebody took on purpose.
    """

    day: int = 0
    values: "array[float]" = field(default_factory=lambda: array("d"))
    days: "array[int]" = field(default_factory=lambda: array("l"))
    medians: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, sample: Sample) -> None:
        """A reading, of the newest day or a later one."""
        day = sample.at // DAY_MS
        if day != self.day:
            self._close(day)
        if len(self.values) < _MOST_A_DAY:
            self.values.append(sample.value)

    def _close(self, day: int) -> None:
        if self.values:
            self.days.append(self.day)
            self.medians.append(median(self.values))
        while self.days and self.days[0] < day - AMONG_DAYS:
            del self.days[0], self.medians[0]
        self.day, self.values = day, array("d")

    def before(self, at: int) -> Against | None:
        """The baseline for a reading of that moment: what is known of the days before its day."""
        if len(self.days) + 1 < LEAST_DAYS:
            return None
        day = at // DAY_MS
        known = [one for number, one in zip(self.days, self.medians, strict=True) if number >= day - AMONG_DAYS]
        if self.values and day - AMONG_DAYS <= self.day < day:
            known.append(median(self.values))
        if len(known) < LEAST_DAYS:
            return None
        # A tenth is what thermometers say; of an even number of days the median may lie between two.
        return Against("median", round(median(known), 2), len(known))

    def copied(self) -> "OwnDays":
        """One that goes its own way."""
        return OwnDays(self.day, self.values[:], self.days[:], self.medians[:])

    def to_plain(self) -> list[Any]:
        """As plain values."""
        return [self.day, self.values.tolist(), self.days.tolist(), self.medians.tolist()]

    @classmethod
    def from_plain(cls, plain: Sequence[Any]) -> "OwnDays":
        """What ``to_plain`` wrote."""
        day, values, days, medians = plain
        return cls(day, array("d", values), array("l", days), array("d", medians))


@dataclass(slots=True)
class OwnState:
    """What the limits that stand know, and the person's own days."""

    beyond: BeyondState = field(default_factory=BeyondState)
    own: OwnDays = field(default_factory=OwnDays)

    @property
    def level(self) -> int:
        """0: no episode is open."""
        return self.beyond.level

    @property
    def since(self) -> int:
        """When the open episode began, in ms."""
        return self.beyond.since

    def copied(self) -> "OwnState":
        """One that goes its own way."""
        return OwnState(self.beyond.copied(), self.own.copied())

    def to_plain(self) -> list[Any]:
        """As plain values."""
        return [self.beyond.to_plain(), self.own.to_plain()]

    def from_plain(self, plain: Sequence[Any]) -> "OwnState":
        """The state that ``to_plain`` wrote."""
        beyond, own = plain
        return OwnState(BeyondState().from_plain(beyond), OwnDays.from_plain(own))


@dataclass(frozen=True, slots=True, kw_only=True)
class AboveOwn:
    """``beyond``, and above the person's baseline by the limit of ``own`` as another limit of its level 1.

    ``own`` has distances in the vital's unit. An episode that only the baseline shows is over at the off limit of
    ``own`` above it, if that is lower than the other; one that passed a limit that stands is over at that one's, but
    not while it is beyond the baseline's. It is never more urgent than level 1 of the limits that stand.
    """

    beyond: Beyond
    own: Limits

    @property
    def window_ms(self) -> int:
        """How late a sample may come and still be evaluated."""
        return self.beyond.window_ms

    @property
    def needs_rest(self) -> bool:
        """As of the limits that stand."""
        return self.beyond.needs_rest

    def start(self) -> OwnState:
        """Before the first sample."""
        return OwnState()

    def advance(self, state: OwnState, sample: Sample, *, rested: bool) -> list[Mark] | None:
        """Takes the next sample."""
        against = state.own.before(sample.at)
        if sample.is_spot:
            state.own.add(sample)
        if against is None:
            return self.beyond.advance(state.beyond, sample, rested=rested)
        moved = self._moved(state, against)
        marks = replace(self.beyond, sides={**self.beyond.sides, Side.ABOVE: moved}).advance(
            state.beyond, sample, rested=rested
        )
        return [self._said(mark, moved, against) for mark in marks] if marks else None

    def _moved(self, state: OwnState, against: Against) -> Limits:
        """The upper limits for a person with this baseline."""
        high, (own,) = self.beyond.sides[Side.ABOVE], self.own.levels
        mildest = next(one for one in high.levels if one.level == 1 and not one.moving)
        limit = replace(own, on=round(against.value + own.on, 2), severity=min(own.severity, mildest.severity))
        course = state.beyond.courses.get(Side.ABOVE)
        by_baseline = course is not None and not any(one.is_beyond(course.worst, Side.ABOVE) for one in high.levels)
        off = round(against.value + self.own.off, 2) if by_baseline else limit.on - _JUST_BELOW
        return replace(high, levels=(*high.levels, limit), off=min(high.off, off))

    def _said(self, mark: Mark, moved: Limits, against: Against) -> Mark:
        """As the limits that stand say it: what is kept with a finding are those."""
        if mark.limits is not moved:
            return mark
        mark = mark._replace(limits=self.beyond.sides[Side.ABOVE])
        if mark.passed is not moved.levels[-1]:
            return mark
        return mark._replace(against=against, urgency=mark.passed.severity)

    def standing(self, state: OwnState, first: Sample, last: Sample) -> Mark:
        """The mark of the episode that ``state`` is in the middle of."""
        mark = self.beyond.standing(state.beyond, first, last)
        course, against = state.beyond.courses.get(Side.ABOVE), state.own.before(last.at)
        if course is None or against is None or mark.limits is not self.beyond.sides[Side.ABOVE]:
            return mark
        own: LevelLimit = self._moved(state, against).levels[-1]
        if mark.passed is None or mark.passed.is_beyond(last.value, Side.ABOVE) or course.level > 1:
            return mark
        # Said of the newest reading that shows it.
        return mark._replace(last=course.last_beyond, passed=own, against=against, urgency=own.severity)

    def still(self, state: OwnState, sample: Sample) -> Mark | None:
        """The mark of the open episode, where a limit holds at ``sample``; None where none does."""
        if self.beyond.still(state.beyond, sample) is None:
            return None
        return self.standing(state, sample, sample)

    def pauses_at(self, state: OwnState) -> int:
        """When the open episode pauses if nothing usable has come until then, in ms."""
        return self.beyond.pauses_at(state.beyond)

    def pause(self, state: OwnState) -> Mark:
        """The mark of that pause."""
        return self.beyond.pause(state.beyond)
