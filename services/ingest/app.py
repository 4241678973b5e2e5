"""Wires ingest: registry snapshot, uplinks to the bus, markers, acks to devices."""

import asyncio
from contextlib import AsyncExitStack

from schemas.topics import STATUS, UP
from services.ingest.acks import AckPublisher
from services.ingest.allowance import DeviceAllowances
from services.ingest.settings import IngestSettings
from services.ingest.shards import claim_shards
from services.ingest.snapshot import SnapshotKeeper, has_run_before
from services.ingest.throttled import ThrottledDevices
from services.ingest.uplinks import UplinkPath
from services.ingest.watermark_markers import WatermarkMarkers
from services.runtime.bus.open import open_bus
from services.runtime.clock import Clock, WallClock
from services.runtime.database import load_queries, open_pool
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from services.runtime.mqtt import open_link


async def run(settings: IngestSettings, *, clock: Clock, stop: asyncio.Event, metrics: Metrics) -> None:
    """One instance of ingest, until ``stop``."""
    log = logger("ingest").bind(instance=settings.instance)
    shards = range(settings.first_shard, settings.last_shard + 1)
    # Over one connection: what a device says of itself stays behind the uplinks that it sent before.
    filters = [topic.of_shard(shard) for shard in shards for topic in (UP, STATUS)]
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings.database, application="hb-ingest"))
        bus = await stack.enter_async_context(open_bus(settings.bus, pool))
        up = await stack.enter_async_context(open_link(settings.mqtt, client_id=settings.client_id, filters=filters))
        down = await stack.enter_async_context(open_link(settings.mqtt, client_id=f"{settings.client_id}-acks"))
        # Asked before the first marker of ours goes out: store would note it, and the answer be
        # yes.
        ran_before = await has_run_before(pool, settings.instance)
        snapshot = SnapshotKeeper(pool, log, clock)
        markers = WatermarkMarkers(
            down, clock, instance=settings.instance, shard=settings.first_shard, partitions=bus.partitions
        )
        limits = DeviceAllowances(per_s=settings.uplinks_per_s * max(1.0, clock.rate), burst=settings.uplinks_at_once)
        floods = ThrottledDevices(
            limits=limits, pool=pool, sql=load_queries("services.ingest"), real=WallClock(), metrics=metrics, log=log
        )
        uplinks = UplinkPath(
            link=up,
            bus=bus,
            snapshot=snapshot,
            markers=markers,
            limits=limits,
            clock=clock,
            metrics=metrics,
            log=log,
            gather=settings.gather,
            replays_retained=settings.mqtt.replays_retained,
            sessions_known_lost=0 if ran_before else 1,
        )
        acks = AckPublisher(down, bus, metrics, log, instance=settings.instance, every_s=settings.ack_every_s)
        await claim_shards(pool, settings.instance, shards, stop, log)
        log.info("started", shards=len(shards), partitions=bus.partitions)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(snapshot.keep(stop), name="snapshot")
            tasks.create_task(uplinks.run(stop), name="uplinks")
            tasks.create_task(markers.publish(stop), name="markers")
            tasks.create_task(acks.run(stop), name="acks")
            tasks.create_task(floods.keep(stop), name="floods")
