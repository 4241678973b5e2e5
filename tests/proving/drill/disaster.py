"""What the drill does to a stack: loses its database, or its log, and brings the database back from a backup."""

import asyncio
import shutil
import time
from pathlib import Path
from typing import Final

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from deploy.platform.platform import Platform, take_over
from deploy.platform.services import SERVICES

LOG: Final = "uplinks.judged.v1"
_ALL: Final = -1
_POSITIONS: Final = "select partition_no, position from score_positions"


def kill_services(platform: Platform) -> None:
    """All at once, in the middle of whatever they do."""
    for name in SERVICES:
        platform.processes[name].kill()


def destroy_database(platform: Platform) -> None:
    """Kills the server and removes everything that it had on its disk."""
    platform.stack.process("postgresql").kill()
    shutil.rmtree(platform.stack.settings.server_directory("postgresql") / "data")


def bring_back(platform: Platform, backup: Path) -> tuple[str, float]:
    """As `make restore` does it, the services stopped. Says what that came to and the real seconds it took."""
    began = time.monotonic()
    platform.stack.put_back(backup)
    said = take_over(platform)
    return said, time.monotonic() - began


async def delete_log(platform: Platform) -> int:
    """Deletes every record of the log up to this moment; how many there were."""
    admin = AIOKafkaAdminClient(bootstrap_servers=platform.stack.kafka_bootstrap)
    await admin.start()
    try:
        (topic,) = await admin.describe_topics([LOG])
        places = [TopicPartition(LOG, part["partition"]) for part in topic["partitions"]]
        firsts = await admin.delete_records({place: RecordsToDelete(before_offset=_ALL) for place in places})
    finally:
        await admin.close()
    return sum(firsts.values())


async def until_score_has_read(platform: Platform, *, within_s: float = 30.0) -> None:
    """Until score's checkpoint is as far as the log is now: devices hear from store, which does not wait for score.

    Raises TimeoutError.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=platform.stack.kafka_bootstrap, enable_auto_commit=False)
    connection = await asyncpg.connect(platform.stack.dsn)
    await consumer.start()
    try:
        numbers = [row["partition_no"] for row in await connection.fetch(_POSITIONS)]
        ends = await consumer.end_offsets([TopicPartition(LOG, number) for number in numbers])
        async with asyncio.timeout(within_s):
            while any(
                row["position"] < ends[TopicPartition(LOG, row["partition_no"])]
                for row in await connection.fetch(_POSITIONS)
            ):
                await asyncio.sleep(0.2)
    finally:
        await consumer.stop()
        await connection.close()
