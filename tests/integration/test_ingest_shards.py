"""Which instances of ingest the watermark waits for: those that have shards, and no other for ever."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import structlog
from pydantic import SecretStr

from schemas.topics import UP
from services.ingest.settings import IngestSettings
from services.ingest.shards import StillOwnerError, claim_shards, retire
from services.runtime.database import Pool, open_pool
from services.runtime.mqtt import open_link
from services.runtime.settings import DatabaseSettings, MqttSettings
from tests.integration.path_world import broker_passwords

if TYPE_CHECKING:
    from deploy.local.stack import Stack

START = datetime(2026, 11, 26, tzinfo=UTC)
LOW, HIGH, ALL = range(32), range(32, 64), range(64)


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        await opened.execute("truncate watermarks, ingest_shards")
        yield opened
        await opened.execute("truncate watermarks, ingest_shards")


async def claim(pool: Pool, instance: str, shards: range) -> None:
    await claim_shards(pool, instance, shards, asyncio.Event(), structlog.get_logger())


async def passes(pool: Pool, instance: str, second: int, *, consumers: tuple[str, ...] = ("store", "score")) -> None:
    """A watermark marker of this instance has come through on every partition."""
    await pool.execute(
        "insert into watermarks select consumer, $1, partition_no, $2 from unnest($3::text[]) consumer,"
        " generate_series(0, (select bus_partitions from platform) - 1) partition_no"
        " on conflict (consumer, instance, partition_no) do update set received_at = excluded.received_at",
        instance,
        START + timedelta(seconds=second),
        list(consumers),
    )


async def second_of(pool: Pool) -> int | None:
    """The watermark."""
    found = await pool.fetchval("select received_at from watermark")
    return None if found is None else int((found - START).total_seconds())


async def test_the_watermark_is_the_lowest_of_all_that_have_shards(pool: Pool) -> None:
    await claim(pool, "0", LOW)
    await claim(pool, "1", HIGH)
    await passes(pool, "0", 20)
    assert await second_of(pool) is None
    await passes(pool, "1", 10, consumers=("store",))
    assert await second_of(pool) is None
    await passes(pool, "1", 10)
    assert await second_of(pool) == 10


async def test_an_instance_whose_shards_others_have_taken_stops_nothing(pool: Pool) -> None:
    await claim(pool, "0", LOW)
    await claim(pool, "1", HIGH)
    await passes(pool, "1", 10)
    await passes(pool, "0", 20)
    assert await second_of(pool) == 10
    await claim(pool, "0", ALL)
    assert await second_of(pool) == 20
    stored = await pool.fetchval("select stored_up_to from operator_platform")
    assert stored == START + timedelta(seconds=20)


async def test_one_that_is_only_away_is_waited_for(pool: Pool) -> None:
    await claim(pool, "0", LOW)
    await claim(pool, "1", HIGH)
    await passes(pool, "1", 10)
    await passes(pool, "0", 9_000)
    assert await second_of(pool) == 10


async def test_one_that_joins_is_waited_for_before_its_first_marker(pool: Pool) -> None:
    await claim(pool, "0", ALL)
    await passes(pool, "0", 20)
    assert await second_of(pool) == 20
    await claim(pool, "1", HIGH)
    assert await second_of(pool) is None


async def test_before_any_has_written_its_shards_all_count(pool: Pool) -> None:
    await passes(pool, "0", 20)
    await passes(pool, "1", 10)
    assert await second_of(pool) == 10


def settings_of(pool_dsn: str, stack: "Stack", instance: str) -> IngestSettings:
    return IngestSettings(
        instance=instance,
        database=DatabaseSettings(dsn=SecretStr(pool_dsn)),
        mqtt=MqttSettings(port=stack.mqtt_port, passwords=broker_passwords(stack)),
    )


@pytest.mark.full_stack
async def test_an_instance_that_still_has_shards_is_not_cleared_away(pool: Pool, dsn: str, full_stack: "Stack") -> None:
    await claim(pool, "1", HIGH)
    with pytest.raises(StillOwnerError):
        await retire(settings_of(dsn, full_stack, "1"))


@pytest.mark.full_stack
async def test_what_an_instance_leaves_behind_is_cleared_away(pool: Pool, dsn: str, full_stack: "Stack") -> None:
    """Its session would go on filling at the broker, until messages are dropped there."""
    settings = settings_of(dsn, full_stack, "1")
    await claim(pool, "0", ALL)
    await passes(pool, "1", 10)
    assert [await sessions_lost(settings) for _ in range(2)][1] == 0
    await retire(settings)
    assert await sessions_lost(settings) == 1
    assert await pool.fetchval("select count(*) from watermarks where instance = '1'") == 0


async def sessions_lost(settings: IngestSettings) -> int:
    """Whether the broker had none when the instance connected."""
    async with open_link(settings.mqtt, client_id=settings.client_id, filters=[UP.of_shard(63)]) as link:
        await link.connected()
        return link.sessions_lost
