"""What a bus is: a durable log per topic, partitions, consumer groups with offsets."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from services.runtime.errors import HearthBeatError


class Message(NamedTuple):
    """A record as consumed."""

    partition: int
    offset: int
    value: bytes


class Record(NamedTuple):
    """A record to append. Records of one key keep their order."""

    key: bytes
    value: bytes


class Place(NamedTuple):
    """Where a group stands in a partition: the next offset that it reads, and the end of the log."""

    position: int
    end: int


class MissingOffsetError(HearthBeatError):
    """The group has no offset for a partition, or the log no longer holds it; the prepare command sets first ones."""


class NotAllowedError(HearthBeatError):
    """Kafka does not let this user do that; `python -m services.bus_access` gives each user its rights."""


OnAssigned = Callable[[frozenset[int]], Awaitable[Mapping[int, int]]]
"""Called with the partitions that are now ours; answers where to start each (left out: where the group is)."""


OnRevoked = Callable[[], Awaitable[None]]
"""Called before all our partitions go, while nobody else has them yet, to finish what is under way.
After REVOKE_S it is cancelled and the partitions go; their new owner begins at what was
committed."""

REVOKE_S: Final = 5.0


class Subscription(Protocol):
    """The consuming side of one topic for one group."""

    async def fetch(self, *, most: int, wait_s: float) -> Sequence[Message]:
        """Up to ``most`` records, waiting up to ``wait_s`` real seconds for the first.

        Raises MissingOffsetError, RetryLaterError, and what ``on_assigned`` raised.
        """

    async def commit(self, positions: Mapping[int, int]) -> None:
        """Saves the next offset to read per partition. A partition that has moved away is passed over silently.

        Raises RetryLaterError.
        """

    async def rewind(self, positions: Mapping[int, int]) -> None:
        """Goes on reading from these offsets. A partition that has moved away is passed over silently."""

    async def hold(self, seconds: float) -> None:
        """Stays a member of the group for ``seconds`` without taking records: back-pressure."""


class Bus(Protocol):
    """A durable log a topic; every topic has ``partitions`` of them."""

    @property
    def partitions(self) -> int:
        """How many partitions every topic has."""

    async def prepare(self, topics: Mapping[str, int], groups: Mapping[str, Sequence[str]]) -> None:
        """Creates missing ``topics`` (name to retention in hours) and the first offsets of each topic's ``groups``.

        Raises NotAllowedError.
        """

    async def append(self, topic: str, records: Sequence[Record]) -> None:
        """Durable when it returns. Raises RetryLaterError: some of the records may be there, append all again."""

    async def positions(self, topic: str, group: str) -> Mapping[int, Place]:
        """Where ``group`` stands in each partition, seen from outside; joins nothing. Raises RetryLaterError."""

    async def subscribe(
        self,
        topic: str,
        group: str,
        *,
        instance: str = "0",
        on_assigned: OnAssigned | None = None,
        on_revoked: OnRevoked | None = None,
    ) -> Subscription:
        """Joins ``group`` as its static member ``instance``. Raises RetryLaterError, MissingOffsetError."""

    async def held(self, topic: str) -> Mapping[int, tuple[int, int]]:
        """What the log holds: by partition the first offset and the one after the last. Raises RetryLaterError."""

    async def move(self, topic: str, group: str, positions: Mapping[int, int]) -> None:
        """Sets where ``group`` goes on, back or ahead.

        Its members should have ended; any that are left are removed.
        Raises RetryLaterError.
        """
