"""aiokafka's connections, mended in three places: a refused write, an overlooked refusal, and a start given up."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import aiokafka.conn
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError, for_code
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.metadata import MetadataRequest


class Connection(AIOKafkaConnection):  # type: ignore[misc]
    """A lost connection is a lost connection, and a coordinator that cannot say an offset has not said "none".

    Between the loss of a connection and the moment at which aiokafka hears of it, uvloop refuses to write. It does so
    with RuntimeError, asyncio's own loop does not, and aiokafka 0.14 expects OSError alone (its issue 1038). Whichever
    of its tasks wrote then ends for good; without the one that reads metadata, the client waits forever.

    A coordinator that still reads its group's offsets, or no longer is the coordinator, answers since version 2 of
    OffsetFetch with one error for the whole answer and no partitions. aiokafka 0.14 looks at the partitions' errors
    alone, so it takes the group for one without offsets: a consumer would end, or begin anew, instead of asking again.

    A client asks for metadata over its first connection before it keeps that connection anywhere. aiokafka 0.14 closes
    it where the answer is an error or late, not where whoever starts the client gives up, so nobody would close it.
    """

    def send(self, request: Any, expect_response: bool = True) -> Awaitable[Any]:  # noqa: FBT001, FBT002 - aiokafka's
        """As aiokafka's, and raises KafkaConnectionError for a write that came too late.

        The answer to an OffsetFetch raises the KafkaError that stands for the whole of it.
        """
        writer = self._writer
        try:
            answer: Awaitable[Any] = super().send(request, expect_response)
        except RuntimeError as error:
            if writer is None or not writer.transport.is_closing():
                raise
            self.close(reason=CloseReason.CONNECTION_BROKEN, exc=error)
            raise KafkaConnectionError(f"Connection to {self.host}:{self.port} is lost") from error
        if isinstance(request, OffsetFetchRequest):
            return _offsets_or_error(answer)
        return self._metadata_or_closed(answer) if isinstance(request, MetadataRequest) else answer

    async def _metadata_or_closed(self, answer: Awaitable[Any]) -> Any:
        try:
            return await answer
        except asyncio.CancelledError:
            self.close(reason=CloseReason.SHUTDOWN)
            raise


async def _offsets_or_error(answer: Awaitable[Any]) -> Any:
    response = await answer
    # Version 1 has no such field; there each partition has the error.
    if code := getattr(response, "error_code", 0):
        raise for_code(code)
    return response


def use_mended_connections() -> None:
    """Has every client of this process that connects from now on use them; aiokafka offers no other place for it."""
    aiokafka.conn.AIOKafkaConnection = Connection
