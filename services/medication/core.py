"""Which event takes which dose, when to remind, what was missed, and how that is said. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from schemas.alerts import EndReason, Evidence, Fact, Finding, Message, Severity
from schemas.doses import REMINDERS_MIN, SAME_TAKING_MIN, DoseState, moved
from schemas.events import EVENT_TYPE_BY_KIND, EVENT_TYPE_BY_NUMBER, EventKind
from schemas.messages import Command, CommandKind
from services.runtime.clock import to_ms
from services.sentences.catalogue import ENGLISH, Reader

RULE: Final = "missed_dose"
RULE_VERSION: Final = 1
MESSAGES: Final = (
    "missed_dose.not_taken", "missed_dose.time_critical", "missed_dose.taken", "missed_dose.missed",
)  # fmt: skip
"""The keys of all that is said of a dose; the words stand in services/sentences."""
TAKING: Final = (EVENT_TYPE_BY_KIND[EventKind.CUP_LIFTED].number, EVENT_TYPE_BY_KIND[EventKind.DOSE_CONFIRMED].number)
"""What counts as taking a dose. Dispensed is not swallowed."""
OPEN_STATES: Final = frozenset({DoseState.PENDING, DoseState.REMINDED})
_SAME_TAKING: Final = timedelta(minutes=SAME_TAKING_MIN)
_REMINDER_LASTS: Final = timedelta(minutes=15)
_RATIONALE_CRITICAL: Final = (
    "Time-critical doses are on time within 30 min (ISMP timely-administration guideline);"
    " a missed one needs a prompt answer (IEC 60601-1-8: reversible injury within hours)."
    " See docs/clinical.md#missed-dose."
)
_RATIONALE: Final = (
    "A dose is missed after half the time to the next one, 12 h at most (ours). See docs/clinical.md#missed-dose."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """A dose that is not settled, with what is needed to speak of it. ``episode``: of its finding, once raised."""

    dose_id: UUID
    person_no: int
    home_no: int
    device_no: int
    compartment: int
    drug: str
    zone: str
    time_critical: bool
    early_after: datetime
    opens_at: datetime
    due_at: datetime
    closes_at: datetime
    missed_at: datetime
    state: DoseState
    reminders: int = 0
    episode: int | None = None
    settled_at: datetime | None = None


class DoseEvent(NamedTuple):
    """A cup lifted or a dose confirmed."""

    device_no: int
    epoch: int
    seq: int
    item: int
    person_no: int
    kind: int
    compartment: int
    observed_at: datetime


class Taking(NamedTuple):
    """An event and the dose it belongs to. Only one event decides a dose."""

    event: DoseEvent
    dose_id: UUID
    decisive: bool


class Decided(NamedTuple):
    """When a dose of a compartment was taken, as decided before."""

    device_no: int
    compartment: int
    observed_at: datetime
    dose_id: UUID


def attribute(doses: Iterable[Dose], events: Iterable[DoseEvent], decided: Sequence[Decided] = ()) -> list[Taking]:
    """Gives each event, oldest first, to the oldest open dose of its person and compartment that it can reach.

    An event close to one that took a dose is part of the same taking; one that reaches no open dose gets none.
    """
    waiting = sorted(
        (dose for dose in doses if dose.state in OPEN_STATES), key=lambda dose: (dose.due_at, dose.dose_id)
    )
    known, takings = list(decided), []
    for event in sorted(
        events, key=lambda event: (event.observed_at, event.device_no, event.epoch, event.seq, event.item)
    ):
        # First: a cup lifted twice within minutes must not take the next dose as well.
        same = next((one for one in known if _is_same_taking(one, event)), None)
        if same is not None:
            takings.append(Taking(event, same.dose_id, decisive=False))
            continue
        dose = next((dose for dose in waiting if _reaches(event, dose)), None)
        if dose is not None:
            waiting.remove(dose)
            known.append(Decided(event.device_no, event.compartment, event.observed_at, dose.dose_id))
            takings.append(Taking(event, dose.dose_id, decisive=True))
    return takings


def _is_same_taking(one: Decided, event: DoseEvent) -> bool:
    is_there = (one.device_no, one.compartment) == (event.device_no, event.compartment)
    return is_there and abs(one.observed_at - event.observed_at) <= _SAME_TAKING


def _reaches(event: DoseEvent, dose: Dose) -> bool:
    is_there = (dose.device_no, dose.compartment, dose.person_no) == (
        event.device_no,
        event.compartment,
        event.person_no,
    )
    return is_there and dose.early_after < event.observed_at <= dose.missed_at


def taken(dose: Dose, at: datetime) -> Dose:
    """``dose`` settled by an event at ``at``: early, taken or late."""
    on_time_or_late = DoseState.TAKEN if at <= dose.closes_at else DoseState.LATE
    state = DoseState.EARLY if at < dose.opens_at else on_time_or_late
    return replace(dose, state=moved(dose.state, state), settled_at=at)


class Reminding(NamedTuple):
    """A dose after its reminders, and the command to send now, if any."""

    dose: Dose
    command: Command | None


def remind(dose: Dose, now: datetime) -> Reminding:
    """The newest reminder whose time has come; older ones that were never written are passed over."""
    if dose.state not in OPEN_STATES or now < dose.due_at:
        return Reminding(dose, None)
    come = sum(dose.due_at + timedelta(minutes=minutes) <= now for minutes in REMINDERS_MIN)
    reminded = replace(dose, state=moved(dose.state, DoseState.REMINDED), reminders=max(come, dose.reminders))
    expires_at = dose.due_at + timedelta(minutes=REMINDERS_MIN[come - 1]) + _REMINDER_LASTS
    if come <= dose.reminders or now >= expires_at:
        return Reminding(reminded, None)
    command = Command(
        id=str(uuid5(dose.dose_id, f"reminder|{come}")),
        kind=CommandKind.REMIND_DOSE,
        expires_at=to_ms(expires_at),
        details={"compartment": dose.compartment, "due_at": to_ms(dose.due_at), "reminder": come},
    )
    return Reminding(reminded, command)


def needs_finding(dose: Dose, watermark: datetime) -> bool:
    """A time-critical dose not taken when its window closed, another when it is missed; once a dose."""
    if dose.episode is not None or dose.state not in OPEN_STATES:
        return False
    return watermark > (dose.closes_at if dose.time_critical else dose.missed_at)


def missed(dose: Dose, watermark: datetime) -> Dose:
    """``dose`` settled as missed where no answer can come any more that counts."""
    if dose.state not in OPEN_STATES or watermark <= dose.missed_at:
        return dose
    return replace(dose, state=moved(dose.state, DoseState.MISSED), settled_at=dose.missed_at)


def not_taken_finding(dose: Dose, episode: int) -> Finding:
    """Stamped with the moment that was waited for: the end of the window, or the cut-off."""
    at = dose.closes_at if dose.time_critical else dose.missed_at
    key = "missed_dose.time_critical" if dose.time_critical else "missed_dose.not_taken"
    facts = {"by": _clock_time(at, dose.zone)}
    return _finding(dose, episode=episode, level=2 if dose.time_critical else 1, at=at, key=key, facts=facts)


def ended_finding(dose: Dose, taking: DoseEvent | None) -> Finding:
    """Level 0 of a dose that has a finding: it was taken after all (``taking``), or can't be any more."""
    episode = dose.episode or 0
    if taking is None:
        return _finding(
            dose,
            episode=episode,
            level=0,
            at=dose.missed_at,
            key="missed_dose.missed",
            facts={"by": _clock_time(dose.missed_at, dose.zone)},
            end_reason=EndReason.NO_DATA,
        )
    return _finding(
        dose,
        episode=episode,
        level=0,
        at=taking.observed_at,
        key="missed_dose.taken",
        facts={"taken": _clock_time(taking.observed_at, dose.zone)},
        evidence=(_evidence(taking),),
        end_reason=EndReason.RECOVERED,
    )


