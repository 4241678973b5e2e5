"""The fold of limits that have to be passed for a while: episodes of a vital, over the tracks of its devices. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final

from schemas.alerts import EndReason
from schemas.asks import AskKind
from schemas.limits import LevelLimit, Limits, Side
from services.score.asks import Want
from services.score.rule import ENDED, HOUR_MS, MINUTE_MS, NEVER, Mark
from services.score.sample import Sample
from services.score.tracks import Pace, Reached, Track

_MOST_TRACKS: Final = 8
"""Devices of one vital that are judged at a time; of more, the one that was not heard of longest is forgotten."""
_FEWEST_SKIPPED: Final = 4


@dataclass(slots=True)
class Course:
    """An episode of one side as it goes. ``worst`` is the worst value that was said; ``devices`` are not yet clear.

    ``last`` is the newest usable sample of such a device, ``last_beyond`` the newest at which a limit held.
    """

    level: int
    since: int
    worst: float
    last_beyond: Sample
    last: Sample
    devices: list[int] = field(default_factory=list)
    paused: bool = False

    def copied(self) -> "Course":
        """One that goes its own way."""
        course = Course(self.level, self.since, self.worst, self.last_beyond, self.last, list(self.devices))
        course.paused = self.paused
        return course

    def to_plain(self) -> list[Any]:
        """As plain values."""
        samples = [list(self.last_beyond), list(self.last)]
        return [self.level, self.since, self.worst, *samples, self.devices, int(self.paused)]

    @classmethod
    def from_plain(cls, plain: Sequence[Any]) -> "Course":
        """What ``to_plain`` wrote."""
        level, since, worst, last_beyond, last, devices, paused = plain
        return cls(level, since, worst, Sample(*last_beyond), Sample(*last), list(devices), bool(paused))


@dataclass(slots=True)
class BeyondState:
    """Tracks by device number, and the episode that is open, by its side."""

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

    def copied(self) -> "BeyondState":
        """One that goes its own way."""
        return BeyondState(
            {number: track.copied() for number, track in self.tracks.items()},
            {side: course.copied() for side, course in self.courses.items()},
        )

    def to_plain(self) -> list[Any]:
        """As plain values."""
        return [
            [[number, *track.to_plain()] for number, track in self.tracks.items()],
            [[int(side), *course.to_plain()] for side, course in self.courses.items()],
        ]

    def from_plain(self, plain: Sequence[Any]) -> "BeyondState":
        """The state that ``to_plain`` wrote."""
        tracks, courses = plain
        return BeyondState(
            {number: Track.from_plain(track) for number, *track in tracks},
            {side: Course.from_plain(course) for side, *course in courses},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """Limits of one side of a vital or both. Values in the vital's unit, times in ms.

    What holds is said once, and again when it gets worse: at a higher level, or beyond the worst value that was said
    by ``worse_by``. An episode ends when every device that was beyond has cleared, or when the opposite begins. After
    ``pause_ms`` (of a device that measures when asked, ``asked_pause_ms``) without a usable sample of these devices it
    pauses. ``again_ms`` after a reading that a limit wants a second one of, people are asked for that; 0: never.
    ``max_step_per_minute`` is what a body can do, of devices that are worn.
    """

    sides: Mapping[Side, Limits]
    pace: Pace = field(default_factory=Pace)
    needs_rest: bool = True
    max_step_per_minute: float = inf
    window_ms: int = 30 * MINUTE_MS
    pause_ms: int = HOUR_MS
    asked_pause_ms: int = HOUR_MS
    takes_asked: bool = True
    again_ms: int = 0
    _between: tuple[float, float] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Values inside of ``_between`` are beyond no limit: nearly all are."""
        lowest = max((one.on for one in self.levels(Side.BELOW)), default=-inf)
        highest = min((one.on for one in self.levels(Side.ABOVE)), default=inf)
        object.__setattr__(self, "_between", (lowest, highest))

    def levels(self, side: Side) -> Sequence[LevelLimit]:
        """The limits of a side, none where it has none."""
        return self.sides[side].levels if side in self.sides else ()

    def start(self) -> BeyondState:
        """Before the first sample."""
        return BeyondState()

    def advance(self, state: BeyondState, sample: Sample, *, rested: bool) -> list[Mark] | None:
        """Takes the next sample; one that is implausible changes nothing."""
        track = state.tracks.get(sample[2])
        if track is None:
            track = self._begin(state, sample)
            if track is None:
                return None
        courses = state.courses
        gone = self._gone(state, sample) if courses else ()
        if not track.takes(sample, inf if track.is_asked else self.max_step_per_minute):
            return None
        lowest, highest = self._between
        if lowest < sample[1] < highest and not courses and not track.runs:
            return None
        # What was clear before a gap says nothing of what comes after it.
        for side in gone:
            self._forget_clear(state, side)
        marks: list[Mark] = []
        moving = not rested and not track.is_asked
        for side, limits in self.sides.items():
            reached = track.follow(side, limits.levels, sample, self.pace, moving=moving)
            if reached is not None:
                self._reach(state, side, limits, reached, sample, marks)
        for open_side in list(state.courses):
            self._follow(state, track, Side(open_side), sample, moving=moving, marks=marks)
        return marks or None

    def skip(self, state: BeyondState, samples: Sequence[Sample]) -> bool:
        """Takes these in order at once, if they say nothing: False where each has to be looked at.

        So most samples of most people are folded a second time at little cost.
        """
        if state.courses or len(samples) < _FEWEST_SKIPPED:
            return False
        device_no = samples[0][2]
        track = state.tracks.get(device_no)
        if track is None or track.runs or len({one[2] for one in samples}) > 1:
            return False
        values, moments = [one[1] for one in samples], {one[0] for one in samples}
        lowest, highest = self._between
        low, high = min(values), max(values)
        if not lowest < low <= high < highest or len(moments) < len(values) or samples[0][0] <= track.at:
            return False
        if max(high, track.value) - min(low, track.value) > self.max_step_per_minute and not track.is_asked:
            return False
        track.skips(samples)
        return True

    def is_between(self, value: float) -> bool:
        """Whether a value is beyond no limit: from nothing but such ones nothing follows."""
        lowest, highest = self._between
        return lowest < value < highest

    def calm_after(self, state: BeyondState, sample: Sample) -> tuple[float, float, float] | None:
        """Between which values, and in which steps a minute, samples of this device say nothing; None where they may.

        ``sample`` is the newest one that was taken.
        """
        known = state.tracks.get(sample[2])
        if known is None or known.is_asked or known.runs or known.at != sample[0] or known.odd or state.courses:
            return None
        lowest, highest = self._between
        return (lowest, highest, self.max_step_per_minute) if lowest < sample[1] < highest else None

    def pass_by(self, state: BeyondState, samples: Sequence[Sample]) -> None:
        """Takes the samples of one device that say nothing, by ``calm_after``, in order."""
        state.tracks[samples[0][2]].skips(samples)

    def _gone(self, state: BeyondState, sample: Sample) -> Sequence[Side]:
        """Open sides of which nothing usable has come for longer than the longest gap."""
        return [Side(side) for side in state.courses if self._known_until(state, Side(side)) < sample.at]

    def _begin(self, state: BeyondState, sample: Sample) -> Track | None:
        is_asked = sample.is_spot
        if is_asked and not self.takes_asked:
            return None
        if len(state.tracks) >= _MOST_TRACKS:
            kept = {number for course in state.courses.values() for number in course.devices}
            idle = [number for number in state.tracks if number not in kept] or list(state.tracks)
            oldest = min(idle, key=lambda number: (state.tracks[number].at, number))
            del state.tracks[oldest]
            self._forget(state, oldest)
        track = state.tracks[sample.device_no] = Track(is_asked=is_asked)
        return track

    def _forget(self, state: BeyondState, device_no: int) -> None:
        for course in state.courses.values():
            if device_no in course.devices and len(course.devices) > 1:
                course.devices.remove(device_no)

    def _follow(
        self, state: BeyondState, track: Track, side: Side, sample: Sample, *, moving: bool, marks: list[Mark]
    ) -> None:
        course, limits = state.courses[side], self.sides[side]
        if sample.device_no not in course.devices:
            return
        course.last, course.paused = sample, False
        # Movement says nothing of rest: a pulse that comes down while walking has not come down at rest.
        if moving:
            return
        # What is beyond a limit of the opposite has not come back.
        back = limits.is_cleared(sample.value, side) and not self._is_opposite(side, sample.value)
        if track.clears(side, sample, self.pace, is_cleared=back, lasts_ms=limits.clear_min * MINUTE_MS):
            course.devices.remove(sample.device_no)
            if not course.devices:
                self._end(state, side, sample, EndReason.RECOVERED, marks)

    def _is_opposite(self, side: Side, value: float) -> bool:
        other = Side(-side)
        return any(one.is_beyond(value, other) for one in self.levels(other) if not one.moving)

    def _reach(
        self, state: BeyondState, side: Side, limits: Limits, reached: Reached, sample: Sample, marks: list[Mark]
    ) -> None:
        course = state.courses.get(side)
        if course is None:
            if -side in state.courses:
                self._end(state, Side(-side), sample, EndReason.TURNED, marks)
            course = state.courses[side] = Course(0, reached.first.at, sample.value, sample, sample)
        if sample.device_no not in course.devices:
            course.devices.append(sample.device_no)
        course.last_beyond = sample
        worse = (sample.value - course.worst) * side
        if reached.limit.level > course.level or worse >= limits.worse_by:
            course.level = max(reached.limit.level, course.level)
            course.worst = sample.value if worse > 0 else course.worst
            marks.append(Mark(course.level, reached.first, sample, limits=limits, passed=reached.limit))

    def _end(self, state: BeyondState, side: Side, sample: Sample, reason: EndReason, marks: list[Mark]) -> None:
        course = state.courses.pop(side)
        marks.append(Mark(ENDED, course.last_beyond, sample, reason, limits=self.sides[side]))

    def standing(self, state: BeyondState, first: Sample, last: Sample) -> Mark:
        """The mark of the episode that ``state`` is in the middle of."""
        side, course = next(iter(state.courses.items()))
        limits = self.sides[Side(side)]
        passed = next((one for one in limits.levels if one.level == course.level), limits.levels[-1])
        return Mark(course.level, first, last, limits=limits, passed=passed)

    def still(self, state: BeyondState, sample: Sample) -> Mark | None:
        """The mark of the open episode, where a limit holds at ``sample``; None where none does."""
        if any(course.last_beyond == sample for course in state.courses.values()):
            return self.standing(state, sample, sample)
        return None

    def wants(self, state: BeyondState, newest: Sample) -> Sequence[Want]:
        """A second reading, where ``newest`` is the first of those that a limit needs of a device used when asked."""
        track = state.tracks.get(newest.device_no)
        if not self.again_ms or track is None or not track.is_asked or track.at != newest.at:
            return ()
        for (side, place), run in track.runs.items():
            asked = self.pace.asked(self.levels(Side(side))[place])
            if asked is not None and run.last_at == newest.at and run.count < asked.least:
                return (Want(AskKind.MEASURE_AGAIN, self.again_ms),)
        return ()

    def _known_until(self, state: BeyondState, side: Side) -> int:
        """The newest usable reading of a device that is not yet clear, and the longest gap after it, in ms.

        One with which another device has become clear counts, too: its value is the last one that is said.
        """
        course = state.courses[side]
        return max(self._device_known_until(state, number, course) for number in course.devices)

    def _device_known_until(self, state: BeyondState, device_no: int, course: Course) -> int:
        track = state.tracks.get(device_no)
        if track is None:
            return course.last.at + self.pause_ms
        newest = track.at if course.last.device_no in course.devices else max(track.at, course.last.at)
        return newest + (self.asked_pause_ms if track.is_asked else self.pause_ms)

    def _forget_clear(self, state: BeyondState, side: Side) -> None:
        for number in state.courses[side].devices:
            if number in state.tracks:
                state.tracks[number].clear_at.pop(side, None)

    def _noticed_at(self, state: BeyondState, side: Side) -> int:
        """When a pause is noticed: not while what was measured long ago is still coming in."""
        course = state.courses.get(side)
        if course is None or course.paused:
            return NEVER
        # A reading of the very moment is in time.
        return self._known_until(state, side) + max(0, course.last.received_at - course.last.at) + 1

    def pauses_at(self, state: BeyondState) -> int:
        """When the open episode pauses if nothing usable has come until then, in ms."""
        if not state.courses:
            return NEVER
        return min(self._noticed_at(state, side) for side in self.sides)

    def pause(self, state: BeyondState) -> Mark:
        """The mark of that pause. It changes nothing of what later readings show, whenever it is noticed."""
        open_sides = [side for side in self.sides if side in state.courses]
        side = min(open_sides, key=lambda one: self._noticed_at(state, one))
        course = state.courses[side]
        course.paused = True
        at = self._known_until(state, side)
        return Mark(ENDED, course.last_beyond, course.last, EndReason.NO_DATA, limits=self.sides[side], pauses_at=at)
