"""An alert that is not closed, what can happen to it, and where each of that leads: one table. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

from schemas.alerts import AlertState, Severity
from schemas.rule_names import LISTED


class Happened(StrEnum):
    """What happened to an alert; the ``what`` of its trail."""

    OPENED = "opened"
    RAISED = "raised"
    REOPENED = "reopened"
    CALLED_AGAIN = "called_again"
    JOINED = "joined"
    NOTED = "noted"
    EPISODE_ENDED = "episode_ended"
    TURNED = "turned"
    DISPROVED = "disproved"
    ENDED = "ended"
    REPEATED = "repeated"
    NOTIFIED = "notified"
    SUPPRESSED = "suppressed"
    ACKNOWLEDGED = "acknowledged"
    OUTCOME_SAID = "outcome_said"
    FINISHED = "finished"
    CLOSED = "closed"


_OPEN, _TAKEN_ON, _CLOSED = AlertState.OPEN, AlertState.ACKNOWLEDGED, AlertState.CLOSED
TRANSITIONS: Final[Mapping[tuple[AlertState | None, Happened], AlertState]] = MappingProxyType(
    {
        (None, Happened.OPENED): _OPEN,
        (_OPEN, Happened.RAISED): _OPEN,
        (_OPEN, Happened.CALLED_AGAIN): _OPEN,
        (_OPEN, Happened.JOINED): _OPEN,
        (_OPEN, Happened.NOTED): _OPEN,
        (_OPEN, Happened.EPISODE_ENDED): _OPEN,
        (_OPEN, Happened.TURNED): _OPEN,
        (_OPEN, Happened.DISPROVED): _OPEN,
        (_OPEN, Happened.ENDED): _OPEN,
        (_OPEN, Happened.REPEATED): _OPEN,
        (_OPEN, Happened.NOTIFIED): _OPEN,
        (_OPEN, Happened.SUPPRESSED): _OPEN,
        (_OPEN, Happened.OUTCOME_SAID): _OPEN,
        (_OPEN, Happened.ACKNOWLEDGED): _TAKEN_ON,
        (_TAKEN_ON, Happened.REOPENED): _OPEN,
        (_TAKEN_ON, Happened.NOTED): _TAKEN_ON,
        (_TAKEN_ON, Happened.EPISODE_ENDED): _TAKEN_ON,
        (_TAKEN_ON, Happened.TURNED): _TAKEN_ON,
        (_TAKEN_ON, Happened.DISPROVED): _TAKEN_ON,
        (_TAKEN_ON, Happened.OUTCOME_SAID): _TAKEN_ON,
        (_TAKEN_ON, Happened.FINISHED): _CLOSED,
        (_TAKEN_ON, Happened.CLOSED): _CLOSED,
        (_CLOSED, Happened.OUTCOME_SAID): _CLOSED,
    }
)
"""Where an alert is after what happened to it; whatever is not in here can't happen.

Only somebody's acknowledgement takes an alert out of ``open``. Nothing leads out of ``closed``: what came of an alert
may be said later still.
"""


class IllegalTransitionError(ValueError):
    """That can't happen to an alert in that state: a bug, or an old version of the alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAlert:
    """An alert, and what goes on of it. Times are platform milliseconds.

    ``severity`` and ``level`` are the highest since it last opened, at ``opened_at``; ``active_severity`` and
    ``active_level`` those of what goes on, or went on last. ``first_at`` is when it began. ``episodes_since_open``
    counts from ``opened_at``, ``episodes`` from ``first_at``. ``ended_at`` is when the condition recovered.
    """

    alert_id: UUID
    home_no: int
    person_no: int
    rule: str
    concern: str
    severity: Severity
    level: int
    active_severity: Severity
    active_level: int
    state: AlertState
    episode: int
    episodes: int
    episodes_since_open: int
    active_episodes: tuple[int, ...]
    first_at: int
    opened_at: int
    condition_at: int
    doctor_text: str
    caregiver_text: str
    rationale: str
    unverified: bool
    ended_at: int | None = None
    acknowledged_at: int | None = None
    acknowledged_by: int | None = None
    acknowledged_note: str | None = None
    closed_at: int | None = None
    version: int = 0

    @property
    def goes_on(self) -> bool:
        """Whether something of it goes on, or has paused: nothing has shown that it is over."""
        return bool(self.active_episodes)

    @property
    def notifies(self) -> bool:
        """Whether people are notified of it at all. Technical alerts, and listed ones, are shown on the console."""
        return self.active_severity >= Severity.MEDIUM and self.rule not in LISTED


class Step(NamedTuple):
    """One way through ``TRANSITIONS``; a line of the trail."""

    happened: Happened
    before: AlertState | None
    after: AlertState


def step_of(before: AlertState | None, happened: Happened) -> Step:
    """The transition of that name. Raises IllegalTransitionError where there is none."""
    after = TRANSITIONS.get((before, happened))
    if after is None:
        raise IllegalTransitionError(f"{happened} can't happen to an alert that is {before or 'not there'}")
    return Step(happened, before, after)
