"""Severity, Finding, and the states of alerts and of pages. What moves an alert is in ``alert_machine``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID, uuid5

FINDING_NAMESPACE: Final = UUID("5f0d7b52-6f0e-4e0c-9a35-2b8a8f6b6a11")


class Severity(IntEnum):
    """How soon somebody has to act (docs/clinical.md#urgency). TECHNICAL never shares the clinical channel."""

    TECHNICAL = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3


class EndReason(StrEnum):
    """Why an episode ended. Only ``recovered`` says that something got better."""

    RECOVERED = "recovered"
    """What was measured or done shows it: values past the off limit, an answer, a dose taken after all."""
    TURNED = "turned"
    """The opposite began: too fast became too slow."""
    DISPROVED = "disproved"
    """Late readings show that it never was."""
    NO_DATA = "no_data"
    """Nothing more is known: no reading, or no further event, for as long as the rule waits.

    Of a rule that rests on measurements this is a pause, and no end (``schemas.rule_names``).
    """


class Variant(StrEnum):
    """Whether a rule speaks, or is only tried beside those that do."""

    LIVE = "live"
    SHADOW = "shadow"
    """Its findings are kept apart, and alert nobody."""


Fact = str | int | float


class Message(NamedTuple):
    """What is said, without its words: a key of the message catalogues and what stands in the sentence.

    ``value`` and ``limit`` are in the unit of ``vital``, a vital's code.
    """

    key: str
    facts: Mapping[str, Fact] = MappingProxyType({})


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

    ``level`` 0 says that the episode has ended, with its reason; levels from 1 rise with severity. ``observed_at`` is
    when the condition was met, in platform milliseconds. Sentences are for people: no ids in them. They are made of
    ``message`` and ``facts``, so that they can be made again, in another language too. ``said`` numbers what is
    said of an episode, from 1; 0 where nothing is said twice. ``retrospective``: it became known too
    late to alert anybody. ``concern``: "" for a rule that has but one. ``looked_back``: it is of a look back,
    made of what had come later than the window of its rule. ``artefact``: the fitted model that decided, "" for none.
    ``known_by``: of what a due row decides, how far what was known reached, in ms; 0 of what follows from a record.
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
    message: str = ""
    facts: Mapping[str, Fact] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    end_reason: EndReason | None = None
    variant: Variant = Variant.LIVE
    concern: str = ""
    said: int = 0
    retrospective: bool = False
    looked_back: bool = False
    artefact: str = ""
    known_by: int = 0

    @property
    def finding_id(self) -> UUID:
        """The same for the same person or home, concern, variant, episode and number, however often asked.

        Where an episode says each level but once (``said`` 0), its level is as good as a number.
        """
        subject = f"person:{self.person_no}" if self.person_no else f"home:{self.home_no}"
        concern = self.concern or self.rule
        if self.variant is not Variant.LIVE:
            concern = f"{concern}|{self.variant}"
        which = f"said {self.said}" if self.said else f"{self.level}"
        return uuid5(FINDING_NAMESPACE, f"{subject}|{concern}|{self.episode}|{which}")


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
    HELD = "held"
    """By the quiet hours of its recipient."""
    WITHDRAWN = "withdrawn"
    """Not needed any more."""
