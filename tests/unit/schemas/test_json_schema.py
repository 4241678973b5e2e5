"""The JSON Schema that firmware authors get is fresh, and says what the platform says."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas.codec import encode_ack, encode_command, encode_status
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.json_schema import FOLDER, json_schemas, text_of, uplink_schema, write_all
from schemas.messages import Ack, Command, CommandKind, DeviceStatus, Reading, RejectedItem, Uplink
from schemas.reasons import RejectionReason
from tests.golden import BAD, GOOD, Golden

SEEN_BY_THE_SCHEMA = {
    RejectionReason.BAD_ITEM,
    RejectionReason.UNKNOWN_VITAL,
    RejectionReason.VITAL_NOT_OF_DEVICE,
    RejectionReason.BAD_VALUE,
    RejectionReason.UNIT_MISSING,
    RejectionReason.UNKNOWN_UNIT,
    RejectionReason.OUT_OF_RANGE,
    RejectionReason.BAD_TIME,
    RejectionReason.BAD_SLOT,
    RejectionReason.UNKNOWN_EVENT,
    RejectionReason.EVENT_NOT_OF_DEVICE,
    RejectionReason.BAD_DETAIL,
}
STRUCTURALLY_BAD = [
    one for one in BAD if {RejectionReason(reason) for reason, _ in one.rejected.values()} <= SEEN_BY_THE_SCHEMA
]


def is_valid(schema: dict[str, Any], payload: bytes) -> bool:
    return Draft202012Validator(schema).is_valid(json.loads(payload))


def test_the_files_are_what_the_code_makes() -> None:
    on_disk = {path.name: path.read_bytes() for path in FOLDER.glob("*")}
    assert on_disk == {name: text_of(schema) for name, schema in json_schemas().items()}, (
        "run python -m schemas.json_schema"
    )


def test_writing_removes_what_is_no_longer_made(tmp_path: Path) -> None:
    (tmp_path / "uplink.retired.schema.json").write_text("{}")
    write_all(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(json_schemas())


@pytest.mark.parametrize("name", json_schemas())
def test_every_file_is_a_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(json_schemas()[name])


@pytest.mark.parametrize("example", GOOD, ids=lambda example: example.name)
def test_a_good_example_is_valid(example: Golden) -> None:
    Draft202012Validator(uplink_schema(example.type)).validate(json.loads(example.payload))


@pytest.mark.parametrize("example", STRUCTURALLY_BAD, ids=lambda example: example.name)
def test_an_example_that_is_bad_by_structure_is_not_valid(example: Golden) -> None:
    assert not is_valid(uplink_schema(example.type), example.payload)


def test_the_schema_names_every_field_of_the_dataclasses() -> None:
    """A comparator only where a value may be a bound."""
    for code, fewer in (("glucose_meter", set()), ("wearable_band", {"comparator"})):
        schema = uplink_schema(DEVICE_TYPE_BY_CODE[code])
        reading = schema["properties"]["readings"]["items"]["anyOf"][0]
        assert list(schema["properties"]) == [field.name for field in fields(Uplink)]
        assert set(reading["properties"]) == {field.name for field in fields(Reading)} - fewer


def test_what_the_platform_sends_is_valid() -> None:
    schemas = json_schemas()
    refusal = RejectedItem(seq=3, item=0, reason=RejectionReason.OUT_OF_RANGE)
    ack = Ack(generation=1, epoch=5, upto=-1, gaps=((0, 2), (4, 4)), rejected=(refusal,))
    command = Command(id="c-1", kind=CommandKind.REMIND_DOSE, expires_at=1, details={"compartment": 3})
    assert is_valid(schemas["ack.schema.json"], encode_ack(ack))
    assert is_valid(schemas["command.schema.json"], encode_command(command))
    assert is_valid(schemas["status.schema.json"], encode_status(DeviceStatus(state="online", battery_percent=80)))
    assert not is_valid(schemas["status.schema.json"], b'{"state":"asleep"}')
    assert not is_valid(schemas["ack.schema.json"], b'{"generation":1}')
