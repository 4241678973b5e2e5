"""The bus contract on memory, on PostgreSQL tables and on Kafka, and what each of them promises besides."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TYPE_CHECKING, cast

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from pydantic import SecretStr

from services.runtime.bus.kafka import SESSION_S, KafkaSubscription, StuckError, open_kafka_bus
from services.runtime.bus.memory import MemoryBus
from services.runtime.bus.port import Bus, MissingOffsetError
from services.runtime.bus.postgres import open_postgres_bus
from services.runtime.database import open_pool
from services.runtime.errors import RetryLaterError
from services.runtime.settings import BusSettings, DatabaseSettings
from tests.contract.bus_contract import (
    PATIENCE_S,
    BusContract,
    OpenBus,
    SharedBusContract,
    number_of,
    records,
    take,
    take_all,
)

if TYPE_CHECKING:
    from deploy.local.stack import Stack

NOBODY_LISTENS = "127.0.0.1:9"


class TestMemoryBus(BusContract):
    @pytest.fixture
    def open_bus(self) -> OpenBus:
        bus = MemoryBus()

        @asynccontextmanager
        async def opened() -> AsyncIterator[Bus]:
            yield bus

        return opened


class TestMemoryBusOfSeveralPartitions(SharedBusContract):
    @pytest.fixture
    def open_bus(self) -> OpenBus:
        bus = MemoryBus(partitions=3)

        @asynccontextmanager
        async def opened() -> AsyncIterator[Bus]:
            yield bus

        return opened


class TestPostgresBus(BusContract):
    @pytest.fixture
    def open_bus(self, dsn: str) -> OpenBus:
        return lambda: open_on(dsn)

    async def test_an_append_that_the_database_refuses_may_be_repeated(self, dsn: str, topic: str, group: str) -> None:
        async with open_pool(database(dsn), application="test") as pool, open_postgres_bus(pool) as bus:
            await bus.prepare({topic: 1}, {topic: (group,)})
            await cut_connections(dsn)
            for _ in range(20):
                with suppress(RetryLaterError):
                    await bus.append(topic, records(5, keys=1))
                    break
            taken = await take(await bus.subscribe(topic, group), 5)
        assert list(map(number_of, taken)) == list(range(5))

    async def test_old_records_go_and_whoever_missed_them_hears_so(self, dsn: str, topic: str, group: str) -> None:
        async with open_pool(database(dsn), application="test") as pool, open_postgres_bus(pool) as bus:
            await bus.prepare({topic: 1}, {topic: (group,)})
            await bus.append(topic, records(5))
            await pool.execute(
                "update bus_log set appended_at = appended_at - interval '61 minutes' where topic = $1", topic
            )
            await bus.append(topic, records(1, start=5))
        async with open_pool(database(dsn), application="test") as pool, open_postgres_bus(pool) as bus:
            for _ in range(100):
                if await pool.fetchval("select count(*) from bus_log where topic = $1", topic) == 1:
                    break
                await asyncio.sleep(0.05)
            with pytest.raises(MissingOffsetError):
                await take(await bus.subscribe(topic, group), 1)

    async def test_offsets_become_visible_in_order(self, dsn: str, topic: str, group: str) -> None:
        """A reader that runs beside many writers never sees a later offset before an earlier one."""
        async with open_on(dsn) as bus, open_on(dsn) as other:
            await bus.prepare({topic: 1}, {topic: (group,)})
            reading = asyncio.create_task(take(await bus.subscribe(topic, group), 400))
            writers = (bus, other)
            await asyncio.gather(*(writers[start % 2].append(topic, records(4, start=start)) for start in range(100)))
            taken = await reading
        assert [message.offset for message in taken] == list(range(400))


@pytest.mark.full_stack
class TestKafkaBus(SharedBusContract):
    @pytest.fixture
    def settings(self, full_stack: "Stack") -> BusSettings:
        return BusSettings(kind="kafka", kafka=full_stack.kafka_bootstrap, partitions=3)

    @pytest.fixture
    def open_bus(self, settings: BusSettings) -> OpenBus:
        return lambda: open_kafka_bus(settings)

    async def test_a_topic_has_its_retention_and_partitions(self, bus: Bus, settings: BusSettings, topic: str) -> None:
        assert bus.partitions == 3
        admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
        await admin.start()
        try:
            (described,) = await admin.describe_topics([topic])
            (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        finally:
            await admin.close()
        configuration = {entry[0]: entry[1] for entry in answer.resources[0][4]}
        assert len(described["partitions"]) == 3
        assert configuration["retention.ms"] == "3600000"

    async def test_the_partitions_of_a_member_that_never_returns_go_to_the_others(
        self, bus: Bus, open_bus: OpenBus, topic: str, group: str
    ) -> None:
        async with open_bus() as staying:
            first = await staying.subscribe(topic, group, instance="a")
            async with open_bus() as going:
                second = await going.subscribe(topic, group, instance="b")
                await asyncio.gather(take_all(first), take_all(second))
            await bus.append(topic, records(60, keys=20))
            began = asyncio.get_running_loop().time()
            found: set[int] = set()
            async with asyncio.timeout(PATIENCE_S):
                while len(found) < 60:
                    found |= set(map(number_of, await first.fetch(most=100, wait_s=0.2)))
            took_s = asyncio.get_running_loop().time() - began
        assert SESSION_S / 2 < took_s < 2 * SESSION_S

    async def test_a_consumer_that_gets_nothing_though_there_is_something_ends(
        self, bus: Bus, topic: str, group: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("services.runtime.bus.kafka.STUCK_S", 0.4)
        subscription = await bus.subscribe(topic, group)
        for _ in range(5):
            assert await subscription.fetch(most=10, wait_s=0.3) == []
        consumer = cast("KafkaSubscription", subscription)._consumer  # noqa: SLF001 - so that its fetcher can die
        consumer._fetcher._fetch_task.cancel()  # noqa: SLF001
        await asyncio.sleep(1)  # the request that it has sent is answered after half a second
        await bus.append(topic, records(3))
        with pytest.raises(StuckError):
            await take(subscription, 3)

    async def test_a_consumer_that_cannot_commit_though_kafka_answers_ends(
        self, bus: Bus, topic: str, group: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("services.runtime.bus.kafka.COMMIT_S", 0.4)
        subscription = await bus.subscribe(topic, group)
        await bus.append(topic, records(3))
        await take(subscription, 3)
        coordinator = cast("KafkaSubscription", subscription)._consumer._coordinator  # noqa: SLF001 - it loses it
        async with coordinator._coordinator_lookup_lock:  # noqa: SLF001 - and never finds it again
            coordinator.coordinator_dead()
            for _ in range(2):  # a request that the network swallowed looks like that, too, for less than a minute
                with pytest.raises(RetryLaterError):
                    await subscription.commit({0: 1})
            monkeypatch.setattr("services.runtime.bus.kafka.STUCK_S", 0.2)
            with pytest.raises(StuckError):
                await subscription.commit({0: 1})

    @pytest.mark.parametrize("after_s", [0.0, 0.01, 0.1])
    async def test_a_consumer_whose_start_is_cancelled_is_closed_with_the_bus(
        self, bus: Bus, open_bus: OpenBus, topic: str, group: str, after_s: float
    ) -> None:
        """A connection left open would be complained of when it is collected."""
        async with open_bus() as other:
            joining = asyncio.create_task(other.subscribe(topic, group))
            await asyncio.sleep(after_s)
            joining.cancel()
            with suppress(asyncio.CancelledError):
                await joining
        del joining
        gc.collect()
        await bus.append(topic, records(3))
        assert len(await take(await bus.subscribe(topic, group), 3)) == 3

    async def test_without_a_broker_an_append_says_later(self) -> None:
        async with open_kafka_bus(BusSettings(kind="kafka", kafka=NOBODY_LISTENS)) as bus:
            with pytest.raises(RetryLaterError):
                await bus.append("anything", records(1))
            with pytest.raises(RetryLaterError):
                await bus.subscribe("anything", "anybody")


def database(dsn: str) -> DatabaseSettings:
    return DatabaseSettings(dsn=SecretStr(dsn))


@asynccontextmanager
async def open_on(dsn: str) -> AsyncIterator[Bus]:
    """A bus on the tables of a database."""
    async with open_pool(database(dsn), application="test-bus") as pool, open_postgres_bus(pool) as bus:
        yield bus


async def cut_connections(dsn: str) -> None:
    """What a restarting database does to its clients."""
    async with open_pool(database(dsn), application="axe") as pool:
        await pool.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and application_name <> 'axe'"
        )


def test_the_buses_are_buses() -> None:
    opened: AbstractAsyncContextManager[Bus] = open_kafka_bus(BusSettings())
    assert isinstance(opened, AbstractAsyncContextManager)
