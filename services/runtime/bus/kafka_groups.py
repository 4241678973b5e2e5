"""Kafka's consumer groups seen from outside: what a topic holds, where a group goes on, who is listed as a member."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import CommitFailedError, KafkaError
from aiokafka.protocol.group import LeaveGroupRequest

from services.runtime.bus.port import Place
from services.runtime.errors import RetryLaterError

_ASKED_WITHIN_S: Final = 10.0
_MOVED_WITHIN_S: Final = 40.0
_AGAIN_S: Final = 0.5
Access = Mapping[str, Any]
"""What ``client_arguments`` gives."""


async def held(access: Access, topic: str, partitions: int) -> dict[int, tuple[int, int]]:
    """By partition the first offset and the one after the last. Raises RetryLaterError."""
    places = [TopicPartition(topic, number) for number in range(partitions)]
    consumer = AIOKafkaConsumer(**access, enable_auto_commit=False)
    try:
        await consumer.start()
        firsts, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    except (KafkaError, OSError) as error:
        raise RetryLaterError(f"topic {topic}") from error
    finally:
        await consumer.stop()
    return {place.partition: (firsts[place], ends[place]) for place in places}


async def positions(access: Access, topic: str, group: str, partitions: int) -> dict[int, Place]:
    """Where a group stands in each partition that it has an offset for. Raises RetryLaterError."""
    admin = AIOKafkaAdminClient(**access)
    places = [TopicPartition(topic, number) for number in range(partitions)]
    try:
        async with asyncio.timeout(_ASKED_WITHIN_S):
            await admin.start()
            found = await admin.list_consumer_group_offsets(group, partitions=places)
            ends = await held(access, topic, partitions)
    except (KafkaError, OSError, TimeoutError) as error:
        raise RetryLaterError(f"group {group}, topic {topic}") from error
    finally:
        await admin.close()
    return {
        place.partition: Place(known.offset, ends[place.partition][1])
        for place, known in found.items()
        if known.offset >= 0
    }


async def move(access: Access, topic: str, group: str, positions: Mapping[int, int]) -> None:
    """Commits ``positions`` for a group without members. Raises RetryLaterError.

    A static member that has stopped stays listed until its session ends, and so long Kafka refuses
    offsets from outside of the group. So members are removed first. A member that still runs joins
    again by itself, and begins at the new positions.
    """
    try:
        async with asyncio.timeout(_MOVED_WITHIN_S):
            while not await _commit(access, topic, group, positions):
                await _put_out(access, group)
                await asyncio.sleep(_AGAIN_S)
    except (KafkaError, OSError, TimeoutError) as error:
        raise RetryLaterError(f"group {group}, topic {topic}") from error


async def _commit(access: Access, topic: str, group: str, positions: Mapping[int, int]) -> bool:
    """Whether the group had no members, so that its offsets could be set."""
    offsets = {TopicPartition(topic, partition): position for partition, position in positions.items()}
    consumer = AIOKafkaConsumer(**access, group_id=group, enable_auto_commit=False)
    consumer.assign(list(offsets))
    try:
        await consumer.start()
        await consumer.commit(offsets)
    except CommitFailedError:
        return False
    finally:
        await consumer.stop()
    return True


async def _put_out(access: Access, group: str) -> None:
    admin = AIOKafkaAdminClient(**access)
    client = AIOKafkaClient(**access)
    try:
        await admin.start()
        await client.bootstrap()
        (described,) = await admin.describe_consumer_groups([group])
        # aiokafka gives the protocol's tuples: a group's members are field 5, a member's id is
        # field 0.
        members = [member[0] for one in described.groups for member in one[5]]
        coordinator = await client.coordinator_lookup(CoordinationType.GROUP, group)
        for member in members:
            await client.send(coordinator, LeaveGroupRequest(group, member))
    finally:
        await client.close()
        await admin.close()
