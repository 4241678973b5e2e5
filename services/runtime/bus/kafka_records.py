"""Kafka's records as messages at once: aiokafka makes something larger of each, and we would throw it away."""

from typing import Any

import aiokafka.consumer.fetcher
from aiokafka.consumer.fetcher import PartitionRecords

from services.runtime.bus.port import Message


class Messages(PartitionRecords):  # type: ignore[misc]
    """The records of one partition in an answer of Kafka, each of them a Message.

    aiokafka 0.14 makes a dataclass of eleven fields of each, a fifth of what it takes to read one. A record without a
    value is an empty message.
    """

    def _consumer_record(self, tp: Any, record: Any) -> Message:
        return Message(tp.partition, record.offset, record.value or b"")


def use_messages() -> None:
    """Has every consumer of this process that fetches from now on use them; aiokafka offers no other place for it."""
    aiokafka.consumer.fetcher.PartitionRecords = Messages
