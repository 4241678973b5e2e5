"""Who lives in a scenario's home, who cares for them, and their devices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from device_sim.scenario.fields import Field, known, named
from device_sim.scenario.plans import PlanOfStory
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.devices.device_type import DeviceType

CONDITIONS: Final = ("copd", "heart_failure", "diabetes")
PRESCRIBED_TARGETS: Final = ("88-92",)
HOME: Final = "home"
"""Whom an expectation is about that is about nobody in particular."""
_OLDEST: Final = date(1880, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonOfStory:
    """Somebody cared for. ``spo2_target`` is the prescribed range in %, "" for none."""

    born: date
    conditions: tuple[str, ...] = ()
    spo2_target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOfStory:
    """A device; ``people`` by user slot. ``heartbeat_ms``: how often it sends an uplink without items, 0: never."""

    type: DeviceType
    people: Mapping[int, str]
    heartbeat_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """What the register says. Carers are by name with those they care for."""

    people: Mapping[str, PersonOfStory] = field(default_factory=dict)
    doctors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    caregivers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    devices: Mapping[str, DeviceOfStory] = field(default_factory=dict)
    plans: Mapping[str, PlanOfStory] = field(default_factory=dict)


def read_people(found: Field) -> dict[str, PersonOfStory]:
    """``people:`` by name."""
    people = {}
    for name, one in named(found).items():
        row = one.row(required=("born",), optional=("conditions", "spo2_target"))
        born = row["born"].day()
        if not _OLDEST <= born <= date(2026, 12, 31):
            row["born"].refuse(f"nobody cared for was born on {born}")
        conditions = row["conditions"].rows() if "conditions" in row else ()
        people[name] = PersonOfStory(
            born=born,
            conditions=tuple(condition.choice(CONDITIONS) for condition in conditions),
            spo2_target=row["spo2_target"].choice(PRESCRIBED_TARGETS) if "spo2_target" in row else "",
        )
    return people


def read_carers(found: Field, people: Mapping[str, PersonOfStory]) -> dict[str, tuple[str, ...]]:
    """``doctors:`` or ``caregivers:`` by name."""
    return {name: tuple(known(person, people, "person") for person in one.rows()) for name, one in named(found).items()}


def read_devices(found: Field, people: Mapping[str, PersonOfStory]) -> dict[str, DeviceOfStory]:
    """``devices:`` by name."""
    devices = {}
    for name, one in named(found).items():
        row = one.row(required=("type", "of"), optional=("heartbeat",))
        kind = DEVICE_TYPE_BY_CODE[row["type"].choice(DEVICE_TYPE_BY_CODE)]
        devices[name] = DeviceOfStory(
            type=kind,
            people=_bound(row["of"], kind, people),
            heartbeat_ms=row["heartbeat"].length() if "heartbeat" in row else 0,
        )
    return devices


def _bound(found: Field, kind: DeviceType, people: Mapping[str, PersonOfStory]) -> dict[int, str]:
    if not isinstance(found.value, dict):
        return {1: known(found, people, "person")}
    bound = {}
    for slot, person in found.mapping().items():
        if not isinstance(slot, int) or not 1 <= slot <= kind.slots:
            person.refuse(f"{slot!r} is no user slot of a {kind.code}, which has {kind.slots}")
        bound[slot] = known(person, people, "person")
    return bound
