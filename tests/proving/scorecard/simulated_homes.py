"""Simulated homes that have their incidents together: who lives there, what happens, which numbers they have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from device_sim.adherence import Adherence
from device_sim.fleet import make_fleet
from device_sim.incidents import IncidentPlan
from device_sim.life import LifePlan
from device_sim.physiology import HOUR_MS
from device_sim.world import SimDevice, make_world
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.registry import Home, Register
from services.ingest.registry import BoundPerson, RegisteredDevice
from services.score.limit_book import NEVER, LimitBook, PersonCondition

START_MS: Final = 1_780_272_000_000
"""2026-06-01, midnight UTC."""
DAY_MS: Final = 24 * HOUR_MS
EVERY_H: Final = 48
"""Each kind of incident once in so many hours, in ten homes."""
_RATE: Final = 1.0
_NO_BAND_ONE_IN, _NO_BAND_PLACE = 5, 4
_TYPE_1_ONE_IN, _TYPE_1_PLACE = 4, 2
"""Of each four homes with a monitor of glucose, in the third somebody has type 1 diabetes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """Some homes and ``days`` of theirs. Numbers of people, homes and devices are those of their order."""

    register: Register
    plan: IncidentPlan
    days: float
    book: LimitBook
    entries: Mapping[str, RegisteredDevice]
    person_nos: Mapping[str, int]
    home_nos: Mapping[str, int]

    @property
    def end_ms(self) -> int:
        """When it is over."""
        return START_MS + round(self.days * DAY_MS)

    def devices_of(self, home_id: str) -> list[SimDevice]:
        """The devices of a home."""
        return [device for device in self.plan.world.devices if device.home_id == home_id]


def make_neighbourhood(*, homes: int, days: float, seed: int, every_h: int = EVERY_H) -> Neighbourhood:
    """The same for the same arguments. All that happens to its people is planned already."""
    fleet = make_fleet(homes=homes, seed=seed, start_ms=START_MS)
    register = fleet.model_copy(
        update={"homes": tuple(_with_bands(home, number) for number, home in enumerate(fleet.homes))}
    )
    type_1 = [
        str(device.bindings[0].person_id)
        for number, home in enumerate(register.homes)
        for device in home.devices
        if device.type == "cgm" and number % _TYPE_1_ONE_IN == _TYPE_1_PLACE
    ]
    world = make_world(register, seed, type_1=type_1)
    plan = LifePlan(world, start_ms=START_MS, rate=_RATE, every=every_h, adherence=Adherence(seed=seed))
    plan.ensure(START_MS + round(days * DAY_MS))
    person_nos = {name: number for number, name in enumerate(world.bodies, start=1)}
    home_nos = {str(home.home_id): number for number, home in enumerate(register.homes, start=1)}
    return Neighbourhood(
        register=register,
        plan=plan,
        days=days,
        book=LimitBook(
            conditions=[
                PersonCondition(person_no=person_nos[person], condition=condition, valid_from=0, valid_to=NEVER)
                for person, held in world.conditions_of.items()
                for condition in held
            ]
        ),
        entries={
            device.device: _entry(device, number, person_nos, home_nos[device.home_id])
            for number, device in enumerate(world.devices, start=1)
        },
        person_nos=person_nos,
        home_nos=home_nos,
    )


def _with_bands(home: Home, number: int) -> Home:
    """In four of five homes one person wears a band; of two people, the other uses what they share."""
    bands = [device for device in home.devices if device.type == "wearable_band"]
    without = bands[0 if number % _NO_BAND_ONE_IN == _NO_BAND_PLACE else 1 :]
    return home.model_copy(update={"devices": tuple(device for device in home.devices if device not in without)})


def _entry(device: SimDevice, number: int, person_nos: Mapping[str, int], home_no: int) -> RegisteredDevice:
    return RegisteredDevice(
        device_no=number,
        device=device.device,
        home_no=home_no,
        shard=device.shard,
        type=DEVICE_TYPE_BY_CODE[device.type],
        people={
            slot: (BoundPerson(person_no=person_nos[person], home_no=home_no, from_ms=0, to_ms=NEVER),)
            for slot, person in enumerate(device.people, start=1)
        },
    )
