"""Whether uplinks get through: a watermark marker of ingest has passed the bus, store and score."""

import asyncio
import time
from typing import Final

import asyncpg

from deploy.platform.platform import Platform

_PASSED: Final = "select received_at > to_timestamp($1::float8 / 1000) from watermark"
_EVERY_S: Final = 0.2


class NotReadyError(RuntimeError):
    """The services run, but no watermark marker came through."""


def wait_ready(platform: Platform, *, within_s: float = 60) -> None:
    """Returns once a watermark marker sent from now on has passed, on every partition.

    Raises ServiceEndedError, NotReadyError (with the ends of the logs).
    """
    now_ms = platform.clock.now_ms() if platform.clock else time.time() * 1000
    asyncio.run(_wait(platform, now_ms, time.monotonic() + within_s))


async def _wait(platform: Platform, since_ms: float, deadline: float) -> None:
    connection = await asyncpg.connect(platform.stack.dsn)
    try:
        while not await connection.fetchval(_PASSED, since_ms):
            platform.check_alive()
            if time.monotonic() > deadline:
                tails = [f"{name}:\n{process.tail(5)}" for name, process in platform.processes.items()]
                raise NotReadyError("no watermark marker has come through\n" + "\n".join(tails))
            await asyncio.sleep(_EVERY_S)
    finally:
        await connection.close()
