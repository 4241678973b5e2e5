"""The full stack as infrastructure: who may say what on the broker, and what survives a SIGKILL."""

import asyncio
import os
import secrets
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from deploy.local import SERVERS, Stack, StackSettings, prepare
from deploy.local.errors import AlreadyRunningError
from deploy.local.kafka import classes_of
from deploy.local.proc import ProcessRef
from schemas.broker_access import BrokerUserError
from schemas.topics import ACK, UP, shard_of
from tests.integration.mqtt_peer import ACCEPTED, ANSWER_S, BAD_PASSWORD, NOT_AUTHORISED, SILENCE_S, Peer, wait_until

pytestmark = pytest.mark.full_stack

DEVICES = {"cuff-1": secrets.token_urlsafe(24), "scale-1": secrets.token_urlsafe(24)}


def own_settings(what: str) -> StackSettings:
    return StackSettings(name=f"test-{what}-{os.getpid()}")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    settings = own_settings("stack")
    stack = Stack(settings)
    try:
        stack.start()
        stack.register_devices(DEVICES)
        yield stack
    finally:
        stack.stop()
        stack.erase()


def up(device: str) -> str:
    return UP.of(shard_of(device), device)


def ack(device: str) -> str:
    return ACK.of(shard_of(device), device)


def device(stack: Stack, name: str, client_id: str | None = None) -> Peer:
    return Peer(stack.mqtt_port, name, DEVICES[name], client_id)


def platform(stack: Stack, name: str) -> Peer:
    return Peer(stack.mqtt_platform_port, name, stack.platform_secrets[name])


def test_it_says_what_it_runs(stack: Stack) -> None:
    versions = stack.versions()

    assert versions["mosquitto"].startswith("2.")
    assert versions["kafka"] == "4.3.1"
    assert versions["postgresql"].startswith("17.")
    assert versions["timescaledb"].startswith("2.")
    assert versions["timescaledb edition"] == "apache"


def test_the_database_is_as_durable_as_production(stack: Stack) -> None:
    assert stack.server_settings() == {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
    }


def test_kafka_maps_its_classes_from_one_file(stack: Stack) -> None:
    archive = classes_of(prepare.kafka_libraries(stack.settings.local))
    assert archive is not None
    assert str(archive.resolve()) in Path(f"/proc/{stack.process('kafka').pid}/maps").read_text()


def test_an_uplink_reaches_ingest(stack: Stack) -> None:
    with platform(stack, "ingest-0") as ingest, device(stack, "cuff-1") as cuff:
        ingest.subscribe("hb/v1/+/+/up")

        assert cuff.publish(up("cuff-1"), b"{}") in ACCEPTED
        wait_until(lambda: ingest.messages == [(up("cuff-1"), b"{}")])


def test_a_device_cannot_publish_for_another_device(stack: Stack) -> None:
    with platform(stack, "ingest-0") as ingest, device(stack, "cuff-1") as cuff:
        ingest.subscribe("hb/v1/+/+/up")

        assert cuff.publish(up("scale-1"), b"{}") == NOT_AUTHORISED
        assert cuff.publish(ack("cuff-1"), b"{}") == NOT_AUTHORISED
        time.sleep(SILENCE_S)
        assert ingest.messages == []


def test_a_device_cannot_read_another_devices_ack(stack: Stack) -> None:
    with platform(stack, "ingest-0-acks") as ingest, device(stack, "scale-1") as scale:
        ingest.publish(ack("cuff-1"), b"for the cuff", retain=True)
        ingest.publish(ack("scale-1"), b"for the scale", retain=True)
        scale.subscribe("hb/v1/+/+/ack")
        scale.subscribe(ack("cuff-1"))
        ingest.publish(ack("cuff-1"), b"for the cuff, live")
        time.sleep(SILENCE_S)

        assert set(scale.messages) == {(ack("scale-1"), b"for the scale")}


def test_a_client_id_cannot_be_taken_over(stack: Stack) -> None:
    with device(stack, "cuff-1") as cuff, device(stack, "scale-1", client_id="cuff-1") as scale:
        time.sleep(SILENCE_S)

        assert not cuff.lost.is_set()
        assert cuff.publish(up("cuff-1"), b"{}") in ACCEPTED
        assert scale.publish(up("cuff-1"), b"{}") == NOT_AUTHORISED


def test_ingest_has_two_connections_at_once(stack: Stack) -> None:
    with platform(stack, "ingest-0") as uplinks, platform(stack, "ingest-0-acks") as acks:
        time.sleep(SILENCE_S)

        assert not uplinks.lost.is_set()
        assert not acks.lost.is_set()


@pytest.mark.parametrize(("user", "password"), [(None, ""), ("unregistered", "x"), ("cuff-1", "wrong")])
def test_a_unregistered_device_is_refused(stack: Stack, user: str | None, password: str) -> None:
    with Peer(stack.mqtt_port, user, password) as unregistered:
        assert unregistered.refusal in {NOT_AUTHORISED, BAD_PASSWORD}


