"""Kafka's client when its broker is killed, when a coordinator cannot say offsets, and when its start is given up."""

import asyncio
import inspect
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import aiokafka.conn
import pytest
import uvloop
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import GroupLoadInProgressError, KafkaConnectionError
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.metadata import MetadataRequest

from services.runtime.bus.kafka_connection import Connection

_LIVES_S = 0.2
_SUPPORTED = {MetadataRequest([]).API_KEY: (0, 5), OffsetFetchRequest.API_KEY: (1, 3)}
_NO_ERROR_NO_VERSIONS = struct.pack(">hi", 0, 0)
_METADATA_BY_NAME = struct.pack(">hihhh", 0, 1, MetadataRequest([]).API_KEY, 0, 5)
"""No error, one kind of request, and its versions."""
_STILL_LOADING = struct.pack(">iih", 0, 0, GroupLoadInProgressError.errno)
"""OffsetFetch, version 3: not throttled, no topics, an error for the whole answer."""


@pytest.fixture
def broker() -> Iterator[int]:
    """The port of one that answers the first question and is gone soon after, as by SIGKILL: by a reset."""
    yield from _serve(_answer_and_reset)


@pytest.fixture
def loading_broker() -> Iterator[int]:
    """The port of one whose coordinator still reads its groups' offsets."""
    yield from _serve(_answer_and_load)


def _serve(handle: Callable[[socket.socket], None]) -> Iterator[int]:
    def accept() -> None:
        with listener.accept()[0] as connection:
            handle(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def _answer_and_reset(connection: socket.socket) -> None:
    _answer(connection, _NO_ERROR_NO_VERSIONS)
    time.sleep(_LIVES_S)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _answer_and_load(connection: socket.socket) -> None:
    _answer(connection, _NO_ERROR_NO_VERSIONS)
    _answer(connection, _STILL_LOADING)


def _answer(connection: socket.socket, answer: bytes) -> None:
    size = struct.unpack(">i", connection.recv(4))[0]
    correlation = connection.recv(size)[4:8]
    connection.sendall(struct.pack(">i", 4 + len(answer)) + correlation + answer)


async def _write_in_the_gap(make: Callable[[str, int], AIOKafkaConnection], port: int) -> tuple[BaseException, bool]:
    """What a write raises after the loss and before aiokafka hears of it; whether the connection says it is there."""
    connection = make("127.0.0.1", port)
    await connection.connect()
    connection._versions = _SUPPORTED  # noqa: SLF001 - this broker named none
    loop, protocol = asyncio.get_running_loop(), connection._protocol  # noqa: SLF001 - it hears of the loss first
    raised: asyncio.Future[BaseException] = loop.create_future()
    hears_of_it = protocol.connection_lost

    def write() -> None:
        try:
            connection.send(MetadataRequest([]))
        except Exception as error:  # noqa: BLE001 - which one it is, is the question
            raised.set_result(error)

    def lost(why: Any) -> None:
        hears_of_it(why)
        loop.call_soon(write)

    protocol.connection_lost = lost
    async with asyncio.timeout(10):
        return await raised, connection.connected()


def test_a_write_to_a_connection_lost_a_moment_ago_is_a_lost_connection(broker: int) -> None:
    error, connected = uvloop.run(_write_in_the_gap(Connection, broker))

    assert isinstance(error, KafkaConnectionError)
    assert not connected


def test_aiokafka_still_needs_help_there(broker: int) -> None:
    """When this and the other such tests fail, `services.runtime.bus.kafka_connection` can go."""
    error, _ = uvloop.run(_write_in_the_gap(AIOKafkaConnection, broker))

    assert isinstance(error, RuntimeError)
    assert not isinstance(error, KafkaConnectionError)


async def _ask_for_offsets(make: Callable[[str, int], AIOKafkaConnection], port: int) -> Any:
    connection = make("127.0.0.1", port)
    await connection.connect()
    connection._versions = _SUPPORTED  # noqa: SLF001 - this broker named none
    try:
        async with asyncio.timeout(10):
            return await connection.send(OffsetFetchRequest("store", [("uplinks.judged.v1", [0])]))
    finally:
        connection.close()


async def test_a_coordinator_that_is_loading_has_not_said_that_there_are_no_offsets(loading_broker: int) -> None:
    with pytest.raises(GroupLoadInProgressError) as raised:
        await _ask_for_offsets(Connection, loading_broker)

    assert raised.value.retriable


async def test_aiokafka_still_needs_help_with_a_coordinator_that_is_loading(loading_broker: int) -> None:
    """It gets an answer without partitions, and a consumer takes that for a group without offsets."""
    response = await _ask_for_offsets(AIOKafkaConnection, loading_broker)

    assert response.topics == []
    source = inspect.getsource(GroupCoordinator._do_fetch_commit_offsets)  # noqa: SLF001 - whether it looks there
    assert "response.error_code" not in source


async def _ends_with_its_start(monkeypatch: pytest.MonkeyPatch, kind: type[AIOKafkaConnection]) -> bool:
    """Whether a broker that is asked for metadata sees the connection end, once the client's start is given up."""
    asked, ended, made = asyncio.Event(), asyncio.Event(), list[AIOKafkaConnection]()

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (_METADATA_BY_NAME, b""):
            (size,) = struct.unpack(">i", await reader.readexactly(4))
            correlation = (await reader.readexactly(size))[4:8]
            if answer:
                writer.write(struct.pack(">i", 4 + len(answer)) + correlation + answer)
        asked.set()
        await reader.read()
        ended.set()
        writer.close()

    def remember(*arguments: Any, **options: Any) -> AIOKafkaConnection:
        made.append(kind(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(aiokafka.conn, "AIOKafkaConnection", remember)
    async with await asyncio.start_server(never_answer, "127.0.0.1", 0) as server:
        client = AIOKafkaClient(bootstrap_servers=f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        start = asyncio.ensure_future(client.bootstrap())
        async with asyncio.timeout(10):
            await asked.wait()
        start.cancel()
        await asyncio.wait({start})
        await client.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await ended.wait()
        closed = ended.is_set()
        made[0].close()
        await ended.wait()
    return closed


async def test_a_start_that_is_given_up_leaves_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await _ends_with_its_start(monkeypatch, Connection)


async def test_aiokafka_still_needs_help_with_a_start_that_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not await _ends_with_its_start(monkeypatch, AIOKafkaConnection)
