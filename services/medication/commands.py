"""Publishes commands to devices. A crash before they are marked publishes them again, under the same id."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg
import structlog
from paho.mqtt.client import MQTTMessageInfo

from schemas.codec import encode_command
from schemas.messages import Command, CommandKind
from schemas.topics import COMMANDS
from services.runtime.clock import Clock, to_datetime, to_ms
from services.runtime.database import Connection, Pool, Queries, transaction
from services.runtime.errors import RetryLaterError
from services.runtime.metrics import Metrics
from services.runtime.mqtt import Link

_MOST: Final = 200
_PUBACK_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandPublisher:
    """Publishes rows of ``commands``: medication's reminders, score's questions after a fall."""

    pool: Pool
    sql: Queries
    link: Link
    clock: Clock
    metrics: Metrics
    log: structlog.typing.FilteringBoundLogger

    async def publish(self) -> int:
        """A batch; says how many. Raises LOST_CONNECTION, RetryLaterError: they stay unsent."""
        async with transaction(self.pool) as connection:
            if not await connection.fetchval(self.sql["one_publisher"]):
                return 0
            sent = await self._publish(connection)
        if not sent:
            return 0
        self.metrics.count("hb_medication_commands_total", sent)
        self.log.info("commands", sent=sent)
        return sent

    async def _publish(self, connection: Connection) -> int:
        rows = await connection.fetch(self.sql["unsent_commands"], to_datetime(self.clock.now_ms()), _MOST)
        if not rows:
            return 0
        published = [
            self.link.publish(topic_of(row), encode_command(command_of(row)), qos=COMMANDS.qos) for row in rows
        ]
        # paho's wait blocks. A command is marked as sent only once the broker has confirmed it.
        if not await asyncio.to_thread(wait_for_broker, published):
            raise RetryLaterError("the broker has not taken the commands")
        ids = [row["command_id"] for row in rows]
        await connection.execute(self.sql["commands_sent"], ids, to_datetime(self.clock.now_ms()))
        return len(rows)


def wait_for_broker(published: Sequence[MQTTMessageInfo]) -> bool:
    """Blocks for a few seconds at most; True where the broker has every one of them."""
    deadline = time.monotonic() + _PUBACK_S
    try:
        for info in published:
            info.wait_for_publish(max(0.0, deadline - time.monotonic()))
        return all(info.is_published() for info in published)
    except (RuntimeError, ValueError):
        return False


def topic_of(row: asyncpg.Record) -> str:
    """Where the device listens."""
    return COMMANDS.of(row["shard"], row["device"])


def command_of(row: asyncpg.Record) -> Command:
    """The row as the device will see it."""
    return Command(
        id=str(row["command_id"]),
        kind=CommandKind(row["kind"]),
        expires_at=to_ms(row["expires_at"]),
        details=row["details"],
    )
