"""The platform's default limits, with the source of each: one row a concern, and of people with a condition."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from schemas.alerts import Severity
from schemas.limits import CONCERNS, Condition, LevelLimit, Limits, concern_of

_LOW, _MEDIUM, _HIGH = Severity.LOW, Severity.MEDIUM, Severity.HIGH


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultLimits:
    """What holds where nobody says otherwise; of people with ``condition`` only, where one is named."""

    limits: Limits
    condition: Condition | None = None


def _over(
    on: float, minutes: float, level: int, severity: Severity, *, least: int = 2, moving: bool = False
) -> LevelLimit:
    """Values beyond ``on`` itself."""
    return LevelLimit(
        on=on, inclusive=False, persist_min=minutes, severity=severity, level=level, least=least, moving=moving
    )


def _from(
    on: float, minutes: float, level: int, severity: Severity, *, least: int = 2, moving: bool = False
) -> LevelLimit:
    """Values at ``on`` or beyond."""
    return LevelLimit(
        on=on, inclusive=True, persist_min=minutes, severity=severity, level=level, least=least, moving=moving
    )


DEFAULT_LIMITS: Final[tuple[DefaultLimits, ...]] = (
    DefaultLimits(
        limits=Limits(
            concern="heart_rate.fast",
            levels=(
                _over(120, 10, 1, _MEDIUM),
                _from(131, 10, 2, _HIGH),
                _from(150, 3, 3, _HIGH, least=3),
                _from(150, 10, 1, _MEDIUM, moving=True),
                _from(170, 5, 2, _HIGH, moving=True),
            ),
            off=110,
            clear_min=10,
            worse_by=20,
            source="docs/clinical.md#heart-rate",
        )
    ),
    DefaultLimits(
        limits=Limits(
            concern="heart_rate.slow",
            levels=(
                _over(40, 10, 1, _MEDIUM),
                _from(35, 10, 2, _HIGH),
                _from(30, 3, 3, _HIGH, least=3),
                _from(35, 10, 2, _HIGH, moving=True),
                _from(30, 3, 3, _HIGH, least=3, moving=True),
            ),
            off=45,
            clear_min=10,
            worse_by=20,
            source="docs/clinical.md#heart-rate",
        )
    ),
    DefaultLimits(
        limits=Limits(
            concern="spo2",
            levels=(
                _from(92, 5, 1, _MEDIUM),
                _from(91, 30, 2, _HIGH),
                _from(88, 3, 2, _HIGH),
                _from(84, 1, 3, _HIGH),
                _from(88, 5, 2, _HIGH, moving=True),
            ),
            off=94,
            clear_min=5,
            worse_by=4,
            source="docs/clinical.md#oxygen-saturation",
        )
    ),
    DefaultLimits(
        condition=Condition.SPO2_88_92,
        limits=Limits(
            concern="spo2",
            levels=(
                _from(87, 5, 1, _MEDIUM),
                _from(85, 3, 2, _HIGH),
                _from(83, 1, 3, _HIGH),
                _from(85, 5, 2, _HIGH, moving=True),
            ),
            off=89,
            clear_min=5,
            worse_by=4,
            source=(
                "a prescribed target of 88 to 92 %. NEWS2's scale 2 scores 2 at 85 % (Royal College of Physicians"
                " 2017); 87 % just under the target, and 89 % inside of it, are to be confirmed by a clinician."
                " See docs/clinical.md#oxygen-saturation."
            ),
        ),
    ),
    DefaultLimits(
        limits=Limits(
            concern="respiratory_rate.fast",
            levels=(
                _from(25, 30, 1, _MEDIUM),
                _from(30, 10, 2, _HIGH),
                _from(35, 10, 1, _MEDIUM, moving=True),
            ),
            off=22,
            clear_min=10,
            worse_by=5,
            source="docs/clinical.md#respiratory-rate",
        )
    ),
    DefaultLimits(
        limits=Limits(
            concern="respiratory_rate.slow",
            levels=(_from(10, 30, 1, _MEDIUM), _from(8, 10, 2, _HIGH)),
            off=12,
            clear_min=10,
            worse_by=5,
            source="docs/clinical.md#respiratory-rate",
        )
    ),
    DefaultLimits(
        limits=Limits(
            concern="temperature.high",
            levels=(
                _over(37.8, 0, 1, _MEDIUM, least=1),
                _from(39.1, 0, 2, _MEDIUM, least=1),
                _from(40, 0, 3, _HIGH, least=1),
            ),
            off=37.4,
            clear_min=0,
            worse_by=0.7,
            source="docs/clinical.md#temperature",
        )
    ),
    # Above the person's own baseline, in Cel; the episode is one of temperature.high.
    DefaultLimits(
        limits=Limits(
            concern="temperature.own",
            levels=(_from(1.1, 0, 1, _MEDIUM, least=1),),
            off=0.7,
            clear_min=0,
            worse_by=0.7,
            source="docs/clinical.md#temperature",
        )
    ),
    DefaultLimits(
        limits=Limits(
            concern="temperature.low",
            levels=(_over(35, 0, 1, _MEDIUM, least=1), _over(34, 0, 2, _HIGH, least=1)),
            off=35.4,
            clear_min=0,
            worse_by=0.7,
            source="docs/clinical.md#temperature",
        )
    ),
    DefaultLimits(
        limits=Limits(
            concern="blood_pressure.high",
            levels=(_over(180, 0, 1, _MEDIUM), _from(220, 0, 2, _HIGH, least=1)),
            off=169,
            clear_min=0,
            worse_by=20,
            source="docs/clinical.md#blood-pressure",
        )
    ),
    DefaultLimits(
        limits=Limits(
            concern="blood_pressure.diastolic",
            levels=(_over(120, 0, 1, _MEDIUM),),
            off=109,
            clear_min=0,
            worse_by=20,
            source="docs/clinical.md#blood-pressure",
        )
    ),
    DefaultLimits(
        limits=Limits(
            concern="blood_pressure.low",
            levels=(_from(90, 0, 1, _MEDIUM), _from(80, 0, 2, _HIGH)),
            off=100,
            clear_min=0,
            worse_by=20,
            source="docs/clinical.md#blood-pressure",
        )
    ),
    DefaultLimits(
        limits=Limits(
            concern="news2",
            levels=(_from(5, 0, 1, _MEDIUM), _from(7, 0, 2, _HIGH, least=1)),
            off=4,
            clear_min=15,
            worse_by=2,
            source="docs/clinical.md#news2",
        )
    ),
    DefaultLimits(
        limits=Limits(
            concern="glucose_low",
            levels=(
                _over(70, 15, 1, _MEDIUM),
                _over(54, 0, 2, _HIGH),
                _over(40, 0, 3, _HIGH, least=1),
            ),
            off=70,
            clear_min=15,
            worse_by=15,
            source="docs/clinical.md#low-glucose",
        )
    ),
    DefaultLimits(
        limits=Limits(
            concern="glucose_high",
            levels=(_over(250, 60, 1, _LOW), _over(300, 120, 2, _MEDIUM), _over(400, 0, 2, _MEDIUM, least=1)),
            off=240,
            clear_min=15,
            worse_by=50,
            source="docs/clinical.md#high-glucose",
        )
    ),
    # Gains in kg; without the condition nobody has any.
    DefaultLimits(
        condition=Condition.HEART_FAILURE,
        limits=Limits(
            concern="weight",
            levels=(_over(2, 0, 1, _LOW, least=1), _over(3, 0, 2, _MEDIUM, least=1)),
            off=1.5,
            clear_min=0,
            worse_by=1,
            source="docs/clinical.md#weight",
        ),
    ),
)
DEFAULT_BY_CONDITION: Final[Mapping[tuple[Condition | None, str], Limits]] = MappingProxyType(
    {(one.condition, one.limits.concern): one.limits for one in DEFAULT_LIMITS}
)


def defaults_of(rule: str) -> Mapping[str, Limits]:
    """The defaults of a rule for everybody, by concern; nothing of one that only a condition has limits of."""
    names = [one.name for one in CONCERNS if one.rule == rule]
    return {name: DEFAULT_BY_CONDITION[None, name] for name in names if (None, name) in DEFAULT_BY_CONDITION}


def usual_of(concern: str) -> Limits:
    """Everybody's default of a concern, else that of the condition which alone has limits. Raises LimitsError."""
    name = concern_of(concern).name
    return next(one.limits for one in DEFAULT_LIMITS if one.limits.concern == name)


def worse_by_of(concern: str) -> float:
    """What holds of a concern where its limits do not say it: its usual default. Raises LimitsError."""
    return usual_of(concern).worse_by
