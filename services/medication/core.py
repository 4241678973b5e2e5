"""What becomes of doses as time passes: when to remind, when one is unknown or missed, and what is said. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID, uuid5

from schemas.alerts import Finding
from schemas.doses import (
    AWAY_MIN,
    HEARD_LATELY_MIN,
    MAKES_UP_MIN,
    OPEN_STATES,
    REMINDERS_MIN,
    RESENDS,
    TAKEN_STATES,
    DoseState,
)
from schemas.messages import Command, CommandKind
from services.medication.machine import Dose, Pause, Taking, taken
from services.medication.sayings import (
    DOUBLE_RULE,
    MISSED_RULE,
    Said,
    missed,
    not_taken,
    not_taken_again,
    taken_after_all,
    taken_again,
    was_reported_late,
)
from services.runtime.clock import to_ms

_HEARD_LATELY: Final = timedelta(minutes=HEARD_LATELY_MIN)
_AWAY: Final = timedelta(minutes=AWAY_MIN)
_MAKES_UP: Final = timedelta(minutes=MAKES_UP_MIN)
_REMINDER_LASTS: Final = timedelta(minutes=15)


class Reminding(NamedTuple):
    """A dose after its reminders, and the command to send now, if any."""

    dose: Dose
    command: Command | None


def remind(dose: Dose, now: datetime) -> Reminding:
    """The newest reminder whose time has come; older ones that were never written are passed over."""
    if dose.state not in OPEN_STATES or now < dose.due_at:
        return Reminding(dose, None)
    come = sum(dose.due_at + timedelta(minutes=minutes) <= now for minutes in REMINDERS_MIN)
    reminded = replace(
        dose,
        state=DoseState.REMINDED if dose.state is DoseState.PENDING else dose.state,
        reminders=max(come, dose.reminders),
    )
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


class Heard(NamedTuple):
    """When a device was heard last; ``is_whole``: nothing is missing that it sent before what came then."""

    at: datetime
    is_whole: bool = True


def hear(dose: Dose, heard: Heard | None, watermark: datetime, resend_after: timedelta) -> Dose:
    """``dose`` once it is known when its dispenser was ``heard`` last.

    ``judged_from`` is when it is known that nothing more is on its way of what happened up to the end of the window, or
    up to the cut-off once that has passed: at once, or some minutes later for a dispenser that was away before. One of
    which an uplink is missing has as long for it as it may take to send it again.
    """
    after, away = replace(dose, heard_at=heard and heard.at), waits_for_missing(resend_after)
    if heard is None or watermark <= dose.closes_at:
        return after
    enough = over = dose.closes_at
    if watermark > dose.missed_at:
        enough, over = max(enough, dose.missed_at - _HEARD_LATELY), dose.missed_at
    is_said = watermark <= dose.missed_at and is_judged(dose, watermark)
    lacks = not heard.is_whole and not is_said and watermark < over + away
    if heard.at < enough or lacks:
        return replace(after, judged_from=None)
    if dose.judged_from is not None:
        return after
    was_away = dose.heard_at is None or heard.at - dose.heard_at > away
    return replace(after, judged_from=heard.at + max(_MAKES_UP, resend_after) if was_away else heard.at)


def waits_for_missing(resend_after: timedelta) -> timedelta:
    """How long an uplink that is missing is waited for; a device not heard for longer has been away."""
    return max(_AWAY, RESENDS * resend_after)


def wait_for(dose: Dose, watermark: datetime) -> Dose:
    """An open dose that no event has taken, as the ``watermark`` passes its window and its cut-off."""
    waiting = DoseState.REMINDED if dose.reminders else DoseState.PENDING
    if watermark <= dose.closes_at:
        return replace(dose, state=waiting)
    if not is_judged(dose, watermark):
        not_heard = dose.heard_at is None or dose.heard_at < dose.closes_at or watermark <= dose.missed_at
        since = dose.unknown_since or (dose.closes_at if not_heard else dose.missed_at)
        return replace(dose, state=DoseState.UNKNOWN, unknown_since=since)
    if watermark > dose.missed_at:
        return replace(dose, state=DoseState.MISSED, settled_at=dose.missed_at)
    return replace(dose, state=waiting)


def is_judged(dose: Dose, watermark: datetime) -> bool:
    """Whether it may be said that an open dose was not taken."""
    return watermark > dose.closes_at and dose.judged_from is not None and dose.judged_from <= watermark


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseOutcome:
    """What one look at doses came to."""

    doses: Sequence[Dose]
    commands: Sequence[tuple[int, Command]]
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What is known when doses are looked at. ``heard``: when each device was heard last.

    ``watermark``: what was received up to it has been counted; None: not known yet. ``next_episode``: the first free
    number of each person and rule. ``resend_after``: platform time after which a device sends again what nobody
    acknowledged.
    """

    now: datetime
    watermark: datetime | None
    heard: Mapping[int, Heard]
    pauses: Sequence[Pause]
    next_episode: Mapping[tuple[int, str], int]
    resend_after: timedelta = timedelta()


