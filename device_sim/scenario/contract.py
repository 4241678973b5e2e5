"""What the device contract says of a reading or an event in a scenario: one that it refuses is refused here, too."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from device_sim.scenario.fields import Field
from device_sim.scenario.household import DeviceOfStory
from schemas.events import EVENT_TYPE_BY_KIND, Detail, EventType
from schemas.messages import Activity, Comparator, Posture, Quality
from schemas.validity import ONLY_SLOT, TEXT_LIMIT
from schemas.vitals import VITAL_BY_CODE, Conversion, Vital

CONTEXT: Final[Mapping[str, tuple[str, ...]]] = {
    "activity": get_args(Activity),
    "posture": get_args(Posture),
    "quality": get_args(Quality),
    "comparator": get_args(Comparator),
}
READING_WORDS: Final = ("unit", "slot", *CONTEXT, "method")
"""Fields of a reading beside its vital, value and time."""


@dataclass(frozen=True, slots=True)
class Value:
    """A number, a straight line from ``first`` to ``last``, or numbers that come round again and again."""

    numbers: tuple[float, ...]
    is_line: bool = False

    def at(self, turn: int, share: float) -> float:
        """The value of a turn, from 0, at ``share`` (0 to 1) of the way."""
        if self.is_line:
            first, last = self.numbers
            return round(first + share * (last - first), 6)
        return self.numbers[turn % len(self.numbers)]


def read_value(found: Field, vital: Vital, unit: Field | None) -> Value:
    """The value of a vital in ``unit``, each number plausible."""
    if isinstance(found.value, dict):
        row = found.row(required=("cycle",))
        fields, is_line = list(row["cycle"].rows()), False
        if not fields:
            row["cycle"].refuse("is empty")
    elif isinstance(found.value, list):
        fields, is_line = list(found.rows()), True
        if len(fields) != 2:  # noqa: PLR2004 - a line has two ends
            found.refuse("a straight line is two numbers, the first and the last")
    else:
        fields, is_line = [found], False
    return Value(tuple(_plausible(one, vital, unit) for one in fields), is_line)


def _plausible(found: Field, vital: Vital, unit: Field | None) -> float:
    number = found.number()
    name = unit.text() if unit is not None else vital.unit
    conversion = vital.conversions.get(name, Conversion(factor=1))
    value = number * conversion.factor + conversion.offset
    if not vital.lowest <= value <= vital.highest:
        found.refuse(f"{number:g} {name} is outside of what {vital.code} may be, and would be rejected")
    return float(number)


def unit_of(vital: Vital, unit: Field | None, found: Field) -> Field | None:
    """The unit that a reading of ``vital`` names; a unit of the entry that is another vital's is not its own."""
    if unit is not None and unit.text() in vital.units:
        return unit
    if len(vital.units) > 1:
        where = found if unit is None else unit
        where.refuse(f"{vital.code} needs its unit: {', '.join(vital.units)}")
    return None


def check_units(unit: Field | None, vitals: list[Vital]) -> None:
    """A unit is one of some vital of the entry."""
    if unit is not None and not any(unit.text() in vital.units for vital in vitals):
        unit.refuse(f"{unit.text()[:60]!r} is no unit of {', '.join(vital.code for vital in vitals)}")


def vital_of(found: Field, code: str, device: DeviceOfStory) -> Vital:
    """A vital that the device measures."""
    if code not in device.type.vitals:
        measured = ", ".join(device.type.vitals) or "nothing"
        found.refuse(f"a {device.type.code} measures {measured}")
    return VITAL_BY_CODE[code]


def slot_of(row: Mapping[str, Field], device: DeviceOfStory, entry: Field) -> int | None:
    """The user slot, which a shared device has to name."""
    if "slot" in row:
        return row["slot"].integer(ONLY_SLOT, device.type.slots)
    if device.type.slots > 1:
        entry.refuse(f"lacks the field slot: a {device.type.code} is shared")
    return None


def read_event(row: Mapping[str, Field], device: DeviceOfStory, taken: frozenset[str]) -> tuple[str, dict[str, Any]]:
    """The kind of an event and its details; ``taken`` are the fields that say something else."""
    kind = row["event"].choice([str(one) for one in device.type.events])
    event = EVENT_TYPE_BY_KIND[kind]
    details = {}
    for name, found in row.items():
        if name in taken:
            continue
        detail = next((one for one in event.details if one.name == name), None)
        if detail is None:
            found.refuse(f"is no detail of {kind}; {', '.join(one.name for one in event.details) or 'it has none'}")
        details[name] = _detail(found, detail)
    _check_whole(row["event"], event, details)
    return kind, details


def _detail(found: Field, detail: Detail) -> Any:
    if detail.choices:
        return found.choice(detail.choices)
    if detail.type is str:
        text = found.text()
        if len(text) > TEXT_LIMIT:
            found.refuse(f"is longer than {TEXT_LIMIT} letters")
        return text
    if detail.type is bool:
        return found.flag()
    number = found.number(detail.lowest, detail.highest)
    if detail.type is int and number != int(number):
        found.refuse("has to be a whole number")
    return number


def _check_whole(found: Field, event: EventType, details: Mapping[str, Any]) -> None:
    missing = [detail.name for detail in event.details if detail.required and detail.name not in details]
    if missing:
        found.refuse(f"{event.kind} lacks {', '.join(missing)}")
