"""A bus in memory, for unit tests only."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence

from services.runtime.bus.port import Message, MissingOffsetError, OnAssigned, Place, Record


class MemoryBus:
    """Same semantics as the real ones, in one process and one partition; gone when the process ends."""

    partitions = 1

    def __init__(self) -> None:
        self._logs: dict[str, list[bytes]] = {}
        self._offsets: dict[tuple[str, str], int] = {}
        self._grown: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def prepare(self, topics: Mapping[str, int], groups: Mapping[str, Sequence[str]]) -> None:
        for topic in topics:
            self._logs.setdefault(topic, [])
        for topic, names in groups.items():
            for group in names:
                self._offsets.setdefault((topic, group), 0)

    async def append(self, topic: str, records: Sequence[Record]) -> None:
        self._logs[topic].extend(record.value for record in records)
        self._grown.pop(topic, asyncio.Event()).set()

    async def positions(self, topic: str, group: str) -> Mapping[int, Place]:
        if (topic, group) not in self._offsets:
            return {}
        return {0: Place(self._offsets[topic, group], len(self._logs[topic]))}

    async def subscribe(
        self, topic: str, group: str, *, instance: str = "0", on_assigned: OnAssigned | None = None
    ) -> "MemorySubscription":
        """Joins ``group``: the only member, whatever ``instance`` says."""
        del instance
        starts = await on_assigned(frozenset({0})) if on_assigned else {}
        position = starts.get(0, self._offsets.get((topic, group)))
        if position is None:
            raise MissingOffsetError(f"group {group}, topic {topic}")
        return MemorySubscription(self, topic, group, position)

    async def held(self, topic: str) -> Mapping[int, tuple[int, int]]:
        return {0: (0, len(self._logs[topic]))}

    async def move(self, topic: str, group: str, positions: Mapping[int, int]) -> None:
        if 0 in positions:
            self.save(topic, group, positions[0])

    async def read(self, topic: str, position: int, most: int, wait_s: float) -> Sequence[Message]:
        """Records from ``position``."""
        if position >= len(self._logs[topic]):
            try:
                async with asyncio.timeout(wait_s):
                    await self._grown[topic].wait()
            except TimeoutError:
                return ()
        found = self._logs[topic][position : position + most]
        return [Message(0, position + index, value) for index, value in enumerate(found)]

    def save(self, topic: str, group: str, position: int) -> None:
        """Keeps a group's offset."""
        self._offsets[topic, group] = position


class MemorySubscription:
    """One consumer of a MemoryBus."""

    def __init__(self, bus: MemoryBus, topic: str, group: str, position: int) -> None:
        self._bus, self._topic, self._group, self._position = bus, topic, group, position

    async def fetch(self, *, most: int, wait_s: float) -> Sequence[Message]:
        found = await self._bus.read(self._topic, self._position, most, wait_s)
        self._position += len(found)
        return found

    async def commit(self, positions: Mapping[int, int]) -> None:
        if 0 in positions:
            self._bus.save(self._topic, self._group, positions[0])

    async def hold(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
