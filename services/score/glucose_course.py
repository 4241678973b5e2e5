"""The fold of the glucose forecast: when a low is likely, device by device, and what came of it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.alerts import EndReason, Fact
from schemas.reasons import Flag
from services.score.models.glucose_forecast import (
    LOW,
    PAUSE_MS,
    STANDS_MS,
    GlucoseCourse,
    GlucoseModel,
    Warned,
    features_of,
    warn,
)
from services.score.rule import ENDED, HOUR_MS, NEVER, Mark
from services.score.sample import Sample

WINDOW_MS: Final = 2 * HOUR_MS
_MOST_DEVICES: Final = 4
_CLIPPED: Final = int(Flag.CLIPPED)


@dataclass(slots=True)
class Outlook:
    """A warning that stands: the reading that it follows from, the newest since, and what was forecast."""

    warned: Sample
    last: Sample
    facts: Mapping[str, Fact]
    paused: bool = False


@dataclass(slots=True)
class ForecastState:
    """Monitors by device number, the warning that stands, and when a meter last showed a low, in ms; 0 for never."""

    courses: dict[int, GlucoseCourse] = field(default_factory=dict)
    outlook: Outlook | None = None
    meter_low_at: int = 0

    @property
    def level(self) -> int:
        """0: no warning stands."""
        return 1 if self.outlook else 0

    @property
    def since(self) -> int:
        """When the warning that stands was given, in ms."""
        return self.outlook.warned.at if self.outlook else 0

    def copied(self) -> "ForecastState":
        """One that goes its own way."""
        return self.from_plain(self.to_plain())

    def to_plain(self) -> list[Any]:
        """As plain values."""
        one = self.outlook
        return [
            [[number, course.to_plain()] for number, course in self.courses.items()],
            None if one is None else [list(one.warned), list(one.last), dict(one.facts), int(one.paused)],
            self.meter_low_at,
        ]

    def from_plain(self, plain: Sequence[Any]) -> "ForecastState":
        """The state that ``to_plain`` wrote."""
        courses, outlook, meter_low_at = plain
        state = ForecastState(
            {number: GlucoseCourse.from_plain(course) for number, course in courses}, meter_low_at=meter_low_at
        )
        if outlook is not None:
            warned, last, facts, paused = outlook
            state.outlook = Outlook(Sample(*warned), Sample(*last), dict(facts), bool(paused))
        return state


@dataclass(frozen=True, slots=True, kw_only=True)
class GlucoseForecast:
    """A warning is an episode: it ends when the low has come (turned), or an hour later when none has (recovered).

    Without a model nothing is ever said. Monitors alone are forecast; a meter that shows a low keeps them silent for
    an hour, since whoever measured it knows. After PAUSE_MS without a reading of the monitor the episode pauses.
    """

    model: GlucoseModel | None
    window_ms: int = WINDOW_MS
    needs_rest: bool = False

    def start(self) -> ForecastState:
        """Before the first sample."""
        return ForecastState()

    def advance(self, state: ForecastState, sample: Sample, *, rested: bool) -> list[Mark] | None:
        """Takes the next reading, in mg/dL."""
        del rested
        if self.model is None:
            return None
        if sample.is_spot:
            if sample.value < LOW:
                state.meter_low_at = sample.at
            return None
        course = state.courses.get(sample.device_no) or self._begin(state, sample.device_no)
        warned = warn(self.model, course, sample.at, sample.value, is_bound=bool(sample.flags & _CLIPPED))
        marks: list[Mark] = []
        self._follow(state, course, sample, marks)
        if warned and state.outlook is None and not self._is_known(state, sample):
            state.outlook = Outlook(sample, sample, _facts(warned))
            marks.append(self.standing(state, sample, sample))
        return marks or None

    def _begin(self, state: ForecastState, device_no: int) -> GlucoseCourse:
        if len(state.courses) >= _MOST_DEVICES:
            del state.courses[min(state.courses, key=lambda number: (state.courses[number].last_at, number))]
        course = state.courses[device_no] = GlucoseCourse()
        return course

    def _is_known(self, state: ForecastState, sample: Sample) -> bool:
        """Whether a low is there already, as a meter has shown or another monitor shows."""
        by_meter = bool(state.meter_low_at) and sample.at - state.meter_low_at < STANDS_MS
        others = (one for number, one in state.courses.items() if number != sample.device_no)
        return by_meter or any(one.is_low and sample.at - one.last_at <= PAUSE_MS for one in others)

    def _follow(self, state: ForecastState, course: GlucoseCourse, sample: Sample, marks: list[Mark]) -> None:
        """What has come of the warning that stands, by a reading of its device, or of one after it fell silent."""
        one = state.outlook
        if one is None or (one.last.device_no != sample.device_no and sample.at - one.last.at <= PAUSE_MS):
            return
        one.last, one.paused = sample, False
        if course.is_low:
            reason = EndReason.TURNED
        elif sample.at - one.warned.at >= STANDS_MS and sample.value >= LOW:
            reason = EndReason.RECOVERED
        else:
            return
        state.outlook = None
        marks.append(Mark(ENDED, one.warned, sample, reason, facts=one.facts))

    def features(self, state: ForecastState, device_no: int) -> tuple[float, ...] | None:
        """The last hour of a monitor as the model sees it; None before its first value."""
        course = state.courses.get(device_no) if self.model else None
        return features_of(course.recent.points()) if course and course.recent.at else None

    def standing(self, state: ForecastState, first: Sample, last: Sample) -> Mark:
        """The mark of the warning that stands."""
        del first, last
        one = state.outlook
        assert one is not None  # noqa: S101 - asked of an open episode
        return Mark(1, one.warned, one.warned, facts=one.facts)

    def still(self, state: ForecastState, sample: Sample) -> Mark | None:
        """The mark of the warning that stands, where ``sample`` is what it follows from."""
        if state.outlook is None or state.outlook.warned != sample:
            return None
        return self.standing(state, sample, sample)

    def pauses_at(self, state: ForecastState) -> int:
        """When the episode pauses if its device says nothing until then, in ms."""
        one = state.outlook
        if one is None or one.paused:
            return NEVER
        # Nothing is missed while what was measured long ago is still coming in.
        return one.last.at + PAUSE_MS + max(0, one.last.received_at - one.last.at) + 1

    def pause(self, state: ForecastState) -> Mark:
        """The mark of that pause."""
        one = state.outlook
        assert one is not None  # noqa: S101 - asked of an open episode
        one.paused = True
        return Mark(
            ENDED, one.warned, one.last, EndReason.NO_DATA, pauses_at=one.last.at + PAUSE_MS, facts=one.facts
        )  # fmt: skip


def _facts(warned: Warned) -> dict[str, Fact]:
    """What is said of the forecast, in whole mg/dL and percent; nothing after a gap."""
    forecast = warned.forecast
    if forecast is None:
        return {}
    return {
        "reference": round(forecast.mg_dl),
        "lowest": round(forecast.low),
        "highest": round(forecast.high),
        "percent": round(100 * forecast.below_low),
    }