def test_the_device_passwords_of_a_whole_region_are_loaded_while_the_broker_runs(stack: Stack) -> None:
    many = {f"band-{number}": secrets.token_urlsafe(24) for number in range(5000)}
    with device(stack, "cuff-1") as cuff:
        try:
            started = time.monotonic()
            stack.register_devices({**many, "cuff-1": DEVICES["cuff-1"]})
            took = time.monotonic() - started
            wait_until(lambda: is_welcome(stack, "band-4999", many["band-4999"]))

            assert took < 5
            assert not is_welcome(stack, "scale-1", DEVICES["scale-1"])
            assert cuff.publish(up("cuff-1"), b"{}") in ACCEPTED
        finally:
            stack.register_devices(DEVICES)
            wait_until(lambda: is_welcome(stack, "scale-1", DEVICES["scale-1"]))


def is_welcome(stack: Stack, user: str, password: str) -> bool:
    with Peer(stack.mqtt_port, user, password) as peer:
        return peer.refusal == 0


def test_a_device_cannot_be_called_like_a_platform_user(stack: Stack) -> None:
    with pytest.raises(BrokerUserError, match="ingest-0"):
        stack.register_devices({"ingest-0": "x"})


@pytest.mark.parametrize("name", SERVERS)
def test_a_killed_server_comes_back(stack: Stack, name: str) -> None:
    process = stack.process(name)
    before = process.pid

    process.kill()
    assert not process.alive
    process.start()
    process.wait_ready()

    assert process.pid != before
    with pytest.raises(AlreadyRunningError):
        process.start()


async def test_a_committed_row_survives_the_postmaster_and_its_busy_backends(stack: Stack) -> None:
    postgres = stack.process("postgresql")
    await execute(stack, "create table kept (id int)")
    await execute(stack, "insert into kept values (1)")
    busy = await asyncpg.connect(stack.dsn)
    sleeping = asyncio.create_task(busy.execute("select pg_sleep(60)"))
    await asyncio.sleep(SILENCE_S)

    assert postgres.pid is not None
    os.kill(postgres.pid, signal.SIGKILL)
    with pytest.raises((asyncpg.PostgresError, ConnectionError, asyncpg.InterfaceError)):
        await sleeping
    await asyncio.to_thread(wait_until, lambda: not postgres.alive)
    await asyncio.to_thread(postgres.start)
    await asyncio.to_thread(postgres.wait_ready)

    assert await execute(stack, "drop table kept") == "DROP TABLE"


async def execute(stack: Stack, sql: str) -> str:
    connection = await asyncpg.connect(stack.dsn)
    try:
        return str(await connection.execute(sql))
    finally:
        await connection.close()


async def test_an_acknowledged_record_survives_the_kafka_node(stack: Stack) -> None:
    kafka = stack.process("kafka")
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("kept", num_partitions=1, replication_factor=1)])
    await admin.close()
    await produce(stack, b"before")

    await asyncio.to_thread(kafka.kill)
    await asyncio.to_thread(kafka.start)
    await asyncio.to_thread(kafka.wait_ready)
    await produce(stack, b"after")

    assert await consume(stack, 2) == [b"before", b"after"]


async def produce(stack: Stack, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=stack.kafka_bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait("kept", value)
    finally:
        await producer.stop()


async def consume(stack: Stack, count: int) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka_bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition("kept", 0)])
        async with asyncio.timeout(ANSWER_S):
            return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


async def test_a_topic_is_not_made_by_mistake(stack: Stack) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=stack.kafka_bootstrap, request_timeout_ms=1000)
    await producer.start()
    try:
        with pytest.raises(KafkaError):
            await producer.send_and_wait("misspelt", b"")
    finally:
        await producer.stop()


async def test_a_frozen_database_answers_nobody_and_thaws(stack: Stack) -> None:
    postgres = stack.process("postgresql")
    postgres.freeze()
    try:
        with pytest.raises(TimeoutError):
            await asyncpg.connect(stack.dsn, timeout=1)
    finally:
        postgres.thaw()

    assert await execute(stack, "select 1") == "SELECT 1"


def test_a_stack_is_found_again_by_its_name(stack: Stack) -> None:
    again = Stack(stack.settings)

    assert again.dsn == stack.dsn
    assert [again.process(name).pid for name in SERVERS] == [stack.process(name).pid for name in SERVERS]


def test_two_stacks_do_not_see_each_other(stack: Stack) -> None:
    other = Stack(own_settings("other"))
    try:
        other.start()
        assert not is_welcome(other, "cuff-1", DEVICES["cuff-1"])
        other.process("postgresql").kill()
        assert stack.process("postgresql").alive
    finally:
        other.stop()
        other.erase()


def test_a_pid_used_again_is_nobody_we_know() -> None:
    ours = ProcessRef(pid=os.getpid(), started=0)

    assert not ours.alive
    ours.send(signal.SIGKILL)
