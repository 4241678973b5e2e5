"""What may follow from a record besides findings: calls, looks back, questions, asks; what was passed over. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID, uuid5

from schemas.alerts import FINDING_NAMESPACE, Finding
from services.score.asks import Ask
from services.score.models.own_band import Doubt
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtedMeasurement:
    """What somebody has to say whose it is. ``samples`` are its readings, all of one moment.

    ``is_held``: no rule has seen it; else it was scored at once, because it may call for help, or because too many in
    a row were held.
    """

    subject: Subject
    samples: tuple[Sample, ...]
    doubt: Doubt
    is_held: bool

    def id_of(self, sample: Sample) -> UUID:
        """The same whenever the same uplink is stepped over again, and of a repetition under another number."""
        whose = f"{self.subject.person_no}|{sample.device_no}|{sample.vital}|{sample.at}"
        return uuid5(FINDING_NAMESPACE, f"held|{whose}")


Effect = Finding | FallCheck | SosCall | Ask | DoubtedMeasurement | Question | LookBack | QuarterLook


@dataclass(slots=True)
class Tally:
    """What was passed over, for the metrics."""

    duplicates: int = 0
    late: int = 0
    repeated: int = 0
