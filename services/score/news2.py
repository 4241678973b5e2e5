"""The fold of NEWS2: a person's score at each quarter hour, and what evaluations in a row show. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from schemas.alerts import EndReason, Fact
from schemas.limits import LevelLimit, Limits, Side
from schemas.reasons import Flag
from schemas.vitals import BODY_TEMPERATURE, HEART_RATE, RESPIRATORY_RATE, SPO2, SYSTOLIC
from services.score.news2_points import COUNTED, Inputs, Measured, News2Score, Parameter, score
from services.score.rule import ENDED, HOUR_MS, MINUTE_MS, NEVER, Mark, Timed
from services.score.sample import Sample
from services.score.tracks import ODD_ONES

GRID_MS: Final = 15 * MINUTE_MS
"""A person is scored at each quarter hour before which something was measured."""
LEAST_FRESH: Final = 4
"""So many of six inputs have to be fresh for MEDIUM, and to say that it is over."""
IN_A_ROW_MS: Final = HOUR_MS
"""Evaluations so far apart at most follow one another; those that can't say in between do not count."""
LONGEST_GAP_MS: Final = HOUR_MS
"""After so long without an evaluation that can say how it is, the episode pauses."""
SETTLES_MS: Final = 15 * MINUTE_MS
"""A quarter hour is looked at so long after it, where no later reading has come until then."""
_WINDOW_MS: Final = 30 * MINUTE_MS
_MOST_LOOKS: Final = 8

_CUFFLESS: Final = int(Flag.CUFFLESS)
_SYSTOLIC: Final = SYSTOLIC.number
_PARAMETERS: Final[Mapping[int, Parameter]] = MappingProxyType(
    {
        HEART_RATE.number: Parameter.PULSE,
        SPO2.number: Parameter.SPO2,
        RESPIRATORY_RATE.number: Parameter.RESPIRATORY_RATE,
        SYSTOLIC.number: Parameter.SYSTOLIC,
        BODY_TEMPERATURE.number: Parameter.TEMPERATURE,
    }
)
_AT_REST: Final = frozenset({HEART_RATE.number, SPO2.number, RESPIRATORY_RATE.number})
"""What says something of a person at rest only."""
_MOST_STEP: Final[Mapping[int, float]] = MappingProxyType(
    dict.fromkeys(_PARAMETERS, inf) | {vital.number: vital.max_step_per_minute or inf for vital in (HEART_RATE, SPO2)}
)
"""Per minute, in the vital's unit: what a body can do; of the others nothing is implausible."""


class Look(NamedTuple):
    """What was seen at the quarter hour ``at``, in ms; ``last`` are the newest values of then, by parameter."""

    at: int
    score: News2Score
    last: Mapping[Parameter, Sample]


@dataclass(slots=True)
class Run:
    """Evaluations in a row beyond a limit: the first of them, when the last one was, and how many. Times in ms."""

    first: Sample
    last_at: int
    count: int = 1


@dataclass(slots=True)
class Course:
    """An episode as it goes. Samples are evaluations: their time is a quarter hour, their value a total.

    ``worst`` is the worst total that was said; ``beyond`` the last evaluation at which a limit held, ``last`` the
    newest that could say how it is. ``needs`` are the inputs that had points when it was said last, ``least`` how many
    were fresh then, LEAST_FRESH at most: what shows no fewer shows that it is over. ``facts`` are those of ``beyond``;
    ``clear_at``: since when totals are at the off limit, 0 for not.
    """

    level: int
    since: int
    worst: float
    beyond: Sample
    last: Sample
    needs: list[str]
    least: int
    facts: Mapping[str, Fact]
    clear_at: int = 0
    paused: bool = False


@dataclass(slots=True)
class News2State(Timed):
    """``last`` are the newest usable samples by vital number, ``next_at`` is the quarter hour to look at next, in ms.

    0: none is yet. ``odd`` counts implausible values in a row by vital. ``runs`` are by the place of a limit, of
    evaluations beyond it. ``looked_at`` is the newest that was; ``looks`` are of ``Look``.
    """

    last: dict[int, Sample] = field(default_factory=dict)
    next_at: int = 0
    odd: dict[int, int] = field(default_factory=dict)
    runs: dict[int, Run] = field(default_factory=dict)
    course: Course | None = None
    looked_at: int = 0

    @property
    def level(self) -> int:
        """0: no episode is open."""
        return self.course.level if self.course else 0

    @property
    def since(self) -> int:
        """When the open episode began, in ms."""
        return self.course.since if self.course else 0

    def copied(self) -> "News2State":
        """One that goes its own way."""
        return self.from_plain(self.to_plain())

    def to_plain(self) -> list[Any]:
        """As plain values."""
        course = self.course
        return [
            [list(one) for _, one in sorted(self.last.items())],
            self.next_at,
            self.looked_at,
            [list(one) for one in sorted(self.odd.items())],
            [[place, list(run.first), run.last_at, run.count] for place, run in sorted(self.runs.items())],
            None if course is None else [
                course.level, course.since, course.worst, list(course.beyond), list(course.last), list(course.needs),
                course.least, dict(course.facts), course.clear_at, int(course.paused),
            ],
            self.settled_at,
        ]  # fmt: skip

    def from_plain(self, plain: Sequence[Any]) -> "News2State":
        """The state that ``to_plain`` wrote."""
        last, next_at, looked_at, odd, runs, course, settled_at = plain
        state = News2State(
            {one[6]: Sample(*one) for one in last},
            next_at,
            dict(odd),
            {place: Run(Sample(*first), last_at, count) for place, first, last_at, count in runs},
            settled_at=settled_at,
            looked_at=looked_at,
        )
        if course is not None:
            level, since, worst, beyond, newest, needs, least, facts, clear_at, paused = course
            state.course = Course(
                level, since, worst, Sample(*beyond), Sample(*newest), list(needs), least, facts, clear_at, bool(paused)
            )
        return state


