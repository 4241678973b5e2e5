"""An uplink on another shard than its device's: rejected, and yet a call for help is heard."""

import pytest

from schemas.messages import WHOLE_UPLINK
from schemas.reasons import RejectionReason
from schemas.records import JudgedUplink
from schemas.topics import SHARDS
from services.ingest.core import judge
from tests.unit.services.ingest.test_core import NOW, PULSE, SOS, body, device


def judged_elsewhere(payload: bytes) -> JudgedUplink:
    """As judged when it comes on another shard than the device's."""
    entry = device("wearable_band")
    return judge(payload, device=entry.device, entry=entry, shard=(entry.shard + 1) % SHARDS, received_at=NOW)


def test_an_uplink_on_another_shard_is_rejected_and_left_with_its_device() -> None:
    uplink = judged_elsewhere(body(readings=[PULSE]))
    assert (uplink.device_no, uplink.readings, uplink.events) == (0, (), ())
    assert [(one.item, one.reason) for one in uplink.rejections] == [(WHOLE_UPLINK, RejectionReason.WRONG_SHARD)]


def test_a_call_for_help_on_another_shard_is_heard_and_settled() -> None:
    uplink = judged_elsewhere(body(readings=[PULSE], events=[SOS]))
    assert uplink.device_no == device("wearable_band").device_no
    assert uplink.readings == ()
    assert [one.item for one in uplink.events] == [1]
    assert [one.reason for one in uplink.rejections] == [RejectionReason.WRONG_SHARD]


@pytest.mark.parametrize("payload", [b"", b"{", body(events=[{"event": "sneezed"}])])
def test_what_cannot_be_read_on_another_shard_is_rejected_too(payload: bytes) -> None:
    assert len(judged_elsewhere(payload).rejections) == 1
