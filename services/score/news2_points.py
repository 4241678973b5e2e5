"""NEWS2: the points of each parameter by the chart's bands, and a person's score from what was measured lately. Pure.

Source: Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017, charts 1 and 4. Not for people under
16, nor in pregnancy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import floor, inf, isfinite
from types import MappingProxyType
from typing import Final, Generic, NamedTuple, TypeVar

from services.score.rule import HOUR_MS, MINUTE_MS


class Parameter(StrEnum):
    """The seven parameters of the chart, in its order."""

    RESPIRATORY_RATE = "respiratory_rate"
    SPO2 = "spo2"
    OXYGEN = "oxygen"
    """Air or oxygen: what the person breathes. It is known or not; it has no age."""
    SYSTOLIC = "systolic"
    PULSE = "pulse"
    CONSCIOUSNESS = "consciousness"
    TEMPERATURE = "temperature"


class Consciousness(StrEnum):
    """ACVPU: what a check-in found. Nothing else says it: a person who was not asked is not Alert, but not assessed."""

    ALERT = "alert"
    NEW_CONFUSION = "new_confusion"
    VOICE = "voice"
    PAIN = "pain"
    UNRESPONSIVE = "unresponsive"


class Band(NamedTuple):
    """Both ends as the chart prints them, inclusive; ``points`` are 0 to 3."""

    lowest: float
    highest: float
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BandTable:
    """The bands of a parameter, in ``unit``, lowest first. They meet once a value is rounded to ``decimals``."""

    unit: str
    decimals: int
    bands: tuple[Band, ...]
    rationale: str

    def points(self, value: float) -> int:
        """0 to 3 for a value in ``unit``, rounded half up first: the chart has no band for 90.5 /min or 38.04 Cel.

        What lies outside of the plausible range is for ingest to reject; the outer bands have no end.

        :raises ValueError: of a value that is no finite number.
        """
        rounded = rounded_half_up(value, self.decimals)
        for _, highest, points in self.bands:
            if rounded <= highest:
                return points
        raise AssertionError("the highest band has no end")


def rounded_half_up(value: float, decimals: int) -> float:
    """The nearest number with so many decimals, the upper one of two: 90.5 gives 91, and 38.05 gives 38.1.

    What is beyond the sixth decimal of a step comes of binary floats and converted units: 38.05 is stored as less than
    it says, and 89.33 degrees Fahrenheit, which are 31.85 Cel, come out lower still.

    :raises ValueError: of a value that is no finite number.
    """
    if value % 1 == 0:
        return value
    if not isfinite(value):
        raise ValueError(f"no finite number: {value}")
    steps_a_unit: int = 10**decimals
    return floor(round(value * steps_a_unit, 6) + 0.5) / steps_a_unit


_CHART: Final = "NEWS2 chart 1, Royal College of Physicians 2017."
_SCALE_2: Final = (
    "NEWS2 chart 1, SpO2 scale 2, Royal College of Physicians 2017: for confirmed hypercapnic respiratory failure with"
    " a prescribed target of 88 to 92 %. A prescription, never inferred."
)

RESPIRATORY_RATE: Final = BandTable(
    unit="/min",
    decimals=0,
    bands=(Band(-inf, 8, 3), Band(9, 11, 1), Band(12, 20, 0), Band(21, 24, 2), Band(25, inf, 3)),
    rationale=_CHART,
)
SPO2_SCALE_1: Final = BandTable(
    unit="%",
    decimals=0,
    bands=(Band(-inf, 91, 3), Band(92, 93, 2), Band(94, 95, 1), Band(96, inf, 0)),
    rationale=_CHART,
)
SPO2_SCALE_2_AIR: Final = BandTable(
    unit="%",
    decimals=0,
    bands=(Band(-inf, 83, 3), Band(84, 85, 2), Band(86, 87, 1), Band(88, inf, 0)),
    rationale=_SCALE_2,
)
SPO2_SCALE_2_OXYGEN: Final = BandTable(
    unit="%",
    decimals=0,
    bands=(
        Band(-inf, 83, 3), Band(84, 85, 2), Band(86, 87, 1), Band(88, 92, 0),
        Band(93, 94, 1), Band(95, 96, 2), Band(97, inf, 3),
    ),
    rationale=_SCALE_2,
)  # fmt: skip
SYSTOLIC: Final = BandTable(
    unit="mm[Hg]",
    decimals=0,
    bands=(Band(-inf, 90, 3), Band(91, 100, 2), Band(101, 110, 1), Band(111, 219, 0), Band(220, inf, 3)),
    rationale=_CHART,
)
PULSE: Final = BandTable(
    unit="/min",
    decimals=0,
    bands=(
        Band(-inf, 40, 3), Band(41, 50, 1), Band(51, 90, 0), Band(91, 110, 1), Band(111, 130, 2), Band(131, inf, 3),
    ),
    rationale=_CHART,
)  # fmt: skip
TEMPERATURE: Final = BandTable(
    unit="Cel",
    decimals=1,
    bands=(Band(-inf, 35.0, 3), Band(35.1, 36.0, 1), Band(36.1, 38.0, 0), Band(38.1, 39.0, 1), Band(39.1, inf, 2)),
    rationale=_CHART,
)


def spo2_table(*, scale_2: bool, on_oxygen: bool) -> BandTable:
    """The bands of SpO2. Only scale 2 asks whether the person is on oxygen; it has to be prescribed, never inferred."""
    if not scale_2:
        return SPO2_SCALE_1
    return SPO2_SCALE_2_OXYGEN if on_oxygen else SPO2_SCALE_2_AIR


def oxygen_points(*, on_oxygen: bool) -> int:
    """2 on oxygen, 0 on air (NEWS2 chart 1)."""
    return 2 if on_oxygen else 0


def consciousness_points(found: Consciousness) -> int:
    """0 for Alert, 3 for all others (NEWS2 chart 1)."""
    return 0 if found is Consciousness.ALERT else 3


Value_co = TypeVar("Value_co", bound=float | Consciousness, covariant=True)


@dataclass(frozen=True, slots=True)
class Measured(Generic[Value_co]):
    """The last value of an input, and when it was measured, in platform ms."""

    value: Value_co
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The last value of each input, None where there never was one.

    Rates in /min, SpO2 in %, systolic pressure in mm[Hg], temperature in Cel. Rates have to be of a person at rest: a
    pulse that rises with the stairs scores like an illness. ``consciousness`` comes of a check-in alone.
    """

    respiratory_rate: Measured[float] | None = None
    spo2: Measured[float] | None = None
    systolic: Measured[float] | None = None
    pulse: Measured[float] | None = None
    consciousness: Measured[Consciousness] | None = None
    temperature: Measured[float] | None = None


