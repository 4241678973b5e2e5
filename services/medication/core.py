"""Which event takes which dose, when to remind, what was missed, and how that is said. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from schemas.alerts import Evidence, Finding, Severity
from schemas.doses import REMINDERS_MIN, SAME_TAKING_MIN, DoseState
from schemas.events import EVENT_TYPE_BY_KIND, EVENT_TYPE_BY_NUMBER, EventKind
from schemas.messages import Command, CommandKind
from services.runtime.clock import to_ms

RULE: Final = "missed_dose"
RULE_VERSION: Final = 1
TAKING: Final = (EVENT_TYPE_BY_KIND[EventKind.CUP_LIFTED].number, EVENT_TYPE_BY_KIND[EventKind.DOSE_CONFIRMED].number)
"""What counts as taking a dose. Dispensed is not swallowed (clinical.md 1.6)."""
OPEN_STATES: Final = frozenset({DoseState.PENDING, DoseState.REMINDED})
_SAME_TAKING: Final = timedelta(minutes=SAME_TAKING_MIN)
_REMINDER_LASTS: Final = timedelta(minutes=15)
_RATIONALE_CRITICAL: Final = (
    "Time-critical doses are on time within 30 min (ISMP timely-administration guideline);"
    " a missed one needs a prompt answer (IEC 60601-1-8: reversible injury within hours)."
)
_RATIONALE: Final = "A dose is missed after half the time to the next one, 12 h at most (clinical.md 1.6)."


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A dose that is not settled, with what is needed to speak of it. ``episode``: of its finding, once raised."""

    slot_id: UUID
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
    slot_id: UUID
    decisive: bool


class Decided(NamedTuple):
    """When a dose of a compartment was taken, as decided before."""

    device_no: int
    compartment: int
    observed_at: datetime
    slot_id: UUID


def attribute(slots: Iterable[Slot], events: Iterable[DoseEvent], decided: Sequence[Decided] = ()) -> list[Taking]:
    """Gives each event, oldest first, to the oldest open dose of its person and compartment that it can reach.

    An event close to one that took a dose is part of the same taking; one that reaches no open dose gets none.
    """
    waiting = sorted(
        (slot for slot in slots if slot.state in OPEN_STATES), key=lambda slot: (slot.due_at, slot.slot_id)
    )
    known, takings = list(decided), []
    for event in sorted(
        events, key=lambda event: (event.observed_at, event.device_no, event.epoch, event.seq, event.item)
    ):
        same = next((one for one in known if _is_same_taking(one, event)), None)
        if same is not None:
            takings.append(Taking(event, same.slot_id, decisive=False))
            continue
        slot = next((slot for slot in waiting if _reaches(event, slot)), None)
        if slot is not None:
            waiting.remove(slot)
            known.append(Decided(event.device_no, event.compartment, event.observed_at, slot.slot_id))
            takings.append(Taking(event, slot.slot_id, decisive=True))
    return takings


def _is_same_taking(one: Decided, event: DoseEvent) -> bool:
    is_there = (one.device_no, one.compartment) == (event.device_no, event.compartment)
    return is_there and abs(one.observed_at - event.observed_at) <= _SAME_TAKING


def _reaches(event: DoseEvent, slot: Slot) -> bool:
    is_there = (slot.device_no, slot.compartment, slot.person_no) == (
        event.device_no,
        event.compartment,
        event.person_no,
    )
    return is_there and slot.early_after < event.observed_at <= slot.missed_at


def taken(slot: Slot, at: datetime) -> Slot:
    """``slot`` settled by an event at ``at``: early, taken or late."""
    on_time_or_late = DoseState.TAKEN if at <= slot.closes_at else DoseState.LATE
    state = DoseState.EARLY if at < slot.opens_at else on_time_or_late
    return replace(slot, state=state, settled_at=at)


class Reminding(NamedTuple):
    """A slot after its reminders, and the command to send now, if any."""

    slot: Slot
    command: Command | None


def remind(slot: Slot, now: datetime) -> Reminding:
    """The newest reminder whose time has come; older ones that were never written are passed over."""
    if slot.state not in OPEN_STATES or now < slot.due_at:
        return Reminding(slot, None)
    come = sum(slot.due_at + timedelta(minutes=minutes) <= now for minutes in REMINDERS_MIN)
    reminded = replace(slot, state=DoseState.REMINDED, reminders=max(come, slot.reminders))
    expires_at = slot.due_at + timedelta(minutes=REMINDERS_MIN[come - 1]) + _REMINDER_LASTS
    if come <= slot.reminders or now >= expires_at:
        return Reminding(reminded, None)
    command = Command(
        id=str(uuid5(slot.slot_id, f"reminder|{come}")),
        kind=CommandKind.REMIND_DOSE,
        expires_at=to_ms(expires_at),
        details={"compartment": slot.compartment, "due_at": to_ms(slot.due_at), "reminder": come},
    )
    return Reminding(reminded, command)


