"""The limits of rules: their form, what a version of one has to keep to, and the platform's defaults.

A version says all of one concern's limits for one scope: everybody, a region, people with a condition, or one person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from schemas.alerts import Severity
from schemas.vitals import GLUCOSE, HEART_RATE, SPO2, Vital

_LONGEST_MIN: Final = 240


class LimitsError(ValueError):
    """Limits contradict themselves. ``field`` is the one that has to change."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


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
    least: int = 3
    moving: bool = False

    def is_beyond(self, value: float, side: Side) -> bool:
        """Whether ``value`` is abnormal at this level."""
        return (self.inclusive and value == self.on) or (value - self.on) * side > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """One concern's limits. ``off``: at it or on its good side for ``clear_min`` minutes, the episode is over.

    A higher level is never milder than a lower one. What holds is said again when a value is worse by ``worse_by``, in
    the vital's unit, than the worst that was said. ``source`` says where the numbers are from, ``signed_off_by`` which
    clinician has confirmed them, "" for nobody yet.
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
        return self.levels, self.off, self.clear_min

    def is_cleared(self, value: float, side: int) -> bool:
        """Whether ``value`` is at the off limit of abnormal values on ``side``, or on its good side."""
        return (value - self.off) * side <= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """What one alert is about: a side of a vital. Finer than the rule that raises it."""

    name: str
    rule: str
    vital: Vital
    side: Side
    levels: int


CONCERNS: Final[tuple[Concern, ...]] = (
    Concern(name="heart_rate.fast", rule="heart_rate", vital=HEART_RATE, side=Side.ABOVE, levels=2),
    Concern(name="heart_rate.slow", rule="heart_rate", vital=HEART_RATE, side=Side.BELOW, levels=2),
    Concern(name="spo2", rule="spo2", vital=SPO2, side=Side.BELOW, levels=2),
    Concern(name="glucose_low", rule="glucose_low", vital=GLUCOSE, side=Side.BELOW, levels=2),
)
"""Those that have limits."""
CONCERN_BY_NAME: Final[Mapping[str, Concern]] = MappingProxyType({concern.name: concern for concern in CONCERNS})


def check(limits: Limits) -> None:
    """Raises LimitsError where they contradict themselves, or name what is not there."""
    concern = CONCERN_BY_NAME.get(limits.concern)
    if concern is None:
        raise LimitsError("concern", f"{limits.concern[:60]!r} is not one of {', '.join(CONCERN_BY_NAME)}")
    if len(limits.levels) != concern.levels:
        raise LimitsError("levels", f"{concern.name} has {concern.levels} levels, not {len(limits.levels)}")
    vital, side = concern.vital, concern.side
    values = {f"levels[{number}].on": level.on for number, level in enumerate(limits.levels, 1)} | {"off": limits.off}
    for field, value in values.items():
        if not vital.lowest <= value <= vital.highest:
            raise LimitsError(field, f"{value:g} {vital.unit} is outside of {vital.lowest:g} to {vital.highest:g}")
    _check_minutes(limits)
    _check_order(limits, side)
    if limits.levels[0].is_beyond(limits.off, side):
        beyond = f"{limits.off:g} is beyond level 1's {limits.levels[0].on:g}: no episode would ever end"
        raise LimitsError("off", beyond)


def _check_order(limits: Limits, side: Side) -> None:
    for number, (milder, stricter) in enumerate(pairwise(limits.levels), 2):
        distance, before = (stricter.on - milder.on) * side, f"is milder than level {number - 1}'s"
        if distance < 0 or (distance == 0 and stricter.inclusive and not milder.inclusive):
            raise LimitsError(f"levels[{number}].on", f"{stricter.on:g} {before} {milder.on:g}")
        if stricter.severity < milder.severity:
            raise LimitsError(f"levels[{number}].severity", f"{stricter.severity.name} {before} {milder.severity.name}")


def _check_minutes(limits: Limits) -> None:
    minutes = {f"levels[{number}].persist_min": one.persist_min for number, one in enumerate(limits.levels, 1)}
    for field, value in (minutes | {"clear_min": limits.clear_min}).items():
        if not 0 <= value <= _LONGEST_MIN:
            raise LimitsError(field, f"{value:g} is outside of 0 to {_LONGEST_MIN} minutes")


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultLimits:
    """What holds where nobody says otherwise; of people with ``condition`` only, where one is named."""

    limits: Limits
    condition: Condition | None = None


def _level(on: float, minutes: float, severity: Severity, *, inclusive: bool) -> LevelLimit:
    return LevelLimit(on=on, inclusive=inclusive, persist_min=minutes, severity=severity)


DEFAULT_LIMITS: Final[tuple[DefaultLimits, ...]] = (
    DefaultLimits(
        limits=Limits(
            concern="heart_rate.fast",
            levels=(
                _level(120, 10, Severity.MEDIUM, inclusive=False),
                _level(131, 10, Severity.HIGH, inclusive=True),
            ),
            off=110,
            clear_min=10,
            source="docs/clinical.md#heart-rate",
        )
    ),
    DefaultLimits(
        limits=Limits(
            concern="heart_rate.slow",
            levels=(
                _level(40, 10, Severity.MEDIUM, inclusive=False),
                _level(35, 10, Severity.HIGH, inclusive=True),
            ),
            off=45,
            clear_min=10,
            source="docs/clinical.md#heart-rate",
        )
    ),
    DefaultLimits(
        limits=Limits(
            concern="spo2",
            levels=(
                _level(92, 3, Severity.MEDIUM, inclusive=True),
                _level(91, 3, Severity.HIGH, inclusive=True),
            ),
            off=94,
            clear_min=5,
            source="docs/clinical.md#oxygen-saturation",
        )
    ),
    DefaultLimits(
        condition=Condition.SPO2_88_92,
        limits=Limits(
            concern="spo2",
            levels=(
                _level(87, 3, Severity.MEDIUM, inclusive=True),
                _level(85, 3, Severity.HIGH, inclusive=True),
            ),
            off=89,
            clear_min=5,
            source=(
                "a prescribed target of 88 to 92 %. NEWS2's scale 2 scores 2 at 85 % (Royal College of Physicians"
                " 2017); 87 % just under the target, and 89 % inside of it, are to be confirmed by a clinician."
                " See docs/clinical.md#oxygen-saturation."
            ),
        ),
    ),
    DefaultLimits(
        limits=Limits(
            concern="glucose_low",
            levels=(
                _level(70, 15, Severity.MEDIUM, inclusive=False),
                _level(54, 15, Severity.HIGH, inclusive=False),
            ),
            off=70,
            clear_min=15,
            source="docs/clinical.md#low-glucose",
        )
    ),
)

DEFAULT_BY_CONDITION: Final[Mapping[tuple[Condition | None, str], Limits]] = MappingProxyType(
    {(one.condition, one.limits.concern): one.limits for one in DEFAULT_LIMITS}
)


def defaults_of(rule: str) -> Mapping[str, Limits]:
    """The defaults of a rule for everybody, by concern."""
    return {one.name: DEFAULT_BY_CONDITION[None, one.name] for one in CONCERNS if one.rule == rule}
