"""Who sends the uplinks of the corpus, and what its index expects of each item."""

from dataclasses import dataclass
from typing import Any, Final

from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.reasons import Flag
from schemas.records import JudgedUplink
from services.ingest.registry import BoundPerson, RegisteredDevice
from tests.golden import RECEIVED_AT, SECOND_SLOT_SINCE
from tests.proving.fuzz.corpus import Case

HOUR_MS: Final = 3_600_000
CHANGED_AT: Final = RECEIVED_AT - HOUR_MS
FOR_EVER: Final = 2**53
ANN, BOB, EVE = 1, 2, 3
SHARD: Final = 5
BINDINGS: Final[dict[str, dict[int, tuple[tuple[int, int, int], ...]]]] = {
    "ann": {1: ((ANN, 0, FOR_EVER),), 2: ((BOB, SECOND_SLOT_SINCE, FOR_EVER),)},
    "unbound": {},
    "handed": {1: ((ANN, 0, CHANGED_AT), (BOB, CHANGED_AT, FOR_EVER))},
    "returned": {1: ((ANN, 0, CHANGED_AT),)},
    "new": {1: ((ANN, CHANGED_AT, FOR_EVER),)},
    "lodger": {1: ((EVE, 0, FOR_EVER),)},
}
"""Whose the slots of a sender are: ``(person, from, to)``. Eve lives in another home."""


def who_of(case: Case) -> str:
    return case.by.get("who", "ann")


def device_name(case: Case) -> str:
    """One device for each sender and type; a story has one of its own, whose acks are about nothing else."""
    if case.player == "story":
        return f"corpus-{case.id}"
    return f"corpus-{who_of(case)}-{case.by['type'].replace('_', '-')}"


def sender_of(case: Case) -> RegisteredDevice | None:
    """The device as ingest knows it; None for an unregistered device."""
    who = who_of(case)
    if who == "unregistered":
        return None
    people = {
        slot: tuple(
            BoundPerson(person_no=number, home_no=2 if number == EVE else 1, from_ms=begin, to_ms=end)
            for number, begin, end in spans
        )
        for slot, spans in BINDINGS[who].items()
    }
    return RegisteredDevice(
        device_no=1,
        device=device_name(case),
        home_no=1,
        shard=SHARD,
        type=DEVICE_TYPE_BY_CODE[case.by["type"]],
        people=people,
    )


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored item."""

    flags: Flag
    person_no: int
    observed_at: int
    value: float | None = None
    details: dict[str, Any] | None = None


def kept_of(uplink: JudgedUplink) -> dict[int, Kept]:
    """What is stored, by item."""
    kept = {one.item: Kept(Flag(one.flags), one.person_no, one.observed_at, one.value) for one in uplink.readings}
    events = {
        one.item: Kept(Flag(one.flags), one.person_no, one.observed_at, details=dict(one.details))
        for one in uplink.events
    }
    return kept | events


def stored_in(fate: dict[str, Any]) -> dict[int, Flag]:
    """What the index says is stored, with its flags."""
    return {int(item): flags_of(names) for item, names in fate.get("stored", {}).items()}


def flags_of(names: list[str]) -> Flag:
    return Flag(sum(Flag[name.upper()] for name in names))


def rejected_in(fate: dict[str, Any]) -> dict[int, tuple[str, str]]:
    """What the index says is rejected, and why."""
    return {item: (reason, field) for item, reason, field in fate.get("rejected", [])}


def disagreements(kept: dict[int, Kept], fate: dict[str, Any]) -> list[str]:
    """Where stored items are not as the index says.

    The corpus says one thing in many ways, so most of it is ``repeated``: that is no matter of the payload.
    """
    found = {item: one.flags & ~Flag.REPEATED for item, one in kept.items()}
    wrong = [f"{item}: {found[item]!r}" for item, flags in stored_in(fate).items() if found[item] != flags]
    for name, field in (("values", "value"), ("observed_at", "observed_at"), ("people", "person_no")):
        wrong += _differing(kept, fate, name, field)
    return wrong + _differing(kept, fate, "details", "details")


def _differing(kept: dict[int, Kept], fate: dict[str, Any], name: str, field: str) -> list[str]:
    expected = {int(item): value for item, value in fate.get(name, {}).items()}
    found = {item: getattr(kept[item], field) for item in expected}
    return [f"{item}: {name} {found[item]!r}" for item in expected if found[item] != expected[item]]
