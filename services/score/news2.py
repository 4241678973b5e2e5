"""The fold of NEWS2: a person's score at each quarter hour, and what evaluations in a row show. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from schemas.alerts import EndReason, Fact
from schemas.limits import LevelLimit, Limits, Side
from schemas.vitals import BODY_TEMPERATURE, HEART_RATE, RESPIRATORY_RATE, SPO2, SYSTOLIC
from services.score import news2_points
from services.score.news2_points import COUNTED, BandTable, Inputs, Measured, News2Score, Parameter, score, spo2_table
from services.score.rule import ENDED, HOUR_MS, MINUTE_MS, NEVER, Mark
from services.score.sample import CUFFLESS, Sample
from services.score.tracks import ODD_ONES, Run, continued

GRID_MS: Final = 15 * MINUTE_MS
"""A person is scored at each quarter hour (00, 15, 30, 45) before which something was measured."""
LEAST_INPUTS: Final = 4
"""So many of six inputs have to be fresh for MEDIUM, and to say that it is over."""
IN_A_ROW_MS: Final = HOUR_MS
"""Evaluations so far apart at most follow one another; those that can't say in between do not count."""
LONGEST_GAP_MS: Final = HOUR_MS
"""After so long without an evaluation that can say how it is, the episode pauses."""

PARAMETERS: Final[Mapping[int, Parameter]] = MappingProxyType(
    {
        HEART_RATE.number: Parameter.PULSE,
        SPO2.number: Parameter.SPO2,
        RESPIRATORY_RATE.number: Parameter.RESPIRATORY_RATE,
        SYSTOLIC.number: Parameter.SYSTOLIC,
        BODY_TEMPERATURE.number: Parameter.TEMPERATURE,
    }
)
AT_REST: Final = frozenset({HEART_RATE.number, SPO2.number, RESPIRATORY_RATE.number})
"""What says something of a person at rest only."""
_COUNTS_FOR_MS: Final[Mapping[int, int]] = MappingProxyType(
    {
        vital: row.counts_for_ms
        for vital, parameter in PARAMETERS.items()
        for row in COUNTED
        if row.parameter is parameter
    }
)
_TABLES: Final[Mapping[int, BandTable]] = MappingProxyType(
    {
        HEART_RATE.number: news2_points.PULSE,
        SPO2.number: spo2_table(scale_2=False, on_oxygen=False),
        RESPIRATORY_RATE.number: news2_points.RESPIRATORY_RATE,
        SYSTOLIC.number: news2_points.SYSTOLIC,
        BODY_TEMPERATURE.number: news2_points.TEMPERATURE,
    }
)
_TABLES_OF_SCALE_2: Final = MappingProxyType({**_TABLES, SPO2.number: spo2_table(scale_2=True, on_oxygen=False)})

STEPPED: Final[Mapping[int, float]] = MappingProxyType(
    {vital.number: vital.max_step_per_minute or inf for vital in (HEART_RATE, SPO2)}
)
"""What a body can do in a minute, in the vital's unit: of a worn device the third odd value in a row is believed."""


class Look(NamedTuple):
    """What was seen at the quarter hour ``at``, in ms; ``last`` are the fresh values of then.

    None: nothing usable was measured for it, whatever was known before.
    """

    at: int
    last: tuple[Sample, ...] | None
    scale_2: bool = False

    @property
    def score(self) -> News2Score | None:
        """The score of then, with all that is said of it."""
        if self.last is None:
            return None
        return score(_inputs(self.last), self.at, scale_2=self.scale_2, on_oxygen=None)