def severity_of(dose: Dose) -> Severity:
    """Missed time-critical doses alert; others are shown on the patient's page."""
    return Severity.MEDIUM if dose.time_critical else Severity.LOW


def _finding(
    dose: Dose,
    *,
    episode: int,
    level: int,
    at: datetime,
    key: str,
    facts: Mapping[str, Fact],
    evidence: tuple[Evidence, ...] = (),
    end_reason: EndReason | None = None,
) -> Finding:
    said = Message(key, {"drug": dose.drug, "due": _clock_time(dose.due_at, dose.zone), **facts})
    return Finding(
        person_no=dose.person_no,
        home_no=dose.home_no,
        rule=RULE,
        rule_version=RULE_VERSION,
        episode=episode,
        level=level,
        severity=severity_of(dose),
        observed_at=to_ms(at),
        evidence=evidence,
        doctor_text=ENGLISH.say(said, Reader.DOCTOR),
        caregiver_text=ENGLISH.say(said, Reader.CAREGIVER),
        rationale=_RATIONALE_CRITICAL if dose.time_critical else _RATIONALE,
        message=said.key,
        facts=said.facts,
        end_reason=end_reason,
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


def _clock_time(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%H:%M}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseOutcome:
    """What one look at the open doses came to."""

    doses: Sequence[Dose]
    takings: Sequence[Taking]
    commands: Sequence[tuple[int, Command]]
    findings: Sequence[Finding]


def look(
    doses: Sequence[Dose],
    events: Sequence[DoseEvent],
    decided: Sequence[Decided],
    *,
    now: datetime,
    watermark: datetime | None,
    next_episode: Mapping[int, int],
) -> DoseOutcome:
    """Takes, reminds, raises and closes. ``next_episode`` is the first free number of each person.

    Reminders go by the clock, as one too many does no harm. That a dose was not taken is decided
    only when ``watermark`` has passed: until then an event may be under way (None: not known yet).
    """
    takings = attribute(doses, events, decided)
    deciding = {taking.dose_id: taking.event for taking in takings if taking.decisive}
    free, after, commands, findings = dict(next_episode), [], [], []
    for before in sorted(doses, key=lambda dose: (dose.due_at, dose.dose_id)):
        dose, event = before, deciding.get(before.dose_id)
        if event is not None:
            dose = taken(dose, event.observed_at)
        else:
            dose, command = remind(dose, now)
            if command is not None:
                commands.append((dose.device_no, command))
        # After the takings: an event that arrived in time has settled its dose by now.
        if watermark is not None and needs_finding(dose, watermark):
            dose = replace(dose, episode=free[dose.person_no])
            free[dose.person_no] += 1
            findings.append(not_taken_finding(dose, dose.episode or 0))
        dose = dose if watermark is None else missed(dose, watermark)
        if dose.episode is not None and dose.time_critical and dose.state not in OPEN_STATES:
            findings.append(ended_finding(dose, event))
        if dose != before:
            # What did not change is not written.
            after.append(dose)
    return DoseOutcome(doses=after, takings=takings, commands=commands, findings=findings)
