"""Wires the console: database, live feed, web server."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

import uvicorn

from services.api.console import Console
from services.api.feed import AlertFeed
from services.api.request_checks import RequestChecks
from services.api.settings import ApiSettings
from services.api.web import build_app
from services.runtime.clock import Clock
from services.runtime.database import open_pool
from services.runtime.logs import logger
from services.runtime.metrics import Metrics

_GRACE_S = 5


class _Server(uvicorn.Server):
    """Leaves signals to the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def run(settings: ApiSettings, *, clock: Clock, stop: asyncio.Event, metrics: Metrics) -> None:
    """Serves until ``stop``; then live streams end, requests finish, connections close."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings.database, application="hb-api"))
        feed = AlertFeed(pool)
        console = Console(settings=settings, pool=pool, clock=clock, stop=stop, feed=feed, metrics=metrics)
        server = _Server(
            uvicorn.Config(
                RequestChecks(build_app(console), secure=not settings.plain_http),
                log_config=None,
                access_log=False,
                server_header=False,
                ws="none",
                lifespan="off",
                proxy_headers=bool(settings.trusted_proxy),
                forwarded_allow_ips=settings.trusted_proxy,
                limit_concurrency=1000,
                timeout_graceful_shutdown=_GRACE_S,
            )
        )
        listener = stack.enter_context(socket.create_server((settings.host, settings.port)))
        logger("api").info("started", port=listener.getsockname()[1])
        async with asyncio.TaskGroup() as group:
            group.create_task(feed.run(stop), name="feed")
            group.create_task(_end_on(stop, server), name="stop")
            group.create_task(server.serve(sockets=[listener]), name="server")


async def _end_on(stop: asyncio.Event, server: uvicorn.Server) -> None:
    await stop.wait()
    server.should_exit = True
