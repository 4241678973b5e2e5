"""A monitored vital that was not watched for too long, although its device is heard."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.alerts import EndReason, Fact, Message, Severity
from schemas.coverage import Coverage
from schemas.vitals import GLUCOSE, HEART_RATE, RESPIRATORY_RATE, SPO2, VITAL_BY_NUMBER
from services.score.rule import ENDED, HOUR_MS, MINUTE_MS, Mark, Rule, by_level

BAND_GAP_MS: Final = 12 * HOUR_MS
"""A night on the charger, and some more, is no gap."""
SENSOR_GAP_MS: Final = 6 * HOUR_MS
"""A sensor is worn day and night, and a new one warms up in an hour or two."""
HEARD_WITHIN_MS: Final = HOUR_MS
"""A device that was not heard for so long is silent, which is said as such, or explained."""
LOOKED_AT_MS: Final = 15 * MINUTE_MS
"""How soon a gap of a device that is not heard is looked at again."""
LONGEST_UNWATCHED: Final[Mapping[int, int]] = MappingProxyType(
    {
        HEART_RATE.number: BAND_GAP_MS,
        SPO2.number: BAND_GAP_MS,
        RESPIRATORY_RATE.number: BAND_GAP_MS,
        GLUCOSE.number: SENSOR_GAP_MS,
    }
)
"""By vital number, of those that worn devices measure, in ms."""
_SAID: Final = (Coverage.CHARGING, Coverage.NOT_WORN, Coverage.MOVING, Coverage.POOR)
_NO_READINGS: Final = "watch_gap.no_readings"
_BY_PLACE: Final = {place: f"watch_gap.{cause}" for place, cause in enumerate(Coverage) if cause in _SAID}
"""By the place of a cause in ``Coverage``; of any other the device is heard, and sends nothing of the vital."""


def concern_of(vital: int) -> str:
    """What an alert is about: each vital's gap is its own."""
    return f"watch_gap.{VITAL_BY_NUMBER[vital].code}"


def _message(mark: Mark) -> Message:
    """The value of the last sample is the place of the most frequent cause in ``Coverage``."""
    facts: dict[str, Fact] = {
        "vital": VITAL_BY_NUMBER[mark.last.vital].code,
        "hours": (mark.at - mark.first.at) // HOUR_MS,
    }
    if mark.level == ENDED:
        ended = "ended" if mark.end_reason is EndReason.RECOVERED else mark.end_reason
        return Message(f"watch_gap.{ended}", facts)
    return Message(_BY_PLACE.get(int(mark.last.value), _NO_READINGS), facts)


WATCH_GAP: Final = Rule(
    name="watch_gap",
    version=1,
    what="last_watched",
    severities=by_level(level_1=Severity.TECHNICAL),
    rationale=(
        "What nobody watched is not known. 12 h are a night on the charger and some more; a glucose sensor is worn day"
        " and night: 6 h. A device that is not heard at all is silent instead. All are ours. See"
        " docs/clinical.md#watch-gap."
    ),
    messages=(
        "watch_gap.ended",
        "watch_gap.disproved",
        "watch_gap.no_data",
        *(f"watch_gap.{cause}" for cause in _SAID),
        _NO_READINGS,
    ),
    message=_message,
)
