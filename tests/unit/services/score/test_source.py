"""Rows become the records that they came from, in one order, and the step finds the same on them."""

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from schemas.devices.wearable_band import WEARABLE_BAND
from schemas.records import JudgedEvent, JudgedReading, JudgedUplink
from services.score.source import StoredItem, records_of
from tests.unit.services.score.story import levels, run, uplink


def rows_of(record: JudgedUplink) -> list[StoredItem]:
    """As store writes a record."""
    items: list[JudgedReading | JudgedEvent] = [*record.readings, *record.events]
    return [
        StoredItem(
            received_at=record.received_at, device_no=record.device_no, epoch=record.epoch, seq=record.seq,
            device=record.device, device_type=WEARABLE_BAND.code, home_no=record.home_no, shard=record.shard, item=item,
        )
        for item in items
    ]  # fmt: skip


@st.composite
def logs(draw: st.DrawFn) -> list[JudgedUplink]:
    """What was received, in order, partly hours after it was measured; of two devices."""
    records = []
    at = 0.0
    for seq in range(draw(st.integers(0, 40))):
        at += draw(st.sampled_from([0, 1, 1, 5]))
        vitals = {"spo2": draw(st.sampled_from([97, 88])), "heart_rate": draw(st.sampled_from([70, 140]))}
        events = ["sos_pressed"] if draw(st.integers(0, 9)) == 0 else []
        late = draw(st.sampled_from([0, 0, 0, 4, 200]))
        device = draw(st.sampled_from([11, 12]))
        one = uplink(
            seq, at - late, vitals, events=events, received=at, device=device, device_type=WEARABLE_BAND.number
        )
        records.append(one._replace(sent_at=one.received_at))
    return sorted(records, key=lambda one: (one.received_at, one.device_no, one.epoch, one.seq))


@given(logs(), st.randoms(use_true_random=False))
def test_rows_in_any_order_are_the_records_they_came_from(log: list[JudgedUplink], chance: Random) -> None:
    rows = [row for record in log for row in rows_of(record)]
    chance.shuffle(rows)
    records = records_of(rows)
    assert records == log
    assert run(records) == run(log)


def test_a_type_that_is_not_known_here_is_none() -> None:
    (row,) = rows_of(uplink(0, 0, {"spo2": 97}))
    (record,) = records_of([replace(row, device_type="smart_spoon")])
    assert record.device_type == 0
    assert levels(run([record])) == []
