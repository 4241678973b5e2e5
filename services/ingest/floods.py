"""Notes which devices send too much, for watch to tell the operators."""

import asyncio
from dataclasses import dataclass
from typing import Final

import structlog

from services.ingest.flow import Limits
from services.runtime.clock import Clock, pause, to_datetime
from services.runtime.database import LOST_CONNECTION, Pool, Queries
from services.runtime.metrics import Metrics

_EVERY_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodNotes:
    """A row a device, in real time; a database that is away gets the counts later."""

    limits: Limits
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
        """Writes what was put off since the last time."""
        put_off = self.limits.drain(asyncio.get_running_loop().time())
        if not put_off:
            return
        try:
            now = to_datetime(self.real.now_ms())
            await self.pool.execute(self.sql["note_floods"], list(put_off), list(put_off.values()), now)
        except LOST_CONNECTION:
            self.limits.give_back(put_off.items())
            return
        self.metrics.count("hb_ingest_put_off_total", put_off.total())
        self.log.warning("uplinks put off", devices=len(put_off), uplinks=put_off.total())
