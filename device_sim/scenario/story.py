"""The entries of a story: what is measured and sent, who does what, what is switched off. Times are offsets in ms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from device_sim.scenario.contract import (
    CONTEXT,
    READING_WORDS,
    Value,
    check_units,
    read_event,
    read_value,
    slot_of,
    unit_of,
    vital_of,
)
from device_sim.scenario.doctors import Act, read_act
from device_sim.scenario.fields import Field, known
from device_sim.scenario.household import DeviceOfStory, Household, read_devices, read_people
from device_sim.scenario.plans import read_plans
from schemas.messages import DeviceClock
from schemas.validity import TEXT_LIMIT
from schemas.vitals import VITAL_BY_CODE

PARTS: Final = ("ingest", "store", "score", "medication", "alert", "database", "broker")
_WHEN: Final = ("at", "from", "to", "every")
_SENDING: Final = ("sent", "sent_after", "order", "clock", "clock_off", "retain", "repeat", "new_epoch")
_MOST_REPEATS: Final = 1000
_MOST_TURNS: Final = 100_000


@dataclass(frozen=True, slots=True)
class When:
    """A moment, or turns from ``first`` up to before ``end``."""

    first: int
    end: int
    every: int

    def turns(self) -> range:
        """Each moment."""
        return range(self.first, self.end, self.every)

    def share(self, at: int) -> float:
        """How much of the way from ``first`` to ``end`` has passed."""
        return (at - self.first) / (self.end - self.first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A reading of an uplink to be: ``unit`` and the rest as the device says them."""

    vital: str
    value: Value
    unit: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sends:
    """Uplinks of one device: readings, or one event, or ``raw`` bytes.

    They are transmitted when measured, or at ``sent``, or ``sent_after`` later. ``clock_off``: the device's clock is
    ahead by so much.
    """

    device: str
    when: When
    readings: tuple[Measured, ...] = ()
    event: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    slot: int | None = None
    raw: bytes | None = None
    sent: int | None = None
    sent_after: int = 0
    newest_first: bool = False
    clock: DeviceClock = "synced"
    clock_off: int = 0
    retain: bool = False
    repeat: int = 1
    new_epoch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Offline:
    """A device is switched off; ``keeps``: it measures on, and sends all of it at ``end``."""

    device: str
    first: int
    end: int
    keeps: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Registers:
    """From ``at`` on the register says this; what is not named stays."""

    at: int
    changes: Household


@dataclass(frozen=True, slots=True, kw_only=True)
class Stops:
    """A part of the platform is stopped."""

    part: str
    first: int
    end: int


Entry = Sends | Offline | Act | Registers | Stops


def read_entry(found: Field, household: Household) -> Entry:
    """One entry of the story, known by the field that only its kind has."""
    row = found.mapping()
    stopped = [part for part in PARTS if part in row]
    if stopped:
        return _stops(found, stopped[0])
    for words, read in _READERS.items():
        if any(word in row for word in words):
            return read(found, household)
    return found.refuse("says nothing that can happen: a device, offline, a doctor, register, or a part that is down")


def _span(row: Mapping[str, Field]) -> tuple[int, int]:
    first, end = row["from"].offset(), row["to"].offset()
    if end <= first:
        row["to"].refuse("has to be later than from")
    return first, end


def _stops(found: Field, part: str) -> Stops:
    row = found.row(required=(part, "from", "to"))
    row[part].choice(("down",))
    first, end = _span(row)
    if first < 0:
        row["from"].refuse("nothing can be stopped before the start")
    return Stops(part=part, first=first, end=end)


def _offline(found: Field, household: Household) -> Offline:
    row = found.row(required=("offline", "from", "to"), optional=("keeps",))
    first, end = _span(row)
    keeps = "keeps" in row and row["keeps"].flag()
    return Offline(device=known(row["offline"], household.devices, "device"), first=first, end=end, keeps=keeps)


def _registers(found: Field, household: Household) -> Registers:
    row = found.row(required=("at", "register"))
    said = row["register"].row(optional=("people", "devices", "plans"))
    if not said:
        row["register"].refuse("changes nothing")
    people = read_people(said["people"]) if "people" in said else {}
    everybody = {**household.people, **people}
    devices = read_devices(said["devices"], everybody) if "devices" in said else {}
    plans = read_plans(said["plans"], everybody, {**household.devices, **devices}) if "plans" in said else {}
    at = row["at"].offset()
    if at < 0:
        row["at"].refuse("the register changes after the start")
    return Registers(at=at, changes=Household(people=people, devices=devices, plans=plans))


