"""One member of a group: repeats a step until asked to stop, hands over when partitions move."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import structlog

from services.runtime.bus.port import Bus, Message, OnAssigned, Subscription
from services.runtime.clock import pause
from services.runtime.errors import RetryLaterError
from services.runtime.metrics import Metrics, Server

Work = Callable[[Subscription, asyncio.Event], Awaitable[None]]
"""Given the subscription, and the event that is set when it is time to stop."""
_RETRY_S: Final = 0.25


class Fetched(NamedTuple):
    """Records, and the assignment that they belong to.

    It is the one in force when the fetch ends, not when it began: a fetch that is under way while
    partitions move gives records of the new assignment, and the bus gives them only once.
    """

    messages: Sequence[Message]
    assignment: int


@dataclass(slots=True, kw_only=True)
class GroupMember:
    """Reads one topic for one group, and keeps things in order when partitions move.

    The bus moves partitions at any moment, from a task of its own. That task takes ``at_work``, so
    a step that holds it ends first. It calls ``finish``, which completes what is under way; after
    REVOKE_S the bus cancels that. Then it counts ``assignment`` up and calls ``forget``, which
    drops the rest. The new owner reads the rest again and publishes it, and nothing older may come
    after that: so what was fetched under an earlier assignment is neither passed on nor committed.

    Without ``finish``, nothing is waited for when partitions move. Leave ``metrics`` out where
    another part of the process knows better whether the bus is there.
    """

    bus: Bus
    topic: str
    group: str
    instance: str
    log: structlog.typing.FilteringBoundLogger
    metrics: Metrics | None = None
    finish: Work | None = None
    forget: Callable[[], None] | None = None
    on_assigned: OnAssigned | None = None
    assignment: int = field(default=0, init=False)
    at_work: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _subscription: Subscription | None = field(default=None, init=False)

    async def run(self, step: Work, stop: asyncio.Event) -> None:
        """Repeats ``step`` until ``stop``, then finishes. A bus that is away is waited for.

        Raises MissingOffsetError, and what ``step`` and ``finish`` raise except RetryLaterError.
        """
        while not stop.is_set():
            try:
                subscription = self._subscription = self._subscription or await self._join(stop)
                await step(subscription, stop)
            except RetryLaterError as error:
                self._waits(now=True)
                self.log.warning("bus away", topic=self.topic, error=str(error))
                await pause(stop, _RETRY_S)
        await self._finish_work(stop)

    async def fetch(self, subscription: Subscription, *, most: int, wait_s: float) -> Fetched:
        """Up to ``most`` records, waiting up to ``wait_s`` for the first.

        Raises what the subscription's ``fetch`` raises.
        """
        messages = await subscription.fetch(most=most, wait_s=wait_s)
        self._waits(now=False)
        return Fetched(messages, self.assignment)

    async def _join(self, stop: asyncio.Event) -> Subscription:
        return await self.bus.subscribe(
            self.topic,
            self.group,
            instance=self.instance,
            on_assigned=self.on_assigned,
            on_revoked=lambda: self._hand_over(stop),
        )

    async def _hand_over(self, stop: asyncio.Event) -> None:
        try:
            await self._finish_work(stop)
        # Also where ``finish`` failed or was cancelled: the partitions go all the same.
        finally:
            self.assignment += 1
            if self.forget is not None:
                self.forget()

    async def _finish_work(self, stop: asyncio.Event) -> None:
        if self.finish is None:
            return
        async with self.at_work:
            if self._subscription is not None:
                await self.finish(self._subscription, stop)

    def _waits(self, *, now: bool) -> None:
        if self.metrics is not None:
            self.metrics.waits(on=Server.BUS, now=now)
