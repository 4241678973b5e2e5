"""Wires watch: eyes on services, database, bus and broker; incidents; the operators' channels."""

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
from services.watch.broker import BrokerEye
from services.watch.bus import BusEye
from services.watch.database import DatabaseEye
from services.watch.ledger import Ledger
from services.watch.pager import Heartbeat, Pager, open_channels, open_client
from services.watch.pages import PagesEye
from services.watch.seat import Seat, keep_seat, wait_for_seat
from services.watch.settings import WatchSettings

if TYPE_CHECKING:
    from services.watch.look import Eye

_CLIENT_ID: Final = "watch-0"


async def run(settings: WatchSettings, *, clock: Clock, stop: asyncio.Event, metrics: Metrics) -> None:
    """Until ``stop``. One is at work for a platform, see `services.watch.seat`. Raises SeatTakenError."""
    log, sql = logger("watch"), load_queries("services.watch")
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings.database, application="hb-watch"))
        seat = Seat(pool, sql)
        stack.push_async_callback(seat.leave)
        if not await wait_for_seat(seat, stop, log):
            return
        bus = await stack.enter_async_context(open_bus(settings.bus, pool))
        client = await stack.enter_async_context(open_client())
        eyes: list[Eye] = [
            DatabaseEye(pool=pool, sql=sql, clock=clock),
            BusEye(bus=bus),
            PagesEye(pages=settings.services, health=settings.health, client=client),
        ]
        broker = None
        if settings.broker_counter:
            filters = [settings.broker_counter]
            link = await stack.enter_async_context(
                open_link(settings.mqtt, client_id=_CLIENT_ID, filters=filters, how=WHAT_IS_KEPT)
            )
            broker = BrokerEye(link=link)
            eyes.append(broker)
        channels = open_channels(settings, client)
        auditor = Auditor(
            eyes=eyes,
            ledger=Ledger(pool=pool, sql=sql),
            pager=Pager(channels, metrics, log),
            heartbeat=Heartbeat(client, settings.heartbeat_url, settings.heartbeat_every_s, metrics),
            real=WallClock(),
            metrics=metrics,
            log=log,
        )
        log.info("started", services=sorted(settings.services), channels=[channel.name for channel in channels])
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(keep_seat(seat, stop), name="seat")
            tasks.create_task(
                do_rounds(auditor.look, stop, every_s=settings.every_s, log=log, metrics=metrics), name="look"
            )
            if broker is not None:
                tasks.create_task(broker.listen(stop), name="listen")
