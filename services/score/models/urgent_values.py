"""Which readings can call for help: no such reading is ever held, whoever else it fits. Pure."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from schemas.alerts import Severity
from schemas.limits import CONCERN_BY_NAME, Limits
from schemas.vitals import BODY_TEMPERATURE, HEART_RATE, RESPIRATORY_RATE, SPO2, SYSTOLIC
from services.score import news2_points
from services.score.news2_points import BandTable

_NEWS2: Final[Mapping[int, BandTable]] = MappingProxyType(
    {
        RESPIRATORY_RATE.number: news2_points.RESPIRATORY_RATE,
        SPO2.number: news2_points.SPO2_SCALE_1,
        SYSTOLIC.number: news2_points.SYSTOLIC,
        HEART_RATE.number: news2_points.PULSE,
        BODY_TEMPERATURE.number: news2_points.TEMPERATURE,
    }
)


def can_call_for_help(measured: Mapping[int, float], limits: Iterable[Limits]) -> bool:
    """Whether a measurement, alone or with others, can bring about a MEDIUM or HIGH by its person's limits in force.

    ``measured``: values by the number of their vital, with those of the same measurement that are not guarded, such as
    a cuff's pulse. That is so of a value beyond any limit, the mildest too, of a rule that knows more than LOW (a
    symptom, a second reading or time may bring it there), and of one that has points in NEWS2. Where a HIGH is a matter
    of distances, not of values, every reading can; a MEDIUM of distances waits for whoever says whose it is.
    """
    if any(vital in _NEWS2 and _NEWS2[vital].points(value) for vital, value in measured.items()):
        return True
    known = list(limits)
    gravest: dict[str, Severity] = {}
    for one in known:
        gravest[_rule(one)] = max(gravest.get(_rule(one), Severity.LOW), *(level.severity for level in one.levels))
    for one in known:
        concern = CONCERN_BY_NAME[one.concern]
        value = measured.get(concern.vital.number)
        least = Severity.MEDIUM if concern.bounds is None else Severity.HIGH
        if value is None or gravest[concern.rule] < least:
            continue
        if concern.bounds is not None or any(level.is_beyond(value, concern.side) for level in one.levels):
            return True
    return False


def _rule(limits: Limits) -> str:
    return CONCERN_BY_NAME[limits.concern].rule
