"""Every uplink of the bad-input corpus ends in exactly its outcome, item by item."""

import pytest

from schemas.codec import decode_uplink_record, encode_uplink_record, identity_of, open_uplink_record, seal
from schemas.messages import MAX_RAW_BYTES, WHOLE_UPLINK
from schemas.records import JudgedUplink, SealedUplink
from services.ingest.core import judge
from services.store.core import Cursor, Cursors, settle
from tests.corpus_world import SHARD, device_name, disagreements, kept_of, rejected_in, sender_of, stored_in
from tests.golden import RECEIVED_AT
from tests.proving.fuzz.corpus import Case, made_of, played_by

UPLINKS = played_by("uplink")
STORIES = played_by("story")


def judged(case: Case, payload: bytes) -> JudgedUplink:
    return judge(payload, device=device_name(case), entry=sender_of(case), shard=SHARD, received_at=RECEIVED_AT)


@pytest.mark.parametrize("case", UPLINKS, ids=lambda case: case.id)
def test_an_uplink_ends_in_its_outcome(case: Case) -> None:
    uplink = judged(case, case.bytes)
    kept = kept_of(uplink)
    assert {one.item: (one.reason, one.field) for one in uplink.rejections} == rejected_in(case.fate)
    assert kept.keys() == stored_in(case.fate).keys()
    assert disagreements(kept, case.fate) == []
    assert len(kept) + len(uplink.rejections) == len(uplink.readings) + len(uplink.events) + len(uplink.rejections)


@pytest.mark.parametrize("case", UPLINKS, ids=lambda case: case.id)
def test_who_can_get_an_ack_gets_one_and_refused_bytes_are_kept(case: Case) -> None:
    payload = case.bytes
    uplink = judged(case, payload)
    acked = case.fate.get("acked", True)
    assert (uplink.epoch, uplink.seq) == (identity_of(payload) if acked else (-1, -1))
    assert bool(uplink.device_no) is acked
    assert all(one.raw == payload[:MAX_RAW_BYTES] for one in uplink.rejections if one.item == WHOLE_UPLINK)


@pytest.mark.parametrize("case", UPLINKS, ids=lambda case: case.id)
def test_what_was_judged_travels_over_the_bus_unchanged(case: Case) -> None:
    uplink = judged(case, case.bytes)
    value = encode_uplink_record(uplink)
    assert decode_uplink_record(value) == uplink
    assert open_uplink_record(value) == seal(uplink)


@pytest.mark.parametrize("case", STORIES, ids=lambda case: case.id)
def test_a_story_of_uplinks_ends_in_its_ack(case: Case) -> None:
    cursors: Cursors = {}
    for offset, one in enumerate(case.sent):
        uplink = judged(case, made_of(one["sent"]))
        sealed = open_uplink_record(encode_uplink_record(uplink))
        assert isinstance(sealed, SealedUplink)
        key = (uplink.device_no, uplink.epoch)
        cursors.setdefault(key, Cursor(device_no=uplink.device_no, epoch=uplink.epoch))
        batch = settle([(0, offset, sealed)], cursors)
        happened = "duplicate" if batch.duplicates else "jumped" if batch.unsettled else "new"
        assert happened == next((word for word in ("duplicate", "jumped") if one["fate"].get(word)), "new")
        if happened == "new":
            assert {refused.item: (refused.reason, refused.field) for refused in uplink.rejections} == rejected_in(
                one["fate"]
            )
            assert kept_of(uplink).keys() == stored_in(one["fate"]).keys()
    ack = cursors[1, epoch_of(case)].settled_record(1).ack
    assert ack.upto == case.fate["upto"]
    assert [list(gap) for gap in ack.gaps] == case.fate.get("gaps", [])
    assert [[one.seq, one.item, one.reason] for one in ack.rejected] == case.fate.get("rejected", [])


def epoch_of(case: Case) -> int:
    """The epoch of a story: that of its last uplink."""
    identity = identity_of(made_of(case.sent[-1]["sent"]))
    assert identity is not None
    return identity[0]
