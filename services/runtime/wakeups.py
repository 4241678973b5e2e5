"""Wakes those who wait for new rows, after the commit. It may fail, so they poll as well."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Any, Final

import asyncpg

from services.runtime.clock import pause
from services.runtime.database import LOST_CONNECTION, Pool, load_queries
from services.runtime.metrics import Metrics

POLL_S: Final = 1.0
"""Who is woken looks by itself at least so often: any login can fill the server's queue of notifications."""
_WITHIN_S: Final = 0.5
_SQL: Final = load_queries("services.runtime", "wakeups.sql")


class WakeUp(StrEnum):
    """What there may be news of. Everybody who may connect can hear them, so they carry no more than a topic."""

    ALERTS = "alerts"
    FINDINGS = "findings"
    BUS = "bus"
    DEVICES = "devices"


async def wake(pool: Pool, news: WakeUp, payload: str = "", *, metrics: Metrics | None = None) -> bool:
    """Wakes listeners, within half a second or not at all. False: they find the news by polling."""
    try:
        async with pool.acquire(timeout=_WITHIN_S) as connection:
            try:
                await connection.execute(_SQL["wake"], news, payload, timeout=_WITHIN_S)
            # The connection may still be waiting for the server: it must not go back into the pool.
            except TimeoutError:
                connection.terminate()
                raise
    except (*LOST_CONNECTION, asyncpg.PostgresError):
        if metrics is not None:
            metrics.count("hb_process_wakeups_failed_total", news=news)
        return False
    return True


async def listen(pool: Pool, news: WakeUp, heard: Callable[[str], None], stop: asyncio.Event) -> None:
    """Calls ``heard`` with the payload of each wake-up, until ``stop``; connects again when the connection ends."""
    while not stop.is_set():
        with suppress(*LOST_CONNECTION):
            await _listen_once(pool, news, heard, stop)
        await pause(stop, POLL_S)


async def _listen_once(pool: Pool, news: WakeUp, heard: Callable[[str], None], stop: asyncio.Event) -> None:
    def hear(_connection: Any, _pid: int, _channel: str, payload: object) -> None:
        heard(str(payload))

    async with pool.standing() as connection:
        await connection.add_listener(news, hear)
        while not connection.is_closed() and not await pause(stop, POLL_S):
            pass