class Counted(NamedTuple):
    """A value of ``parameter`` counts up to this age, inclusive. It is shown as current for as long or longer."""

    parameter: Parameter
    counts_for_ms: int
    rationale: str


_WORN: Final = "Ours: it changes within minutes, and a worn device measures it each 1 to 5 min."

COUNTED: Final[tuple[Counted, ...]] = (
    Counted(Parameter.RESPIRATORY_RATE, 15 * MINUTE_MS, _WORN),
    Counted(Parameter.SPO2, 15 * MINUTE_MS, _WORN),
    Counted(Parameter.SYSTOLIC, 24 * HOUR_MS, "Ours: a cuff is used once or twice a day."),
    Counted(Parameter.PULSE, 15 * MINUTE_MS, _WORN),
    Counted(
        Parameter.CONSCIOUSNESS, 15 * MINUTE_MS, "Ours: it changes within minutes, and an old answer is no assessment."
    ),
    Counted(Parameter.TEMPERATURE, 12 * HOUR_MS, "Ours: a thermometer is used in the morning and in the evening."),
)
"""The six inputs that are measured or asked for, in the chart's order."""
AHEAD_MS: Final = 2 * MINUTE_MS
"""A clock may be ahead by so much without being corrected, so a value may be this much later than the evaluation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News2Score:
    """A person's NEWS2 at one moment.

    ``points`` are those of the inputs that are ``fresh``, and of air or oxygen. What is ``stale`` (too old, or stamped
    further ahead than ``AHEAD_MS``) or ``never_measured`` has none: it is not known, and not normal. Of consciousness
    either one means "not assessed". ``is_air_assumed``: nobody knows whether the person is on oxygen.
    """

    points: Mapping[Parameter, int]
    fresh: tuple[Parameter, ...]
    stale: tuple[Parameter, ...]
    never_measured: tuple[Parameter, ...]
    scale_2: bool
    is_air_assumed: bool

    @property
    def total(self) -> int:
        """The sum of the points, 0 to 20."""
        return sum(self.points.values())

    @property
    def threes(self) -> tuple[Parameter, ...]:
        """The parameters that give 3 alone: by the chart, each asks for an urgent review whatever the total."""
        return tuple(parameter for parameter, points in self.points.items() if points == 3)  # noqa: PLR2004

    @property
    def is_lower_bound(self) -> bool:
        """Whether something is not known, so that the true score may be higher than the total."""
        return bool(self.stale or self.never_measured) or self.is_air_assumed


def score(inputs: Inputs, at: int, *, scale_2: bool, on_oxygen: bool | None) -> News2Score:
    """The score at ``at``, in platform ms. ``on_oxygen`` None: not known, so air, which gives no more points.

    :raises ValueError: of a fresh value that is no finite number.
    """
    points: dict[Parameter, int] = {}
    stale, never = [], []
    for parameter, counts_for_ms, _ in COUNTED:
        measured: Measured[float] | Measured[Consciousness] | None = getattr(inputs, parameter)
        if measured is None:
            never.append(parameter)
        elif -AHEAD_MS <= at - measured.at <= counts_for_ms:
            points[parameter] = _points(parameter, measured.value, scale_2=scale_2, on_oxygen=bool(on_oxygen))
        else:
            stale.append(parameter)
    fresh = tuple(points)
    points[Parameter.OXYGEN] = oxygen_points(on_oxygen=bool(on_oxygen))
    return News2Score(
        points=MappingProxyType({parameter: points[parameter] for parameter in Parameter if parameter in points}),
        fresh=fresh,
        stale=tuple(stale),
        never_measured=tuple(never),
        scale_2=scale_2,
        is_air_assumed=on_oxygen is None,
    )


_TABLES: Final[Mapping[Parameter, BandTable]] = MappingProxyType(
    {
        Parameter.RESPIRATORY_RATE: RESPIRATORY_RATE,
        Parameter.SYSTOLIC: SYSTOLIC,
        Parameter.PULSE: PULSE,
        Parameter.TEMPERATURE: TEMPERATURE,
    }
)


def _points(parameter: Parameter, value: float | Consciousness, *, scale_2: bool, on_oxygen: bool) -> int:
    if isinstance(value, Consciousness):
        return consciousness_points(value)
    if parameter is Parameter.SPO2:
        return spo2_table(scale_2=scale_2, on_oxygen=on_oxygen).points(value)
    return _TABLES[parameter].points(value)
