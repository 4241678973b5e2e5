"""A broken record of the bus stops its consumer: it is never read as something else."""

import pytest

from schemas.codec import BrokenRecordError, decode_settled, decode_uplink_record, open_settled, open_uplink_record
from schemas.records import SealedUplink
from schemas.topics import UPLINKS_SETTLED
from services.store.rows import reading_rows
from tests.proving.fuzz.corpus import Case, played_by


def read_as_score(value: bytes) -> None:
    decode_uplink_record(value)


def read_as_store(value: bytes) -> None:
    record = open_uplink_record(value)
    if isinstance(record, SealedUplink):
        reading_rows([record])


def read_as_ingest(value: bytes) -> None:
    open_settled(value)
    decode_settled(value)


@pytest.mark.parametrize("case", played_by("record"), ids=lambda case: case.id)
def test_a_record_is_read_or_stops_its_consumer(case: Case) -> None:
    readers = (read_as_ingest,) if case.by["topic"] == UPLINKS_SETTLED.name else (read_as_store, read_as_score)
    for read in readers:
        if case.fate["record"] == "read":
            read(case.bytes)
        else:
            with pytest.raises(BrokenRecordError):
                read(case.bytes)
