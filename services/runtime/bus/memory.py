"""A bus in memory, for unit tests only."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from zlib import crc32

from services.runtime.bus.port import REVOKE_S, Message, MissingOffsetError, OnAssigned, OnRevoked, Place, Record

Members = dict[str, "MemorySubscription"]


class MemoryBus:
    """Same semantics as the real ones, in one process; gone when the process ends.

    As with Kafka, a member that is taken for dead, or whose instance name another one has taken,
    is not informed: it reads on where it was.
    """

    def __init__(self, partitions: int = 1) -> None:
        self.partitions = partitions
        self._logs: dict[tuple[str, int], list[bytes]] = {}
        self._offsets: dict[tuple[str, str], dict[int, int]] = {}
        self._members: dict[tuple[str, str], Members] = defaultdict(dict)
        self._grown: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._moving = asyncio.Lock()

    async def prepare(self, topics: Mapping[str, int], groups: Mapping[str, Sequence[str]]) -> None:
        for topic in topics:
            for partition in range(self.partitions):
                self._logs.setdefault((topic, partition), [])
        for topic, names in groups.items():
            for group in names:
                self._offsets.setdefault((topic, group), dict.fromkeys(range(self.partitions), 0))

    async def append(self, topic: str, records: Sequence[Record]) -> None:
        for record in records:
            self._logs[topic, crc32(record.key) % self.partitions].append(record.value)
        # Taken out, so that whoever waits next waits for the next append.
        self._grown.pop(topic, asyncio.Event()).set()

    async def positions(self, topic: str, group: str) -> Mapping[int, Place]:
        if (topic, group) not in self._offsets:
            return {}
        return {
            number: Place(position, len(self._logs[topic, number]))
            for number, position in self._offsets[topic, group].items()
        }

    async def subscribe(
        self,
        topic: str,
        group: str,
        *,
        instance: str = "0",
        on_assigned: OnAssigned | None = None,
        on_revoked: OnRevoked | None = None,
    ) -> "MemorySubscription":
        """Joins ``group`` as its member ``instance``; one that comes back gets what it had, and nothing moves."""
        if (topic, group) not in self._offsets:
            raise MissingOffsetError(f"group {group}, topic {topic}")
        member = MemorySubscription(self, topic, group, on_assigned, on_revoked)
        async with self._moving:
            members = self._members[topic, group]
            if instance in members:
                had, members[instance] = members[instance].positions, member
                await member.assign(frozenset(had))
            else:
                await self._share(topic, group, {**members, instance: member})
        return member

    async def expire(self, topic: str, group: str, instance: str) -> None:
        """What follows when a member is taken for dead: the others get its partitions. Nothing says so to it."""
        async with self._moving:
            members = self._members[topic, group]
            await self._share(topic, group, {name: one for name, one in members.items() if name != instance})

    async def _share(self, topic: str, group: str, members: Members) -> None:
        for name, one in self._members[topic, group].items():
            if name in members:
                await one.revoke()
        self._members[topic, group] = members
        for number, name in enumerate(sorted(members)):
            await members[name].assign(frozenset(range(number, self.partitions, len(members))))

    async def held(self, topic: str) -> Mapping[int, tuple[int, int]]:
        return {number: (0, len(self._logs[topic, number])) for number in range(self.partitions)}

    async def move(self, topic: str, group: str, positions: Mapping[int, int]) -> None:
        self._offsets[topic, group].update(positions)

    async def read(self, topic: str, position: int, most: int, wait_s: float) -> Sequence[Message]:
        """Records of the first partition from ``position``; waits for the first."""
        if not self.slice_of(topic, 0, position, 1):
            await self.wait(topic, wait_s)
        return self.slice_of(topic, 0, position, most)

    def slice_of(self, topic: str, partition: int, position: int, most: int) -> list[Message]:
        """Records of a partition from ``position`` that are there."""
        found = self._logs[topic, partition][position : position + most]
        return [Message(partition, position + index, value) for index, value in enumerate(found)]

    async def wait(self, topic: str, wait_s: float) -> None:
        """Until the topic grows, at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._grown[topic].wait()

    def committed(self, topic: str, group: str) -> dict[int, int]:
        """A group's offsets by partition."""
        return self._offsets[topic, group]

    def owns(self, member: "MemorySubscription") -> bool:
        """Whether the group still knows it."""
        return member in self._members[member.topic, member.group].values()


class MemorySubscription:
    """One member of a group of a MemoryBus. ``positions`` are the offsets it reads next, by partition."""

    def __init__(
        self, bus: MemoryBus, topic: str, group: str, on_assigned: OnAssigned | None, on_revoked: OnRevoked | None
    ) -> None:
        self.topic, self.group = topic, group
        self.positions: dict[int, int] = {}
        self._bus, self._on_assigned, self._on_revoked = bus, on_assigned, on_revoked

    async def assign(self, partitions: frozenset[int]) -> None:
        """They are ours now."""
        committed = self._bus.committed(self.topic, self.group)
        starts = await self._on_assigned(partitions) if self._on_assigned else {}
        self.positions = {number: starts.get(number, committed[number]) for number in sorted(partitions)}

    async def revoke(self) -> None:
        """They are about to go."""
        try:
            if self._on_revoked and self.positions:
                with suppress(TimeoutError):
                    async with asyncio.timeout(REVOKE_S):
                        await self._on_revoked()
        finally:
            self.positions = {}  # even where whoever wanted them died: what was forgotten is read again

    async def fetch(self, *, most: int, wait_s: float) -> Sequence[Message]:
        if found := self._take(most):
            return found
        await self._bus.wait(self.topic, wait_s)
        return self._take(most)

    def _take(self, most: int) -> list[Message]:
        found: list[Message] = []
        for partition, position in self.positions.items():
            rows = self._bus.slice_of(self.topic, partition, position, most - len(found))
            self.positions[partition] += len(rows)
            found += rows
        return found

    async def commit(self, positions: Mapping[int, int]) -> None:
        if self._bus.owns(self):
            ours = {number: offset for number, offset in positions.items() if number in self.positions}
            self._bus.committed(self.topic, self.group).update(ours)

    async def rewind(self, positions: Mapping[int, int]) -> None:
        self.positions.update({number: offset for number, offset in positions.items() if number in self.positions})

    async def hold(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
