"""The fold of blood pressure: a sitting's readings confirm each other, or a symptom does; else it is said. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from schemas.alerts import EndReason, Severity
from schemas.asks import AskKind
from schemas.limits import LevelLimit, Limits, Side
from schemas.vitals import SYSTOLIC
from services.score.asks import Want
from services.score.pressure_state import Course, PressureState, Sitting
from services.score.rule import ENDED, HOUR_MS, MINUTE_MS, NEVER, Mark
from services.score.sample import CUFFLESS, SYMPTOM, Sample

SITTING_MS: Final = 10 * MINUTE_MS
"""Readings so far apart at most are one sitting: their mean counts."""
CONFIRM_WITHIN_MS: Final = 15 * MINUTE_MS
"""Without a second reading for so long, the first one is said to be unconfirmed."""
LONGEST_GAP_MS: Final = 24 * HOUR_MS
AGAIN_MS: Final = 5 * MINUTE_MS
"""So long after a reading beyond a limit people are asked to measure again: they rest until then."""
SYMPTOM_BEFORE_MS: Final = 30 * MINUTE_MS
"""A symptom that was said so long before the first reading of a sitting belongs to it."""
SYMPTOM_AFTER_MS: Final = HOUR_MS
"""One that is said so long after the last one does as well."""
URGENT: Final = 2
"""The level of a pressure beyond a limit with a symptom."""
_CONFIRMING: Final = 2
"""So many readings of a sitting beyond a limit, and their mean: one outlier of three confirms nothing."""


class Shown(NamedTuple):
    """A limit that a sitting is beyond, and by which values; ``symptom`` is what makes it certain, or urgent."""

    side: Side
    passed: LevelLimit
    values: tuple[float, float]
    symptom: Sample | None = None


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
        if sample.vital == SYMPTOM:
            return self._hear(state, sample)
        if sample.flags & CUFFLESS:
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

    def _hear(self, state: PressureState, symptom: Sample) -> list[Mark] | None:
        """Judges the newest sitting with a symptom, where it was said within the sitting's time."""
        state.symptom = symptom
        marks: list[Mark] = []
        if self._symptom_of(state) is not None:
            self._judge(state, marks)
        return marks or None

    def _symptom_of(self, state: PressureState) -> Sample | None:
        """The symptom that was said within the time of the newest sitting."""
        said, readings = state.symptom, state.sitting.systolic
        if said is None or not readings:
            return None
        belongs = readings[0].at - SYMPTOM_BEFORE_MS <= said.at <= readings[-1].at + SYMPTOM_AFTER_MS
        return said if belongs else None

    def wants(self, state: PressureState, newest: Sample) -> Sequence[Want]:
        """A second reading of what nobody has confirmed, and whether there are symptoms, where none was named yet."""
        sitting = state.sitting
        last = sitting.systolic[-1] if sitting.systolic else None
        if last is None or last[2:5] != newest[2:5] or last.at != newest.at or self._side_of(sitting.newest) is None:
            return ()
        is_alone = bool(state.doubt) or len(sitting.systolic) == 1
        again = (Want(AskKind.MEASURE_AGAIN, AGAIN_MS),) if is_alone else ()
        return again if self._symptom_of(state) else (*again, Want(AskKind.SYMPTOMS))

    def _shown(self, state: PressureState) -> Shown | None:
        """What is certain, the worst of it.

        The mean of a sitting that confirms itself; a reading so far beyond that it needs no second one; whatever is
        beyond a limit, with a symptom.
        """
        sitting, course, symptom = state.sitting, state.course, self._symptom_of(state)
        of_mean, of_newest = self._beyond(sitting.mean), self._beyond(sitting.newest)
        certain = [one for one in (of_newest,) if one and one.passed.least == 1]
        if of_mean and (self._is_confirmed(sitting, of_mean) or (course and course.side is of_mean.side)):
            certain.append(of_mean)
        worst = max(certain, key=lambda one: one.passed.level, default=None)
        # What is urgent by itself needs no symptom to be so.
        if symptom is None or (worst and worst.passed.level >= URGENT):
            return worst
        with_symptom = worst or of_mean or of_newest
        return with_symptom._replace(symptom=symptom) if with_symptom else None

    def _beyond(self, values: tuple[float, float]) -> Shown | None:
        """The limit that these values are beyond, whether that is certain or not."""
        side = self._side_of(values)
        passed = self._passed(side, *values) if side else None
        return Shown(side, passed, values) if side and passed else None

    def _side_of(self, values: tuple[float, float]) -> Side | None:
        return next((one for one in Side if self._passed(one, *values)), None)

    def _judge(self, state: PressureState, marks: list[Mark]) -> None:
        sitting, course = state.sitting, state.course
        newest, mean = sitting.systolic[-1], sitting.mean
        alone, shown = self._side_of(sitting.newest), self._shown(state)
        if shown is not None:
            if state.doubt == shown.side:
                # Confirmed, whether it was said to be unconfirmed or not: the same episode.
                state.doubt, state.doubted = 0, False
            self._doubt(state, None, marks)
            self._reach(state, shown, marks)
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

    def _is_confirmed(self, sitting: Sitting, shown: Shown) -> bool:
        if shown.passed.least == 1:
            return True
        pairs = zip(sitting.systolic, sitting.diastolic, strict=True)
        beyond = sum(self._passed(shown.side, high.value, low.value) is not None for high, low in pairs)
        return beyond >= _CONFIRMING

    def _reach(self, state: PressureState, shown: Shown, marks: list[Mark]) -> None:
        sitting, course, side = state.sitting, state.course, shown.side
        systolic, newest = shown.values[0], sitting.systolic[-1]
        level = max(shown.passed.level, URGENT if shown.symptom else 0)
        if course is not None and course.side is not side:
            self._end(state, EndReason.TURNED, marks)
            course = None
        if course is None:
            first = sitting.systolic[0]
            course = state.course = Course(side, 0, first.at, systolic, newest, newest, shown.values)
        course.beyond = newest
        worse = (systolic - course.worst) * side
        if level > course.level or worse >= self.high.worse_by or not course.confirmed:
            if level > course.level:
                course.symptom = shown.symptom
            course.level, course.confirmed = max(level, course.level), True
            course.worst = systolic if worse > 0 else course.worst
            marks.append(self._mark(course, sitting, shown))

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

    def _mark(self, course: Course, sitting: Sitting, shown: Shown) -> Mark:
        return Mark(
            course.level, sitting.systolic[0], sitting.systolic[-1],
            also=(sitting.diastolic[-1], *_those(course.symptom)), passed=shown.passed,
            limits=self._limits(course.side), urgency=_urgency(shown.passed, course), mean=shown.values,
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
        reached = 1 if course.symptom else course.level
        passed = next((one for one in limits.levels if one.level == reached), limits.levels[-1])
        return Mark(
            course.level, first, last, also=_those(course.symptom), passed=passed, limits=limits,
            urgency=_urgency(passed, course), confirmed=course.confirmed, mean=course.mean,
        )  # fmt: skip

    def still(self, state: PressureState, sample: Sample) -> Mark | None:
        """The mark of the open episode, where ``sample`` still shows it."""
        course = state.course
        # Nothing is measured by a symptom: what the newest reading showed still stands.
        newest = course.last if course and sample.vital == SYMPTOM else sample
        if course is None or newest.at != course.beyond.at:
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


def _urgency(passed: LevelLimit, course: Course) -> Severity:
    return max(passed.severity, Severity.HIGH) if course.symptom else passed.severity


def _those(symptom: Sample | None) -> tuple[Sample, ...]:
    return () if symptom is None else (symptom,)


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
