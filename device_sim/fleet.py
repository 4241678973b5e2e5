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


def make_fleet(*, homes: int, seed: int, start_ms: int, doctor: str = DOCTOR) -> Register:
    """The same for the same arguments. Critical doses: 12 to 16 minutes after ``start_ms``, then each six hours."""
    return _cared_for(doctor, tuple(_home(number, seed, start_ms) for number in range(homes)))


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
    plan = _plan(number, seed, start_ms)
    conditions = (Condition.HEART_FAILURE,) if number % 6 == 0 else None
    people[0] = people[0].model_copy(update={"plans": (plan,), "conditions": conditions})
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


def _plan(number: int, seed: int, start_ms: int) -> DosePlan:
    """Most plans are time-critical; every fourth is a daily one whose dispenser has nothing to do for hours."""
    draw = dice(seed, "plan", number)
    start = datetime.fromtimestamp(start_ms / 1000, UTC).astimezone(ZoneInfo(_ZONE))
    # Its dispenser can fall silent without a dose being missed.
    quiet = number % 4 == 1
    first = start + (_QUIET_PLAN_AFTER if quiet else timedelta(minutes=draw.randint(12, 16)))
    times = [first] if quiet else [first + timedelta(hours=6 * turn) for turn in range(4)]
    return DosePlan(
        plan_id=_id(seed, f"plan-{number}"),
        device=f"dispenser-{number:03d}",
        compartment=draw.randint(0, 13),
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
