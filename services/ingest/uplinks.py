"""The path of an uplink: taken from the broker, judged, appended to the bus, and only then acknowledged."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Final

import structlog

from schemas.codec import encode_uplink_record
from schemas.records import JudgedUplink
from schemas.topics import CANARY_DEVICE, UPLINKS_JUDGED, device_of, home_key
from services.ingest.canary import Canaries
from services.ingest.core import judge
from services.ingest.registry import Registry
from services.ingest.snapshot import SnapshotKeeper
from services.runtime.bus.port import Bus, Record
from services.runtime.clock import Clock, Gather, pause
from services.runtime.errors import RetryLaterError
from services.runtime.metrics import Metrics
from services.runtime.mqtt import Delivery, Link

_WAIT_S: Final = 0.5
_RETRY_S: Final = 0.25


class UplinkPath:
    """A sequential loop over bursts: order is kept, bursts grow with load, memory is bounded by the broker's window."""

    def __init__(
        self,
        link: Link,
        bus: Bus,
        snapshot: SnapshotKeeper,
        canaries: Canaries,
        clock: Clock,
        metrics: Metrics,
        log: structlog.typing.FilteringBoundLogger,
        *,
        gather: Gather,
    ) -> None:
        self._link, self._bus, self._snapshot, self._canaries = link, bus, snapshot, canaries
        self._clock, self._metrics, self._log, self._gather = clock, metrics, log, gather
        self._sessions_lost = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``; a burst that is under way is finished, unless the bus is away."""
        while not stop.is_set():
            deliveries = await self._link.take(wait_s=_WAIT_S)
            self._count_lost_sessions()
            if not deliveries:
                continue
            registry = await self._snapshot.fresh(stop)
            if registry is None or not await self._append(self._records(deliveries, registry), stop):
                return
            self._link.acknowledge(deliveries)
            await asyncio.sleep(self._gather.after(len(deliveries)))

    def _records(self, deliveries: Sequence[Delivery], registry: Registry) -> list[Record]:
        received_at = self._clock.now_ms()
        records: list[Record] = []
        uplinks: list[JudgedUplink] = []
        for delivery in deliveries:
            shard, device = device_of(delivery.topic)
            if device == CANARY_DEVICE:
                records.extend(self._canaries.records(delivery))
                continue
            uplink = judge(
                delivery.payload, device=device, entry=registry.get(device), shard=shard, received_at=received_at
            )
            uplinks.append(uplink)
            records.append(Record(home_key(uplink.home_no), encode_uplink_record(uplink)))
        self._count(uplinks, registry)
        return records

    async def _append(self, records: Sequence[Record], stop: asyncio.Event) -> bool:
        """Tries until the bus has them; False where ``stop`` came first, and nothing is acknowledged."""
        while True:
            try:
                await self._bus.append(UPLINKS_JUDGED.name, records)
            except RetryLaterError as error:
                self._metrics.count("hb_ingest_retries_total")
                self._log.warning("bus refused a burst", records=len(records), error=str(error.__cause__))
            else:
                return True
            if await pause(stop, _RETRY_S):
                return False

    def _count(self, uplinks: Sequence[JudgedUplink], registry: Registry) -> None:
        self._metrics.count("hb_ingest_uplinks_total", len(uplinks))
        readings = sum(len(uplink.readings) for uplink in uplinks)
        events = sum(len(uplink.events) for uplink in uplinks)
        self._metrics.count("hb_ingest_items_total", readings, outcome="reading")
        self._metrics.count("hb_ingest_items_total", events, outcome="event")
        reasons = Counter(refusal.reason for uplink in uplinks for refusal in uplink.refusals)
        for reason, number in reasons.items():
            self._metrics.count("hb_ingest_set_aside_total", number, reason=reason)
        astray = sum(1 for uplink in uplinks if uplink.device_no and registry[uplink.device].shard != uplink.shard)
        if astray:
            self._metrics.count("hb_ingest_wrong_shard_total", astray)

    def _count_lost_sessions(self) -> None:
        lost = self._link.sessions_lost - self._sessions_lost
        if lost:
            self._sessions_lost += lost
            self._metrics.count("hb_ingest_sessions_lost_total", lost)
            self._log.warning("the broker held no session of ours", times=self._sessions_lost)
