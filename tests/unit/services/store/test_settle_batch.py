"""What one batch makes of its records: new, repeated, jumped, nobody's; who gets an ack, and in which order."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import MAX_AHEAD, WHOLE_UPLINK
from schemas.reasons import Flag, RejectionReason
from schemas.records import READING, DeviceWord, JudgedEvent, Rejection, SealedRecord, SealedUplink, WatermarkMarker
from services.store.core import Batch, Cursor, Cursors, cursors_needed, settle

NOBODYS = Rejection(WHOLE_UPLINK, RejectionReason.UNKNOWN_DEVICE, "", b"?")


def uplink(
    device_no: int = 1, seq: int = 0, *, epoch: int = 5, shard: int = 3, received_at: int = 100, reason: str = ""
) -> SealedUplink:
    refused = NOBODYS if not device_no else Rejection(0, reason, "value", b"{}")
    return SealedUplink(
        device_no=device_no,
        device=f"device-{device_no}",
        home_no=1,
        shard=shard,
        epoch=epoch if device_no else -1,
        seq=seq if device_no else -1,
        oldest=0,
        sent_at=received_at,
        received_at=received_at,
        readings=b"",
        events=(),
        rejections=(refused,) if reason or not device_no else (),
    )


def batch_of(records: Iterable[SealedRecord], cursors: Cursors | None = None, *, partition: int = 0) -> Batch:
    held = {} if cursors is None else cursors
    placed = [(partition, 40 + place, record) for place, record in enumerate(records)]
    for device_no, epoch in cursors_needed(record for _, _, record in placed):
        held.setdefault((device_no, epoch), Cursor(device_no=device_no, epoch=epoch))
    return settle(placed, held)


def acked(batch: Batch) -> list[tuple[str, int]]:
    return [(cursor.device, cursor.settled_record(1).ack.upto) for cursor in batch.touched]


def test_cursors_are_locked_once_each_in_device_order() -> None:
    records: list[SealedRecord] = [
        uplink(9),
        uplink(2, epoch=8),
        uplink(2, 1),
        uplink(2),
        uplink(0),
        WatermarkMarker(instance="0", received_at=1),
    ]
    assert cursors_needed(records) == [(2, 5), (2, 8), (9, 5)]


def test_a_duplicate_within_the_batch_is_written_once() -> None:
    batch = batch_of([uplink(1, 0), uplink(1, 1), uplink(1, 0), uplink(1, 0)])
    assert ([one.seq for one in batch.new], batch.duplicates) == ([0, 1], 2)


def test_of_two_copies_that_differ_the_first_is_written() -> None:
    batch = batch_of([uplink(1, 0, received_at=10), uplink(1, 0, received_at=20, reason="bad_value")])
    assert [(one.received_at, one.rejections) for one in batch.new] == [(10, ())]
    assert batch.touched[0].rejected == []


def test_who_was_heard_last_is_acked_last() -> None:
    batch = batch_of([uplink(1), uplink(2), uplink(3), uplink(1, 1), uplink(2)])
    assert acked(batch) == [("device-3", 0), ("device-1", 1), ("device-2", 0)]


def test_the_epoch_a_device_went_back_to_is_the_one_acked_last() -> None:
    batch = batch_of([uplink(1, epoch=5), uplink(1, epoch=6), uplink(1, 1, epoch=5)])
    assert [cursor.epoch for cursor in batch.touched] == [6, 5]


def test_only_who_is_in_the_batch_is_acked() -> None:
    cursors: Cursors = {(8, 5): Cursor(device_no=8, epoch=5, settled=[(0, 9)], device="device-8")}
    assert acked(batch_of([uplink(1)], cursors)) == [("device-1", 0)]


def test_the_ack_goes_to_the_shard_the_device_was_last_heard_on() -> None:
    batch = batch_of([uplink(1, 0, shard=3), uplink(1, 1, shard=61)])
    assert batch.touched[0].settled_record(generation=4).shard == 61


def test_an_old_copy_does_not_make_a_device_seem_silent() -> None:
    batch = batch_of([uplink(1, 1, received_at=900), uplink(1, 0, received_at=100)])
    assert batch.touched[0].last_received_at == 900


def with_flag(seq: int, *, received_at: int, flags: int, as_event: bool) -> SealedUplink:
    """An uplink with one item, which has these flags."""
    items: dict[str, Any] = (
        {"events": (JudgedEvent(0, 1, 1, received_at, flags, {}),)}
        if as_event
        else {"readings": READING.pack(0, 1, 1, 70.0, received_at, flags)}
    )
    return uplink(1, seq, received_at=received_at)._replace(**items)


@pytest.mark.parametrize("as_event", [False, True], ids=["reading", "event"])
def test_what_a_broker_repeats_of_what_it_has_retained_is_not_heard(*, as_event: bool) -> None:
    """And yet acknowledged: a device that sends such an uplink again itself has to stop some time."""
    cursors: Cursors = {}
    first = with_flag(0, received_at=100, flags=Flag.RETAINED, as_event=as_event)
    batch_of([first], cursors)
    again = batch_of([first._replace(received_at=900)], cursors)
    assert (again.duplicates, acked(again)) == (1, [("device-1", 0)])
    assert [cursor.last_received_at for cursor in again.touched] == [100]


@pytest.mark.parametrize(("seq", "flags"), [(1, Flag.RETAINED | Flag.RESTING), (0, Flag.RESTING)])
def test_a_new_uplink_with_the_flag_and_a_repeated_one_without_it_are_heard(seq: int, flags: int) -> None:
    cursors: Cursors = {}
    batch_of([with_flag(0, received_at=100, flags=0, as_event=False)], cursors)
    batch = batch_of([with_flag(seq, received_at=900, flags=flags, as_event=False)], cursors)
    assert [cursor.last_received_at for cursor in batch.touched] == [900]


def test_a_jump_is_acked_but_not_written_as_new() -> None:
    batch = batch_of([uplink(1, MAX_AHEAD)])
    assert [(one.seq, rejection.reason) for one, rejection in batch.unsettled] == [
        (MAX_AHEAD, RejectionReason.SEQ_JUMP)
    ]
    assert (batch.new, acked(batch)) == ([], [("device-1", -1)])
    ack = batch.touched[0].settled_record(1).ack
    assert [(one.seq, one.item, one.reason) for one in ack.rejected] == [
        (MAX_AHEAD, WHOLE_UPLINK, RejectionReason.SEQ_JUMP)
    ]
    assert ack.gaps == ()


def test_what_a_batch_settles_brings_a_jump_of_the_same_batch_into_reach() -> None:
    batch = batch_of([uplink(1, 0), uplink(1, MAX_AHEAD)])
    assert ([one.seq for one in batch.new], batch.unsettled) == ([0, MAX_AHEAD], [])


def test_a_jump_that_comes_again_in_reach_is_written_then() -> None:
    cursors: Cursors = {}
    batch_of([uplink(1, MAX_AHEAD)], cursors)
    assert [one.seq for one in batch_of([uplink(1, 0), uplink(1, MAX_AHEAD)], cursors).new] == [0, MAX_AHEAD]


def test_what_is_nobodys_is_known_by_its_place_on_the_bus() -> None:
    unregistered = uplink(0)
    batch = batch_of([uplink(1), unregistered, unregistered], partition=7)
    assert batch.anonymous == [(7, 41, unregistered), (7, 42, unregistered)]
    assert acked(batch) == [("device-1", 0)]


def test_markers_mark_each_partition_apart() -> None:
    marks = [(0, 1, WatermarkMarker(instance="0", received_at=5)), (3, 1, WatermarkMarker(instance="0", received_at=4))]
    assert settle(marks, {}).markers == {("0", 0): 5, ("0", 3): 4}


def test_words_of_devices_are_noted_in_their_order_and_settle_nothing() -> None:
    words = [
        DeviceWord(device_no=1, home_no=1, person_no=0, received_at=1, state="offline"),
        DeviceWord(device_no=1, home_no=1, person_no=0, received_at=2, state="online"),
    ]
    batch = batch_of([uplink(1), *words])
    assert batch.words == words
    assert acked(batch) == [("device-1", 0)]


BATCHES = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 12), st.sampled_from(["", "bad_value"])), max_size=30)


@given(first=BATCHES, second=BATCHES)
def test_it_does_not_matter_which_of_two_workers_comes_first(
    first: list[tuple[int, int, str]], second: list[tuple[int, int, str]]
) -> None:
    def settled(*batches: list[tuple[int, int, str]]) -> dict[tuple[int, int], list[tuple[int, int]]]:
        cursors: Cursors = {}
        for rows in batches:
            batch_of([uplink(device, seq, reason=reason) for device, seq, reason in rows], cursors)
        return {key: cursor.settled for key, cursor in cursors.items()}

    assert settled(first, second) == settled(second, first)


@given(rows=BATCHES)
def test_every_record_is_written_repeated_jumped_or_nobodys(rows: list[tuple[int, int, str]]) -> None:
    records = [uplink(device - 1, seq * 9000, reason=reason) for device, seq, reason in rows]
    batch = batch_of(records)
    assert len(batch.new) + batch.duplicates + len(batch.unsettled) + len(batch.anonymous) == len(records)
    assert {cursor.device_no for cursor in batch.touched} == {one.device_no for one in records if one.device_no}


@given(rows=BATCHES)
def test_the_same_batch_again_changes_nothing(rows: list[tuple[int, int, str]]) -> None:
    cursors: Cursors = {}
    records = [uplink(device, seq, reason=reason) for device, seq, reason in rows]
    once = batch_of(records, cursors)
    acks = {cursor.device: cursor.settled_record(1) for cursor in once.touched}
    again = batch_of(records, cursors)
    assert (again.new, again.unsettled, again.duplicates) == ([], [], len(records))
    assert {cursor.device: cursor.settled_record(1) for cursor in again.touched} == acks
