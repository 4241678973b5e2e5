"""Weight gained in days by people with heart failure, as a scale shows it."""

from typing import Final

from schemas.alerts import EndReason, Fact, Message, Severity
from schemas.default_limits import defaults_of
from schemas.vitals import WEIGHT
from services.score.days import DAY_MS
from services.score.rule import ENDED, Mark, Rule, by_level, endings
from services.score.weight import fold_of

_KEYS: Final = {"lowest": "weight.gained", "average": "weight.above_average", "before": "weight.still_more"}


def _message(mark: Mark) -> Message:
    value, against = mark.last.value, mark.against
    before, days = (against.value, against.days) if against else (value, 0)
    facts: dict[str, Fact] = {
        "vital": WEIGHT.code, "value": value, "reference": round(before, 1), "gain": round(value - before, 1),
        "days": days,
    }  # fmt: skip
    if mark.level == ENDED:
        facts |= {"days": (mark.pauses_at - mark.last.at) // DAY_MS} if mark.pauses_at else {}
        return Message(f"weight.{mark.end_reason or EndReason.RECOVERED}", facts)
    kind = against.kind if against else "before"
    far = kind == "lowest" and mark.passed is not None and mark.passed.level > 1
    return Message("weight.gained_much" if far else _KEYS[kind], facts)


WEIGHT_GAIN: Final = Rule(
    name="weight",
    version=1,
    what=WEIGHT.code,
    inputs=(WEIGHT.code,),
    severities=by_level(level_1=Severity.LOW, level_2=Severity.MEDIUM),
    rationale=(
        "More than 2 kg in 3 days may be water in heart failure (ESC); that sees about one worsening of five, an own"
        " moving average four (HeartPhone 2013), and most alerts of either are false. 3 kg is to be confirmed by a"
        " clinician. It goes on the list and notifies nobody. See docs/clinical.md#weight."
    ),
    messages=(*endings("weight"), "weight.gained", "weight.gained_much", "weight.above_average", "weight.still_more"),
    message=_message,
    fold=fold_of(defaults_of("weight")),
    limited=fold_of,
)