@dataclass(slots=True)
class Course:
    """An episode as it goes. Samples are evaluations: their time is a quarter hour, their value a total.

    ``worst`` is the worst total that was said; ``beyond`` the last evaluation at which a limit held, ``last`` the
    newest that could say how it is. ``needs`` are the inputs that had points when it was said last, ``least`` how many
    were fresh then, LEAST_INPUTS at most: what shows no fewer shows that it is over. ``facts`` are those of ``beyond``;
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
class News2State:
    """``last`` are the newest usable samples by vital number. ``runs`` are of evaluations beyond a limit, by its place.

    ``looked_at`` is the newest quarter hour that was looked at, in ms; 0 for none. ``odd`` counts implausible values in
    a row by vital.
    """

    last: dict[int, Sample] = field(default_factory=dict)
    looked_at: int = 0
    runs: dict[int, Run] = field(default_factory=dict)
    course: Course | None = None
    odd: dict[int, int] = field(default_factory=dict)

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
            self.looked_at,
            [[place, list(run.first), run.last_at, run.count] for place, run in sorted(self.runs.items())],
            None if course is None else [
                course.level, course.since, course.worst, list(course.beyond), list(course.last), list(course.needs),
                course.least, dict(course.facts), course.clear_at, int(course.paused),
            ],
            [list(one) for one in sorted(self.odd.items())],
        ]  # fmt: skip

    def from_plain(self, plain: Sequence[Any]) -> "News2State":
        """The state that ``to_plain`` wrote."""
        last, looked_at, runs, course, odd = plain
        state = News2State(
            {one[6]: Sample(*one) for one in last},
            looked_at,
            {place: Run(Sample(*first), last_at, count) for place, first, last_at, count in runs},
            odd=dict(odd),
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

    A level counts after as many evaluations in a row as its ``least``; the first one needs LEAST_INPUTS inputs as well,
    of the others a lower bound is enough. It is said again at a higher level, or when the total is worse by
    ``worse_by``. It is over once totals have been at the off limit for ``clear_min``.
    """

    limits: Limits
    scale_2: bool = False
    window_ms: int = 30 * MINUTE_MS
    needs_rest: bool = True
    _lowest: tuple[float] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Below ``_lowest`` no limit is passed: nearly all totals are."""
        object.__setattr__(self, "_lowest", (min(one.on for one in self.limits.levels),))

    def start(self) -> News2State:
        """Before the first sample."""
        return News2State()

    def advance(self, state: News2State, sample: Sample, *, rested: bool) -> list[Mark] | None:
        """Remembers the newest value of an input; nothing follows from it before the quarter hour is looked at."""
        vital = sample[6]
        if not takes(sample, rested=rested):
            return None
        last = state.last.get(vital)
        if last is not None and vital in STEPPED and _is_odd(last, sample):
            odd = state.odd.get(vital, 0) + 1
            if odd < ODD_ONES:
                state.odd[vital] = odd
                return None
        if state.odd:
            state.odd.pop(vital, None)
        state.last[vital] = sample
        return None

    def look(self, state: News2State, at: int) -> tuple[Look, Mark | None] | None:
        """Evaluates the quarter hour ``at``, in ms; None where nothing was measured for it."""
        newest = max(state.last.values(), default=None)
        if newest is None or newest[0] <= at - GRID_MS:
            return None
        state.looked_at = at
        fresh = tuple([one for vital, one in state.last.items() if at - one[0] <= _COUNTS_FOR_MS[vital]])
        # As ``score`` does it, which takes its time to say more: most evaluations say nothing.
        tables = _TABLES_OF_SCALE_2 if self.scale_2 else _TABLES
        total = sum([tables[one[6]].points(one[1]) for one in fresh])
        look = Look(at, fresh, self.scale_2)
        if state.course is None and not state.runs and total < self._lowest[0]:
            return look, None
        lag = max(0, newest[8] - newest[0])
        seen = newest._replace(at=at, value=float(total), vital=0, flags=0, received_at=at + lag)
        return look, self._judge(state, look, seen)

    def _judge(self, state: News2State, look: Look, seen: Sample) -> Mark | None:
        fresh = look.last or ()
        reached = self._reached(state, len(fresh), seen)
        if reached is not None:
            return self._reach(state, *reached, look, seen)
        course = state.course
        known = {str(PARAMETERS[one.vital]) for one in fresh}
        if course is None or len(fresh) < course.least or not known.issuperset(course.needs):
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
            ENDED, course.beyond, seen, EndReason.RECOVERED, also=_in_order(look), limits=self.limits,
            facts=_facts(look),
        )  # fmt: skip

    def _reach(self, state: News2State, limit: LevelLimit, first: Sample, look: Look, seen: Sample) -> Mark | None:
        course, facts = state.course, _facts(look)
        if course is None:
            course = state.course = Course(0, first.at, seen.value, seen, seen, [], 0, facts)
        course.beyond = course.last = seen
        course.facts, course.clear_at, course.paused = facts, 0, False
        if limit.level <= course.level and seen.value - course.worst < self.limits.worse_by:
            return None
        course.level, course.worst = max(limit.level, course.level), max(seen.value, course.worst)
        points = [one.split(":") for one in str(facts["points"]).split()]
        course.needs = [name for name, some in points if some != "0"]
        course.least = min(LEAST_INPUTS, len(points))
        return Mark(course.level, first, seen, also=_in_order(look), limits=self.limits, passed=limit, facts=facts)

    def _reached(self, state: News2State, fresh: int, seen: Sample) -> tuple[LevelLimit, Sample] | None:
        """The limit of the highest level that holds, and the first evaluation in a row at which it was passed."""
        reached: tuple[LevelLimit, Sample] | None = None
        for place, limit in enumerate(self.limits.levels):
            can_say = fresh >= LEAST_INPUTS
            if not limit.is_beyond(seen.value, Side.ABOVE):
                # What too few inputs show does not break a run either.
                if can_say:
                    state.runs.pop(place, None)
                continue
            if limit.level == 1 and not can_say:
                continue
            run = continued(state.runs, place, seen, IN_A_ROW_MS)
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
        """When the open episode pauses if no evaluation can say how it is until then, in ms."""
        course = state.course
        if course is None or course.paused:
            return NEVER
        return course.last.received_at + LONGEST_GAP_MS + 1

    def pause(self, state: News2State) -> Mark:
        """The mark of that pause."""
        course = state.course
        assert course is not None  # noqa: S101 - asked of an open episode
        course.paused = True
        return Mark(
            ENDED, course.beyond, course.last, EndReason.NO_DATA, limits=self.limits,
            pauses_at=course.last.at + LONGEST_GAP_MS, facts={"total": round(course.last.value)},
        )  # fmt: skip


def takes(sample: Sample, *, rested: bool) -> bool:
    """Whether a reading counts at all: not what says something of a person at rest only, nor a cuffless pressure."""
    vital = sample[6]
    return (rested or vital not in AT_REST) and not (vital == SYSTOLIC.number and sample[7] & CUFFLESS)


def _is_odd(last: Sample, sample: Sample) -> bool:
    """Whether no body can make this step; of one device that is worn."""
    most, step = STEPPED[sample[6]], abs(sample[1] - last[1])
    if step <= most or last[2] != sample[2] or sample.is_spot:
        return False
    return step > most * (sample[0] - last[0]) / MINUTE_MS


def _inputs(samples: Sequence[Sample]) -> Inputs:
    known = {str(PARAMETERS[one.vital]): Measured(one.value, one.at) for one in samples}
    return Inputs(**known)  # type: ignore[arg-type]


def _in_order(look: Look) -> tuple[Sample, ...]:
    """The inputs in the chart's order."""
    order = list(Parameter)
    return tuple(sorted(look.last or (), key=lambda one: order.index(PARAMETERS[one.vital])))


def _facts(look: Look) -> Mapping[str, Fact]:
    """What sentences say of an evaluation; lists are codes with blanks between them."""
    scored = look.score
    assert scored is not None  # noqa: S101 - something was measured
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
