"""One watch works at a time: the one that holds a lock of the database. A second one waits."""

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Final

import structlog

from services.runtime.clock import pause
from services.runtime.database import LOST_CONNECTION, OwnConnection, Pool, Queries
from services.runtime.errors import HearthBeatError

_AGAIN_S: Final = 2.0
_REFUSALS: Final = 2


class LeaderLockTakenError(HearthBeatError):
    """Another watch is at work; this one was without its database for too long."""


class LeaderLock:
    """The lock belongs to a connection that is kept for nothing else; it goes when that, or its process, ends."""

    def __init__(self, pool: Pool, sql: Queries) -> None:
        self._pool, self._sql = pool, sql
        self._connection: OwnConnection | None = None
        self._held = AsyncExitStack()

    async def take(self) -> bool:
        """Whether it is ours, now or still. Raises what LOST_CONNECTION lists: nobody knows."""
        if self._holds():
            return True
        # The connection has ended, and with it the lock: what is left of it is cleared away.
        await self.leave()
        self._connection = connection = await self._held.enter_async_context(self._pool.standing())
        try:
            ours: bool = await connection.fetchval(self._sql["take_leader_lock"])
        # Also when cancelled: a connection left behind would hold the lock without anybody's
        # knowing.
        except BaseException:
            await self.leave()
            raise
        if not ours:
            await self.leave()
        return ours

    def _holds(self) -> bool:
        return self._connection is not None and not self._connection.is_closed()

    async def leave(self) -> None:
        """Gives it up, if it was ours, and the connection."""
        self._connection = None
        await self._held.aclose()


async def wait_for_leader_lock(
    leader_lock: LeaderLock, stop: asyncio.Event, log: structlog.typing.FilteringBoundLogger
) -> bool:
    """True once it is ours, or the database is away, since that is what operators have to hear of. False: stopped."""
    said = False
    while not stop.is_set():
        try:
            if await leader_lock.take():
                return True
        except LOST_CONNECTION:
            return True
        if not said:
            log.warning("another watch is at work")
            said = True
        await pause(stop, _AGAIN_S)
    return False


async def keep_leader_lock(leader_lock: LeaderLock, stop: asyncio.Event) -> None:
    """Takes it again after the database was away. Raises LeaderLockTakenError where somebody else has it and keeps it.

    A refusal alone says little: the server may not have noticed yet that a connection of our own is gone.
    """
    refusals = 0
    while not await pause(stop, _AGAIN_S):
        with suppress(*LOST_CONNECTION):
            refusals = 0 if await leader_lock.take() else refusals + 1
        if refusals > _REFUSALS:
            raise LeaderLockTakenError
