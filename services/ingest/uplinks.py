"""The path of what devices say: taken from the broker, judged, appended to the bus, and only then acknowledged."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from schemas.codec import encode_uplink_record
from schemas.records import JudgedUplink
from schemas.topics import MARKER_DEVICE, STATUS, UPLINKS_JUDGED, device_of, home_key
from services.ingest.allowance import DeviceAllowances
from services.ingest.core import judge
from services.ingest.device_words import word_of
from services.ingest.registry import RegisteredDevice, Registry
from services.ingest.snapshot import SnapshotKeeper
from services.ingest.watermark_markers import WatermarkMarkers
from services.runtime.bus.port import Bus, Record
from services.runtime.clock import Clock
from services.runtime.errors import RetryLaterError
from services.runtime.metrics import Metrics, Server
from services.runtime.mqtt import Link, MqttMessage
from services.runtime.pacing import Gather
from services.runtime.retry import GaveUpError, Retry

_STATUS: Final = f"/{STATUS.leaf}"
_WAIT_S: Final = 0.5
_RETRY_S: Final = 0.25


@dataclass(slots=True, kw_only=True)
class UplinkPath:
    """A sequential loop over bursts.

    So order is kept, bursts grow with the load, and the broker's window bounds memory.
    ``sessions_known_lost`` is how many lost sessions are not news. It begins at 1 for an instance
    that never ran here: its first connection finds no session, and none was lost.
    """

    link: Link
    bus: Bus
    snapshot: SnapshotKeeper
    markers: WatermarkMarkers
    limits: DeviceAllowances
    clock: Clock
    metrics: Metrics
    log: structlog.typing.FilteringBoundLogger
    gather: Gather
    replays_retained: bool = False
    sessions_known_lost: int = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``; a burst that is under way is finished, unless the bus is away."""
        while not stop.is_set():
            messages = await self.link.take(wait_s=_WAIT_S)
            self._count_lost_sessions()
            self.metrics.waits(on=Server.BROKER, now=not self.link.online)
            if not messages:
                continue
            self.metrics.waits(on=Server.DATABASE, now=self.snapshot.is_too_old)
            registry = await self.snapshot.fresh(stop)
            self.metrics.waits(on=Server.DATABASE, now=False)
            # PUBACK only once the bus has them. Whatever a crash leaves without one, the broker
            # delivers again.
            if registry is None or not await self._append(self._records(messages, registry), stop):
                return
            self.link.acknowledge(messages)
            self._clear_retained(messages)
            await asyncio.sleep(self.gather.after(len(messages), waiting=self.link.waiting))

    def _records(self, messages: Sequence[MqttMessage], registry: Registry) -> list[Record]:
        received_at, now_s = self.clock.now_ms(), time.monotonic()
        records: list[Record] = []
        uplinks: list[JudgedUplink] = []
        for message in messages:
            shard, device = device_of(message.topic)
            if device == MARKER_DEVICE:
                records.extend(self.markers.records(message))
                continue
            if message.retained and (self.replays_retained or not message.payload):
                continue  # what was news once, or an order to the broker to forget it
            if message.topic.endswith(_STATUS):
                records.extend(self._word(message, registry.get(device), shard, received_at))
                continue
            # Dropped, and yet acknowledged to the broker: left open it would fill the window that
            # all devices share. The device has no ack from us, so it sends the uplink again later.
            if not self.limits.admit(device, message.payload, now_s):
                continue
            uplink = judge(
                message.payload,
                device=device,
                entry=registry.get(device),
                shard=shard,
                received_at=received_at,
                retained=message.retained,
            )
            self.limits.charge_for(device, len(uplink.rejections), now_s)
            uplinks.append(uplink)
            records.append(Record(home_key(uplink.home_no), encode_uplink_record(uplink)))
        self._count(uplinks)
        return records

    def _word(self, message: MqttMessage, entry: RegisteredDevice | None, shard: int, received_at: int) -> list[Record]:
        """The record of a status. Live ones are retained, too: a replay of what was news once never comes here."""
        _, device = device_of(message.topic)
        word = None
        if self.limits.admit(device, message.payload, time.monotonic()):
            word = word_of(message.payload, entry=entry, shard=shard, received_at=received_at)
        self.metrics.count("hb_ingest_statuses_total", outcome="passed_on" if word else "left_out")
        return [Record(home_key(word.home_no), encode_uplink_record(word))] if word else []

    def _clear_retained(self, messages: Sequence[MqttMessage]) -> None:
        """Clears, once they are passed on, uplinks that were sent with the retain flag.

        The broker would deliver such an uplink to every new subscriber, as if it were news. A
        clearing that is lost is made up for by the device's next retained uplink.
        """
        topics = {
            one.topic
            for one in messages
            # A status is retained by contract.
            if one.retained and one.payload and not self.replays_retained and not one.topic.endswith(_STATUS)
        }
        if topics:
            self.metrics.count("hb_ingest_retained_total", len(topics))
            with suppress(RetryLaterError):
                self.link.publish_retained([(topic, b"") for topic in sorted(topics)])

    async def _append(self, records: Sequence[Record], stop: asyncio.Event) -> bool:
        """Tries until the bus has them; False where ``stop`` came first, and nothing is acknowledged."""
        retry = Retry(
            errors=(RetryLaterError,),
            every_s=_RETRY_S,
            log=self.log,
            metrics=self.metrics,
            on=Server.BUS,
            counter="hb_ingest_retries_total",
            says="bus refused a burst",
        )
        append = partial(self.bus.append, UPLINKS_JUDGED.name, records)
        try:
            await retry.until_done(append, stop, records=len(records))
        except GaveUpError:
            return False
        return True

    def _count(self, uplinks: Sequence[JudgedUplink]) -> None:
        self.metrics.count("hb_ingest_uplinks_total", len(uplinks))
        readings = sum(len(uplink.readings) for uplink in uplinks)
        events = sum(len(uplink.events) for uplink in uplinks)
        self.metrics.count("hb_ingest_items_total", readings, outcome="reading")
        self.metrics.count("hb_ingest_items_total", events, outcome="event")
        reasons = Counter(rejection.reason for uplink in uplinks for rejection in uplink.rejections)
        for reason, number in reasons.items():
            self.metrics.count("hb_ingest_rejected_total", number, reason=reason)

    def _count_lost_sessions(self) -> None:
        lost = self.link.sessions_lost - self.sessions_known_lost
        if lost > 0:
            self.sessions_known_lost += lost
            self.metrics.count("hb_ingest_sessions_lost_total", lost)
            self.log.warning("the broker held no session of ours", times=self.sessions_known_lost)
