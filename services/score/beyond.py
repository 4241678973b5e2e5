"""The fold of limits that have to be passed for a while: episodes of a vital, over the tracks of its devices. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from schemas.alerts import EndReason
from schemas.limits import Limits, Side
from services.score.rule import ENDED, HOUR_MS, MINUTE_MS, NEVER, Mark
from services.score.sample import Sample
from services.score.tracks import Track


@dataclass(slots=True)
class Course:
    """An episode of one side as it goes. ``worst`` is the worst value that was said; ``devices`` are not yet clear."""

    level: int
    since: int
    worst: float
    last_beyond: Sample
    last: Sample
    devices: set[int] = field(default_factory=set)
    paused: bool = False


@dataclass(slots=True)
class BeyondState:
    """Tracks by device number, courses by side; ``level`` and ``since`` are those of the course that is open."""

    tracks: dict[int, Track] = field(default_factory=dict)
    courses: dict[int, Course] = field(default_factory=dict)

    @property
    def level(self) -> int:
        """0: no episode is open."""
        return max((course.level for course in self.courses.values()), default=0)

    @property
    def since(self) -> int:
        """When the open episode began, in ms."""
        return min((course.since for course in self.courses.values()), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """Limits of one side of a vital or both. Values in the vital's unit, times in ms.

    What holds is said once, and again when it gets worse: at a higher level, or beyond the worst value that was said
    by ``worse_by``. An episode ends when every device that was beyond has cleared, or when the opposite begins. After
    ``pause_ms`` without a usable sample of these devices it pauses.
    """

    sides: Mapping[Side, Limits]
    max_step_per_minute: float
    window_ms: int = 30 * MINUTE_MS
    pause_ms: int = HOUR_MS
    _between: tuple[float, float] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Values inside of ``_between`` are beyond no limit: nearly all are."""
        lowest = max((one.on for one in self.levels(Side.BELOW)), default=-inf)
        highest = min((one.on for one in self.levels(Side.ABOVE)), default=inf)
        object.__setattr__(self, "_between", (lowest, highest))

    def levels(self, side: Side) -> Sequence[Any]:
        """The limits of a side, none where it has none."""
        return self.sides[side].levels if side in self.sides else ()

    def start(self) -> BeyondState:
        """Before the first sample."""
        return BeyondState()

    def advance(self, state: BeyondState, sample: Sample, *, moving: bool) -> list[Mark] | None:
        """Takes the next sample; one that is implausible changes nothing."""
        track = state.tracks.get(sample.device_no)
        if track is None:
            track = state.tracks[sample.device_no] = Track()
        if not track.believes(sample, self.max_step_per_minute):
            return None
        marks: list[Mark] = []
        for side in self.sides:
            if self._pauses_at(state, side) < sample.at:
                marks.append(self._pause(state, side))
        track.move_on(sample)
        lowest, highest = self._between
        if lowest < sample.value < highest and not state.courses and not track.runs:
            return marks or None
        for side, limits in self.sides.items():
            self._look(state, track, side, limits, sample, moving=moving, marks=marks)
        return marks or None

    def _look(
        self,
        state: BeyondState,
        track: Track,
        side: Side,
        limits: Limits,
        sample: Sample,
        *,
        moving: bool,
        marks: list[Mark],
    ) -> None:
        reached = track.follow(side, limits.levels, sample, moving=moving)
        course = state.courses.get(side)
        if reached:
            first = track.first_beyond(side, limits.levels, reached) or sample
            if course is None:
                self._turn(state, side, sample, marks)
                course = state.courses[side] = Course(0, first.at, sample.value, sample, sample)
            course.devices.add(sample.device_no)
            worse_by = (sample.value - course.worst) * side
            if reached > course.level or worse_by >= limits.worse_by:
                course.level = max(reached, course.level)
                course.worst = sample.value if worse_by > 0 else course.worst
                marks.append(Mark(course.level, first, sample, limits=limits))
            course.last_beyond = sample
        if course is None or sample.device_no not in course.devices:
            return
        course.last, course.paused = sample, False
        # Movement says nothing of rest: a pulse that comes down while walking has not come down at rest.
        if moving:
            return
        cleared = limits.is_cleared(sample.value, side)
        if track.clears(side, sample, is_cleared=cleared, lasts_ms=limits.clear_min * MINUTE_MS):
            course.devices.discard(sample.device_no)
            if not course.devices:
                self._end(state, side, sample, EndReason.RECOVERED, marks)

    def _turn(self, state: BeyondState, side: Side, sample: Sample, marks: list[Mark]) -> None:
        other = Side(-side)
        if other in state.courses:
            self._end(state, other, sample, EndReason.TURNED, marks)

    def _end(self, state: BeyondState, side: Side, sample: Sample, reason: EndReason, marks: list[Mark]) -> None:
        course = state.courses.pop(side)
        marks.append(Mark(ENDED, course.last_beyond, sample, reason, limits=self.sides[side]))

    def _pauses_at(self, state: BeyondState, side: Side) -> int:
        course = state.courses.get(side)
        if course is None or course.paused:
            return NEVER
        return max(state.tracks[number].at for number in course.devices) + self.pause_ms

    def _pause(self, state: BeyondState, side: Side) -> Mark:
        course, at = state.courses[side], self._pauses_at(state, side)
        course.paused = True
        for number in course.devices:
            state.tracks[number].clear_at[side] = 0
        return Mark(ENDED, course.last_beyond, course.last, EndReason.NO_DATA, limits=self.sides[side], pauses_at=at)

    def pauses_at(self, state: BeyondState) -> int:
        """When the next open episode pauses if nothing usable comes until then, in ms."""
        return min((self._pauses_at(state, side) for side in self.sides), default=NEVER)

    def pause(self, state: BeyondState) -> Mark:
        """The mark of that pause."""
        side = min(self.sides, key=lambda one: self._pauses_at(state, one))
        return self._pause(state, side)
