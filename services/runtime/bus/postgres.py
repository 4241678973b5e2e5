"""The embedded bus: two tables of the database, readers woken after each append, one partition."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Final

from services.runtime.bus.port import Message, MissingOffsetError, OnAssigned, OnRevoked, Place, Record
from services.runtime.database import LOST_CONNECTION, Pool, load_queries
from services.runtime.errors import RetryLaterError
from services.runtime.wakeups import WakeUp, listen, wake

_POLL_S: Final = 0.5
_RETENTION_EVERY_S: Final = 600.0


class PostgresBus:
    """A durable log and group offsets in ``bus_log`` and ``bus_offsets``. Its one partition is 0."""

    partitions = 1

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._sql = load_queries("services.runtime.bus", "postgres.sql")
        self._grown: dict[str, asyncio.Event] = {}

    async def prepare(self, topics: Mapping[str, int], groups: Mapping[str, Sequence[str]]) -> None:
        for topic, retention_h in topics.items():
            await self._pool.execute(self._sql["create_topic"], topic, retention_h)
        for topic, names in groups.items():
            for group in names:
                await self._pool.execute(self._sql["create_offset"], topic, group)

    async def append(self, topic: str, records: Sequence[Record]) -> None:
        if not records:
            return
        keys, values = [record.key for record in records], [record.value for record in records]
        try:
            await self._pool.execute(self._sql["append"], topic, keys, values, datetime.now(UTC))
        except LOST_CONNECTION as error:
            raise RetryLaterError(f"topic {topic}") from error
        await wake(self._pool, WakeUp.BUS, topic)

    async def positions(self, topic: str, group: str) -> Mapping[int, Place]:
        try:
            row = await self._pool.fetchrow(self._sql["place"], topic, group)
        except LOST_CONNECTION as error:
            raise RetryLaterError(f"topic {topic}") from error
        return {0: Place(row["position"], row["end"])} if row else {}

    async def subscribe(
        self,
        topic: str,
        group: str,
        *,
        instance: str = "0",
        on_assigned: OnAssigned | None = None,
        on_revoked: OnRevoked | None = None,
    ) -> "PostgresSubscription":
        """Joins ``group``: the only member, whatever ``instance`` says. Raises MissingOffsetError."""
        # There is one member and one partition, so nothing ever moves.
        del instance, on_revoked
        starts = await on_assigned(frozenset({0})) if on_assigned else {}
        position = starts.get(0)
        if position is None:
            position = await self._pool.fetchval(self._sql["position"], topic, group)
        if position is None:
            raise MissingOffsetError(f"group {group}, topic {topic}")
        return PostgresSubscription(self, topic, group, position)

    async def held(self, topic: str) -> Mapping[int, tuple[int, int]]:
        try:
            rows = await self._pool.fetch(self._sql["held"], topic)
        except LOST_CONNECTION as error:
            raise RetryLaterError(f"topic {topic}") from error
        return {place: (row["first_offset"], row["next_offset"]) for place, row in enumerate(rows)}

    async def move(self, topic: str, group: str, positions: Mapping[int, int]) -> None:
        try:
            if 0 in positions:
                await self._pool.execute(self._sql["commit"], topic, group, positions[0])
        except LOST_CONNECTION as error:
            raise RetryLaterError(f"topic {topic}") from error

    async def read(self, topic: str, position: int, most: int, wait_s: float) -> Sequence[Message]:
        """Records from ``position``; waits for the first."""
        deadline = asyncio.get_running_loop().time() + wait_s
        while True:
            grown = self._grown.setdefault(topic, asyncio.Event())
            # Before the read: what is appended after it sets the event again.
            grown.clear()
            try:
                rows = await self._pool.fetch(self._sql["read"], topic, position, most)
                # Retention has dropped records that this group has not read.
                if rows and rows[0]["log_offset"] != position:
                    raise MissingOffsetError(f"topic {topic}: offset {position} is no longer held")
            except LOST_CONNECTION as error:
                raise RetryLaterError(f"topic {topic}") from error
            left = deadline - asyncio.get_running_loop().time()
            if rows or left <= 0:
                return [Message(0, row["log_offset"], row["value"]) for row in rows]
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, _POLL_S)):
                    await grown.wait()

    async def save(self, topic: str, group: str, position: int) -> None:
        """Keeps a group's offset, if the database is there: without it, records are read twice."""
        with suppress(*LOST_CONNECTION):
            await self._pool.execute(self._sql["commit"], topic, group, position)

    async def listen(self) -> None:
        """Wakes readers, who poll as well."""
        await listen(self._pool, WakeUp.BUS, self._wake, asyncio.Event())

    async def forget_old(self) -> None:
        """Drops records older than their topic's retention, every ten minutes."""
        while True:
            with suppress(*LOST_CONNECTION):
                await self._pool.execute(self._sql["drop_old"], datetime.now(UTC))
            await asyncio.sleep(_RETENTION_EVERY_S)

    def _wake(self, topic: str) -> None:
        if event := self._grown.get(topic):
            event.set()


class PostgresSubscription:
    """The one consumer of a group."""

    def __init__(self, bus: PostgresBus, topic: str, group: str, position: int) -> None:
        self._bus, self._topic, self._group, self._position = bus, topic, group, position

    async def fetch(self, *, most: int, wait_s: float) -> Sequence[Message]:
        found = await self._bus.read(self._topic, self._position, most, wait_s)
        self._position += len(found)
        return found

    async def commit(self, positions: Mapping[int, int]) -> None:
        if 0 in positions:
            await self._bus.save(self._topic, self._group, positions[0])

    async def rewind(self, positions: Mapping[int, int]) -> None:
        self._position = positions.get(0, self._position)

    async def hold(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@asynccontextmanager
async def open_postgres_bus(pool: Pool) -> AsyncIterator[PostgresBus]:
    """A bus on the tables of ``pool``, listening and forgetting in the background."""
    bus = PostgresBus(pool)
    chores = [asyncio.create_task(bus.listen()), asyncio.create_task(bus.forget_old())]
    try:
        yield bus
    finally:
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, return_exceptions=True)
