"""A seeded register: homes, people, their devices and dose plans, and the doctor who cares for everybody."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

from device_sim.chance import dice
from schemas.limits import Condition
from schemas.registry import Binding, Device, Doctor, DosePlan, Home, Person, Register

DOCTOR: Final = "doctor@example.org"
_ZONE: Final = "Europe/Berlin"
_COMPARTMENTS: Final = 14
_FIRST_NAMES: Final = (
    "Ada",
    "Bruno",
    "Clara",
    "Dario",
    "Edith",
    "Frans",
    "Greta",
    "Hugo",
    "Irma",
    "Jonas",
    "Karin",
    "Luis",
)
_LAST_NAMES: Final = (
    "Abel",
    "Brandt",
    "Costa",
    "Dahl",
    "Engel",
    "Fuchs",
    "Gruber",
    "Horn",
    "Ibsen",
    "Jansen",
    "Koch",
    "Lind",
)
_STREETS: Final = ("Linden Road", "Mill Lane", "Harbour Street", "Garden Row", "Church Hill")
_CRITICAL_DRUGS: Final = ("Levodopa", "Insulin aspart", "Apixaban")
_QUIET_PLAN_AFTER: Final = timedelta(hours=8)
_EACH, _SHARES_A_CUP, _IS_MOVED = 8, 2, 3
"""Of each eight homes the third has two drugs in one compartment, and the fourth one whose plan is edited."""
SECOND_IN_THE_CUP: Final = "Metoprolol"
MOVED_DRUG: Final = "Amantadine"
MOVED_BY: Final = timedelta(minutes=15)
"""Less than its window: whoever takes it at the new time has not missed it, also where nobody has moved it."""
_MOVED_DUE_AFTER: Final = timedelta(minutes=40)


def make_fleet(*, homes: int, seed: int, start_ms: int, doctor: str = DOCTOR) -> Register:
    """The same for the same arguments. Critical doses: 12 to 16 minutes after ``start_ms``, then each six hours.

    That of MOVED_DRUG is due once a day, 40 minutes after ``start_ms``.
    """
    return _cared_for(doctor, tuple(_home(number, seed, start_ms) for number in range(homes)))


def moved(register: Register) -> Register:
    """The same fleet once every plan of MOVED_DRUG was edited: its doses are due MOVED_BY later."""
    homes = (
        home.model_copy(update={"people": tuple(_person_moved(person) for person in home.people)})
        for home in register.homes
    )
    return register.model_copy(update={"homes": tuple(homes)})


def _person_moved(person: Person) -> Person:
    plans = (
        plan.model_copy(update={"at": tuple(sorted(_later(at) for at in plan.at))}) if plan.drug == MOVED_DRUG else plan
        for plan in person.plans
    )
    return person.model_copy(update={"plans": tuple(plans)})


def _later(at: time) -> time:
    return (datetime.combine(date(2000, 1, 1), at) + MOVED_BY).time()


def make_load_fleet(*, devices: int, seed: int, doctor: str = DOCTOR) -> Register:
    """``devices`` bands, two people with a band each in a home."""
    numbers = range((devices + 1) // 2)
    return _cared_for(doctor, tuple(_load_home(number, min(2, devices - 2 * number), seed) for number in numbers))


def _cared_for(doctor: str, homes: tuple[Home, ...]) -> Register:
    people = tuple(person.person_id for home in homes for person in home.people)
    return Register(homes=homes, doctors=(Doctor(email=doctor, name="Dr. Example", people=people),))


def _home(number: int, seed: int, start_ms: int) -> Home:
    draw = dice(seed, "home", number)
    people = [_person(seed, f"{number}-{place}", draw) for place in range(2 if number % 2 else 1)]
    plans = tuple(_plans(number, seed, start_ms))
    conditions = (Condition.HEART_FAILURE,) if number % 6 == 0 else None
    people[0] = people[0].model_copy(update={"plans": plans, "conditions": conditions})
    return Home(
        home_id=_id(seed, f"home-{number}"),
        label=f"{draw.choice(_STREETS)} {number + 1}",
        time_zone=_ZONE,
        people=tuple(people),
        devices=tuple(_devices(number, [person.person_id for person in people])),
    )


def _load_home(number: int, count: int, seed: int) -> Home:
    draw = dice(seed, "load", number)
    people = tuple(_person(seed, f"load-{number}-{place}", draw) for place in range(count))
    return Home(
        home_id=_id(seed, f"load-home-{number}"),
        label=f"Load home {number + 1}",
        time_zone=_ZONE,
        people=people,
        devices=tuple(
            _device("load", f"{number:05d}-{place}", "wearable_band", [person.person_id])
            for place, person in enumerate(people)
        ),
    )


def _person(seed: int, key: str, draw: Random) -> Person:
    born = date(draw.randint(1931, 1956), draw.randint(1, 12), draw.randint(1, 28))
    name = f"{draw.choice(_FIRST_NAMES)} {draw.choice(_LAST_NAMES)}"
    return Person(person_id=_id(seed, f"person-{key}"), name=name, born_on=born)


def _plans(number: int, seed: int, start_ms: int) -> Iterator[DosePlan]:
    """Its plan, and in some homes a second one: in the same cup, or one that will be moved."""
    first = _plan(number, seed, start_ms)
    yield first
    if number % _EACH == _SHARES_A_CUP:
        yield first.model_copy(update={"plan_id": _id(seed, f"second-plan-{number}"), "drug": SECOND_IN_THE_CUP})
    if number % _EACH == _IS_MOVED:
        due = _local(start_ms) + _MOVED_DUE_AFTER
        other = (first.compartment + 1) % _COMPARTMENTS
        again = {"drug": MOVED_DRUG, "compartment": other, "at": (time(due.hour, due.minute),)}
        yield first.model_copy(update={"plan_id": _id(seed, f"moved-plan-{number}"), **again})


def _local(start_ms: int) -> datetime:
    return datetime.fromtimestamp(start_ms / 1000, UTC).astimezone(ZoneInfo(_ZONE))


def _plan(number: int, seed: int, start_ms: int) -> DosePlan:
    """Most plans are time-critical; every fourth is a daily one whose dispenser has nothing to do for hours."""
    draw = dice(seed, "plan", number)
    start = _local(start_ms)
    # Its dispenser can fall silent without a dose being missed.
    quiet = number % 4 == 1
    first = start + (_QUIET_PLAN_AFTER if quiet else timedelta(minutes=draw.randint(12, 16)))
    times = [first] if quiet else [first + timedelta(hours=6 * turn) for turn in range(4)]
    return DosePlan(
        plan_id=_id(seed, f"plan-{number}"),
        device=f"dispenser-{number:03d}",
        compartment=draw.randrange(_COMPARTMENTS),
        drug="Ramipril" if quiet else draw.choice(_CRITICAL_DRUGS),
        at=tuple(sorted(time(moment.hour, moment.minute) for moment in times)),
        time_critical=not quiet,
    )


def _devices(number: int, people: list[UUID]) -> Iterator[Device]:
    for place, person in enumerate(people):
        yield _device("band", f"{number:03d}-{place + 1}", "wearable_band", [person])
    if number % 2 == 0 or number % 4 == 1:
        yield _device("cgm", f"{number:03d}", "cgm", people[-1:])
    yield _device("cuff", f"{number:03d}", "pressure_cuff", people)
    yield _device("dispenser", f"{number:03d}", "pill_dispenser", people[:1])
    if number % 2 == 0:
        yield _device("meter", f"{number:03d}", "glucose_meter", people[:1])
    if number % 2 == 1:
        yield _device("robot", f"{number:03d}", "fall_robot", people[:1])
    if number % 3 == 0:
        yield _device("scale", f"{number:03d}", "scale", people)
    if number % 5 == 2:  # noqa: PLR2004 - every fifth home
        yield _device("thermometer", f"{number:03d}", "thermometer", people[:1])
    if number % 5 == 3:  # noqa: PLR2004 - and another fifth
        yield _device("oximeter", f"{number:03d}", "finger_oximeter", people[:1])


def _device(kind: str, key: str, type_code: str, people: list[UUID]) -> Device:
    bindings = tuple(Binding(slot=slot, person_id=person) for slot, person in enumerate(people, start=1))
    return Device(device=f"{kind}-{key}", type=type_code, bindings=bindings)


def _id(seed: int, name: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"urn:hearthbeat:simulated:{seed}:{name}")
