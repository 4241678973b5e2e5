"""Keeps the registry snapshot fresh: looked at every 2 s, read again if it has changed, refused when 8 s old."""

import asyncio
import time
from typing import Final

import structlog

from services.ingest.registry import Registry, build_registry
from services.runtime.clock import Clock, pause, rest
from services.runtime.database import LOST_CONNECTION, Pool, load_queries

_RELOAD_EVERY_S: Final = 2.0
_TOO_OLD_S: Final = 8.0


async def has_run_before(pool: Pool, instance: str) -> bool:
    """Whether an instance ever sent a watermark marker here: if not, the broker holds no session of it to lose."""
    try:
        return bool(await pool.fetchval(load_queries("services.ingest")["has_run_before"], instance))
    except LOST_CONNECTION:
        # Unknown: better to count a session that was never there than to miss one that was lost.
        return True


class SnapshotKeeper:
    """The registry as of at most eight seconds ago.

    A binding begins ten seconds after its commit, so no snapshot that is used lacks one that has
    begun.
    """

    def __init__(self, pool: Pool, log: structlog.typing.FilteringBoundLogger, clock: Clock) -> None:
        self._pool, self._log, self._clock = pool, log, clock
        self._sql = load_queries("services.ingest")
        self._registry: Registry = {}
        self._mark = ""
        self._loaded_at = float("-inf")

    async def keep(self, stop: asyncio.Event) -> None:
        """Keeps it fresh until ``stop``; a database that is away only makes the snapshot older."""
        while not stop.is_set():
            beat = self._clock.beat
            try:
                await self.look()
            except LOST_CONNECTION as error:
                self._log.warning("registry not reloaded", error=type(error).__name__)
            await rest(self._clock, stop, _RELOAD_EVERY_S, since=beat)

    async def look(self) -> None:
        """Reads the registry where it has changed since the last look. Raises what ``LOST_CONNECTION`` lists."""
        # Its age counts from before the question: what is committed during the answer may not be in
        # it.
        asked_at = time.monotonic()
        # One snapshot for the mark and the rows: a change between the two would be missed for good.
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            mark = await connection.fetchval(self._sql["registry_mark"])
            if mark != self._mark:
                devices = await connection.fetch(self._sql["devices"])
                bindings = await connection.fetch(self._sql["bindings"])
                self._registry = build_registry(map(dict, devices), map(dict, bindings))
                self._mark = mark
        self._loaded_at = asked_at

    @property
    def is_too_old(self) -> bool:
        """Whether uplinks have to wait for a newer one."""
        return time.monotonic() - self._loaded_at > _TOO_OLD_S

    async def fresh(self, stop: asyncio.Event) -> Registry | None:
        """The snapshot; waits while it is too old. None only when ``stop`` is set meanwhile."""
        while self.is_too_old:
            if await pause(stop, 0.05):
                return None
        return self._registry
