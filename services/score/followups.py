"""What may follow from a record besides findings: calls, looks back, questions, asks; what was passed over. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple

from schemas.alerts import Finding
from services.score.asks import Ask
from services.score.news2 import Look
from services.score.questions import Question
from services.score.rule import Subject
from services.score.sample import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class FallCheck:
    """A suspected fall that has until ``due_at`` to be answered. ``sample`` names the event."""

    subject: Subject
    episode: int
    sample: Sample
    due_at: int
    received_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SosCall:
    """A press of the SOS button, heard at ``received_at``. ``said`` numbers it.

    The call of ``episode`` goes on until ``due_at`` at least.
    """

    subject: Subject
    episode: int
    sample: Sample
    due_at: int
    said: int
    received_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LookBack:
    """What readings of ``[first_at, last_at]``, the last received at ``received_at``, mean to a rule is in the rows.

    All but when each device, by its number, first showed that it is worn, in ms: that may be long ago.
    """

    subject: Subject
    rule: str
    first_at: int
    last_at: int
    received_at: int
    worn_since: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    def with_all_of(self, other: "LookBack") -> "LookBack":
        """One that does for both, which are of the same person and rule."""
        return replace(
            self,
            first_at=min(self.first_at, other.first_at),
            last_at=max(self.last_at, other.last_at),
            received_at=max(self.received_at, other.received_at),
            worn_since={**self.worn_since, **other.worn_since},
        )


class QuarterLook(NamedTuple):
    """A person's NEWS2 at a quarter hour, which takes the place of what was known of it."""

    person_no: int
    look: Look


Effect = Finding | FallCheck | SosCall | Ask | Question | LookBack | QuarterLook


@dataclass(slots=True)
class Tally:
    """What was passed over, for the metrics."""

    duplicates: int = 0
    late: int = 0
    repeated: int = 0
