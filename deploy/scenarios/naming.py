"""What the people, devices and plans of each scenario are called on a platform that several of them share."""

from dataclasses import dataclass
from datetime import date
from hashlib import blake2s
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

from device_sim.scenario.household import Household, PersonOfStory
from device_sim.scenario.plans import PlanOfStory
from device_sim.scenario.scenario import Scenario
from schemas.limits import Condition
from schemas.registry import Binding, Device, Doctor, DosePlan, Home, Person, Register
from services.runtime.clock import to_datetime

_DOMAIN: Final = "scenario.example"
_SAME_FIELDS: Final = (
    *("compartment", "drug", "strength", "count", "at", "weekdays", "every_days", "as_needed", "time_critical"),
    *("listed", "stock"),
)


@dataclass(frozen=True, slots=True)
class Names:
    """Of one scenario: the same in every run."""

    scenario: Scenario

    def _id(self, kind: str, name: str) -> UUID:
        return uuid5(NAMESPACE_URL, f"urn:hearthbeat:scenario:{self.scenario.name}:{kind}:{name}")

    @property
    def home(self) -> UUID:
        """The home's id."""
        return self._id("home", "")

    def person(self, name: str) -> UUID:
        """A person's id."""
        return self._id("person", name)

    def plan(self, name: str) -> UUID:
        """A plan's id."""
        return self._id("plan", name)

    def device(self, name: str) -> str:
        """A device's name at the broker, of at most 63 letters."""
        tag = blake2s(self.scenario.name.encode(), digest_size=5).hexdigest()
        return f"s-{tag}-{name.replace('_', '-')}"

    def email(self, name: str) -> str:
        """Where a doctor or a caregiver is notified."""
        tag = blake2s(self.scenario.name.encode(), digest_size=5).hexdigest()
        return f"{name}.{tag}@{_DOMAIN}"

    def register(self, household: Household, *, devices: bool, plans: bool) -> Register:
        """The register file of the scenario. Nobody needs a doctor here: the story may be about that."""
        people = tuple(
            Person(
                person_id=self.person(name),
                name=name.capitalize(),
                born_on=person.born,
                plans=self._plans(household, name) if plans else (),
                conditions=_conditions(person),
            )
            for name, person in household.people.items()
        )
        home = Home(
            home_id=self.home,
            label=self.scenario.name,
            time_zone=self.scenario.zone,
            people=people,
            devices=self._devices(household) if devices else (),
        )
        doctors = tuple(
            Doctor(
                email=self.email(name),
                name=f"Dr. {name.capitalize()}",
                people=tuple(self.person(person) for person in cared_for),
                without_people=not cared_for,
            )
            for name, cared_for in household.doctors.items()
        )
        return Register(
            homes=(home,), doctors=doctors, no_recipient=tuple(self.person(name) for name in household.people)
        )

    def _plans(self, household: Household, person: str) -> tuple[DosePlan, ...]:
        return tuple(self._plan(name, plan) for name, plan in household.plans.items() if plan.person == person)

    def _plan(self, name: str, plan: PlanOfStory) -> DosePlan:
        same = {field: getattr(plan, field) for field in _SAME_FIELDS}
        return DosePlan(
            plan_id=self.plan(name),
            device=self.device(plan.device),
            from_day=plan.first,
            until_day=plan.last,
            anchor=self.anchor(plan.every_days, plan.first, 0),
            **same,
        )

    def anchor(self, every_days: int, first: date | None, at: int) -> date | None:
        """From when every so many days are counted that name no first day: the home's day ``at`` ms from the start."""
        if every_days == 1 or first is not None:
            return None
        return to_datetime(self.scenario.starts_ms + at).astimezone(ZoneInfo(self.scenario.zone)).date()

    def _devices(self, household: Household) -> tuple[Device, ...]:
        return tuple(
            Device(
                device=self.device(name),
                type=device.type.code,
                bindings=tuple(
                    Binding(slot=slot, person_id=self.person(person)) for slot, person in device.people.items()
                ),
            )
            for name, device in household.devices.items()
        )


def _conditions(person: PersonOfStory) -> tuple[Condition, ...]:
    target = (Condition.SPO2_88_92,) if person.spo2_target else ()
    return (*map(Condition, person.conditions), *target)
