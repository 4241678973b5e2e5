"""The register as the simulator sees it: who has which devices, where, and when their doses are."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from device_sim.physiology import Body, make_body
from schemas.limits import Condition
from schemas.registry import Register
from schemas.topics import shard_of

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """One dose of a plan: when it is due, from which compartment."""

    at_ms: int
    compartment: int
    time_critical: bool

    def is_with(self, other: "Dose") -> bool:
        """Whether both lie in one cup at one time."""
        return (self.at_ms, self.compartment) == (other.at_ms, other.compartment)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimDevice:
    """A device and the people its slots belong to, slot 1 first."""

    device: str
    type: str
    home_id: str
    people: tuple[str, ...]
    shard: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A dose plan of one person: wall-clock times of the home's zone, each day."""

    drug: str
    device: str
    person_id: str
    zone: ZoneInfo
    compartment: int
    minutes: tuple[int, ...]
    time_critical: bool

    def doses(self, first_ms: int, last_ms: int) -> Iterator[Dose]:
        """The doses due in [first_ms, last_ms)."""
        # A day more on both sides, as the zone's date and the UTC date may differ.
        day = datetime.fromtimestamp(first_ms / 1000, UTC).astimezone(self.zone).date() - _DAY
        last_day = datetime.fromtimestamp(last_ms / 1000, UTC).astimezone(self.zone).date() + _DAY
        while day <= last_day:
            for minute in self.minutes:
                at_ms = wall_ms(day, minute, self.zone)
                if first_ms <= at_ms < last_ms:
                    yield Dose(at_ms=at_ms, compartment=self.compartment, time_critical=self.time_critical)
            day += _DAY


def wall_ms(day: date, minute: int, zone: ZoneInfo) -> int:
    """Platform time of a minute of a day on a zone's wall clock."""
    wall = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
    return round(wall.timestamp() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everybody and everything of a register, with a body for each person."""

    seed: int
    devices: tuple[SimDevice, ...]
    bodies: dict[str, Body]
    home_of: dict[str, str]
    plans: tuple[Plan, ...]
    conditions_of: Mapping[str, Collection[Condition]] = field(default_factory=dict)

    def devices_of(self, person_id: str, *types: str) -> Sequence[SimDevice]:
        """The person's own devices of these types (slot 1)."""
        return [row for row in self.devices if row.type in types and row.people and row.people[0] == person_id]

    def plans_of(self, device: str) -> Sequence[Plan]:
        """What a dispenser has to give out."""
        return [plan for plan in self.plans if plan.device == device]


def make_world(register: Register, seed: int, *, type_1: Collection[str] = ()) -> World:
    """The same for the same register and seed. ``type_1``: who has type 1 diabetes, by the name of the person."""
    devices: list[SimDevice] = []
    plans: list[Plan] = []
    bodies: dict[str, Body] = {}
    home_of: dict[str, str] = {}
    for home in register.homes:
        for person in home.people:
            name = str(person.person_id)
            bodies[name] = make_body(seed, name, home.time_zone, type_1=name in type_1)
            home_of[name] = str(home.home_id)
            plans += [
                Plan(
                    drug=plan.drug,
                    device=plan.device,
                    person_id=name,
                    zone=ZoneInfo(home.time_zone),
                    compartment=plan.compartment,
                    minutes=tuple(at.hour * 60 + at.minute for at in plan.at),
                    time_critical=plan.time_critical,
                )
                for plan in person.plans
            ]
        devices += [
            SimDevice(
                device=device.device,
                type=device.type,
                home_id=str(home.home_id),
                people=tuple(str(row.person_id) for row in sorted(device.bindings, key=lambda row: row.slot)),
                shard=shard_of(device.device),
            )
            for device in home.devices
        ]
    return World(
        seed=seed,
        devices=tuple(devices),
        bodies=bodies,
        home_of=home_of,
        plans=tuple(plans),
        conditions_of={
            str(person.person_id): person.conditions or () for home in register.homes for person in home.people
        },
    )
