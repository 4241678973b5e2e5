"""JSON Schema for firmware authors, made from tables and dataclasses; `python -m schemas.json_schema` writes it."""

from collections.abc import Mapping
from dataclasses import fields
from math import isfinite
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic_core import to_json

from schemas.devices import DEVICE_TYPES
from schemas.devices.device_type import DeviceType
from schemas.events import EVENT_TYPE_BY_KIND, Detail, EventType
from schemas.messages import (
    EPOCH_LIMIT,
    MAX_ITEMS,
    SEQ_LIMIT,
    Ack,
    Command,
    CommandKind,
    DeviceStatus,
)
from schemas.presentation import presentation_of
from schemas.validity import CLOCK_FLAGS, COMPARATORS, CONTEXT_FLAGS, ONLY_SLOT, STAMP_LIMIT, TEXT_LIMIT, VALUE_RULES
from schemas.vitals import VITAL_BY_CODE, Vital

FOLDER: Final = Path(__file__).parent / "json"

Schema = dict[str, Any]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_STAMP: Final[Schema] = {"type": "integer", "minimum": 0, "exclusiveMaximum": STAMP_LIMIT}
_CONTEXT: Final[Mapping[str, Schema]] = {name: {"enum": list(words)} for name, words in CONTEXT_FLAGS.items()}


def json_schemas() -> dict[str, Schema]:
    """Every file of ``schemas/json`` by name."""
    messages = {
        "ack": _titled("Ack: what the platform has settled", TypeAdapter(Ack).json_schema()),
        "command": _titled("Command: what the platform asks of a device", _command()),
        "status": _titled("Status: the retained word of a device", TypeAdapter(DeviceStatus).json_schema()),
    }
    uplinks = {f"uplink.{device.code}": uplink_schema(device) for device in DEVICE_TYPES}
    return {f"{name}.schema.json": schema for name, schema in {**messages, **uplinks}.items()}


def uplink_schema(device: DeviceType) -> Schema:
    """The payload of ``hb/v1/<shard>/<device>/up`` of one type of device."""
    properties: Schema = {
        "epoch": {"type": "integer", "minimum": 0, "exclusiveMaximum": EPOCH_LIMIT},
        "seq": {"type": "integer", "minimum": 0, "exclusiveMaximum": SEQ_LIMIT},
        "sent_at": _STAMP,
        "clock": {"enum": list(CLOCK_FLAGS)},
        "oldest": {"type": "integer", "minimum": 0, "exclusiveMaximum": SEQ_LIMIT},
        "readings": _items([_reading(VITAL_BY_CODE[code], unit, device) for code, unit in _measures(device)]),
        "events": _items([_event(EVENT_TYPE_BY_KIND[kind], device) for kind in device.events]),
    }
    schema: Schema = {
        "description": (
            'The text begins with {"epoch":...,"seq":... in this order. Times are integer milliseconds UTC. '
            f"Readings and events together are at most {MAX_ITEMS}."
        ),
        "type": "object",
        "properties": properties,
        "required": ["epoch", "seq", "sent_at", "clock", "oldest"],
    }
    return _titled(f"Uplink of a device of type {device.code}: {device.label}", schema)


def _titled(title: str, schema: Schema) -> Schema:
    return {"$schema": _DIALECT, "title": title} | {name: value for name, value in schema.items() if name != "title"}


def _items(kinds: list[Schema]) -> Schema:
    return {"type": "array", "maxItems": MAX_ITEMS if kinds else 0, "items": {"anyOf": kinds} if kinds else {}}


def _measures(device: DeviceType) -> list[tuple[str, str]]:
    return [(code, unit) for code in device.vitals for unit in VITAL_BY_CODE[code].units]


def _reading(vital: Vital, unit: str, device: DeviceType) -> Schema:
    lowest, highest = _bounds(vital, unit, device)
    slot, slot_required = _slot(device)
    properties: Schema = {
        "vital": {"const": vital.code},
        "value": {"type": "number", "minimum": lowest, "maximum": highest},
        "at": _STAMP,
        "unit": {"const": unit},
        "slot": slot,
        **_CONTEXT,
        **({} if vital.clipped_low is None else {"comparator": {"enum": list(COMPARATORS)}}),
    }
    required = ["vital", "value", "at", *(["unit"] if vital.conversions else []), *slot_required]
    loinc = " or ".join(vital.loinc)
    return {
        "title": f"{presentation_of(vital).label} in {unit} (LOINC {loinc})",
        **({"description": vital.note} if vital.note else {}),
        "type": "object",
        "properties": properties,
        "required": required,
    }


def _bounds(vital: Vital, unit: str, device: DeviceType) -> tuple[float, float]:
    """The plausible range in ``unit``, four decimals."""
    rule, conversion = VALUE_RULES[device.code][vital.code], vital.conversions.get(unit)
    if conversion is None:
        return rule.lowest, rule.highest
    lowest, highest = ((bound - conversion.offset) / conversion.factor for bound in (rule.lowest, rule.highest))
    return round(lowest, 4), round(highest, 4)


def _slot(device: DeviceType) -> tuple[Schema, list[str]]:
    if device.slots == ONLY_SLOT:
        return {"const": ONLY_SLOT}, []
    return {"type": "integer", "minimum": 1, "maximum": device.slots}, ["slot"]


def _event(row: EventType, device: DeviceType) -> Schema:
    slot, slot_required = _slot(device)
    required = [detail.name for detail in row.details if detail.required]
    return {
        "title": row.kind.value,
        "type": "object",
        "properties": {
            "event": {"const": row.kind.value},
            "at": _STAMP,
            "slot": slot,
            **{detail.name: _detail(detail) for detail in row.details},
        },
        "required": ["event", "at", *required, *(slot_required if row.needs_person else [])],
    }


def _detail(detail: Detail) -> Schema:
    if detail.type is bool:
        return {"type": "boolean"}
    if detail.choices:
        return {"enum": [str(choice) for choice in detail.choices]}
    if detail.type is str:
        return {"type": "string", "maxLength": TEXT_LIMIT}
    bounds = {"minimum": detail.lowest, "maximum": detail.highest}
    kind = "integer" if detail.type is int else "number"
    # JSON has no infinity: a bound that is not there is left out.
    return {"type": kind} | {name: bound for name, bound in bounds.items() if isfinite(bound)}


def _command() -> Schema:
    """A command's details are fields beside the named ones."""
    named = [field.name for field in fields(Command) if field.name != "details"]
    properties: Schema = {
        "id": {"type": "string"},
        "kind": {"enum": [kind.value for kind in CommandKind]},
        "expires_at": _STAMP,
    }
    return {"type": "object", "properties": {name: properties[name] for name in named}, "required": named}


def write_all(folder: Path = FOLDER) -> None:
    """Writes every file, and removes those that are no longer made."""
    made = json_schemas()
    folder.mkdir(exist_ok=True)
    for stale in set(folder.glob("*.schema.json")) - {folder / name for name in made}:
        stale.unlink()
    for name, schema in made.items():
        (folder / name).write_bytes(text_of(schema))


def text_of(schema: Schema) -> bytes:
    """A schema as its file holds it."""
    return to_json(schema, indent=1) + b"\n"


if __name__ == "__main__":
    write_all()
