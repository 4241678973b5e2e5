"""What is said of a dose: not taken, taken after all, missed, taken twice. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from schemas.alerts import EndReason, Evidence, Fact, Finding, Message, Severity
from schemas.doses import REPORTED_LATE_MIN
from schemas.events import EVENT_TYPE_BY_NUMBER
from services.medication.machine import Dose, DoseEvent, Taking
from services.runtime.clock import to_ms
from services.sentences.catalogue import ENGLISH, Reader

MISSED_RULE: Final = "missed_dose"
DOUBLE_RULE: Final = "double_dose"
RULE_VERSION: Final = 2
MESSAGES: Final = (
    "missed_dose.not_taken", "missed_dose.time_critical", "missed_dose.taken", "missed_dose.taken_late",
    "missed_dose.missed", "double_dose.again", "double_dose.listed", "double_dose.too_soon", "double_dose.too_many",
    "double_dose.paused", "double_dose.disproved",
)  # fmt: skip
"""The keys of all that is said of a dose; the words stand in services/sentences."""
_REPORTED_LATE: Final = timedelta(minutes=REPORTED_LATE_MIN)
_RATIONALE_CRITICAL: Final = (
    "Time-critical doses are on time within 30 min (ISMP timely-administration guideline);"
    " a missed one needs a prompt answer (IEC 60601-1-8: reversible injury within hours)."
    " See docs/clinical.md#missed-dose."
)
_RATIONALE: Final = (
    "A dose is missed after half the time to the next one, 12 h at most (ours). See docs/clinical.md#missed-dose."
)
_RATIONALE_DOUBLE: Final = (
    "A cup lifted more than 10 min after its dose was taken is another dose (ours); of some drugs a second one is"
    " dangerous, and the plan says so. See docs/clinical.md#double-dose."
)


class Said(NamedTuple):
    """A dose after something was said of it, and the finding that says it."""

    dose: Dose
    finding: Finding


class _Words(NamedTuple):
    """What is said, of which moment, on what evidence; ``ended``: why the episode is over."""

    key: str
    at: datetime
    facts: Mapping[str, Fact] = MappingProxyType({})
    evidence: tuple[Evidence, ...] = ()
    ended: EndReason | None = None


def not_taken(dose: Dose, episode: int) -> Said:
    """Stamped with the moment that was waited for: the end of the window, or the cut-off."""
    at = dose.closes_at if dose.time_critical else dose.missed_at
    key = "missed_dose.time_critical" if dose.time_critical else "missed_dose.not_taken"
    return _of_missed(dose, "not_taken", episode, _Words(key, at, {"by": clock_time(at, dose.zone)}))


def missed(dose: Dose) -> Said:
    """Level 0 of a time-critical dose: it can't be taken any more. Nothing is known of the drug, so nothing is over."""
    facts = {"by": clock_time(dose.missed_at, dose.zone)}
    words = _Words("missed_dose.missed", dose.missed_at, facts, ended=EndReason.NO_DATA)
    return _of_missed(dose, "missed", dose.episode or 0, words)


def taken_after_all(dose: Dose, event: DoseEvent, episode: int) -> Said:
    """Level 0: it was taken, though late; or in time, and it was reported late."""
    key = "missed_dose.taken_late" if was_reported_late(event) else "missed_dose.taken"
    facts = {"taken": clock_time(event.observed_at, dose.zone)}
    words = _Words(key, event.observed_at, facts, (_evidence(event),), EndReason.RECOVERED)
    return _of_missed(dose, "taken", episode, words)


def taken_again(dose: Dose, taking: Taking, episode: int) -> Said:
    """A taking too many; said anew of each further one."""
    event = taking.again[-1] if taking.again else taking.decided
    at = dose.due_at if event is None else event.observed_at
    facts: dict[str, Fact] = {"again": clock_time(at, dose.zone)}
    if taking.held:
        key = "double_dose.paused"
    elif taking.again:
        key = "double_dose.listed" if dose.listed else "double_dose.again"
        facts |= {"taken": clock_time(taking.taken_at or dose.due_at, dose.zone), "times": len(taking.again) + 1}
    else:
        key = "double_dose.too_soon" if taking.too_soon else "double_dose.too_many"
    evidence = tuple(_evidence(one) for one in (taking.decided, *taking.again) if one is not None)
    said = replace(dose, double_episode=episode, double_said=dose.doubles, said=dose.said + 1)
    return Said(said, _of_double(said, 2 if dose.listed else 1, _Words(key, at, facts, evidence)))


def not_taken_again(dose: Dose) -> Said:
    """Level 0: what was reported later shows that it was no taking too many."""
    said = replace(dose, double_said=0, said=dose.said + 1)
    words = _Words("double_dose.disproved", dose.settled_at or dose.due_at, ended=EndReason.DISPROVED)
    return Said(said, _of_double(said, 0, words))


def was_reported_late(event: DoseEvent) -> bool:
    """Whether it was received so much later than it happened that it has to be said."""
    return event.received_at - event.observed_at > _REPORTED_LATE


def clock_time(moment: datetime, zone: str) -> str:
    """``moment`` as the clock at home shows it."""
    return f"{moment.astimezone(ZoneInfo(zone)):%H:%M}"


def drug_of(dose: Dose) -> str:
    """Name and strength."""
    return f"{dose.drug} {dose.strength}".strip()


def _of_missed(dose: Dose, said_last: str, episode: int, words: _Words) -> Said:
    said = replace(dose, episode=episode, said_last=said_last, said=dose.said + 1)
    level = 0 if words.ended is not None else 2 if dose.time_critical else 1
    rationale = _RATIONALE_CRITICAL if dose.time_critical else _RATIONALE
    return Said(said, replace(_finding(said, MISSED_RULE, words), episode=episode, level=level, rationale=rationale))


def _of_double(dose: Dose, level: int, words: _Words) -> Finding:
    finding = _finding(dose, DOUBLE_RULE, words)
    severity = Severity.HIGH if dose.listed else Severity.MEDIUM
    return replace(finding, episode=dose.double_episode or 0, level=level, severity=severity)


def _finding(dose: Dose, rule: str, words: _Words) -> Finding:
    said = {"drug": drug_of(dose), "due": clock_time(dose.due_at, dose.zone), **words.facts}
    message = Message(words.key, said)
    return Finding(
        person_no=dose.person_no,
        home_no=dose.home_no,
        rule=rule,
        rule_version=RULE_VERSION,
        episode=0,
        level=0,
        # Missed time-critical doses alert; others are shown on the patient's page.
        severity=Severity.MEDIUM if dose.time_critical else Severity.LOW,
        observed_at=to_ms(words.at),
        evidence=words.evidence,
        doctor_text=ENGLISH.say(message, Reader.DOCTOR),
        caregiver_text=ENGLISH.say(message, Reader.CAREGIVER),
        rationale=_RATIONALE_DOUBLE,
        message=message.key,
        facts=message.facts,
        end_reason=words.ended,
        concern=f"{rule}.{dose.plan_id}",
        said=dose.said,
    )


def _evidence(event: DoseEvent) -> Evidence:
    return Evidence(
        what=EVENT_TYPE_BY_NUMBER[event.kind].kind,
        value=None,
        observed_at=to_ms(event.observed_at),
        device_no=event.device_no,
        epoch=event.epoch,
        seq=event.seq,
        item=event.item,
    )
