"""The fold of blood pressure: readings of one sitting confirm each other; what none confirms is said as such. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.alerts import EndReason, Severity
from schemas.limits import LevelLimit, Limits, Side
from schemas.reasons import Flag
from schemas.vitals import SYSTOLIC
from services.score.rule import ENDED, HOUR_MS, MINUTE_MS, NEVER, Mark
from services.score.sample import Sample

SITTING_MS: Final = 10 * MINUTE_MS
"""Readings so far apart at most are one sitting: their mean counts."""
CONFIRM_WITHIN_MS: Final = 15 * MINUTE_MS
"""Without a second reading for so long, the first one is said to be unconfirmed."""
LONGEST_GAP_MS: Final = 24 * HOUR_MS
_CONFIRMING: Final = 2
"""So many readings of a sitting beyond a limit, and their mean: one outlier of three confirms nothing."""


@dataclass(slots=True)
class Sitting:
    """Systolic and diastolic readings that belong together, in mmHg, in pairs."""

    systolic: list[Sample] = field(default_factory=list)
    diastolic: list[Sample] = field(default_factory=list)

    @property
    def mean(self) -> tuple[float, float]:
        """Of all readings, in mmHg."""
        count = len(self.systolic)
        return sum(one.value for one in self.systolic) / count, sum(one.value for one in self.diastolic) / count


@dataclass(slots=True)
class Course:
    """An episode as it goes. ``worst`` is the worst mean systolic value that was said; ``last`` the newest reading.

    ``mean`` is that of its sitting.
    """

    side: Side
    level: int
    since: int
    worst: float
    beyond: Sample
    last: Sample
    mean: tuple[float, float]
    confirmed: bool = True
    paused: bool = False


@dataclass(slots=True)
class PressureState:
    """``half`` waits for the other value of its reading, ``doubt`` is the side on which a reading waits for a second.

    ``doubted``: time has passed, and it was said to be unconfirmed. That changes nothing of what later readings show.
    """

    half: Sample | None = None
    sitting: Sitting = field(default_factory=Sitting)
    doubt: int = 0
    course: Course | None = None
    doubted: bool = False

    @property
    def level(self) -> int:
        """0: no episode is open."""
        return self.course.level if self.course else 0

    @property
    def since(self) -> int:
        """When the open episode began, in ms."""
        return self.course.since if self.course else 0

    def copied(self) -> "PressureState":
        """One that goes its own way."""
        return self.from_plain(self.to_plain())

    def to_plain(self) -> list[Any]:
        """As plain values."""
        course = self.course
        return [
            None if self.half is None else list(self.half),
            [list(one) for one in self.sitting.systolic],
            [list(one) for one in self.sitting.diastolic],
            self.doubt,
            None if course is None else [
                int(course.side), course.level, course.since, course.worst, list(course.beyond), list(course.last),
                list(course.mean), course.confirmed, course.paused,
            ],
        ]  # fmt: skip

    def from_plain(self, plain: Sequence[Any]) -> "PressureState":
        """The state that ``to_plain`` wrote."""
        half, systolic, diastolic, doubt, course = plain
        state = PressureState(
            None if half is None else Sample(*half),
            Sitting([Sample(*one) for one in systolic], [Sample(*one) for one in diastolic]),
            doubt,
        )
        if course is not None:
            side, level, since, worst, beyond, last, mean, confirmed, paused = course
            state.course = Course(
                Side(side),
                level,
                since,
                worst,
                Sample(*beyond),
                Sample(*last),
                tuple(mean),
                bool(confirmed),
                bool(paused),
            )
        return state


@dataclass(frozen=True, slots=True, kw_only=True)
class Sittings:
    """Limits in mmHg: of systolic values on both sides, of diastolic ones above. Only what a cuff measures counts."""

    high: Limits
    diastolic: Limits
    low: Limits
    window_ms: int = LONGEST_GAP_MS
    needs_rest: bool = False

    def start(self) -> PressureState:
        """Before the first sample."""
        return PressureState()

    def advance(self, state: PressureState, sample: Sample, *, rested: bool) -> list[Mark] | None:
        """Takes the next sample; with the second of a reading's two values the reading is whole."""
        del rested
        if sample.flags & Flag.CUFFLESS:
            return None
        half = state.half
        if half is None or half.vital == sample.vital or half[2:5] != sample[2:5] or half.at != sample.at:
            state.half = sample
            return None
        state.half = None
        systolic, diastolic = (sample, half) if sample.vital == SYSTOLIC.number else (half, sample)
        marks: list[Mark] = []
        last = state.sitting.systolic[-1] if state.sitting.systolic else None
        apart = systolic.at - last.at if last else NEVER
        if state.doubt and apart > CONFIRM_WITHIN_MS:
            mark = self._unconfirmed(state)
            marks.append(mark)
            if state.course is None:
                last = mark.last
                state.course = Course(
                    Side(state.doubt),
                    mark.level,
                    mark.first.at,
                    last.value,
                    last,
                    last,
                    mark.mean or (0, 0),
                    confirmed=False,
                )
            state.doubt, state.doubted = 0, False
        if apart > (CONFIRM_WITHIN_MS if state.doubt else SITTING_MS):
            state.sitting = Sitting()
        state.sitting.systolic.append(systolic)
        state.sitting.diastolic.append(diastolic)
        self._judge(state, marks)
        return marks or None

    def _judge(self, state: PressureState, marks: list[Mark]) -> None:
        sitting, course = state.sitting, state.course
        newest, mean = sitting.systolic[-1], sitting.mean
        side = next((one for one in Side if self._passed(one, *mean)), None)
        passed = self._passed(side, *mean) if side else None
        alone = next((one for one in Side if self._passed(one, newest.value, sitting.diastolic[-1].value)), None)
        if side and passed and (self._is_confirmed(sitting, side, passed) or (course and course.side is side)):
            self._doubt(state, None, marks)
            self._reach(state, side, passed, marks)
        else:
            self._doubt(state, None if course and course.side is alone else alone, marks)
        course = state.course
        if course is None:
            return
        course.last, course.mean, course.paused = newest, mean, False
        if self._is_back(course.side, *mean) and not alone:
            self._end(state, EndReason.RECOVERED, marks)

    def _doubt(self, state: PressureState, side: Side | None, marks: list[Mark]) -> None:
        """A reading beyond a limit on ``side`` waits for a second one; None: none does any more."""
        if state.doubt and side is None and state.course is None:
            # It may have been said to be unconfirmed, when this reading came late.
            newest, limits = state.sitting.systolic[-1], self._limits(Side(state.doubt))
            marks.append(Mark(ENDED, newest, newest, EndReason.DISPROVED, limits=limits, mean=state.sitting.mean))
        if state.doubt != (side or 0):
            state.doubt, state.doubted = side or 0, False

    def _is_confirmed(self, sitting: Sitting, side: Side, passed: LevelLimit) -> bool:
        if passed.least == 1:
            return True
        pairs = zip(sitting.systolic, sitting.diastolic, strict=True)
        return sum(self._passed(side, high.value, low.value) is not None for high, low in pairs) >= _CONFIRMING

    def _reach(self, state: PressureState, side: Side, passed: LevelLimit, marks: list[Mark]) -> None:
        sitting, course = state.sitting, state.course
        systolic, newest = sitting.mean[0], sitting.systolic[-1]
        if course is not None and course.side is not side:
            self._end(state, EndReason.TURNED, marks)
            course = None
        if course is None:
            first = sitting.systolic[0]
            course = state.course = Course(side, 0, first.at, systolic, newest, newest, sitting.mean)
        course.beyond = newest
        worse = (systolic - course.worst) * side
        if passed.level > course.level or worse >= self.high.worse_by or not course.confirmed:
            course.level, course.confirmed = max(passed.level, course.level), True
            course.worst = systolic if worse > 0 else course.worst
            marks.append(self._mark(state, course.level, passed, passed.severity))

    def _unconfirmed(self, state: PressureState) -> Mark:
        """What a reading says that nobody has confirmed: too high is for the list, too low is as grave as it is."""
        side, sitting = Side(state.doubt), state.sitting
        newest, diastolic = sitting.systolic[-1], sitting.diastolic[-1]
        passed = self._passed(side, newest.value, diastolic.value)
        # It may have been said before the last one came: it began with the first.
        pairs = zip(sitting.systolic, sitting.diastolic, strict=True)
        first = next(high for high, low in pairs if self._passed(side, high.value, low.value))
        assert passed is not None  # noqa: S101 - it was beyond a limit when doubt began
        urgency = Severity.LOW if side is Side.ABOVE else passed.severity
        return Mark(
            passed.level, first, newest, also=(diastolic,), passed=passed, limits=self._limits(side),
            urgency=urgency, confirmed=False, mean=(newest.value, diastolic.value),
        )  # fmt: skip

    def _mark(self, state: PressureState, level: int, passed: LevelLimit, urgency: Severity) -> Mark:
        course, sitting = state.course, state.sitting
        assert course is not None  # noqa: S101 - of an open episode
        return Mark(
            level, sitting.systolic[0], sitting.systolic[-1], also=(sitting.diastolic[-1],), passed=passed,
            limits=self._limits(course.side), urgency=urgency, mean=sitting.mean,
        )  # fmt: skip

    def _end(self, state: PressureState, reason: EndReason, marks: list[Mark]) -> None:
        course, sitting = state.course, state.sitting
        assert course is not None  # noqa: S101 - of an open episode
        state.course = None
        marks.append(
            Mark(
                ENDED, course.beyond, sitting.systolic[-1], reason, also=(sitting.diastolic[-1],),
                limits=self._limits(course.side), mean=sitting.mean,
            )
        )  # fmt: skip

    def _limits(self, side: Side) -> Limits:
        return self.high if side is Side.ABOVE else self.low

    def _passed(self, side: Side, systolic: float, diastolic: float) -> LevelLimit | None:
        """The limit of the highest level that these values are beyond, on a side."""
        found = [one for one in self._limits(side).levels if one.is_beyond(systolic, side)]
        if side is Side.ABOVE:
            found += [one for one in self.diastolic.levels if one.is_beyond(diastolic, side)]
        return max(found, key=lambda one: one.level, default=None)

    def _is_back(self, side: Side, systolic: float, diastolic: float) -> bool:
        if side is Side.BELOW:
            return self.low.is_cleared(systolic, side)
        return self.high.is_cleared(systolic, side) and self.diastolic.is_cleared(diastolic, side)

    def standing(self, state: PressureState, first: Sample, last: Sample) -> Mark:
        """The mark of the episode that ``state`` is in the middle of."""
        course = state.course
        assert course is not None  # noqa: S101 - asked of an open episode
        limits = self._limits(course.side)
        passed = next((one for one in limits.levels if one.level == course.level), limits.levels[-1])
        return Mark(
            course.level, first, last, passed=passed, limits=limits, urgency=passed.severity,
            confirmed=course.confirmed, mean=course.mean,
        )  # fmt: skip

    def still(self, state: PressureState, sample: Sample) -> Mark | None:
        """The mark of the open episode, where ``sample`` still shows it."""
        course = state.course
        if course is None or sample.at != course.beyond.at:
            return None
        return self.standing(state, course.beyond, course.beyond)

    def pauses_at(self, state: PressureState) -> int:
        """When a reading stays unconfirmed, or the open episode pauses, if nothing has come until then, in ms."""
        if state.doubt and not state.doubted:
            last = state.sitting.systolic[-1]
            return last.at + CONFIRM_WITHIN_MS + _lag(last) + 1
        course = state.course
        if course is None or course.paused:
            return NEVER
        return course.last.at + LONGEST_GAP_MS + _lag(course.last) + 1

    def pause(self, state: PressureState) -> Mark:
        """The mark of that."""
        if state.doubt and not state.doubted:
            state.doubted = True
            return self._unconfirmed(state)
        course = state.course
        assert course is not None  # noqa: S101 - asked of an open episode
        course.paused = True
        at = course.last.at + LONGEST_GAP_MS
        limits = self._limits(course.side)
        return Mark(ENDED, course.beyond, course.last, EndReason.NO_DATA, pauses_at=at, limits=limits, mean=course.mean)


def _lag(sample: Sample) -> int:
    """Nothing is missed while what was measured long ago is still coming in."""
    return max(0, sample.received_at - sample.at)


def fold_of(limits: Mapping[str, Limits]) -> Sittings:
    """The fold of the limits of the rule's concerns."""
    return Sittings(
        high=limits["blood_pressure.high"],
        diastolic=limits["blood_pressure.diastolic"],
        low=limits["blood_pressure.low"],
    )
