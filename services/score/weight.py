"""The fold of weight: what somebody has gained in days, scale by scale; somebody else's weight is left out. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from schemas.alerts import EndReason
from schemas.asks import AskKind
from schemas.default_limits import usual_of
from schemas.limits import LevelLimit, Limits, Side
from schemas.vitals import WEIGHT
from services.score.asks import Want
from services.score.days import DAY_MS
from services.score.rule import ENDED, NEVER, Against, Mark
from services.score.sample import Sample, pack, unpack

GAIN_DAYS: Final = 3
"""A gain is measured from the lowest weight of so many days before."""
WEEK_MS: Final = 7 * DAY_MS
"""The weights of so long are kept."""
SOMEBODY_ELSE_KG: Final = 5.0
"""So much more or less within a day, or more than that off the week's median, is another person on the scale."""
AVERAGE_DAYS: Final = 14
"""The moving average forgets at this pace; after as long without a weight it begins anew."""
AVERAGE_FROM_DAYS: Final = 7
"""The moving average says something once it is so old, and has weights of as many days."""
LONGEST_GAP_MS: Final = 4 * DAY_MS
LATE_MS: Final = 4 * DAY_MS
_MOST_WEIGHTS: Final = 32
_MOST_SCALES: Final = 4
_CONCERN: Final = "weight"


@dataclass(slots=True)
class Scale:
    """What is known of a person on one scale: their weights of a week in order, and a moving average in kg.

    ``began_at``, ``last_at`` in ms: of the average; ``days`` that it has weights of, as far as that matters.
    ``against``: what the open episode's gain is measured from on this scale; None where it shows none.
    """

    weights: list[Sample] = field(default_factory=list)
    average: float = 0.0
    began_at: int = 0
    last_at: int = 0
    days: int = 0
    against: Against | None = None

    def forget(self, at: int) -> None:
        """Drops what is too old at ``at``, in ms."""
        self.weights = [one for one in self.weights if one.at >= at - WEEK_MS]
        if self.days and at - self.last_at >= AVERAGE_DAYS * DAY_MS:
            self.days = 0

    def take(self, sample: Sample) -> None:
        """A weight of this person. The average is a plain one until it is as old as what it goes over."""
        at = sample.at
        if not self.days:
            self.average, self.began_at, self.last_at, self.days = sample.value, at, at, 1
        gap = at - self.last_at
        known = min(self.last_at - self.began_at + DAY_MS + gap, AVERAGE_DAYS * DAY_MS)
        self.average += (sample.value - self.average) * min(1.0, gap / known)
        if at // DAY_MS > self.last_at // DAY_MS:
            self.days = min(AVERAGE_FROM_DAYS, self.days + 1)
        self.last_at = at
        self.weights = [*self.weights, sample][-_MOST_WEIGHTS:]

    def average_at(self, at: int) -> Against | None:
        """The moving average before ``at``, once it says something."""
        if self.days < AVERAGE_FROM_DAYS or at - self.began_at < AVERAGE_FROM_DAYS * DAY_MS:
            return None
        return Against("average", self.average, AVERAGE_DAYS)

    def lowest_at(self, at: int) -> Sample | None:
        """The lowest weight of the days before ``at``."""
        recent = [one for one in self.weights if one.at >= at - GAIN_DAYS * DAY_MS]
        return min(recent, key=lambda one: one.value, default=None)

    def to_plain(self) -> list[Any]:
        """As plain values."""
        against = None if self.against is None else list(self.against)
        return [pack(self.weights), self.average, self.began_at, self.last_at, self.days, against]

    @classmethod
    def from_plain(cls, plain: Sequence[Any]) -> "Scale":
        """What ``to_plain`` wrote."""
        weights, average, began_at, last_at, days, against = plain
        found = cls(unpack(weights, WEIGHT.number, {}), average, began_at, last_at, days)
        found.against = None if against is None else Against(*against)
        return found


@dataclass(slots=True)
class Course:
    """An episode as it goes. ``worst`` is the highest weight that was said, ``last`` the newest on a scale of it."""

    level: int
    first: Sample
    last_beyond: Sample
    last: Sample
    worst: float
    paused: bool = False

    def to_plain(self) -> list[Any]:
        """As plain values."""
        samples = [list(self.first), list(self.last_beyond), list(self.last)]
        return [self.level, *samples, self.worst, int(self.paused)]

    @classmethod
    def from_plain(cls, plain: Sequence[Any]) -> "Course":
        """What ``to_plain`` wrote."""
        level, first, last_beyond, last, worst, paused = plain
        return cls(level, Sample(*first), Sample(*last_beyond), Sample(*last), worst, bool(paused))


