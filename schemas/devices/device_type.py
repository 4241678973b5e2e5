"""What HearthBeat knows about a kind of device."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from schemas.events import EventKind
from schemas.messages import CommandKind
from schemas.vitals import VITAL_BY_CODE, Vital


class Measuring(StrEnum):
    """How a device comes to a reading."""

    CONTINUOUS = "continuous"
    """Worn: it measures by itself, so only what lasts says something."""
    SPOT = "spot"
    """When somebody asks: each reading says what it says."""
    NOTHING = "nothing"
    """It reports events alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceType:
    """A kind of device: what it may report, how many people share it, how often it is heard.

    ``reports_every_s`` is the usual distance of its uplinks in seconds; ``silent_after_s`` is how long, on the
    received clock, until its silence is worth a finding (None: it is used at will, silence says nothing).
    ``slots`` above 1 means that each reading must name the user slot it belongs to, from 1. ``number`` names the type
    in records of the bus, and never changes. ``former_names`` are vitals as older firmware of this type calls them, and
    what each of them is: such a reading is taken as what it is. ``commands`` are those that it can obey.
    """

    number: int
    code: str
    label: str
    vitals: tuple[str, ...]
    events: tuple[EventKind, ...]
    reports_every_s: int
    silent_after_s: int | None
    rationale: str
    measuring: Measuring
    slots: int = 1
    commands: tuple[CommandKind, ...] = ()
    former_names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def vital_of(self, name: object) -> Vital | None:
        """What a device of this type means by the name of a vital; None where no vital has such a name."""
        return VITAL_BY_CODE.get(self.former_names.get(name, name)) if isinstance(name, str) else None
