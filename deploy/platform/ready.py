"""Whether uplinks get through: a canary of ingest has passed the bus, store and score."""

import asyncio
import time
from typing import Final

import asyncpg

from deploy.platform.platform import Platform

_PASSED: Final = "select count(distinct consumer) from watermarks where consumer in ('store', 'score')"
_BOTH: Final = 2
_EVERY_S: Final = 0.2


class NotReadyError(RuntimeError):
    """The services run, but no canary came through."""


def wait_ready(platform: Platform, *, within_s: float = 60) -> None:
    """Returns once a canary has passed. Raises ServiceEndedError, NotReadyError (with the ends of the logs)."""
    asyncio.run(_wait(platform, time.monotonic() + within_s))


async def _wait(platform: Platform, deadline: float) -> None:
    connection = await asyncpg.connect(platform.stack.dsn)
    try:
        while await connection.fetchval(_PASSED) < _BOTH:
            platform.check_alive()
            if time.monotonic() > deadline:
                tails = [f"{name}:\n{process.tail(5)}" for name, process in platform.processes.items()]
                raise NotReadyError("no canary has come through\n" + "\n".join(tails))
            await asyncio.sleep(_EVERY_S)
    finally:
        await connection.close()
