"""Commands reach the device over a real broker, whoever wrote them, and are sent once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from deploy.embedded.embedded import Embedded
from deploy.local.ports import free_port
from schemas.codec import decode_command
from schemas.messages import CommandKind
from schemas.metrics import METRICS
from schemas.topics import COMMANDS, shard_of
from services.medication.commands import CommandPublisher
from services.runtime.clock import FakeClock, to_datetime
from services.runtime.database import Pool, load_queries, open_pool
from services.runtime.errors import RetryLaterError
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from services.runtime.mqtt import Link, open_link
from services.runtime.settings import DatabaseSettings, MqttSettings
from tests.integration.care_world import START_MS, World, settle_in

pytestmark = pytest.mark.embedded


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        await opened.execute("truncate commands")
        yield opened


def publisher(pool: Pool, link: Link) -> CommandPublisher:
    return CommandPublisher(
        pool=pool,
        sql=load_queries("services.medication"),
        link=link,
        clock=FakeClock(at_ms=START_MS),
        metrics=Metrics(METRICS),
        log=logger("test"),
    )


async def ask(pool: Pool, world: World, *, for_s: float = 60) -> UUID:
    """As score asks a person whether they are all right."""
    command_id = uuid4()
    start = to_datetime(START_MS)
    await pool.execute(
        "insert into commands (command_id, device_no, kind, details, created_at, expires_at)"
        " values ($1, $2, 'check_in', $3, $4, $5)",
        command_id,
        world.device_no,
        {"why": "fall"},
        start - timedelta(seconds=1),
        start + timedelta(seconds=for_s),
    )
    return command_id


async def test_a_command_reaches_its_device_once(pool: Pool, embedded: Embedded) -> None:
    world = await settle_in(pool)
    broker = MqttSettings(host=embedded.mqtt_host, port=embedded.mqtt_port)
    topic = COMMANDS.of(shard_of(world.device), world.device)
    async with (
        open_link(broker, client_id=world.device, filters=[topic]) as device,
        open_link(broker, client_id="commands-0") as link,
    ):
        await asyncio.gather(device.connected(), link.connected())
        await asyncio.sleep(0.2)
        command_id, _ = await ask(pool, world), await ask(pool, world, for_s=0)
        assert await publisher(pool, link).publish() == 1
        assert await publisher(pool, link).publish() == 0
        (delivery,) = await device.take(wait_s=5)

    command = decode_command(delivery.payload)
    assert delivery.topic == topic
    assert (command.id, command.kind, command.details) == (str(command_id), CommandKind.CHECK_IN, {"why": "fall"})
    assert command.expires_at == START_MS + 60_000


async def test_two_publishers_beside_each_other_send_a_command_once(pool: Pool, embedded: Embedded) -> None:
    world = await settle_in(pool)
    broker = MqttSettings(host=embedded.mqtt_host, port=embedded.mqtt_port)
    async with (
        open_link(broker, client_id="commands-0") as first,
        open_link(broker, client_id="commands-1") as second,
    ):
        await asyncio.gather(first.connected(), second.connected())
        for _ in range(10):
            await ask(pool, world)
            assert sum(await asyncio.gather(*(publisher(pool, one).publish() for one in (first, second)))) == 1


async def test_while_the_broker_is_away_commands_wait(pool: Pool) -> None:
    world = await settle_in(pool)
    await ask(pool, world)
    async with open_link(MqttSettings(port=free_port()), client_id="commands-0") as link:
        with pytest.raises(RetryLaterError):
            await publisher(pool, link).publish()

    assert await pool.fetchval("select count(*) from commands where sent_at is null") == 1
