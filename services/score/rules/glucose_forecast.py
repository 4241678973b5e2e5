"""Low glucose that is likely to come, of continuous monitors."""

from dataclasses import replace
from typing import Final

from schemas.alerts import EndReason, Message, Severity
from schemas.vitals import GLUCOSE
from services.score.glucose_course import GlucoseForecast
from services.score.models.glucose_forecast import LOW, STANDS_MS, GlucoseModel
from services.score.rule import ENDED, MINUTE_MS, Mark, Rule, by_level, ended, endings


def _message(mark: Mark) -> Message:
    if mark.level == ENDED:
        return ended("glucose_forecast", GLUCOSE, mark)
    facts = {"limit": round(LOW), "minutes": STANDS_MS // MINUTE_MS, **mark.facts}
    known = "likely" if "reference" in facts else "likely.after_gap"
    return Message(f"glucose_forecast.{known}", {"vital": GLUCOSE.code, "value": mark.last.value, **facts})


GLUCOSE_FORECAST: Final = Rule(
    name="glucose_forecast",
    version=1,
    what=GLUCOSE.code,
    inputs=(GLUCOSE.code,),
    severities=by_level(level_1=Severity.MEDIUM),
    rationale=(
        "Below 70 mg/dL is level 1 hypoglycaemia (Battelino 2019, Diabetes Care 42:1593). That it is likely is learned"
        " from monitors of people of 60 and older with type 1 diabetes; what it finds and wrongly finds is measured. It"
        " goes on the list and notifies nobody. See docs/clinical.md#glucose-forecast."
    ),
    messages=(
        *endings("glucose_forecast"),
        f"glucose_forecast.{EndReason.TURNED}",
        "glucose_forecast.likely",
        "glucose_forecast.likely.after_gap",
    ),
    message=_message,
    fold=GlucoseForecast(model=None),
)
"""Without what was learned it says nothing; ``with_model`` gives the rule that does."""


def with_model(model: GlucoseModel) -> Rule:
    """The rule as it forecasts."""
    return replace(GLUCOSE_FORECAST, fold=GlucoseForecast(model=model))
