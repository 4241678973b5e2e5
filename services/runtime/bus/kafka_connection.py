"""aiokafka's connections on uvloop: writing to one that was lost a moment ago is a lost connection, not a defect."""

from collections.abc import Awaitable
from typing import Any

import aiokafka.conn
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError


class Connection(AIOKafkaConnection):  # type: ignore[misc]
    """Between the loss of a connection and the moment at which aiokafka hears of it, uvloop refuses to write.

    It does so with RuntimeError, asyncio's own loop does not, and aiokafka 0.14 expects OSError alone (its issue 1038).
    Whichever of its tasks wrote then ends for good; without the one that reads metadata, the client waits forever.
    """

    def send(self, request: Any, expect_response: bool = True) -> Awaitable[Any]:  # noqa: FBT001, FBT002 - aiokafka's
        """As aiokafka's, and raises KafkaConnectionError for a write that came too late."""
        writer = self._writer
        try:
            answer: Awaitable[Any] = super().send(request, expect_response)
        except RuntimeError as error:
            if writer is None or not writer.transport.is_closing():
                raise
            self.close(reason=CloseReason.CONNECTION_BROKEN, exc=error)
            raise KafkaConnectionError(f"Connection to {self.host}:{self.port} is lost") from error
        return answer


def use_connections_for_uvloop() -> None:
    """Has every client of this process that connects from now on use them; aiokafka offers no other place for it."""
    aiokafka.conn.AIOKafkaConnection = Connection
