"""Watermark markers: one comes back on every partition, and only our own."""

import asyncio
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import decode_uplink_record, write_json
from schemas.records import WatermarkMarker
from schemas.topics import MARKER_DEVICE, UP, device_of, partition_of
from services.ingest.watermark_markers import WatermarkMarkers
from services.runtime.clock import FakeClock
from services.runtime.errors import RetryLaterError
from services.runtime.mqtt import Link, MqttMessage

NOW = 1_795_348_800_000


class WatchedLink:
    """Stands in for the connection: keeps what is published, or is offline."""

    def __init__(self, *, online: bool = True) -> None:
        self.published: list[tuple[str, bytes, int]] = []
        self.tries = 0
        self.online = online

    def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> None:
        del retain
        self.tries += 1
        if not self.online:
            raise RetryLaterError
        self.published.append((topic, payload, qos))


def markers(link: WatchedLink | None = None, *, partitions: int = 12) -> WatermarkMarkers:
    stand_in = cast("Link", link or WatchedLink())
    return WatermarkMarkers(stand_in, FakeClock(NOW), instance="0", shard=16, partitions=partitions)


def back(payload: bytes) -> MqttMessage:
    return MqttMessage(1, 1, UP.of(16, MARKER_DEVICE), payload)


@given(partitions=st.integers(min_value=1, max_value=64))
def test_a_marker_marks_every_partition_once(partitions: int) -> None:
    records = markers(partitions=partitions).records(back(write_json(["0", NOW - 5])))
    assert sorted(partition_of(one.key, partitions) for one in records) == list(range(partitions))
    assert {decode_uplink_record(one.value) for one in records} == {WatermarkMarker(instance="0", received_at=NOW - 5)}


@pytest.mark.parametrize(
    "payload",
    [
        write_json(["1", NOW]),
        write_json(["0", NOW + 1]),
        write_json(["0", "now"]),
        write_json(["0", True]),
        write_json(["0", float(NOW)]),
        write_json(["0"]),
        write_json(["0", NOW, 1]),
        write_json({"0": NOW, "1": NOW}),
        write_json(None),
        b"\xff",
        b"",
    ],
)
def test_what_is_no_marker_of_ours_marks_nothing(payload: bytes) -> None:
    assert markers().records(back(payload)) == []


@given(payload=st.binary(max_size=60))
def test_no_bytes_make_a_marker_fail(payload: bytes) -> None:
    assert markers().records(back(payload)) == []


async def test_a_marker_goes_through_the_broker_with_the_time_it_was_sent() -> None:
    link, stop = WatchedLink(), asyncio.Event()
    flight = asyncio.create_task(markers(link).publish(stop))
    await asyncio.sleep(0)
    stop.set()
    await flight
    ((topic, payload, qos),) = link.published
    assert (device_of(topic), qos) == ((16, MARKER_DEVICE), 1)
    assert len(markers().records(back(payload))) == 12


async def test_a_broker_that_is_away_ends_no_marker() -> None:
    link, stop = WatchedLink(online=False), asyncio.Event()
    flight = asyncio.create_task(markers(link).publish(stop))
    await asyncio.sleep(0)
    stop.set()
    await flight
    assert link.tries == 1
