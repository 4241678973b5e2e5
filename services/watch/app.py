"""Wires watch: probes on services, database, bus and broker; incidents; the operators' channels."""

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from services.runtime.bus.open import open_bus
from services.runtime.clock import Clock, WallClock
from services.runtime.database import load_queries, open_pool
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from services.runtime.mqtt import WHAT_IS_KEPT, open_link
from services.runtime.rounds import do_rounds
from services.watch.auditor import Auditor
from services.watch.broker import BrokerProbe
from services.watch.bus import BusProbe
from services.watch.certificates import EVERY_S as CERTIFICATES_EVERY_S
from services.watch.certificates import CertificatesLook, listeners_of
from services.watch.database import DatabaseProbe
from services.watch.disks import EVERY_S as DISKS_EVERY_S
from services.watch.disks import DisksLook
from services.watch.leader_lock import LeaderLock, keep_leader_lock, wait_for_leader_lock
from services.watch.ledger import Ledger
from services.watch.operator_channels import Heartbeat, OperatorNotifier, open_channels, open_client
from services.watch.service_endpoints import EndpointsProbe
from services.watch.settings import WatchSettings

if TYPE_CHECKING:
    from services.watch.probe import Probe

_CLIENT_ID: Final = "watch-0"


async def run(settings: WatchSettings, *, clock: Clock, stop: asyncio.Event, metrics: Metrics) -> None:
    """Until ``stop``. One is at work for a platform, see `services.watch.leader_lock`. Raises LeaderLockTakenError."""
    log, sql = logger("watch"), load_queries("services.watch")
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings.database, application="hb-watch"))
        leader_lock = LeaderLock(pool, sql)
        # Left last of all but the pool: while anything still works here, no other watch may begin.
        stack.push_async_callback(leader_lock.leave)
        if not await wait_for_leader_lock(leader_lock, stop, log):
            return
        bus = await stack.enter_async_context(open_bus(settings.bus, pool))
        client = await stack.enter_async_context(open_client(settings.log.tls))
        probes: list[Probe] = [
            DatabaseProbe(pool=pool, sql=sql, clock=clock, metrics=metrics),
            BusProbe(bus=bus, metrics=metrics),
            EndpointsProbe(pages=settings.services, health=settings.health, client=client),
        ]
        broker = None
        if settings.broker_counter:
            filters = [settings.broker_counter]
            link = await stack.enter_async_context(
                open_link(settings.mqtt, client_id=_CLIENT_ID, filters=filters, how=WHAT_IS_KEPT)
            )
            broker = BrokerProbe(link=link)
            probes.append(broker)
        channels = open_channels(settings, client)
        auditor = Auditor(
            probes=probes,
            ledger=Ledger(pool=pool, sql=sql),
            notifier=OperatorNotifier(channels, metrics, log),
            heartbeat=Heartbeat(client, settings.heartbeat_url, settings.heartbeat_every_s, metrics),
            real=WallClock(),
            metrics=metrics,
            log=log,
        )
        certificates = CertificatesLook(listeners=listeners_of(settings), metrics=metrics)
        disks = DisksLook(disks=settings.disks, backups=settings.backups, metrics=metrics)
        metrics.set("hb_watch_leading_state", 1)
        log.info("started", services=sorted(settings.services), channels=[channel.name for channel in channels])
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(keep_leader_lock(leader_lock, stop), name="leader_lock")
            for name, work, every_s in (
                ("audit", auditor.audit, settings.every_s),
                ("certificates", certificates.look, CERTIFICATES_EVERY_S),
                ("disks", disks.look, DISKS_EVERY_S),
            ):
                rounds = do_rounds(work, stop, clock=clock, every_s=every_s, log=log, metrics=metrics)
                tasks.create_task(rounds, name=name)
            if broker is not None:
                tasks.create_task(broker.listen(stop), name="listen")