@dataclass(slots=True)
class WeightState:
    """Scales by device number, and the open episode. ``doubtful``: the newest weight, where it is another person's.

    That is for whoever asks the person whether it was they; the rule itself leaves it out.
    """

    scales: dict[int, Scale] = field(default_factory=dict)
    course: Course | None = None
    doubtful: Sample | None = None

    @property
    def level(self) -> int:
        """0: no episode is open."""
        return self.course.level if self.course else 0

    @property
    def since(self) -> int:
        """When the open episode began, in ms."""
        return self.course.first.at if self.course else 0

    def copied(self) -> "WeightState":
        """One that goes its own way."""
        return self.from_plain(self.to_plain())

    def to_plain(self) -> list[Any]:
        """As plain values."""
        return [
            [[number, *scale.to_plain()] for number, scale in self.scales.items()],
            None if self.course is None else self.course.to_plain(),
            None if self.doubtful is None else list(self.doubtful),
        ]

    def from_plain(self, plain: Sequence[Any]) -> "WeightState":
        """The state that ``to_plain`` wrote."""
        scales, course, doubtful = plain
        return WeightState(
            {number: Scale.from_plain(scale) for number, *scale in scales},
            None if course is None else Course.from_plain(course),
            None if doubtful is None else Sample(*doubtful),
        )