def needs_finding(slot: Slot, watermark: datetime) -> bool:
    """A time-critical dose not taken when its window closed, another when it is missed; once a slot."""
    if slot.episode is not None or slot.state not in OPEN_STATES:
        return False
    return watermark > (slot.closes_at if slot.time_critical else slot.missed_at)


def missed(slot: Slot, watermark: datetime) -> Slot:
    """``slot`` settled as missed where no answer can come any more that counts."""
    if slot.state not in OPEN_STATES or watermark <= slot.missed_at:
        return slot
    return replace(slot, state=DoseState.MISSED, settled_at=slot.missed_at)


def not_taken_finding(slot: Slot, episode: int) -> Finding:
    """Stamped with the moment that was waited for: the end of the window, or the cut-off."""
    at = slot.closes_at if slot.time_critical else slot.missed_at
    due, by = _clock_time(slot.due_at, slot.zone), _clock_time(at, slot.zone)
    kind = "Time-critical dose" if slot.time_critical else "Dose"
    return _finding(
        slot,
        episode=episode,
        level=2 if slot.time_critical else 1,
        at=at,
        doctor_text=f"{kind} of {slot.drug} due at {due} was not taken by {by}.",
        caregiver_text=f"The dose due at {due} was not taken by {by}.",
    )


def ended_finding(slot: Slot, taking: DoseEvent | None) -> Finding:
    """Level 0 of a slot that has a finding: it was taken after all (``taking``), or can't be any more."""
    due = _clock_time(slot.due_at, slot.zone)
    if taking is None:
        said, at = f"can no longer be taken; it was missed at {_clock_time(slot.missed_at, slot.zone)}", slot.missed_at
    else:
        said, at = f"was taken at {_clock_time(taking.observed_at, slot.zone)}", taking.observed_at
    return _finding(
        slot,
        episode=slot.episode or 0,
        level=0,
        at=at,
        doctor_text=f"The dose of {slot.drug} due at {due} {said}.",
        caregiver_text=f"The dose due at {due} {said}.",
        evidence=() if taking is None else (_evidence(taking),),
    )


def severity_of(slot: Slot) -> Severity:
    """Missed time-critical doses alert; others are shown on the patient's page (clinical.md 1.7)."""
    return Severity.MEDIUM if slot.time_critical else Severity.LOW


def _finding(
    slot: Slot,
    *,
    episode: int,
    level: int,
    at: datetime,
    doctor_text: str,
    caregiver_text: str,
    evidence: tuple[Evidence, ...] = (),
) -> Finding:
    return Finding(
        person_no=slot.person_no,
        home_no=slot.home_no,
        rule=RULE,
        rule_version=RULE_VERSION,
        episode=episode,
        level=level,
        severity=severity_of(slot),
        observed_at=to_ms(at),
        evidence=evidence,
        doctor_text=doctor_text,
        caregiver_text=caregiver_text,
        rationale=_RATIONALE_CRITICAL if slot.time_critical else _RATIONALE,
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
class Outcome:
    """What one look at the open doses came to."""

    slots: Sequence[Slot]
    takings: Sequence[Taking]
    commands: Sequence[tuple[int, Command]]
    findings: Sequence[Finding]


def look(
    slots: Sequence[Slot],
    events: Sequence[DoseEvent],
    decided: Sequence[Decided],
    *,
    now: datetime,
    watermark: datetime | None,
    next_episode: Mapping[int, int],
) -> Outcome:
    """Takes, reminds, raises and closes. ``next_episode`` is the first free number of each person.

    Reminders go by the clock: one too many does no harm. What was not done waits for the watermark (design 2.3):
    None is no watermark yet.
    """
    takings = attribute(slots, events, decided)
    deciding = {taking.slot_id: taking.event for taking in takings if taking.decisive}
    free, after, commands, findings = dict(next_episode), [], [], []
    for before in sorted(slots, key=lambda slot: (slot.due_at, slot.slot_id)):
        slot, event = before, deciding.get(before.slot_id)
        if event is not None:
            slot = taken(slot, event.observed_at)
        else:
            slot, command = remind(slot, now)
            if command is not None:
                commands.append((slot.device_no, command))
        if watermark is not None and needs_finding(slot, watermark):
            slot = replace(slot, episode=free[slot.person_no])
            free[slot.person_no] += 1
            findings.append(not_taken_finding(slot, slot.episode or 0))
        slot = slot if watermark is None else missed(slot, watermark)
        if slot.episode is not None and slot.time_critical and slot.state not in OPEN_STATES:
            findings.append(ended_finding(slot, event))
        if slot != before:
            after.append(slot)
    return Outcome(slots=after, takings=takings, commands=commands, findings=findings)
