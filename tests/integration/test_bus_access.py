"""Kafka's users may do just what the table says: a platform needs all of it, and whatever else is tried is refused."""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import CreateAclsRequest, CreateTopicsRequest, DeleteAclsRequest, DescribeAclsRequest
from aiokafka.protocol.commit import OffsetCommitRequest
from pydantic import SecretStr

from deploy.local.settings import StackSettings
from deploy.local.stack import Stack
from deploy.platform.platform import Platform, take_over
from schemas.bus_access import ADMIN, BUS_RIGHTS, BUS_USERS, PREPARE, TOOLS, BusRight, Kind, Operation
from schemas.registry import Register
from schemas.topics import UPLINKS_JUDGED
from services.bus_access import NoUsersError, grant_bus
from services.runtime.bus.kafka import open_kafka_bus
from services.runtime.bus.kafka_access import client_arguments
from services.runtime.bus.kafka_acls import AccessListsError, acl_of
from services.runtime.bus.kafka_connection import use_mended_connections
from services.runtime.bus.port import NotAllowedError
from services.runtime.clock import FakeClock
from services.runtime.database import open_pool
from services.runtime.settings import BusSettings, DatabaseSettings
from tests.integration.forbidden_bus import (
    FOREIGN_GROUP,
    FOREIGN_TOPIC,
    REFUSED,
    Need,
    calls,
    codes,
    forbidden_to,
    is_allowed,
)
from tests.integration.path_world import World, bound, bus_settings, household, tls_settings

pytestmark = [pytest.mark.full_stack, pytest.mark.asyncio(loop_scope="module")]

DONE_WITHIN_S = 120.0
LINE = re.compile(
    r"Principal = User:(\S+) is (Allowed|Denied) operation = (\w+) from host = \S+"
    r" on resource = (\w+):LITERAL:(\S+) for request = (\w+)"
)
ANY_LINE = (1, None, 1, None, None, 1, 1)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    use_mended_connections()  # as every service does, and whichever test comes before these
    servers = Stack(StackSettings(name=f"test-acls-{os.getpid()}", tls=True, kafka_logs_allowed=True))
    with servers:
        yield servers
    servers.erase()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """Everything of it at work, and a device that was heard."""
    logs = tmp_path_factory.mktemp("logs")
    made = Platform(stack, overrides={"HB_WATCH_EVERY_S": "1"}, logs=logs)
    await asyncio.to_thread(made.prepare)
    database = DatabaseSettings(dsn=SecretStr(stack.dsn), tls=tls_settings(stack))
    async with open_pool(database, application="test") as pool:
        now_ms = round(time.time() * 1000)
        world = World(stack=stack, dsn=stack.dsn, pool=pool, clock=FakeClock(now_ms))
        world.admit("band-1")
        home = Register(homes=(household(1, (1,), [bound("band-1", "wearable_band", 1)]),))
        await world.register(home, at_ms=now_ms - 3_600_000)
        made.start()
        try:
            await world.heard("band-1")
            yield made
        finally:
            await world.close()
            await asyncio.to_thread(made.stop)


@asynccontextmanager
async def signed_in(stack: Stack, user: str) -> AsyncIterator[AIOKafkaClient]:
    client = AIOKafkaClient(**client_arguments(bus_settings(stack, user)))
    try:
        await client.bootstrap()
        yield client
    finally:
        await client.close()


async def ask(client: AIOKafkaClient, request: Any) -> Any:
    async with asyncio.timeout(30):
        return await client.send(client.get_random_node(), request)


async def answered(client: AIOKafkaClient, request: Any) -> set[int]:
    """The errors in the answer; those that our own connections raise (``kafka_connection``) are among them."""
    try:
        return codes(await ask(client, request))
    except KafkaError as error:
        return {error.errno}


def asked_of(stack: Stack) -> dict[str, set[tuple[str, Need]]]:
    """Who wanted what, by what became of it, the node and the admin left out."""
    found: dict[str, set[tuple[str, Need]]] = {"Allowed": set(), "Denied": set()}
    log = (stack.settings.server_directory("kafka") / "server.log").read_text()
    for user, became, operation, kind, name, _request in LINE.findall(log):
        if user in BUS_USERS:
            found[became].add((user, Need(operation.lower(), kind.lower(), name)))
    return found


def used(asked: dict[str, set[tuple[str, Need]]]) -> set[BusRight]:
    allowed = {(user, need.operation, need.kind, need.name) for user, need in asked["Allowed"]}
    return {right for right in BUS_RIGHTS if tuple(right) in allowed}


