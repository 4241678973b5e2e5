"""What a probe of one part of the platform gives: conditions that hold now, and counters whose rise is an incident."""

from dataclasses import dataclass, field
from typing import Protocol

from services.watch.core import Condition, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A counter's value now. ``counter`` names it for ever; a rise is a condition of ``kind`` and ``subject``.

    ``born``: since when it counts, where that is known (Unix seconds, else 0): one that began anew began from 0.
    """

    kind: Kind
    counter: str
    value: int
    subject: str = ""
    born: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What was seen."""

    conditions: list[Condition] = field(default_factory=list)
    counted: list[Counted] = field(default_factory=list)


class Probe(Protocol):
    """Probes one part of the platform."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """What it can find; of these nothing is known while it can't probe."""

    async def probe(self, now: int) -> ProbeResult:
        """``now`` in real ms. Raises LOST_CONNECTION or RetryLaterError where it can't probe."""
