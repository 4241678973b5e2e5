"""Tells the open worklists that alerts have changed: LISTEN, and a poll where that is silent."""

import asyncio
from contextlib import suppress
from typing import Any, Final

from services.runtime.clock import pause
from services.runtime.database import LOST_CONNECTION, Pool

_CHECK_S: Final = 1.0


class AlertFeed:
    """Counts what it hears on the channel ``alerts``; connects again when the connection ends."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._heard = 0
        self._changed = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Listens until ``stop``."""
        while not stop.is_set():
            with suppress(*LOST_CONNECTION):
                await self._listen(stop)
            await pause(stop, _CHECK_S)
        self._wake()

    async def _listen(self, stop: asyncio.Event) -> None:
        async with self._pool.acquire() as connection:
            await connection.add_listener("alerts", self._hear)
            try:
                while not connection.is_closed() and not await pause(stop, _CHECK_S):
                    pass
            finally:
                with suppress(*LOST_CONNECTION):
                    await connection.remove_listener("alerts", self._hear)

    def _hear(self, *_: Any) -> None:
        self._wake()

    def _wake(self) -> None:
        self._heard += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def changed_since(self, heard: int, within_s: float) -> int:
        """Waits until more than ``heard`` was heard, at most ``within_s`` real seconds; what is heard by then."""
        if self._heard == heard:
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._changed.wait()
        return self._heard
