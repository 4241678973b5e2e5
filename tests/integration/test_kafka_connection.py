"""Kafka's client on uvloop, at the moment at which its broker is killed."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvloop
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from services.runtime.bus.kafka_connection import Connection

_LIVES_S = 0.2
_SUPPORTED = {MetadataRequest([]).API_KEY: (0, 5)}


@pytest.fixture
def broker() -> Iterator[int]:
    """The port of one that answers the first question and is gone soon after, as by SIGKILL: by a reset."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_answer_and_reset, args=(listener,))
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def _answer_and_reset(listener: socket.socket) -> None:
    with listener.accept()[0] as connection:
        size = struct.unpack(">i", connection.recv(4))[0]
        correlation = connection.recv(size)[4:8]
        no_error_no_versions = struct.pack(">hi", 0, 0)
        connection.sendall(struct.pack(">i", 4 + len(no_error_no_versions)) + correlation + no_error_no_versions)
        time.sleep(_LIVES_S)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


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
    """When this fails, `services.runtime.bus.kafka_connection` can go."""
    error, _ = uvloop.run(_write_in_the_gap(AIOKafkaConnection, broker))

    assert isinstance(error, RuntimeError)
    assert not isinstance(error, KafkaConnectionError)
