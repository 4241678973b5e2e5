"""What a scenario says of dose plans: whole ones, as the register has them, and what a doctor changes of one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time
from types import MappingProxyType
from typing import Any, Final

from device_sim.scenario.fields import Field, known, named
from schemas.plan_terms import (
    HIGHEST_COMPARTMENT,
    LONGEST_LEAST_INTERVAL_MIN,
    MOST_TIMES,
    WEEKDAYS,
    AsNeeded,
    Weekday,
)

_MOST_DAYS: Final = 366
_MOST_PER_DAY: Final = 48
_MOST_OF_A_DOSE: Final = 1000
_MOST_UNITS: Final = 100_000
_MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOfStory:
    """One drug in one compartment, at wall-clock times of some days, or as needed.

    ``count``: so many units make a dose. ``weekdays`` None: each. ``first`` and ``last`` are the days from and until
    which it is taken. ``listed``: a double dose is dangerous. ``stock``: units at the start.
    """

    person: str
    device: str
    compartment: int
    drug: str
    at: tuple[time, ...] = ()
    time_critical: bool = False
    strength: str = ""
    count: float = 1
    weekdays: tuple[Weekday, ...] | None = None
    every_days: int = 1
    first: date | None = None
    last: date | None = None
    as_needed: AsNeeded | None = None
    listed: bool = False
    stock: float | None = None


def read_plans(found: Field, people: Mapping[str, object], devices: Mapping[str, object]) -> dict[str, PlanOfStory]:
    """``plans:`` by name."""
    plans = {}
    for name, one in named(found).items():
        row = one.row(
            required=("for", "device", "compartment", "drug"),
            optional=("at", "stock", *(word for word in _CONTENT if word not in {"device", "compartment", "drug"})),
        )
        if ("at" in row) == ("as_needed" in row):
            one.refuse("is taken at times of day, or as_needed: it has the field at, or that")
        said = read_content(row, devices)
        if "at" in row:
            said["at"] = _times(row["at"])
        if "stock" in row:
            said["stock"] = row["stock"].number(0, _MOST_UNITS)
        plans[name] = PlanOfStory(person=known(row["for"], people, "person"), **said)
    return plans


def read_changes(row: Mapping[str, Field], devices: Mapping[str, object]) -> dict[str, Any]:
    """What a doctor makes of a plan, by the fields of PlanOfStory. Its times of day are ``times`` here: ``at`` is when.

    What excludes something takes its place: a plan that gets times is no longer as needed, and the other way round.
    """
    changes = read_content(row, devices)
    if "times" in row:
        if "as_needed" in row:
            row["times"].refuse("stands beside as_needed; it is one of the two")
        changes |= {"at": _times(row["times"]), "as_needed": None}
    elif "as_needed" in row:
        changes |= {"at": (), "weekdays": None, "every_days": 1, "time_critical": False}
    if "weekdays" in row:
        changes["every_days"] = 1
    elif "every_days" in row:
        changes["weekdays"] = None
    return changes


def read_content(row: Mapping[str, Field], devices: Mapping[str, object]) -> dict[str, Any]:
    """The fields of PlanOfStory that stand in ``row``, but for times and stock. Other fields are passed over."""
    said = {_NAMES.get(word, word): read(row[word]) for word, read in _CONTENT.items() if word in row}
    if "device" in row:
        known(row["device"], devices, "device")
    if "weekdays" in row and "every_days" in row:
        row["every_days"].refuse("stands beside weekdays; it is one of the two")
    for word in ("weekdays", "every_days", "time_critical"):
        if word in row and "as_needed" in row:
            row[word].refuse("stands beside as_needed, which has no times")
    if said.get("first") and said.get("last") and said["last"] < said["first"]:
        row["until"].refuse("has to be no earlier than from")
    return said


def _times(found: Field) -> tuple[time, ...]:
    times = tuple(one.time_of_day() for one in found.rows())
    if not times:
        found.refuse("names no time of day")
    if len(times) > MOST_TIMES:
        found.refuse(f"names more than {MOST_TIMES} times of day")
    return times


def _weekdays(found: Field) -> tuple[Weekday, ...]:
    named_ones = [one.choice(WEEKDAYS) for one in found.rows()]
    if not named_ones:
        found.refuse("names no day of the week")
    if len(set(named_ones)) < len(named_ones):
        found.refuse("names a day twice")
    return tuple(day for day in WEEKDAYS if day in named_ones)


def _count(found: Field) -> float:
    count = found.number(0, _MOST_OF_A_DOSE)
    if not count:
        found.refuse("has to be more than 0")
    return count


def _as_needed(found: Field) -> AsNeeded:
    row = found.row(required=("least_interval",), optional=("most_per_day",))
    interval = row["least_interval"].length()
    if interval % _MINUTE_MS or interval > LONGEST_LEAST_INTERVAL_MIN * _MINUTE_MS:
        row["least_interval"].refuse("has to be whole minutes, at most 7 days")
    most = row["most_per_day"].integer(1, _MOST_PER_DAY) if "most_per_day" in row else None
    return AsNeeded(least_interval_min=interval // _MINUTE_MS, most_per_day=most)


_CONTENT: Final[Mapping[str, Callable[[Field], Any]]] = MappingProxyType(
    {
        "device": lambda found: found.text(),
        "compartment": lambda found: found.integer(0, HIGHEST_COMPARTMENT),
        "drug": lambda found: found.text(),
        "strength": lambda found: found.text(),
        "count": _count,
        "time_critical": lambda found: found.flag(),
        "listed": lambda found: found.flag(),
        "weekdays": _weekdays,
        "every_days": lambda found: found.integer(1, _MOST_DAYS),
        "from": lambda found: found.day(),
        "until": lambda found: found.day(),
        "as_needed": _as_needed,
    }
)
"""What a version of a plan consists of beside its times, by the word in a file."""
_NAMES: Final[Mapping[str, str]] = MappingProxyType({"from": "first", "until": "last"})
CHANGED: Final = ("times", *_CONTENT)
"""The words of what a doctor may change of a plan."""
