"""Wakes the open worklists when alerts have changed; they look by themselves each second, too."""

import asyncio
from contextlib import suppress

from services.runtime.database import Pool
from services.runtime.wakeups import WakeUp, listen


class AlertFeed:
    """Counts what it hears."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._heard = 0
        self._changed = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Listens until ``stop``."""
        await listen(self._pool, WakeUp.ALERTS, lambda _: self._wake(), stop)
        # Once more at the end, so that nobody waits through the stop.
        self._wake()

    def _wake(self) -> None:
        self._heard += 1
        # A new event each time: the old one stays set for whoever waits on it, however late they
        # look.
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def changed_since(self, heard: int, within_s: float) -> int:
        """Waits until more than ``heard`` was heard, at most ``within_s`` real seconds; what is heard by then."""
        if self._heard == heard:
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._changed.wait()
        return self._heard