async def test_a_platform_needs_every_right_of_the_table_and_no_other(
    stack: Stack, platform: Platform, tmp_path: Path
) -> None:
    of_services = {right for right in BUS_RIGHTS if right.user not in {PREPARE, TOOLS}}
    async with asyncio.timeout(DONE_WITHIN_S):
        while not of_services <= used(asked_of(stack)):
            await asyncio.to_thread(platform.check_alive)
            await asyncio.sleep(0.5)
    state = tmp_path / "state"
    state.write_text(await asyncio.to_thread(platform.command, "services.score", "export-state"))
    await asyncio.to_thread(platform.command, "services.score", "replay-state", str(state))
    await asyncio.to_thread(platform.stop)
    await asyncio.to_thread(take_over, platform)
    platform.start()

    asked = asked_of(stack)
    assert asked["Denied"] == set()
    assert {one for one in asked["Allowed"] if not is_allowed(*one)} == set()
    assert set(BUS_RIGHTS) - used(asked) == set()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def foreign(platform: Platform) -> AsyncIterator[AIOKafkaClient]:
    """The admin, who has made somebody else's topic and group."""
    async with signed_in(platform.stack, ADMIN) as admin:
        await ask(admin, CreateTopicsRequest([(FOREIGN_TOPIC, 1, 1, [], [])], 10_000, validate_only=False))
        async with asyncio.timeout(30):
            while codes(
                await ask(admin, OffsetCommitRequest(FOREIGN_GROUP, -1, "", -1, [(FOREIGN_TOPIC, [(0, 0, "")])]))
            ):
                await asyncio.sleep(0.1)
        yield admin


@pytest.mark.parametrize("user", BUS_USERS)
async def test_more_than_a_hundred_calls_are_refused_to_a_user(
    stack: Stack, foreign: AIOKafkaClient, user: str
) -> None:
    forbidden, done = forbidden_to(user), {}
    before, topics = await lines(foreign), await topic_names(foreign)
    async with signed_in(stack, user) as client:
        for call in forbidden:
            found = await answered(client, call.request)
            if not found or found - REFUSED:
                done[call.what] = found

    assert len(forbidden) == len({call.what for call in forbidden}) > 100
    assert done == {}
    assert await lines(foreign) == before
    assert await topic_names(foreign) == topics


async def topic_names(client: AIOKafkaClient) -> set[str]:
    await client.force_metadata_update()
    return set(client.cluster.topics(exclude_internal_topics=False))


async def test_who_may_do_everything_is_refused_none_of_these_calls(stack: Stack, foreign: AIOKafkaClient) -> None:
    """So they are calls, and what the others were refused for is that they are not allowed to make them."""
    refused = {}
    for call in calls("nobody", (FOREIGN_TOPIC,), (FOREIGN_GROUP,)):
        if found := await answered(foreign, call.request) & REFUSED:
            refused[call.what] = found
    assert refused == {}
    await grant_bus(bus_settings(stack, ADMIN))


async def test_lists_are_brought_to_the_table_and_those_of_others_left(stack: Stack, foreign: AIOKafkaClient) -> None:
    settings, topic = bus_settings(stack, ADMIN), UPLINKS_JUDGED.name
    needless = {
        (2, topic, 3, "User:watch", "*", 3, 3),  # one of ours may read what it need not
        (2, "uplinks", 4, "User:store", "*", 2, 3),  # and do everything with whatever begins so
        (3, "store", 3, "User:store", "*", 3, 2),  # one of ours is forbidden what it needs
        (2, topic, 3, "User:*", "*", 3, 3),  # everybody may read
    }
    anothers = (2, FOREIGN_TOPIC, 3, "User:accountant", "*", 3, 3)
    for line in (*needless, anothers):
        assert codes(await ask(foreign, CreateAclsRequest(*line))) == set()
    (missed,) = [
        acl_of(right) for right in BUS_RIGHTS if right == BusRight("store", Operation.READ, Kind.GROUP, "store")
    ]
    assert codes(await ask(foreign, DeleteAclsRequest(*missed))) == set()
    async with asyncio.timeout(30):
        while not (needless | {anothers} <= await lines(foreign) and missed not in await lines(foreign)):
            await asyncio.sleep(0.1)

    changed = await grant_bus(settings)
    now = await lines(foreign)
    again = await grant_bus(settings)
    assert (changed.added, changed.taken_back) == (1, len(needless))
    assert (again.added, again.taken_back) == (0, 0)
    assert needless.isdisjoint(now)
    assert {missed, anothers} <= now
    assert changed.others == again.others == len(now) - len(BUS_RIGHTS)


async def lines(client: AIOKafkaClient) -> set[tuple[Any, ...]]:
    answer = await ask(client, DescribeAclsRequest(*ANY_LINE))
    return {(kind, name, pattern, *line) for kind, name, pattern, held in answer.resources for line in held}


async def test_a_user_without_a_right_hears_so(platform: Platform) -> None:
    with pytest.raises(AccessListsError, match="ClusterAuthorizationFailedError"):
        await grant_bus(bus_settings(platform.stack, "store"))
    async with open_kafka_bus(bus_settings(platform.stack, "watch")) as bus:
        with pytest.raises(NotAllowedError, match=r"more\.v1"):
            await bus.prepare({"more.v1": 1}, {})


async def test_a_bus_without_users_has_no_lists() -> None:
    for settings in (BusSettings(kind="postgres"), BusSettings()):
        with pytest.raises(NoUsersError):
            await grant_bus(settings)
