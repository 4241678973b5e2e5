"""What follows from how a person kept to their plans over the last seven days: low, or high enough again. Pure."""

from datetime import datetime
from typing import Final, NamedTuple

from schemas.adherence import ADHERENT_FROM, RECENT_DAYS, Measures
from schemas.alerts import EndReason, Finding, Message, Severity
from services.runtime.clock import to_ms
from services.sentences.catalogue import ENGLISH, Reader

RULE: Final = "adherence"
RULE_VERSION: Final = 1
CONCERN: Final = "adherence"
"""All plans of a person together."""
MESSAGES: Final = ("adherence.low", "adherence.recovered")
SEVERITY: Final = Severity.MEDIUM
_RATIONALE: Final = (
    "Less than 0.80 of what was prescribed counts as not adherent in pharmacy quality measures (PQA, PDC of 0.80)."
    " Judged over 7 days, from 10 doses on whose outcome is known (ours). See docs/clinical.md#adherence."
)


class Episodes(NamedTuple):
    """What was found of a person before: the newest episode, 0 for none, and whether it goes on."""

    newest: int = 0
    is_open: bool = False


def judge(person_no: int, home_no: int, counts: Measures, before: Episodes, day_ended_at: datetime) -> Finding | None:
    """What is to be said at the end of a local day; None where nothing has changed, or too little is known.

    An episode begins below ADHERENT_FROM and ends at it, both over LEAST_DOSES doses: that fewer are known is no end.
    """
    if counts.is_low is None or counts.is_low is before.is_open:
        return None
    episode = before.newest if before.is_open else before.newest + 1
    said = Message(
        "adherence.low" if counts.is_low else "adherence.recovered",
        {
            "days": RECENT_DAYS,
            "taken": counts.taken,
            "doses": counts.known,
            # Cut, not rounded: 79.6 must not be said as 80, which would not be low.
            "percent": 100 * counts.taken // counts.known,
            "limit": round(100 * ADHERENT_FROM),
        },
    )
    return Finding(
        person_no=person_no,
        home_no=home_no,
        rule=RULE,
        rule_version=RULE_VERSION,
        episode=episode,
        level=1 if counts.is_low else 0,
        severity=SEVERITY,
        observed_at=to_ms(day_ended_at),
        # It rests on doses that were not taken, of which no device sends anything.
        evidence=(),
        doctor_text=ENGLISH.say(said, Reader.DOCTOR),
        caregiver_text=ENGLISH.say(said, Reader.CAREGIVER),
        rationale=_RATIONALE,
        message=said.key,
        facts=said.facts,
        end_reason=None if counts.is_low else EndReason.RECOVERED,
        concern=CONCERN,
    )