def look(doses: Sequence[Dose], takings: Mapping[UUID, Taking], moment: Moment) -> DoseOutcome:
    """Settles, reminds, raises and closes. ``takings``: of those ``doses`` whose events were folded again.

    Reminders go by the clock, as one too many does no harm. That a dose was not taken is decided
    only when the watermark has passed: until then an event may be under way.
    """
    numbers, after, commands, findings = _Numbers(moment.next_episode), [], [], []
    for before in sorted(doses, key=lambda dose: (dose.due_at, dose.dose_id)):
        taking = takings.get(before.dose_id)
        dose, command = _settle(before, taking, moment)
        if command is not None:
            commands.append((dose.device_no, command))
        for said in _say(dose, taking, moment, numbers):
            dose = said.dose
            findings.append(said.finding)
        if dose != before or (taking is not None and dose.as_needed):
            # What did not change is not written.
            after.append(dose)
    return DoseOutcome(doses=after, commands=commands, findings=findings)


class _Numbers:
    """The free episode numbers of people."""

    def __init__(self, free: Mapping[tuple[int, str], int]) -> None:
        self._free = dict(free)

    def take(self, person_no: int, rule: str) -> int:
        number = self._free.get((person_no, rule), 1)
        self._free[person_no, rule] = number + 1
        return number


def _settle(before: Dose, taking: Taking | None, moment: Moment) -> Reminding:
    dose = before if taking is None else taken(replace(taking, dose=before))
    if dose.fixed_at is not None or dose.state in TAKEN_STATES:
        return Reminding(dose, None)
    if any(pause.plan_id == dose.plan_id and pause.covers(dose.due_at) for pause in moment.pauses):
        if moment.now >= dose.due_at:
            dose = replace(dose, state=DoseState.HELD, settled_at=dose.due_at)
        return Reminding(dose, None)
    if dose.state not in OPEN_STATES:
        return Reminding(dose, None)
    if moment.watermark is not None:
        heard = moment.heard.get(dose.device_no)
        dose = wait_for(hear(dose, heard, moment.watermark, moment.resend_after), moment.watermark)
    return remind(dose, moment.now)


def _say(dose: Dose, taking: Taking | None, moment: Moment, numbers: _Numbers) -> list[Said]:
    """What is to be said of a dose now, in order."""
    said: list[Said] = []
    if taking is not None and taking.decided is not None and _is_news(dose, taking):
        episode = numbers.take(dose.person_no, MISSED_RULE) if dose.episode is None else dose.episode
        said.append(taken_after_all(dose, taking.decided, episode))
    elif moment.watermark is not None and dose.fixed_at is None:
        said += _say_not_taken(dose, moment.watermark, numbers)
    dose = said[-1].dose if said else dose
    if taking is not None and dose.doubles > dose.double_said:
        new = dose.double_episode is None
        episode = numbers.take(dose.person_no, DOUBLE_RULE) if new else dose.double_episode or 0
        said.append(taken_again(dose, taking, episode))
    elif dose.double_said and not dose.doubles:
        said.append(not_taken_again(dose))
    return said


def _is_news(dose: Dose, taking: Taking) -> bool:
    """That it was taken, where it had been said that it was not, or nobody knew until it was reported late."""
    if dose.said_last is not None:
        return dose.said_last != "taken"
    late = taking.decided is not None and was_reported_late(taking.decided)
    return dose.unknown_since is not None and late


def _say_not_taken(dose: Dose, watermark: datetime, numbers: _Numbers) -> list[Said]:
    said: list[Said] = []
    is_open = dose.state in OPEN_STATES and dose.state is not DoseState.UNKNOWN and is_judged(dose, watermark)
    is_missed = dose.state is DoseState.MISSED
    if dose.said_last in {None, "taken"} and (is_missed or (is_open and dose.time_critical)):
        episode = numbers.take(dose.person_no, MISSED_RULE) if dose.episode is None else dose.episode
        said.append(not_taken(dose, episode))
        dose = said[-1].dose
    if is_missed and dose.time_critical and dose.said_last == "not_taken":
        said.append(missed(dose))
    return said
