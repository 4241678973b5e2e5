"""Notifications and audit: every alert reaches somebody, in order, in time, and no state changes unrecorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from schemas.rule_names import LISTED

_STEPS: Final = """
select s.alert_id::text as alert_id, s.step, s.state, s.due_at, s.suppressed,
       min(o.created_at) as fired_at,
       count(o.channel) filter (where o.state not in ('held', 'withdrawn')) as notifications,
       count(o.channel) filter (where o.state = 'sent') as sent,
       count(o.channel) filter (where o.state in ('held', 'withdrawn')) as held
from escalation_steps s left join notifications o using (alert_id, step)
group by s.alert_id, s.step, s.state, s.due_at, s.suppressed
order by s.alert_id, s.step
"""
_ALERTS: Final = "select alert_id::text as alert_id, state from alerts"
_AUDIT: Final = """
select u.alert_id::text as alert_id, u.at, u.what, u.from_state, u.to_state,
       a.severity > 0 and not a.rule = any ($1::text[]) as clinical
from alert_audit u join alerts a using (alert_id)
order by u.alert_id, u.audit_no
"""
_BEGINS: Final = frozenset({"opened", "raised", "reopened", "called_again"})
_PLANNED: Final = frozenset({"repeated", "notified"})
_NOTIFIES: Final = _BEGINS | _PLANNED
"""What the trail calls a time at which people are notified; not of technical alerts, which the console alone shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A time at which people are notified of an alert; ``fired_at`` is None where no notification was made.

    ``held``: by quiet hours, for the time being or until it was not needed any more; not among ``notifications``.
    ``suppressed``: another alert said as much, so that nobody was notified.
    """

    alert_id: str
    step: int
    state: str
    due_at: datetime
    fired_at: datetime | None
    notifications: int
    sent: int
    held: int = 0
    suppressed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One row of the audit trail, in the order in which the alert changed. ``at`` is platform time.

    ``clinical``: its alert is one that people are notified of.
    """

    alert_id: str
    at: datetime
    what: str
    from_state: str | None
    to_state: str
    clinical: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """What notifies people was away, platform time."""

    start: datetime
    end: datetime


@dataclass(slots=True, kw_only=True)
class Escalations:
    """The verdict. ``late`` counts from the due time, or from the end of an outage in which it lay.

    ``after_answer``: notified, or still to be, though somebody took the alert on. ``unnotified``: an alert began, or
    became graver, and no notification of that time was delivered.
    """

    steps: int = 0
    unnotified: int = 0
    unsent: int = 0
    undelivered: int = 0
    early: int = 0
    late: int = 0
    out_of_order: int = 0
    after_answer: int = 0
    unrecorded: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def hold(self) -> bool:
        """Whether nothing was found."""
        return not self.examples


async def load(dsn: str) -> tuple[list[Step], dict[str, str], list[Change]]:
    """Steps, alerts with their state, and the audit trail."""
    connection = await asyncpg.connect(dsn)
    try:
        steps = [Step(**dict(row)) for row in await connection.fetch(_STEPS)]
        states = {row["alert_id"]: row["state"] for row in await connection.fetch(_ALERTS)}
        changes = [Change(**dict(row)) for row in await connection.fetch(_AUDIT, sorted(LISTED))]
    finally:
        await connection.close()
    return steps, states, changes


def judge_steps(
    steps: Sequence[Step], outages: Sequence[Outage], *, allowed: timedelta, ended_at: datetime
) -> Escalations:
    """I2 and I3: a step that was taken made notifications: all delivered, in order, not early and not long overdue.

    One that waits is not overdue at the end. ``allowed`` and ``ended_at`` are platform time.
    """
    verdict = Escalations(steps=sum(one.state == "done" for one in steps))
    before: dict[str, datetime] = {}
    for one in steps:
        if one.state == "pending" and _possible_from(one.due_at, outages) + allowed < ended_at:
            _note(verdict, "late", one)
        if one.state != "done" or one.suppressed:
            continue
        if one.fired_at is None:
            _note(verdict, "unsent", one)
            continue
        if one.sent < one.notifications:
            _note(verdict, "undelivered", one)
        if one.fired_at < one.due_at:
            _note(verdict, "early", one)
        if one.fired_at > _possible_from(one.due_at, outages) + allowed:
            _note(verdict, "late", one)
        if one.fired_at < before.get(one.alert_id, one.fired_at):
            _note(verdict, "out_of_order", one)
        before[one.alert_id] = one.fired_at
    return verdict


def judge_answers(
    verdict: Escalations, steps: Sequence[Step], states: Mapping[str, str], changes: Sequence[Change]
) -> None:
    """I3: by its trail, nobody is notified of an alert that is not open; every notification is in the trail."""
    open_now: dict[str, bool] = {}
    notified: dict[tuple[str, datetime], bool] = {}
    for change in changes:
        if change.what in _NOTIFIES:
            # Opening, raising and reopening make it open themselves; only what was planned needs it to
            # be.
            still_open = change.what not in _PLANNED or open_now.get(change.alert_id, False)
            notified[change.alert_id, change.at] = still_open
        open_now[change.alert_id] = change.to_state == "open"
    for one in steps:
        if one.state == "done" and one.fired_at is not None:
            was_open = notified.get((one.alert_id, one.fired_at))
            if was_open is None:
                _note(verdict, "unrecorded", one)
            elif not was_open:
                _note(verdict, "after_answer", one)
        elif (one.state == "cancelled" and one.notifications) or (
            one.state == "pending" and states[one.alert_id] != "open"
        ):
            _note(verdict, "after_answer", one)


def judge_notified(verdict: Escalations, steps: Sequence[Step], changes: Sequence[Change]) -> None:
    """I2: whenever an alert opens, rises or opens again, a notification of that moment is delivered to somebody.

    Or quiet hours hold it, or another alert says as much.
    """
    delivered = {(one.alert_id, one.fired_at) for one in steps if one.state == "done" and (one.sent or one.held)}
    delivered |= {(one.alert_id, one.at) for one in changes if one.what == "suppressed"}
    for change in changes:
        if change.clinical and change.what in _BEGINS and (change.alert_id, change.at) not in delivered:
            verdict.unnotified += 1
            verdict.examples.append(f"unnotified: alert {change.alert_id} {change.what} at {change.at}")


def judge_audit(verdict: Escalations, states: Mapping[str, str], changes: Sequence[Change]) -> None:
    """I5: the trail of each alert is a chain that begins with nothing and ends with its state."""
    last: dict[str, str | None] = dict.fromkeys(states)
    for change in changes:
        if change.from_state != last.get(change.alert_id):
            verdict.unrecorded += 1
            verdict.examples.append(f"unrecorded: alert {change.alert_id} was {last.get(change.alert_id)}")
        last[change.alert_id] = change.to_state
    for alert_id, state in states.items():
        if last[alert_id] != state:
            verdict.unrecorded += 1
            verdict.examples.append(f"unrecorded: alert {alert_id} is {state}")


def _possible_from(due_at: datetime, outages: Sequence[Outage]) -> datetime:
    """When it could be taken at the earliest: outages may follow one another."""
    possible = due_at
    # In their order: the end of one may lie within the next.
    for outage in sorted(outages, key=lambda one: one.start):
        if outage.start <= possible <= outage.end:
            possible = outage.end
    return possible


def _note(verdict: Escalations, what: str, step: Step) -> None:
    setattr(verdict, what, getattr(verdict, what) + 1)
    verdict.examples.append(f"{what.replace('_', ' ')}: alert {step.alert_id} step {step.step}")
