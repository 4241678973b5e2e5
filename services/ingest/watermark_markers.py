"""Watermark markers: sent through the broker each second; what comes back marks the progress of every partition."""

import asyncio
from contextlib import suppress
from typing import Final

from schemas.codec import CodecError, encode_uplink_record, parse_json, write_json
from schemas.records import WatermarkMarker
from schemas.topics import MARKER_DEVICE, UP, partition_of
from services.runtime.bus.port import Record
from services.runtime.clock import Clock, rest
from services.runtime.errors import RetryLaterError
from services.runtime.mqtt import Link, MqttMessage

_EVERY_S: Final = 1.0


class WatermarkMarkers:
    """A watermark marker carries the platform time at which it was sent to the broker.

    It queues there behind every earlier uplink. So once it has passed store and score, nothing that
    reached the broker before that time is still under way.
    """

    def __init__(self, link: Link, clock: Clock, *, instance: str, shard: int, partitions: int) -> None:
        self._link, self._clock, self._instance = link, clock, instance
        self._topic = UP.of(shard, MARKER_DEVICE)
        self._keys = _key_for_each(partitions)

    async def publish(self, stop: asyncio.Event) -> None:
        """Sends one each real second."""
        while not stop.is_set():
            beat = self._clock.beat
            with suppress(RetryLaterError):
                self._link.publish(self._topic, write_json([self._instance, self._clock.now_ms()]), qos=1)
            await rest(self._clock, stop, _EVERY_S, since=beat)

    def records(self, message: MqttMessage) -> list[Record]:
        """The bus records for a watermark marker that came back: one a partition. Another instance's gives none."""
        try:
            instance, sent_at = parse_json(message.payload)
        except (CodecError, ValueError, TypeError):
            return []
        # Anybody with rights on the topic could send one. One of the future would let due rows be
        # judged before the answers to them have come.
        if instance != self._instance or type(sent_at) is not int or sent_at > self._clock.now_ms():
            return []
        value = encode_uplink_record(WatermarkMarker(instance=self._instance, received_at=sent_at))
        return [Record(key, value) for key in self._keys]


def _key_for_each(partitions: int) -> list[bytes]:
    """One key for every partition, found by trying."""
    keys: dict[int, bytes] = {}
    number = 0
    # The bus picks a partition by the hash of the key alone.
    while len(keys) < partitions:
        key = b"marker-%d" % number
        keys.setdefault(partition_of(key, partitions), key)
        number += 1
    return [keys[partition] for partition in range(partitions)]
