"""NEWS2: several vital signs that are abnormal together, though each alone may not be."""

from collections.abc import Mapping
from typing import Final

from schemas.alerts import EndReason, Fact, Message, Severity
from schemas.default_limits import defaults_of
from schemas.limits import Condition, Limits
from schemas.vitals import BODY_TEMPERATURE, HEART_RATE, RESPIRATORY_RATE, SPO2, SYSTOLIC
from services.score.news2 import News2
from services.score.news2_points import COUNTED
from services.score.rule import ENDED, MINUTE_MS, Mark, Rule, by_level


def _fold(limits: Mapping[str, Limits]) -> News2:
    """Totals of 0 to 20 points, SpO2 by scale 1."""
    return News2(limits=limits["news2"])


def _fold_of_scale_2(limits: Mapping[str, Limits]) -> News2:
    """The same, SpO2 by scale 2: where 88 to 92 % is prescribed, and nowhere else."""
    return News2(limits=limits["news2"], scale_2=True)


def _message(mark: Mark) -> Message:
    if mark.level == ENDED:
        minutes = (mark.pauses_at - mark.last.at) // MINUTE_MS if mark.pauses_at else 0
        return Message(f"news2.{mark.end_reason or EndReason.RECOVERED}", {**_known(mark), "minutes": minutes})
    far = "very_" if mark.level > 1 else ""
    known = _known(mark)
    return Message(f"news2.{far}high{'.three' if known['threes'] else ''}", known)


def _known(mark: Mark) -> dict[str, Fact]:
    """What late readings have disproved has no inputs."""
    none: dict[str, Fact] = {"fresh": 0, "inputs": len(COUNTED), "points": "", "missing": "", "threes": "", "scale": 1}
    return {"total": round(mark.last.value), **none, **mark.facts}


NEWS2: Final = Rule(
    name="news2",
    version=1,
    what="news2",
    inputs=(HEART_RATE.code, SPO2.code, RESPIRATORY_RATE.code, SYSTOLIC.code, BODY_TEMPERATURE.code),
    severities=by_level(level_1=Severity.MEDIUM, level_2=Severity.HIGH),
    rationale=(
        "NEWS2 asks for an urgent response from 5 points and for an emergency response from 7 (Royal College of"
        " Physicians 2017). It was made for hospitals: at home it is a trend with its inputs. Two evaluations in a row"
        " and four fresh inputs for 5 points are ours. See docs/clinical.md#news2."
    ),
    messages=(
        "news2.recovered",
        "news2.disproved",
        "news2.no_data",
        "news2.high",
        "news2.high.three",
        "news2.very_high",
        "news2.very_high.three",
    ),
    message=_message,
    fold=_fold(defaults_of("news2")),
    limited=_fold,
    limited_with={Condition.SPO2_88_92: _fold_of_scale_2},
)
