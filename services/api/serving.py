"""The web server of the console: signals are the process's, the stop event ends it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn

from services.api.console import Console
from services.api.request_checks import RequestChecks
from services.api.web import build_app

_GRACE_S: Final = 5


class _Server(uvicorn.Server):
    """Leaves signals to the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def make_server(console: Console) -> uvicorn.Server:
    """Serves the pages and the REST interface of ``console``, behind its guard."""
    settings = console.settings
    certificate = settings.certificate()
    return _Server(
        uvicorn.Config(
            RequestChecks(build_app(console), secure=not settings.plain_http),
            log_config=None,
            access_log=False,
            server_header=False,
            # Neither websockets nor a lifespan are used here; what is off can't be reached.
            ws="none",
            lifespan="off",
            # Only from a proxy that operators trust: others could pretend any address in a header,
            # and so escape the limit of sign-ins by address.
            proxy_headers=bool(settings.trusted_proxy),
            forwarded_allow_ips=settings.trusted_proxy,
            ssl_context_factory=None if certificate is None else lambda _config, _default: certificate.context,
            limit_concurrency=1000,
            timeout_graceful_shutdown=_GRACE_S,
        )
    )


async def end_on(stop: asyncio.Event, server: uvicorn.Server) -> None:
    """Lets ``server`` end, requests and live streams within five seconds, once ``stop`` is set."""
    await stop.wait()
    server.should_exit = True
