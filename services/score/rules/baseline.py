"""Several figures of a person's days that drift together from what is usual for them."""

from typing import Final

from schemas.alerts import EndReason, Fact, Message, Severity
from services.score.rule import ENDED, HOUR_MS, Mark, Rule, by_level, endings

_DRIFTS: Final = "baseline.drifts"
_LASTS: Final = "baseline.lasts"


def _message(mark: Mark) -> Message:
    facts: dict[str, Fact] = {"since": "", "channels": "", **mark.facts}
    if mark.level == ENDED:
        days = (mark.pauses_at - mark.last.at) // (24 * HOUR_MS) if mark.pauses_at else 0
        return Message(f"baseline.{mark.end_reason or EndReason.RECOVERED}", {**facts, "days": days})
    return Message(_LASTS if mark.level > 1 else _DRIFTS, facts)


BASELINE: Final = Rule(
    name="baseline",
    version=1,
    what="days",
    of_days=True,
    severities=by_level(level_1=Severity.LOW, level_2=Severity.MEDIUM),
    rationale=(
        "Resting pulse and steps drift from what is usual before and during infections (Mishra 2020). The own median of"
        " 28 days and an average over days are usual in control charts; how many illnesses it finds is measured. It"
        " names figures and no illness, goes on the list and notifies nobody. See docs/clinical.md#baseline."
    ),
    messages=(*endings("baseline"), _DRIFTS, _LASTS),
    message=_message,
)
