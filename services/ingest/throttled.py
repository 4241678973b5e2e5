"""Notes which devices send too much, for watch to notify the operators."""

import asyncio
from dataclasses import dataclass
from typing import Final

import structlog

from services.ingest.allowance import DeviceAllowances
from services.runtime.clock import Clock, pause, to_datetime
from services.runtime.database import LOST_CONNECTION, Pool, Queries
from services.runtime.metrics import Metrics

_EVERY_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottledDevices:
    """A row a device, in real time; a database that is away gets the counts later."""

    limits: DeviceAllowances
    pool: Pool
    sql: Queries
    real: Clock
    metrics: Metrics
    log: structlog.typing.FilteringBoundLogger

    async def keep(self, stop: asyncio.Event) -> None:
        """Until ``stop``."""
        while not await pause(stop, _EVERY_S):
            await self.note()

    async def note(self) -> None:
        """Writes what was throttled since the last time."""
        throttled = self.limits.drain(asyncio.get_running_loop().time())
        if not throttled:
            return
        try:
            now = to_datetime(self.real.now_ms())
            await self.pool.execute(self.sql["note_throttled"], list(throttled), list(throttled.values()), now)
        except LOST_CONNECTION:
            self.limits.give_back(throttled.items())
            return
        self.metrics.count("hb_ingest_throttled_total", throttled.total())
        self.log.warning("uplinks throttled", devices=len(throttled), uplinks=throttled.total())
