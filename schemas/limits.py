"""The limits of rules: their form, and what a version of one has to keep to.

A version says all of one concern's limits for one scope: everybody, a region, people with a condition, or one person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from math import inf
from types import MappingProxyType
from typing import Final

from schemas.alerts import Severity
from schemas.vitals import (
    BODY_TEMPERATURE,
    DIASTOLIC,
    GLUCOSE,
    HEART_RATE,
    RESPIRATORY_RATE,
    SPO2,
    SYSTOLIC,
    WEIGHT,
    Vital,
)

_LONGEST_MIN: Final = 240
_MOST_READINGS: Final = 10
_LEAST_LEVELS: Final = 2
"""So many every version has: those of before 2026-11-29 had no more."""


class LimitsError(ValueError):
    """Limits contradict themselves. ``field`` is the one that has to change."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


NEWS2_TOTAL: Final = Vital(
    number=0,
    code="news2",
    loinc=(),
    unit="points",
    lowest=0,
    highest=20,
    rationale="The sum of the chart's points, which no device sends (Royal College of Physicians 2017).",
)
"""What the limits of NEWS2 are limits of."""


class Side(IntEnum):
    """Which values are abnormal: those above a limit, or those below."""

    BELOW = -1
    ABOVE = 1


class Condition(StrEnum):
    """What a doctor says of a person, so that other limits hold for them. The last one of these takes precedence."""

    DIABETES = "diabetes"
    HEART_FAILURE = "heart_failure"
    COPD = "copd"
    SPO2_88_92 = "spo2_88_92"
    """A prescribed oxygen target of 88 to 92 %: a prescription, never inferred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelLimit:
    """A level counts once values have been beyond ``on`` for ``persist_min`` minutes, in ``least`` readings.

    ``on`` is in the vital's unit; ``inclusive``: the very value counts as beyond. A level may have several limits, of
    which one has to hold: passed further for a shorter time. ``moving``: it holds for readings taken in movement, and
    those without it for readings at rest.
    """

    on: float
    inclusive: bool
    persist_min: float
    severity: Severity
    level: int
    least: int = 2
    moving: bool = False

    def is_beyond(self, value: float, side: Side) -> bool:
        """Whether ``value`` is abnormal at this level."""
        return (self.inclusive and value == self.on) or (value - self.on) * side > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """One concern's limits. ``off``: at it or on its good side for ``clear_min`` minutes, the episode is over.

    A higher level is never milder than a lower one; the highest may be left out. What holds is said again when a value
    is worse by ``worse_by``, in the vital's unit, than the worst that was said. ``source`` says where the numbers are
    from, ``signed_off_by`` which clinician has confirmed them, "" for nobody yet.
    """

    concern: str
    levels: tuple[LevelLimit, ...]
    off: float
    clear_min: float
    worse_by: float
    source: str
    signed_off_by: str = ""

    @property
    def numbers(self) -> tuple[object, ...]:
        """All that decides: limits with the same numbers find the same, wherever these are from."""
        return self.levels, self.off, self.clear_min, self.worse_by

    def worsening(self, before: float, value: float) -> float:
        """By how much ``value`` is worse than ``before``, in the vital's unit; below 0 where it is better."""
        return (value - before) * CONCERN_BY_NAME[self.concern].side

    def is_cleared(self, value: float, side: int) -> bool:
        """Whether ``value`` is at the off limit of abnormal values on ``side``, or on its good side."""
        return (value - self.off) * side <= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """What one alert is about: a side of a vital. Finer than the rule that raises it.

    ``bounds``: what its limits may be where they are distances in the vital's unit, such as a gain, and no values;
    ``distance`` says so behind the unit. ``moving``: the levels that may have a limit in movement, and
    have the words for it.
    """

    name: str
    rule: str
    vital: Vital
    side: Side
    levels: int
    bounds: tuple[float, float] | None = None
    distance: str = ""
    moving: tuple[int, ...] = ()


