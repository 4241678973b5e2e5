"""Severity, Finding, and the states of alerts and of pages. What moves an alert is in ``alert_machine``."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final
from uuid import UUID, uuid5

FINDING_NAMESPACE: Final = UUID("5f0d7b52-6f0e-4e0c-9a35-2b8a8f6b6a11")


class Severity(IntEnum):
    """How soon somebody has to act (docs/clinical.md#urgency). TECHNICAL never shares the clinical channel."""

    TECHNICAL = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A reading or an event that a finding rests on. ``value`` is in the vital's unit, None for an event."""

    what: str
    value: float | None
    observed_at: int
    device_no: int
    epoch: int
    seq: int
    item: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule or a plan says about a person (or, with ``person_no`` 0, about a home).

    ``level`` 0 says that the episode has ended; levels from 1 rise with severity. ``observed_at`` is when the
    condition was met, in platform milliseconds. Sentences are for people: no ids in them.
    """

    person_no: int
    home_no: int
    rule: str
    rule_version: int
    episode: int
    level: int
    severity: Severity
    observed_at: int
    evidence: tuple[Evidence, ...]
    doctor_text: str
    caregiver_text: str
    rationale: str
    unverified: bool = False

    @property
    def finding_id(self) -> UUID:
        """The same for the same person or home, rule, episode and level, however often asked."""
        subject = f"person:{self.person_no}" if self.person_no else f"home:{self.home_no}"
        return uuid5(FINDING_NAMESPACE, f"{subject}|{self.rule}|{self.episode}|{self.level}")


class AlertState(StrEnum):
    """Where an alert stands. Only ``open`` is waiting for somebody; an unanswered alert never expires."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class DeliveryState(StrEnum):
    """What became of one notification to one recipient over one channel."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