def _sends(found: Field, household: Household) -> Sends:
    everything = found.mapping()
    name = known(everything["device"], household.devices, "device")
    device = household.devices[name]
    what = [word for word in ("event", "raw") if word in everything]
    vitals = [code for code in everything if code in VITAL_BY_CODE]
    if len(what) + bool(vitals) != 1:
        found.refuse("is one thing: readings, or an event, or raw bytes")
    sending = _sending(everything)
    sending["device"], sending["when"] = name, _when(found)
    taken = frozenset(("device", *_WHEN, *_SENDING))
    if "raw" in everything:
        found.row(required=("device", "raw"), optional=taken)
        return Sends(**sending, raw=everything["raw"].text().encode())
    if "event" in everything:
        kind, details = read_event(everything, device, taken | {"event", "slot"})
        slot = everything["slot"].integer(1, device.type.slots) if "slot" in everything else None
        return Sends(**sending, event=kind, details=details, slot=slot)
    found.row(required=("device",), optional=(*taken, *READING_WORDS, *VITAL_BY_CODE))
    return Sends(**sending, readings=_readings(everything, device), slot=slot_of(everything, device, found))


def _when(found: Field) -> When:
    row = found.mapping()
    if "at" in row:
        for word in ("from", "to", "every"):
            if word in row:
                row[word].refuse("stands beside at; it is one moment, or from, to and every")
        at = row["at"].offset()
        return When(at, at + 1, 1)
    for word in ("from", "to", "every"):
        if word not in row:
            found.refuse(f"lacks the field {'at' if word == 'from' else word}")
    first, end = _span(row)
    when = When(first, end, row["every"].length())
    if len(when.turns()) > _MOST_TURNS:
        row["every"].refuse(f"makes more than {_MOST_TURNS} uplinks")
    return when


def _sending(row: Mapping[str, Field]) -> dict[str, Any]:
    if "sent" in row and "sent_after" in row:
        row["sent_after"].refuse("stands beside sent; it is one of the two")
    said: dict[str, Any] = {
        "sent": row["sent"].offset() if "sent" in row else None,
        "sent_after": row["sent_after"].length() if "sent_after" in row else 0,
        "newest_first": "order" in row and row["order"].choice(("newest_first", "oldest_first")) == "newest_first",
        "clock": cast("DeviceClock", row["clock"].choice(("unsynced", "jumped")) if "clock" in row else "synced"),
        "clock_off": row["clock_off"].offset() if "clock_off" in row else 0,
        "retain": "retain" in row and row["retain"].flag(),
        "repeat": row["repeat"].integer(1, _MOST_REPEATS) if "repeat" in row else 1,
        "new_epoch": "new_epoch" in row and row["new_epoch"].flag(),
    }
    if "sent" in row and said["sent"] < 0:
        row["sent"].refuse("nothing is transmitted before the start")
    return said


def _readings(row: Mapping[str, Field], device: DeviceOfStory) -> tuple[Measured, ...]:
    unit = row.get("unit")
    rows = [(found, vital_of(found, code, device)) for code, found in row.items() if code in VITAL_BY_CODE]
    check_units(unit, [vital for _, vital in rows])
    context = {word: row[word].choice(words) for word, words in CONTEXT.items() if word in row}
    if "method" in row:
        method = row["method"].text()
        if len(method) > TEXT_LIMIT:
            row["method"].refuse(f"is longer than {TEXT_LIMIT} letters")
        context["method"] = method
    measured = []
    for found, vital in rows:
        own = unit_of(vital, unit, found)
        if isinstance(found.value, list) and "at" in row:
            found.refuse("a straight line needs from, to and every")
        if "comparator" in row and vital.clipped_low is None:
            row["comparator"].refuse(f"{vital.code} has no bounds")
        measured.append(
            Measured(
                vital=vital.code,
                value=read_value(found, vital, own),
                unit=None if own is None else own.text(),
                context=context,
            )
        )
    return tuple(measured)


_READERS: Final[Mapping[tuple[str, ...], Callable[[Field, Household], Entry]]] = {
    ("offline",): _offline,
    ("register",): _registers,
    ("doctor", "caregiver", "person"): read_act,
    ("device",): _sends,
}
"""By the words that only this kind has; a device is also a field of others."""
