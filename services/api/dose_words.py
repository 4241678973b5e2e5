"""Doses and their evidence in words: how each stands or ended, and why. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from schemas.doses import REPORTED_LATE_MIN, DoseState, EvidenceRole
from schemas.events import EVENT_TYPE_BY_NUMBER
from schemas.presentation import spelled_out
from services.api.plan_words import listed

_REPORTED_LATE: Final = timedelta(minutes=REPORTED_LATE_MIN)
_ROLES: Final[Mapping[EvidenceRole, str]] = MappingProxyType(
    {
        EvidenceRole.DECIDED: "this is the taking",
        EvidenceRole.SAME: "part of the same taking",
        EvidenceRole.DOUBLE: "one taking too many",
        EvidenceRole.EMPTY: "the cup was empty: no taking",
        EvidenceRole.HELD: "while the plan was paused",
    }
)
_STATES: Final[Mapping[DoseState, str]] = MappingProxyType(
    {
        DoseState.REMINDED: "Reminded",
        DoseState.TAKEN: "Taken",
        DoseState.EARLY: "Taken early",
        DoseState.LATE: "Taken late",
        DoseState.MISSED: "Missed",
        DoseState.DOUBLE: "Taken twice",
        DoseState.UNKNOWN: "Not known",
        DoseState.HELD: "Held",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """An event that a dose rests on. ``received_at`` None: not known any more."""

    what: str
    role: EvidenceRole
    observed_at: datetime
    received_at: datetime | None

    @property
    def is_reported_late(self) -> bool:
        return self.received_at is not None and self.received_at - self.observed_at > _REPORTED_LATE

    def words(self, zone: ZoneInfo) -> str:
        """What happened and what it counts for."""
        said = f"{spelled_out(self.what)} at {local(self.observed_at, zone)}: {_ROLES[self.role]}"
        if self.is_reported_late and self.received_at is not None:
            said += f"; reported late, at {local(self.received_at, zone)}"
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """When a plan was paused, by whom and why. ``until`` None: until somebody resumes it."""

    since: datetime
    until: datetime | None
    why: str
    by: str

    def covers(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDose:
    """A dose with what it rests on, as a calendar shows it."""

    row: Mapping[str, Any]
    evidence: Sequence[Evidence]
    pause: Pause | None
    zone: ZoneInfo

    @property
    def state(self) -> DoseState:
        return DoseState(self.row["state"])

    @property
    def decided(self) -> Evidence | None:
        """What took it, if anything did."""
        return next((one for one in self.evidence if one.role is EvidenceRole.DECIDED), None)

    @property
    def reported_late(self) -> bool:
        """Whether the taking became known only well after it happened."""
        return self.decided is not None and self.decided.is_reported_late

    def badge(self, now: datetime) -> str:
        """How it stands, in two words."""
        if self.state is DoseState.PENDING:
            return "Not due yet" if self.row["due_at"] > now else "Due"
        return _STATES[self.state]

    def words(self, now: datetime) -> str:
        """How it stands and why, in a sentence or two."""
        words = _pending(self, now) if self.state is DoseState.PENDING else _EXPLAINED[self.state](self)
        if self.reported_late and self.decided is not None and self.decided.received_at is not None:
            words += f" Reported late: the dispenser's message came only at {_at(self, self.decided.received_at)}."
        return words


def _at(dose: ShownDose, at: datetime) -> str:
    return local(at, dose.zone)


def _window(dose: ShownDose) -> str:
    return f"{_at(dose, dose.row['opens_at'])} to {_at(dose, dose.row['closes_at'])}"


def _taken_at(dose: ShownDose) -> str:
    at = dose.decided.observed_at if dose.decided else dose.row["settled_at"]
    return "" if at is None else f" at {_at(dose, at)}"


def _pending(dose: ShownDose, now: datetime) -> str:
    if dose.row["due_at"] > now:
        return f"On time from {_window(dose)}."
    return f"Not taken yet. On time until {_at(dose, dose.row['closes_at'])}."


def _reminded(dose: ShownDose) -> str:
    return f"Reminded {dose.row['reminders']} times, not taken yet. On time until {_at(dose, dose.row['closes_at'])}."


def _taken(dose: ShownDose) -> str:
    if dose.row["as_needed"]:
        return f"Taken as needed{_taken_at(dose)}."
    return f"Taken{_taken_at(dose)}, in its window ({_window(dose)})."


def _early(dose: ShownDose) -> str:
    return f"Taken{_taken_at(dose)}, before its window opened at {_at(dose, dose.row['opens_at'])}."


def _late(dose: ShownDose) -> str:
    return f"Taken{_taken_at(dose)}, after its window closed at {_at(dose, dose.row['closes_at'])}."


def _missed(dose: ShownDose) -> str:
    words = f"Not taken by {_at(dose, dose.row['missed_at'])}, from when on it can't be taken any more."
    if any(one.role is EvidenceRole.EMPTY for one in dose.evidence):
        words += " The cup was lifted, but it was empty."
    return words


def _double(dose: ShownDose) -> str:
    again = [_at(dose, one.observed_at) for one in dose.evidence if one.role is EvidenceRole.DOUBLE]
    if dose.row["as_needed"]:
        return f"Taken{_taken_at(dose)}, too soon after the one before, or once too often that day."
    then = f" and again at {listed(again)}" if again else " more than once"
    dangerous = " Taking this drug twice is dangerous." if dose.row["listed"] else ""
    return f"Taken{_taken_at(dose)}{then}: more than one dose may have been swallowed.{dangerous}"


def _unknown(dose: ShownDose) -> str:
    since = dose.row["unknown_since"] or dose.row["closes_at"]
    return (
        f"Nobody knows whether it was taken: the dispenser has not been heard since {_at(dose, since)}, and the"
        " window has closed. It is settled once the dispenser is heard again."
    )


def _held(dose: ShownDose) -> str:
    words = "Held: the plan was paused."
    if dose.pause is not None:
        words = f"Held: paused by {dose.pause.by} (“{dose.pause.why}”)."
    if dose.evidence:
        words += " The cup was lifted all the same."
    return words


_EXPLAINED: Final[Mapping[DoseState, Callable[[ShownDose], str]]] = MappingProxyType(
    {
        DoseState.REMINDED: _reminded,
        DoseState.TAKEN: _taken,
        DoseState.EARLY: _early,
        DoseState.LATE: _late,
        DoseState.MISSED: _missed,
        DoseState.DOUBLE: _double,
        DoseState.UNKNOWN: _unknown,
        DoseState.HELD: _held,
    }
)


def local(at: datetime, zone: ZoneInfo) -> str:
    """A moment in few words, in the dose's zone."""
    return f"{at.astimezone(zone):%d %b, %H:%M}"


def shown_doses(
    doses: Iterable[Mapping[str, Any]], evidence: Iterable[Mapping[str, Any]], pauses: Iterable[Mapping[str, Any]]
) -> list[ShownDose]:
    """Doses with what they rest on, by the rows of ``calendar``, ``evidence_of`` and ``pauses_between``."""
    by_dose: dict[Any, list[Evidence]] = {}
    for row in evidence:
        by_dose.setdefault(row["dose_id"], []).append(
            Evidence(
                what=EVENT_TYPE_BY_NUMBER[row["kind"]].kind,
                role=EvidenceRole(row["role"]),
                observed_at=row["observed_at"],
                received_at=row["received_at"],
            )
        )
    by_plan: dict[Any, list[Pause]] = {}
    for row in pauses:
        pause = Pause(since=row["paused_at"], until=row["paused_until"], why=row["why"], by=row["paused_by"])
        by_plan.setdefault(row["plan_id"], []).append(pause)
    return [
        ShownDose(
            row=row,
            evidence=by_dose.get(row["dose_id"], []),
            pause=next((one for one in by_plan.get(row["plan_id"], ()) if one.covers(row["due_at"])), None),
            zone=ZoneInfo(row["zone"]),
        )
        for row in doses
    ]
