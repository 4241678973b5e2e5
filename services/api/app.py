"""Wires the console: database, live feed, web server; and the seals of the audit."""

import asyncio
import socket
from contextlib import AsyncExitStack

from services.api.audit_anchors import AnchorFile, DailyAnchor
from services.api.audit_sealing import Sealer, keep_sealing
from services.api.console import Console
from services.api.feed import AlertFeed
from services.api.serving import end_on, make_server
from services.api.settings import ApiSettings
from services.runtime.clock import Clock
from services.runtime.database import open_pool
from services.runtime.logs import logger
from services.runtime.metrics import Metrics


async def run(settings: ApiSettings, *, clock: Clock, stop: asyncio.Event, metrics: Metrics) -> None:
    """Serves until ``stop``; then live streams end, requests finish, connections close."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings.database, application="hb-api"))
        # A pool of its own: no request waits for a connection of the sealer's.
        alone = settings.database.model_copy(update={"pool_size": 1})
        seals = await stack.enter_async_context(open_pool(alone, application="hb-api-seals"))
        anchors = DailyAnchor(AnchorFile(settings.audit.anchors)) if settings.audit.anchors else None
        sealer = Sealer(pool=seals, clock=clock, metrics=metrics, log=logger("api"), anchors=anchors)
        feed = AlertFeed(pool)
        keys = settings.second_factor_keys()
        console = Console(settings=settings, pool=pool, clock=clock, stop=stop, feed=feed, metrics=metrics, keys=keys)
        server = make_server(console)
        listener = stack.enter_context(socket.create_server((settings.host, settings.port)))
        logger("api").info("started", port=listener.getsockname()[1])
        if anchors is None:
            logger("api").warning("no audit anchors", why="HB_API_AUDIT_ANCHORS is not set")
        async with asyncio.TaskGroup() as group:
            group.create_task(feed.run(stop), name="feed")
            group.create_task(end_on(stop, server), name="stop")
            group.create_task(server.serve(sockets=[listener]), name="server")
            group.create_task(keep_sealing(sealer, stop), name="seals")
