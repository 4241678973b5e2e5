"""Stored rows of a home as its log again: what was only heard is there too, and flags of later are not."""

from schemas.reasons import Flag
from services.score.home_rows import as_scored, with_unread
from tests.unit.services.score.story import uplink


def test_an_uplink_of_which_all_was_rejected_is_heard_in_its_place_and_one_that_is_stored_is_there_once() -> None:
    stored = [uplink(1, 1, {"spo2": 97}), uplink(3, 3, {"spo2": 97})]
    unread = [uplink(2, 2), uplink(3, 3), uplink(2, 2)]
    found = with_unread(stored, unread)
    assert [(one.seq, len(one.readings)) for one in found] == [(1, 1), (2, 0), (3, 1)]


def test_what_store_and_score_have_flagged_since_is_taken_off_and_nothing_else() -> None:
    flags = int(Flag.REPEATED | Flag.HELD | Flag.POOR_QUALITY | Flag.MOVING)
    (record,) = as_scored([uplink(1, 1, {"spo2": 97}, events=["worn"], flags=flags)])
    assert {one.flags for one in record.readings} | {one.flags for one in record.events} == {
        int(Flag.POOR_QUALITY | Flag.MOVING)
    }
