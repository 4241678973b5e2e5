"""What the MQTT broker says of itself: how many messages it has thrown away."""

import asyncio
from dataclasses import dataclass

from services.runtime.mqtt import Link
from services.watch.core import Kind
from services.watch.probe import Counted, ProbeResult

_WAIT_S = 1.0


@dataclass(slots=True, kw_only=True)
class BrokerProbe:
    """Follows the broker's counter of messages thrown away.

    This probe never fails: a broker that is away shows as an outage of the platform.
    """

    link: Link
    _dropped: int | None = None

    @property
    def kinds(self) -> frozenset[Kind]:
        return frozenset({Kind.DROPPED_AT_BROKER})

    async def listen(self, stop: asyncio.Event) -> None:
        """Until ``stop``. Raises ConnectionEndedError."""
        while not stop.is_set():
            messages = await self.link.take(wait_s=_WAIT_S)
            for message in messages:
                if message.payload.isdigit():
                    self._dropped = int(message.payload)
            self.link.acknowledge(messages)

    async def probe(self, now: int) -> ProbeResult:  # noqa: ARG002 - a counter has no time
        if self._dropped is None:
            return ProbeResult()
        return ProbeResult(
            counted=[Counted(kind=Kind.DROPPED_AT_BROKER, counter="broker dropped", value=self._dropped)]
        )