@dataclass(frozen=True, slots=True, kw_only=True)
class News2:
    """Limits of the total, which says nothing that it does not know: see ``news2_points``. Times in ms.

    A level counts after as many evaluations in a row as its ``least``; the first one needs LEAST_FRESH inputs as well,
    of the others a lower bound is enough. It is said again at a higher level, or when the total is worse by
    ``worse_by``. It is over once totals have been at the off limit for ``clear_min``.
    """

    limits: Limits
    scale_2: bool = False
    window_ms: int = _WINDOW_MS
    needs_rest: bool = True

    def start(self) -> News2State:
        """Before the first sample."""
        return News2State()

    def advance(self, state: News2State, sample: Sample, *, rested: bool) -> list[Mark] | None:
        """Takes the next sample; the quarter hour before it is looked at, if something was measured before that."""
        at, vital = sample[0], sample[6]
        is_next = at > state.next_at
        mark = self._look(state) if is_next else None
        if (rested or vital not in _AT_REST) and not (vital == _SYSTOLIC and sample[7] & _CUFFLESS):
            last = state.last.get(vital)
            is_step = last is not None and (state.odd or abs(sample[1] - last[1]) > _MOST_STEP[vital])
            if not is_step or _is_plausible(state, last, sample):
                state.last[vital] = sample
                if is_next:
                    state.next_at = -(-at // GRID_MS) * GRID_MS
        return None if mark is None else [mark]

    def _look(self, state: News2State) -> Mark | None:
        """Evaluates the next quarter hour, unless it was looked at before."""
        at = state.next_at
        if at <= state.looked_at or not state.last:
            return None
        state.looked_at = at
        known = {_PARAMETERS[vital]: sample for vital, sample in state.last.items()}
        scored = score(_inputs(known), at, scale_2=self.scale_2, on_oxygen=None)
        last = {parameter: known[parameter] for parameter in scored.fresh if parameter in known}
        state.looks.append(Look(at, scored, MappingProxyType(last)))
        del state.looks[:-_MOST_LOOKS]
        newest = max(known.values())
        lag = max(0, newest.received_at - newest.at)
        return self._judge(state, scored, newest._replace(at=at, value=float(scored.total), vital=0, flags=0,
                                                          received_at=at + lag), last)  # fmt: skip

    def _judge(
        self, state: News2State, scored: News2Score, seen: Sample, last: Mapping[Parameter, Sample]
    ) -> Mark | None:
        reached = self._reached(state, len(scored.fresh), seen)
        if reached is not None:
            return self._reach(state, *reached, scored, seen, last)
        course = state.course
        if course is None or len(scored.fresh) < course.least or not {*course.needs} <= {*map(str, scored.fresh)}:
            return None
        before, course.last, course.paused = course.last, seen, False
        if not self.limits.is_cleared(seen.value, Side.ABOVE):
            course.clear_at = 0
            return None
        if not course.clear_at or seen.at - before.at > IN_A_ROW_MS:
            course.clear_at = seen.at
        if seen.at - course.clear_at < self.limits.clear_min * MINUTE_MS:
            return None
        state.course = None
        return Mark(
            ENDED, course.beyond, seen, EndReason.RECOVERED, also=tuple(last.values()), limits=self.limits,
            facts=_facts(scored),
        )  # fmt: skip

    def _reach(
        self,
        state: News2State,
        limit: LevelLimit,
        first: Sample,
        scored: News2Score,
        seen: Sample,
        last: Mapping[Parameter, Sample],
    ) -> Mark | None:
        course, facts = state.course, _facts(scored)
        if course is None:
            course = state.course = Course(0, first.at, seen.value, seen, seen, [], 0, facts)
        course.beyond = course.last = seen
        course.facts, course.clear_at, course.paused = facts, 0, False
        if limit.level <= course.level and seen.value - course.worst < self.limits.worse_by:
            return None
        course.level, course.worst = max(limit.level, course.level), max(seen.value, course.worst)
        course.needs = [str(parameter) for parameter, points in scored.points.items() if points]
        course.least = min(LEAST_FRESH, len(scored.fresh))
        return Mark(course.level, first, seen, also=tuple(last.values()), limits=self.limits, passed=limit, facts=facts)

    def _reached(self, state: News2State, fresh: int, seen: Sample) -> tuple[LevelLimit, Sample] | None:
        """The limit of the highest level that holds, and the first evaluation in a row at which it was passed."""
        reached: tuple[LevelLimit, Sample] | None = None
        for place, limit in enumerate(self.limits.levels):
            can_say = fresh >= LEAST_FRESH
            if not limit.is_beyond(seen.value, Side.ABOVE):
                # What too few inputs show does not break a run either.
                if can_say:
                    state.runs.pop(place, None)
                continue
            if limit.level == 1 and not can_say:
                continue
            run = state.runs.get(place)
            if run is None or seen.at - run.last_at > IN_A_ROW_MS:
                run = state.runs[place] = Run(seen, seen.at)
            else:
                run.count, run.last_at = run.count + 1, seen.at
            lasted_ms = seen.at - run.first.at
            holds = run.count >= limit.least and lasted_ms >= limit.persist_min * MINUTE_MS
            if holds and (reached is None or limit.level > reached[0].level):
                reached = limit, run.first
        return reached

    def standing(self, state: News2State, first: Sample, last: Sample) -> Mark:
        """The mark of the episode that ``state`` is in the middle of; of evaluations, whatever the samples."""
        del first, last
        course = state.course
        assert course is not None  # noqa: S101 - asked of an open episode
        passed = next((one for one in self.limits.levels if one.level == course.level), self.limits.levels[-1])
        return Mark(
            course.level, course.beyond._replace(at=course.since), course.beyond, limits=self.limits, passed=passed,
            facts=course.facts,
        )  # fmt: skip

    def still(self, state: News2State, sample: Sample) -> Mark | None:
        """The mark of the open episode, where the newest evaluation still shows it."""
        del sample
        course = state.course
        if course is None or course.beyond.at != state.looked_at:
            return None
        return self.standing(state, course.beyond, course.beyond)

    def pauses_at(self, state: News2State) -> int:
        """When the next quarter hour is looked at, or the open episode pauses, if nothing comes until then, in ms."""
        course, due_at = state.course, NEVER
        if course is not None and not course.paused:
            due_at = course.last.at + LONGEST_GAP_MS + (course.last.received_at - course.last.at) + 1
        next_at = state.next_at
        if next_at > state.looked_at:
            if next_at <= state.settled_at:
                return 0
            newest = max(state.last.values())
            due_at = min(due_at, next_at + SETTLES_MS + max(0, newest.received_at - newest.at) + 1)
        return due_at

    def pause(self, state: News2State) -> Mark | None:
        """Looks at the next quarter hour, if that is what was due; else the mark of the pause."""
        course = state.course
        due_at = self.pauses_at(state)
        if course is None or course.paused or course.last.received_at + LONGEST_GAP_MS + 1 > due_at:
            state.settled_at = max(state.next_at, state.settled_at)
            return self._look(state)
        course.paused = True
        return Mark(
            ENDED, course.beyond, course.last, EndReason.NO_DATA, limits=self.limits,
            pauses_at=course.last.at + LONGEST_GAP_MS, facts={"total": round(course.last.value)},
        )  # fmt: skip


def _is_plausible(state: News2State, last: Sample | None, sample: Sample) -> bool:
    """Whether a body can make this step. Of one device that is worn, and the third odd one in a row is believed."""
    vital = sample.vital
    if last is None:
        return True
    step, gap = abs(sample.value - last.value), sample.at - last.at
    most = _MOST_STEP[vital]
    same_device = last.device_no == sample.device_no and not sample.is_spot
    if same_device and step > most and step > most * gap / MINUTE_MS:
        odd = state.odd.get(vital, 0) + 1
        if odd < ODD_ONES:
            state.odd[vital] = odd
            return False
    state.odd.pop(vital, None)
    return True


def _inputs(known: Mapping[Parameter, Sample]) -> Inputs:
    return Inputs(**{str(name): Measured(one.value, one.at) for name, one in known.items()})  # type: ignore[arg-type]


def _facts(scored: News2Score) -> Mapping[str, Fact]:
    """What sentences say of an evaluation; lists are codes with blanks between them."""
    points = [f"{name}:{scored.points[name]}" for name in scored.fresh]
    return {
        "total": scored.total,
        "fresh": len(scored.fresh),
        "inputs": len(COUNTED),
        "points": " ".join(points),
        "missing": " ".join(one.parameter for one in COUNTED if one.parameter not in scored.fresh),
        "threes": " ".join(scored.threes),
        "scale": 2 if scored.scale_2 else 1,
    }
