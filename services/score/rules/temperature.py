"""Body temperature too high or too low, as a thermometer says it."""

from collections.abc import Mapping
from typing import Final

from schemas.alerts import Fact, Message, Severity
from schemas.default_limits import defaults_of
from schemas.limits import Limits, Side
from schemas.vitals import BODY_TEMPERATURE
from services.score.beyond import Beyond
from services.score.own_baseline import AboveOwn
from services.score.rule import ENDED, HOUR_MS, Mark, Rule, beyond, by_level, ended, endings
from services.score.tracks import Asked, Pace

_HIGH, _LOW = "temperature.high", "temperature.low"
_DAY_MS: Final = 24 * HOUR_MS


def _fold(limits: Mapping[str, Limits]) -> AboveOwn:
    """Temperatures in Cel; each reading decides."""
    standing = Beyond(
        sides={Side.ABOVE: limits[_HIGH], Side.BELOW: limits[_LOW]},
        pace=Pace(in_a_row_ms=_DAY_MS, asked=lambda _limit: Asked()),
        needs_rest=False,
        window_ms=_DAY_MS,
        pause_ms=_DAY_MS,
        asked_pause_ms=_DAY_MS,
    )
    return AboveOwn(beyond=standing, own=limits["temperature.own"])


def _message(mark: Mark) -> Message:
    if mark.level == ENDED:
        return ended("temperature", BODY_TEMPERATURE, mark)
    if mark.against is not None:
        value, usual = mark.last.value, mark.against
        facts: dict[str, Fact] = {
            "vital": BODY_TEMPERATURE.code, "value": value, "reference": usual.value,
            "gain": round(value - usual.value, 2), "days": usual.days,
        }  # fmt: skip
        return Message("temperature.above_own", facts)
    side, far = ("high", 3) if mark.concern == _HIGH else ("low", 2)
    words = "very_" if mark.passed and mark.passed.level >= far else ""
    return beyond(f"temperature.{words}{side}", BODY_TEMPERATURE, mark)


TEMPERATURE_LIMITS: Final = Rule(
    name="temperature",
    version=1,
    what=BODY_TEMPERATURE.code,
    inputs=(BODY_TEMPERATURE.code,),
    severities=by_level(level_1=Severity.MEDIUM, level_2=Severity.HIGH, level_3=Severity.HIGH),
    rationale=(
        "One reading above 37.8 Cel, or 1.1 above one's own usual, is fever in older adults (IDSA 2008), below 35 Cel"
        " hypothermia begins; NEWS2 scores from 39.1 Cel (Royal College of Physicians 2017). 40 and 34 Cel as urgent"
        " are to be confirmed by a clinician. See docs/clinical.md#temperature."
    ),
    messages=(
        *endings("temperature"),
        "temperature.turned",
        "temperature.high",
        "temperature.very_high",
        "temperature.above_own",
        "temperature.low",
        "temperature.very_low",
    ),
    message=_message,
    fold=_fold(defaults_of("temperature")),
    limited=_fold,
)
