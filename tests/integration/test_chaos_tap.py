"""The tap before a real broker: everything passes, and an acknowledgement of another connection's message shows."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from deploy.local.stack import Stack
from services.runtime.mqtt import Link, MqttMessage, open_link
from services.runtime.settings import MqttSettings
from tests.integration.path_world import broker_passwords
from tests.proving.chaos.tap import Tap, open_tap

pytestmark = pytest.mark.full_stack

TOPIC, FILTER = "hb/v1/9/watermark/up", "hb/v1/9/+/up"
WAIT_S = 15.0


@asynccontextmanager
async def reading(stack: Stack, tap: Tap) -> AsyncIterator[Link]:
    """A link through the tap that has what it publishes itself delivered to it."""
    settings = MqttSettings(host=stack.mqtt_host, port=tap.port, passwords=broker_passwords(stack))
    async with open_link(settings, client_id="ingest-1", filters=[FILTER]) as link:
        await until(lambda: link.online)
        yield link


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.02)


async def exchange(link: Link, number: int) -> list[MqttMessage]:
    """Publishes so many messages and takes them again, unacknowledged."""
    for place in range(number):
        link.publish(TOPIC, b"%d" % place, qos=1)
    found: list[MqttMessage] = []
    async with asyncio.timeout(WAIT_S):
        while len(found) < number:
            found += await link.take(wait_s=0.2)
    return found


async def kill_and_start(stack: Stack) -> None:
    broker = stack.process("mosquitto")
    for step in (broker.kill, broker.start, broker.wait_ready):
        await asyncio.to_thread(step)


async def test_what_passes_by_is_counted_and_nothing_is_wrong_with_it(full_stack: Stack) -> None:
    with open_tap(full_stack.mqtt_port) as tap:
        async with reading(full_stack, tap) as link:
            found = await exchange(link, 50)
            link.acknowledge(found)
            await until(lambda: tap.connections[-1].acknowledged == 50)
        assert tap.delivered == 50
        assert tap.wrong == []


async def test_a_link_that_meets_a_broker_without_its_session_does_nothing_wrong(full_stack: Stack) -> None:
    with open_tap(full_stack.mqtt_port) as tap:
        async with reading(full_stack, tap) as link:
            old = await exchange(link, 10)
            lost = link.sessions_lost
            await kill_and_start(full_stack)
            await until(lambda: link.sessions_lost > lost and link.online)
            link.acknowledge([*old, *await exchange(link, 10)])
            await until(lambda: tap.connections[-1].acknowledged == 10)
        assert tap.wrong == []


async def test_an_acknowledgement_of_the_connection_before_shows(full_stack: Stack) -> None:
    with open_tap(full_stack.mqtt_port) as tap:
        async with reading(full_stack, tap) as link:
            old = await exchange(link, 10)
            lost = link.sessions_lost
            await kill_and_start(full_stack)
            await until(lambda: link.sessions_lost > lost and link.online)
            new = await exchange(link, 10)
            link.acknowledge([one._replace(connection=new[0].connection) for one in old])
            link.acknowledge(new)
            await until(lambda: bool(tap.wrong))
        assert f"connection {len(tap.connections)}:" in tap.wrong[0]


async def test_while_there_is_no_broker_nobody_is_kept_waiting_for_one(full_stack: Stack) -> None:
    broker = full_stack.process("mosquitto")
    await asyncio.to_thread(broker.kill)
    try:
        with open_tap(full_stack.mqtt_port) as tap:
            reader, writer = await asyncio.open_connection("127.0.0.1", tap.port)
            assert await asyncio.wait_for(reader.read(), WAIT_S) == b""
            writer.close()
            assert tap.connections == []
    finally:
        await asyncio.to_thread(broker.start)
        await asyncio.to_thread(broker.wait_ready)
