"""Settlement: whatever order, repetition, eviction or rebinding, an ack never claims what is not settled."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import identity_of
from schemas.messages import MAX_AHEAD, MAX_GAPS, MAX_REJECTED, WHOLE_UPLINK, Ack
from schemas.reasons import RejectionReason
from schemas.records import READING, JudgedReading, Rejection, SealedRecord, SealedUplink, WatermarkMarker
from services.store.core import (
    LOW_RANGES,
    Batch,
    Cursor,
    Cursors,
    Ranges,
    add,
    cursors_needed,
    gaps_of,
    holds,
    settle,
    upto_of,
)
from tests.golden import BAD

DEVICE = 7
EPOCH = 4_000_000_001

SEQS = st.lists(st.integers(min_value=0, max_value=120), max_size=80)
SPARSE_SEQS = st.lists(st.integers(min_value=0, max_value=400), max_size=150)


def uplink(
    seq: int, *, epoch: int = EPOCH, oldest: int = 0, person_no: int = 1, device_no: int = DEVICE, refused: bool = False
) -> SealedUplink:
    return SealedUplink(
        device_no=device_no,
        device=f"device-{device_no}",
        home_no=1,
        shard=3,
        epoch=epoch,
        seq=seq,
        oldest=oldest,
        sent_at=1000 + seq,
        received_at=2000 + seq,
        readings=b"" if refused else READING.pack(0, person_no, 1, 70.0, 1000 + seq, 0),
        events=(),
        rejections=(Rejection(0, RejectionReason.OUT_OF_RANGE, "value", b"{}"),) if refused else (),
    )


def settled_by(uplinks: Iterable[SealedRecord], cursors: Cursors) -> Batch:
    """One batch, as store makes it: the cursors that are needed exist."""
    records = [(0, offset, record) for offset, record in enumerate(uplinks)]
    for device_no, epoch in cursors_needed(record for _, _, record in records):
        cursors.setdefault((device_no, epoch), Cursor(device_no=device_no, epoch=epoch))
    return settle(records, cursors)


def ack_of(cursors: Cursors, epoch: int = EPOCH, device_no: int = DEVICE) -> Ack:
    return cursors[device_no, epoch].settled_record(generation=1).ack


def numbers(ranges: Ranges) -> list[int]:
    return [number for first, end in ranges for number in range(first, end)]


def ranges_of(seqs: Iterable[int]) -> Ranges:
    ranges: Ranges = []
    for seq in seqs:
        if not holds(ranges, seq):
            add(ranges, seq)
    return ranges


@given(seqs=SPARSE_SEQS)
def test_ranges_hold_exactly_what_was_added_and_never_touch(seqs: list[int]) -> None:
    ranges = ranges_of(seqs)
    assert numbers(ranges) == sorted(set(seqs))
    assert all(end < first for (_, end), (first, _) in pairwise(ranges))
    assert [seq for seq in range(402) if holds(ranges, seq)] == sorted(set(seqs))


@given(seqs=SPARSE_SEQS, floor=st.integers(min_value=0, max_value=450))
def test_upto_ends_the_unbroken_run_of_settled_or_given_up(seqs: list[int], floor: int) -> None:
    upto = upto_of(ranges_of(seqs), floor)
    covered = set(seqs) | set(range(floor))
    assert covered >= set(range(upto + 1))
    assert upto + 1 not in covered


@given(seqs=SPARSE_SEQS, floor=st.integers(min_value=0, max_value=450))
def test_gaps_are_the_first_unsettled_runs_above_upto(seqs: list[int], floor: int) -> None:
    ranges = ranges_of(seqs)
    upto = upto_of(ranges, floor)
    gaps = gaps_of(ranges, upto)
    missing = [seq for seq in range(upto + 1, max(seqs, default=0)) if seq not in set(seqs)]
    listed = [seq for first, last in gaps for seq in range(first, last + 1)]
    assert len(gaps) <= MAX_GAPS
    assert listed == missing[: len(listed)]
    assert len(gaps) == MAX_GAPS or listed == missing


@given(seqs=SEQS, data=st.data())
def test_no_order_and_no_repetition_changes_what_is_settled(seqs: list[int], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(seqs + seqs[: len(seqs) // 2]))
    straight: Cursors = {}
    crooked: Cursors = {}
    settled_by([uplink(seq) for seq in seqs], straight)
    settled_by([uplink(seq) for seq in shuffled], crooked)
    if seqs:
        assert straight[DEVICE, EPOCH].settled == crooked[DEVICE, EPOCH].settled
        assert ack_of(straight).upto == ack_of(crooked).upto
        assert ack_of(straight).gaps == ack_of(crooked).gaps


@given(seqs=SEQS, cuts=st.lists(st.integers(min_value=0, max_value=80), max_size=4))
def test_batches_may_be_cut_anywhere(seqs: list[int], cuts: list[int]) -> None:
    whole: Cursors = {}
    pieces: Cursors = {}
    settled_by([uplink(seq) for seq in seqs], whole)
    bounds = sorted({0, len(seqs), *(cut for cut in cuts if cut < len(seqs))})
    stored = [
        one.seq
        for first, end in pairwise(bounds)
        for one in settled_by([uplink(seq) for seq in seqs[first:end]], pieces).new
    ]
    assert whole == pieces
    assert sorted(stored) == sorted(set(seqs))


@given(seqs=SEQS)
def test_each_uplink_is_stored_once_and_the_rest_are_counted(seqs: list[int]) -> None:
    batch = settled_by([uplink(seq) for seq in seqs], {})
    assert sorted(one.seq for one in batch.new) == sorted(set(seqs))
    assert batch.duplicates == len(seqs) - len(set(seqs))


@given(seqs=SEQS, oldest=st.integers(min_value=0, max_value=120))
def test_an_ack_never_claims_what_is_neither_settled_nor_given_up(seqs: list[int], oldest: int) -> None:
    cursors: Cursors = {}
    settled_by([uplink(seq, oldest=min(oldest, seq)) for seq in seqs], cursors)
    if seqs:
        ack = ack_of(cursors)
        given_up = max(min(oldest, seq) for seq in seqs)
        assert set(range(ack.upto + 1)) <= set(seqs) | set(range(given_up))
        assert ack.upto >= given_up - 1
        assert not set(seqs) & {seq for first, last in ack.gaps for seq in range(first, last + 1)}


def as_loaded(settled: set[int], boundary: int, batch: Sequence[int]) -> Cursor:
    """A cursor whose ranges below ``boundary`` were put away, with those that its row and ``batch`` bring along."""
    away: Ranges = []
    kept: Ranges = []
    for number in sorted(settled):
        add(away if number < boundary else kept, number)
    near = [one for one in away if any(one[0] - 1 <= number <= one[1] for number in batch)]
    return Cursor(
        device_no=DEVICE,
        epoch=EPOCH,
        settled=kept,
        boundary=boundary,
        put_away=len(away),
        low=away[:LOW_RANGES],
        low_is_all=len(away) <= LOW_RANGES,
        near=near,
    )


@given(
    settled=st.sets(st.integers(0, 250), min_size=120),
    gaps=st.sets(st.integers(0, 300), max_size=3),
    boundary=st.integers(1, 260),
    batch=st.lists(st.integers(0, 300), max_size=20) | st.permutations(range(300)),
)
def test_an_ack_lists_no_gap_that_is_settled_however_many_ranges_were_put_away(
    settled: set[int], gaps: set[int], boundary: int, batch: list[int]
) -> None:
    settled = (settled - {boundary - 1}) | {boundary, 300}
    batch = [number for number in batch if number not in gaps]
    cursor = as_loaded(settled, boundary, batch)
    cursors = {(DEVICE, EPOCH): cursor}
    settle([(0, number, uplink(number)) for number in batch], cursors)
    ack = cursor.settled_record(1).ack

    whole = settled.union(batch)
    assert [number for first, last in ack.gaps for number in range(first, last + 1) if number in whole] == []
    assert set(range(ack.upto + 1)) <= whole
    if len(gaps) == 0 and set(batch) == set(range(300)):
        assert (ack.upto, ack.gaps) == (300, ())


def test_a_full_outbox_that_evicted_is_not_waited_for() -> None:
    cursors: Cursors = {}
    settled_by([uplink(0), uplink(5, oldest=4)], cursors)
    assert ack_of(cursors).upto == 3
    settled_by([uplink(4, oldest=4)], cursors)
    assert ack_of(cursors).upto == 5


def test_what_was_given_up_and_arrives_after_all_is_stored_once() -> None:
    cursors: Cursors = {}
    settled_by([uplink(5, oldest=5)], cursors)
    assert [one.seq for one in settled_by([uplink(2), uplink(2)], cursors).new] == [2]
    assert ack_of(cursors).upto == 5


def test_the_floor_never_sinks() -> None:
    cursors: Cursors = {}
    settled_by([uplink(9, oldest=9), uplink(3, oldest=0)], cursors)
    assert ack_of(cursors).upto == 9


@given(seqs=SEQS, more=SEQS)
def test_a_new_epoch_starts_from_nothing_and_leaves_the_old_one_alone(seqs: list[int], more: list[int]) -> None:
    cursors: Cursors = {}
    settled_by([uplink(seq) for seq in seqs], cursors)
    before = {key: list(cursor.settled) for key, cursor in cursors.items()}
    batch = settled_by([uplink(seq, epoch=EPOCH + 1) for seq in more], cursors)
    assert {one.seq for one in batch.new} == set(more)
    assert {key: cursors[key].settled for key in before} == before


@given(seqs=SEQS, data=st.data())
def test_a_rebinding_in_mid_outbox_neither_repeats_nor_moves_a_reading(seqs: list[int], data: st.DataObject) -> None:
    """The judge may name another person when an uplink is sent again; the first settlement stands."""
    first = {seq: data.draw(st.sampled_from([1, 2])) for seq in set(seqs)}
    cursors: Cursors = {}
    once = settled_by([uplink(seq, person_no=person) for seq, person in first.items()], cursors)
    again = settled_by([uplink(seq, person_no=2) for seq in seqs], cursors)
    assert again.new == []
    assert {one.seq: JudgedReading._make(READING.unpack(one.readings)).person_no for one in once.new} == first


@given(seqs=SEQS)
def test_devices_do_not_settle_for_each_other(seqs: list[int]) -> None:
    cursors: Cursors = {}
    settled_by([uplink(seq, device_no=1) for seq in seqs], cursors)
    batch = settled_by([uplink(seq, device_no=2) for seq in seqs], cursors)
    assert {one.seq for one in batch.new} == set(seqs)


@given(seqs=st.lists(st.integers(min_value=0, max_value=3 * MAX_AHEAD), max_size=20))
def test_a_jump_is_rejected_and_stays_unsettled(seqs: Sequence[int]) -> None:
    cursors: Cursors = {}
    for seq in seqs:
        known = DEVICE, EPOCH
        upto = ack_of(cursors).upto if known in cursors else -1
        batch = settled_by([uplink(seq)], cursors)
        assert bool(batch.unsettled) is (seq > upto + MAX_AHEAD)
        assert holds(cursors[known].settled, seq) is not bool(batch.unsettled)


def test_the_golden_jump_is_one() -> None:
    (golden,) = [one for one in BAD if one.decided_by == "store"]
    identity = identity_of(golden.payload)
    assert identity is not None
    epoch, seq = identity
    batch = settled_by([uplink(seq, epoch=epoch)], {})
    ((_, refused),) = batch.unsettled
    assert {refused.item: (refused.reason, refused.field)} == golden.rejected
    assert batch.new == []
    assert settled_by([uplink(seq - 1, epoch=epoch)], {}).unsettled == []


def test_every_device_heard_is_acked_even_for_pure_duplicates() -> None:
    cursors: Cursors = {}
    settled_by([uplink(0)], cursors)
    batch = settled_by([uplink(0)], cursors)
    assert (batch.new, batch.duplicates) == ([], 1)
    assert [one.settled_record(1).ack.upto for one in batch.touched] == [0]


def test_the_epoch_heard_last_is_acked_last() -> None:
    batch = settled_by([uplink(0), uplink(0, epoch=EPOCH + 1), uplink(1)], {})
    assert [cursor.epoch for cursor in batch.touched] == [EPOCH + 1, EPOCH]


@given(seqs=st.lists(st.integers(min_value=0, max_value=200), max_size=80, unique=True))
def test_an_ack_lists_the_newest_refusals_and_refused_uplinks_are_settled(seqs: list[int]) -> None:
    cursors: Cursors = {}
    settled_by([uplink(seq, refused=True) for seq in seqs], cursors)
    if seqs:
        rejected = ack_of(cursors).rejected
        assert [(one.seq, one.item, one.reason) for one in rejected] == [
            (seq, 0, RejectionReason.OUT_OF_RANGE) for seq in seqs[-MAX_REJECTED:]
        ]
        assert numbers(cursors[DEVICE, EPOCH].settled) == sorted(seqs)


def test_an_uplink_without_identity_touches_no_cursor() -> None:
    nobody = SealedUplink(
        device_no=0,
        device="unregistered",
        home_no=0,
        shard=3,
        epoch=-1,
        seq=-1,
        oldest=0,
        sent_at=1,
        received_at=1,
        readings=b"",
        events=(),
        rejections=(Rejection(WHOLE_UPLINK, RejectionReason.NO_IDENTITY, "", b"?"),),
    )
    batch = settled_by([nobody], {})
    assert batch.anonymous == [(0, 0, nobody)]
    assert batch.touched == []
    assert cursors_needed([nobody]) == []


@given(stamps=st.lists(st.tuples(st.sampled_from("ab"), st.integers(min_value=0, max_value=99)), max_size=20))
def test_a_marker_marks_the_furthest_of_its_instance(stamps: list[tuple[str, int]]) -> None:
    batch = settled_by([WatermarkMarker(instance=name, received_at=at) for name, at in stamps], {})
    assert batch.markers == {(name, 0): max(at for other, at in stamps if other == name) for name, _ in stamps}