def is_somebody_else(weights: Sequence[Sample], sample: Sample) -> bool:
    """Whether ``sample`` is too far off these weights of a person, of the last week, to be theirs."""
    week = [one for one in weights if one.at >= sample.at - WEEK_MS]
    if not week:
        return False
    if abs(_gain(sample, median(one.value for one in week))) > SOMEBODY_ELSE_KG:
        return True
    day = [one for one in week if one.at >= sample.at - DAY_MS]
    return any(abs(_gain(sample, one.value)) >= SOMEBODY_ELSE_KG for one in day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gains:
    """Limits of a gain in kg; None for people who have none: their weights are kept, and nothing is said.

    Level 1 holds of a gain within days, above the moving average, and of the open episode above what it is measured
    from; higher levels of a gain within days alone. Each weight decides. A loss says nothing.
    """

    limits: Limits | None
    window_ms: int = LATE_MS
    needs_rest: bool = False

    def start(self) -> WeightState:
        """Before the first sample."""
        return WeightState()

    def advance(self, state: WeightState, sample: Sample, *, rested: bool) -> list[Mark] | None:
        """Takes the next weight; another person's changes nothing but ``doubtful``."""
        del rested
        for one in state.scales.values():
            one.forget(sample.at)
        known = [weight for one in state.scales.values() for weight in one.weights]
        if is_somebody_else(known, sample):
            state.doubtful = sample
            return None
        state.doubtful = None
        scale = state.scales.get(sample.device_no) or self._begin(state, sample.device_no)
        marks: list[Mark] = []
        self._judge(state, scale, sample, marks)
        scale.take(sample)
        return marks or None

    def wants(self, state: WeightState, newest: Sample) -> Sequence[Want]:
        """Whose weight it is, where it is not the person's."""
        return (Want(AskKind.WHO_WAS_MEASURED),) if self.limits and state.doubtful == newest else ()

    def _begin(self, state: WeightState, device_no: int) -> Scale:
        if len(state.scales) >= _MOST_SCALES:
            idle = [number for number, one in state.scales.items() if one.against is None] or list(state.scales)
            del state.scales[min(idle, key=lambda number: (state.scales[number].last_at, number))]
        scale = state.scales[device_no] = Scale()
        return scale

    def _judge(self, state: WeightState, scale: Scale, sample: Sample, marks: list[Mark]) -> None:
        course = state.course
        if course is not None and scale.against is not None:
            course.last, course.paused = sample, False
        lowest = scale.lowest_at(sample.at)
        found = self._passed(scale, sample, lowest)
        if found is not None:
            self._reach(state, scale, sample, found, lowest, marks)
        elif scale.against is not None and self._is_back(sample, scale.against):
            self._clear(state, scale, sample, marks)

    def _passed(self, scale: Scale, sample: Sample, lowest: Sample | None) -> tuple[LevelLimit, Against] | None:
        """The limit of the highest level that holds, and what the gain is measured from."""
        if self.limits is None:
            return None
        levels = sorted((one for one in self.limits.levels if not one.moving), key=lambda one: -one.level)
        if lowest is not None:
            for limit in levels:
                if limit.is_beyond(_gain(sample, lowest.value), Side.ABOVE):
                    return limit, Against("lowest", lowest.value, GAIN_DAYS)
        others = [scale.average_at(sample.at), scale.against and scale.against._replace(kind="before")]
        for against in others:
            for limit in levels:
                if limit.level == 1 and against and limit.is_beyond(_gain(sample, against.value), Side.ABOVE):
                    return limit, against
        return None

    def _reach(
        self,
        state: WeightState,
        scale: Scale,
        sample: Sample,
        found: tuple[LevelLimit, Against],
        lowest: Sample | None,
        marks: list[Mark],
    ) -> None:
        limits, (passed, against) = self.limits, found
        assert limits is not None  # noqa: S101 - else nothing is passed
        course = state.course
        if course is None:
            course = state.course = Course(0, sample, sample, sample, sample.value)
        scale.against = scale.against or against
        course.last_beyond = course.last = sample
        worse = limits.worsening(course.worst, sample.value)
        if passed.level > course.level or worse >= limits.worse_by:
            course.level = max(passed.level, course.level)
            course.worst = max(sample.value, course.worst)
            rests_on = (lowest,) if lowest is not None and against.kind == "lowest" else ()
            marks.append(
                Mark(
                    course.level, course.first, sample, also=rests_on, limits=limits, passed=passed, against=against,
                    about=_CONCERN,
                )
            )  # fmt: skip

    def _is_back(self, sample: Sample, against: Against) -> bool:
        # Of whom limits do not hold any more, those that held before say when it is over.
        limits = self.limits or usual_of(_CONCERN)
        return limits.is_cleared(_gain(sample, against.value), Side.ABOVE)

    def _clear(self, state: WeightState, scale: Scale, sample: Sample, marks: list[Mark]) -> None:
        course, against = state.course, scale.against
        assert course is not None  # noqa: S101 - a scale shows a gain of an open episode
        scale.against = None
        if all(one.against is None for one in state.scales.values()):
            state.course = None
            marks.append(
                Mark(
                    ENDED, course.last_beyond, sample, EndReason.RECOVERED, limits=self.limits, against=against,
                    about=_CONCERN,
                )
            )  # fmt: skip

    def standing(self, state: WeightState, first: Sample, last: Sample) -> Mark:
        """The mark of the episode that ``state`` is in the middle of, by the newest weight that shows it."""
        del first, last
        course = state.course
        assert course is not None  # noqa: S101 - asked of an open episode
        against = next(one.against for one in state.scales.values() if one.against is not None)
        levels = self.limits.levels if self.limits else usual_of(_CONCERN).levels
        passed = next((one for one in levels if one.level == course.level), levels[-1])
        return Mark(
            course.level, course.first, course.last_beyond, limits=self.limits, passed=passed,
            against=against._replace(kind="before"), about=_CONCERN,
        )  # fmt: skip

    def still(self, state: WeightState, sample: Sample) -> Mark | None:
        """The mark of the open episode, where ``sample`` still shows it."""
        if state.course is None or state.course.last_beyond != sample:
            return None
        return self.standing(state, sample, sample)

    def pauses_at(self, state: WeightState) -> int:
        """When the open episode pauses if no weight has come until then, in ms."""
        course = state.course
        if course is None or course.paused:
            return NEVER
        last = course.last
        # Nothing is missed while what was measured long ago is still coming in.
        return last.at + LONGEST_GAP_MS + max(0, last.received_at - last.at) + 1

    def pause(self, state: WeightState) -> Mark:
        """The mark of that pause."""
        course = state.course
        assert course is not None  # noqa: S101 - asked of an open episode
        course.paused = True
        at = course.last.at + LONGEST_GAP_MS
        return Mark(
            ENDED, course.last_beyond, course.last, EndReason.NO_DATA, limits=self.limits, pauses_at=at, about=_CONCERN
        )


def _gain(sample: Sample, before: float) -> float:
    """In kg, as finely as scales measure: 2.0 is 2.0, whatever its last binary digits say."""
    return round(sample.value - before, 2)


def fold_of(limits: Mapping[str, Limits]) -> Gains:
    """The fold of the limits of the rule's concern, where there are some."""
    return Gains(limits=limits.get(_CONCERN))
