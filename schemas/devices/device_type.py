"""What HearthBeat knows about a kind of device."""

from dataclasses import dataclass

from schemas.events import EventKind


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceType:
    """A kind of device: what it may report, how many people share it, how often it is heard.

    ``reports_every_s`` is the usual distance of its uplinks in seconds; ``silent_after_s`` is how long, on the
    received clock, until its silence is worth a finding (None: it is used at will, silence says nothing).
    ``slots`` above 1 means that each reading must name the user slot it belongs to, from 1.
    """

    code: str
    label: str
    vitals: tuple[str, ...]
    events: tuple[EventKind, ...]
    reports_every_s: int
    silent_after_s: int | None
    rationale: str
    slots: int = 1