CONCERNS: Final[tuple[Concern, ...]] = (
    Concern(name="heart_rate.fast", rule="heart_rate", vital=HEART_RATE, side=Side.ABOVE, levels=3, moving=(1, 2, 3)),
    Concern(name="heart_rate.slow", rule="heart_rate", vital=HEART_RATE, side=Side.BELOW, levels=3, moving=(2, 3)),
    Concern(name="spo2", rule="spo2", vital=SPO2, side=Side.BELOW, levels=3, moving=(2, 3)),
    Concern(
        name="respiratory_rate.fast",
        rule="respiratory_rate",
        vital=RESPIRATORY_RATE,
        side=Side.ABOVE,
        levels=2,
        moving=(1,),
    ),
    Concern(name="respiratory_rate.slow", rule="respiratory_rate", vital=RESPIRATORY_RATE, side=Side.BELOW, levels=2),
    Concern(name="temperature.high", rule="temperature", vital=BODY_TEMPERATURE, side=Side.ABOVE, levels=3),
    Concern(
        name="temperature.own",
        rule="temperature",
        vital=BODY_TEMPERATURE,
        side=Side.ABOVE,
        levels=1,
        bounds=(0.1, 5),
        distance="above the own median",
    ),
    Concern(name="temperature.low", rule="temperature", vital=BODY_TEMPERATURE, side=Side.BELOW, levels=2),
    Concern(name="blood_pressure.high", rule="blood_pressure", vital=SYSTOLIC, side=Side.ABOVE, levels=2),
    Concern(name="blood_pressure.diastolic", rule="blood_pressure", vital=DIASTOLIC, side=Side.ABOVE, levels=1),
    Concern(name="blood_pressure.low", rule="blood_pressure", vital=SYSTOLIC, side=Side.BELOW, levels=2),
    Concern(name="news2", rule="news2", vital=NEWS2_TOTAL, side=Side.ABOVE, levels=2),
    Concern(name="glucose_low", rule="glucose_low", vital=GLUCOSE, side=Side.BELOW, levels=3),
    Concern(name="glucose_high", rule="glucose_high", vital=GLUCOSE, side=Side.ABOVE, levels=2),
    Concern(name="weight", rule="weight", vital=WEIGHT, side=Side.ABOVE, levels=2, bounds=(0.1, 20), distance="gained"),
)
"""Those that have limits."""
CONCERN_BY_NAME: Final[Mapping[str, Concern]] = MappingProxyType({concern.name: concern for concern in CONCERNS})


def concern_of(name: str) -> Concern:
    """The concern of that name. Raises LimitsError."""
    concern = CONCERN_BY_NAME.get(name)
    if concern is None:
        raise LimitsError("concern", f"{name[:60]!r} is not one of {', '.join(CONCERN_BY_NAME)}")
    return concern


def check(limits: Limits) -> None:
    """Raises LimitsError where they contradict themselves, or name what is not there."""
    concern = concern_of(limits.concern)
    _check_levels(limits, concern.levels, concern.moving)
    vital, side = concern.vital, concern.side
    values = {f"levels[{number}].on": level.on for number, level in enumerate(limits.levels, 1)} | {"off": limits.off}
    lowest, highest = concern.bounds or (vital.lowest, vital.highest)
    for field, value in values.items():
        if not lowest <= value <= highest:
            raise LimitsError(field, f"{value:g} {vital.unit} is outside of {lowest:g} to {highest:g}")
    if not 0 < limits.worse_by < inf:
        raise LimitsError("worse_by", f"{limits.worse_by:g} {vital.unit} is not a number above 0")
    _check_minutes(limits)
    _check_order(limits, side)
    for number, level in enumerate(limits.levels, 1):
        if level.is_beyond(limits.off, side) and not level.moving:
            beyond = f"{limits.off:g} is beyond {level.on:g} of levels[{number}]: no episode would ever end"
            raise LimitsError("off", beyond)


def _check_levels(limits: Limits, most: int, moving: tuple[int, ...]) -> None:
    """All levels have limits at rest, or all but the highest ones: what has none is not found."""
    at_rest = {one.level for one in limits.levels if not one.moving}
    if not any(at_rest == set(range(1, highest + 1)) for highest in range(min(_LEAST_LEVELS, most), most + 1)):
        found = ", ".join(map(str, sorted(at_rest))) or "none"
        raise LimitsError("levels", f"{limits.concern} has levels 1 to {most}; of those at rest there are {found}")
    for number, one in enumerate(limits.levels, 1):
        if one.level not in at_rest:
            raise LimitsError(f"levels[{number}].level", f"{one.level} has no limit at rest")
        if one.moving and one.level not in moving:
            found = ", ".join(map(str, moving)) or "none"
            raise LimitsError(
                f"levels[{number}].moving",
                f"of {limits.concern} only these levels may have a limit in movement: {found}",
            )


def _check_order(limits: Limits, side: Side) -> None:
    numbered = [(f"levels[{number}]", one) for number, one in enumerate(limits.levels, 1)]
    for milder_name, milder in numbered:
        for name, stricter in numbered:
            if stricter.level <= milder.level or stricter.moving is not milder.moving:
                continue
            distance, before = (stricter.on - milder.on) * side, f"is milder than {milder_name}'s"
            if distance < 0 or (distance == 0 and stricter.inclusive and not milder.inclusive):
                raise LimitsError(f"{name}.on", f"{stricter.on:g} {before} {milder.on:g}")
            if stricter.severity < milder.severity:
                raise LimitsError(f"{name}.severity", f"{stricter.severity.name} {before} {milder.severity.name}")


def _check_minutes(limits: Limits) -> None:
    minutes = {f"levels[{number}].persist_min": one.persist_min for number, one in enumerate(limits.levels, 1)}
    for field, value in (minutes | {"clear_min": limits.clear_min}).items():
        if not 0 <= value <= _LONGEST_MIN:
            raise LimitsError(field, f"{value:g} is outside of 0 to {_LONGEST_MIN} minutes")
    for number, one in enumerate(limits.levels, 1):
        if not 1 <= one.least <= _MOST_READINGS:
            raise LimitsError(f"levels[{number}].least", f"{one.least} is outside of 1 to {_MOST_READINGS} readings")
