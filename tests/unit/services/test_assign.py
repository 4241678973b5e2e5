"""Items that were nobody's become readings of what they are, also those that were kept by an older version."""

from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import pytest
from asyncpg import Record

from schemas.codec import write_json
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.vitals import BODY_TEMPERATURE, SKIN_TEMPERATURE, Vital
from services.assign import Wish, item_of

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
WISH = Wish(device="d-1", person_id=UUID(int=1), since=AT, until=AT.replace(hour=13), by="me", reason="seen")


def kept(**said: Any) -> Record:
    """A row of ``rejected``."""
    row = {"raw": write_json(said), "observed_at": AT, "received_at": AT, "epoch": 1, "seq": 0, "item": 0, "flags": 0}
    return cast("Record", row)


@pytest.mark.parametrize(
    ("kind", "name", "vital"),
    [
        ("wearable_band", "body_temperature", SKIN_TEMPERATURE),
        ("wearable_band", "skin_temperature", SKIN_TEMPERATURE),
        ("thermometer", "body_temperature", BODY_TEMPERATURE),
    ],
)
def test_a_temperature_that_was_nobodys_is_of_what_its_device_measures(kind: str, name: str, vital: Vital) -> None:
    item = item_of(kept(vital=name, value=33.1, unit="Cel"), WISH, 0, DEVICE_TYPE_BY_CODE[kind])
    assert item is not None
    assert item[0] == vital.number


def test_what_is_no_vital_and_no_event_is_left() -> None:
    assert item_of(kept(vital=["heart_rate"]), WISH, 0, DEVICE_TYPE_BY_CODE["wearable_band"]) is None
