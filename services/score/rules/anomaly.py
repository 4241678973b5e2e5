"""Several vitals that together are unlike those of others and unlike the person's own, though each alone may not be."""

from dataclasses import replace
from typing import Final

from schemas.alerts import EndReason, Message, Severity
from schemas.vitals import BODY_TEMPERATURE, HEART_RATE, RESPIRATORY_RATE, SPO2, SYSTOLIC
from services.score.anomaly_course import Anomaly
from services.score.models.anomaly import AnomalyModel
from services.score.rule import ENDED, HOUR_MS, Mark, Rule, by_level, endings


def _message(mark: Mark) -> Message:
    # A mark that is not of the fold's own making has no facts.
    facts = {"unusual": "", "percent": mark.last.value, **mark.facts}
    if mark.level != ENDED:
        return Message("anomaly.unusual", facts)
    hours = (mark.pauses_at - mark.last.at) // HOUR_MS if mark.pauses_at else 0
    return Message(f"anomaly.{mark.end_reason or EndReason.RECOVERED}", {**facts, "hours": hours})


ANOMALY: Final = Rule(
    name="anomaly",
    version=1,
    what="anomaly",
    inputs=(HEART_RATE.code, SPO2.code, RESPIRATORY_RATE.code, SYSTOLIC.code, BODY_TEMPERATURE.code),
    severities=by_level(level_1=Severity.MEDIUM),
    rationale=(
        "An isolation forest (Liu 2008, ICDM) finds hours that are unlike those of recorded and simulated people at"
        " home. It names no illness, and what it finds at home has not been shown to be one. It goes on the list and"
        " notifies nobody. See docs/clinical.md#anomaly."
    ),
    messages=(*endings("anomaly"), "anomaly.unusual"),
    message=_message,
    asks=Anomaly(model=None),
)
"""Without what was learned it says nothing; ``with_model`` gives the rule that does."""


def with_model(model: AnomalyModel) -> Rule:
    """The rule as it asks ``model``."""
    return replace(ANOMALY, asks=Anomaly(model=model))
