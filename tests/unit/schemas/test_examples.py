"""The golden payloads are complete, honest and each about one thing."""

import pytest

from schemas.codec import identity_of
from schemas.devices import DEVICE_TYPES
from schemas.devices.device_type import DeviceType
from schemas.messages import WHOLE_UPLINK
from schemas.reasons import RejectionReason
from tests.golden import BAD, FOLDER, GOOD, RECEIVED_AT, Golden

NOT_CAUSED_BY_ONE_HAND_WRITTEN_PAYLOAD = {
    RejectionReason.UNKNOWN_DEVICE,  # the register decides it
    RejectionReason.TOO_MANY_GAPS,  # what was sent before decides it
    RejectionReason.TOO_MANY_EPOCHS,  # the same
    RejectionReason.WRONG_SHARD,  # the topic decides; in tests/unit/services/ingest/test_core.py
    RejectionReason.TOO_MANY_ITEMS,  # generated in tests/unit/services/ingest/test_golden.py
}


def test_the_index_lists_every_file_once() -> None:
    on_disk = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("v1/*/*") if path.is_file())
    assert sorted(one.name for one in GOOD + BAD) == on_disk


def test_every_reason_that_a_payload_can_cause_has_an_example() -> None:
    shown = {RejectionReason(reason) for one in BAD for reason, _ in one.rejected.values()}
    assert shown == set(RejectionReason) - NOT_CAUSED_BY_ONE_HAND_WRITTEN_PAYLOAD


@pytest.mark.parametrize("device", DEVICE_TYPES, ids=lambda device: device.code)
def test_a_device_type_has_several_good_and_bad_examples(device: DeviceType) -> None:
    assert sum(one.type is device for one in GOOD) >= 2
    assert sum(one.type is device for one in BAD) >= 3


def test_every_example_is_an_epoch_of_its_own() -> None:
    epochs = [identity[0] for one in GOOD + BAD if (identity := identity_of(one.payload))]
    assert len(set(epochs)) == len(epochs)


@pytest.mark.parametrize("example", GOOD + BAD, ids=lambda example: example.name)
def test_an_example_lies_where_it_belongs(example: Golden) -> None:
    assert example.name.split("/")[2] == ("good" if example.good else "bad")
    assert bool(example.rejected) is not example.good
    assert (identity_of(example.payload) is not None) is example.acked
    assert example.says.endswith((".", "?"))


@pytest.mark.parametrize("example", GOOD + BAD, ids=lambda example: example.name)
def test_an_item_has_one_fate(example: Golden) -> None:
    assert not example.stored.keys() & example.rejected.keys()
    assert WHOLE_UPLINK not in example.stored


def test_an_example_can_be_moved_in_time() -> None:
    minute = GOOD[0]
    moved = minute.payload_at(RECEIVED_AT + 1000)
    assert moved != minute.payload
    assert b"1795348791000" in moved
    assert identity_of(moved) == identity_of(minute.payload)
    assert minute.payload_at(RECEIVED_AT) == minute.payload
