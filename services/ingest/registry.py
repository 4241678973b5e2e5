"""What ingest knows of devices: a snapshot of the tables, never older than it may be."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.devices.device_type import DeviceType


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundPerson:
    """Whose the readings of a slot are, over ``[from_ms, to_ms)`` of observed time."""

    person_no: int
    home_no: int
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredDevice:
    """A device as registered. ``people`` by slot."""

    device_no: int
    device: str
    home_no: int
    shard: int
    type: DeviceType
    people: Mapping[int, tuple[BoundPerson, ...]]

    def person_at(self, slot: int, observed_at: int) -> BoundPerson | None:
        """Who had the slot at ``observed_at`` (ms)."""
        for person in self.people.get(slot, ()):
            if person.from_ms <= observed_at < person.to_ms:
                return person
        return None


Registry = Mapping[str, RegisteredDevice]


def build_registry(devices: Iterable[Mapping[str, Any]], bindings: Iterable[Mapping[str, Any]]) -> Registry:
    """A snapshot from the rows of the queries ``devices`` and ``bindings``.

    A device of a type that only a newer version knows is left out: its uplinks stay with it, unacknowledged.
    """
    people: dict[int, dict[int, tuple[BoundPerson, ...]]] = {}
    for row in bindings:
        person = BoundPerson(
            person_no=row["person_no"], home_no=row["home_no"], from_ms=row["from_ms"], to_ms=row["to_ms"]
        )
        slots = people.setdefault(row["device_no"], {})
        slots[row["slot"]] = (*slots.get(row["slot"], ()), person)
    return {
        row["device"]: RegisteredDevice(
            device_no=row["device_no"],
            device=row["device"],
            home_no=row["home_no"],
            shard=row["shard"],
            type=DEVICE_TYPE_BY_CODE[row["device_type"]],
            people=people.get(row["device_no"], {}),
        )
        for row in devices
        if row["device_type"] in DEVICE_TYPE_BY_CODE
    }
