"""Stands between the platform and its MQTT broker, passes everything on, and holds each connection to the protocol."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from deploy.local.settings import LOOPBACK
from deploy.reconcile.handshakes import Handshakes

_READ_BYTES: Final = 65_536
_OPENS_WITHIN_S: Final = 10.0


@dataclass(slots=True)
class Tap:
    """A listening socket whose connections end at the broker's port."""

    broker_port: int
    port: int = 0
    connections: list[Handshakes] = field(default_factory=list)

    @property
    def delivered(self) -> int:
        """Messages of QoS 1 that the broker handed to the platform."""
        return sum(one.delivered for one in self.connections)

    @property
    def wrong(self) -> list[str]:
        """What was acknowledged on connections that had not delivered it."""
        return [
            f"connection {number}: {len(one.wrong)} acknowledgements of what it had not delivered, ids {one.wrong[:3]}"
            for number, one in enumerate(self.connections, start=1)
            if one.wrong
        ]

    async def serve(self, opened: Future[Callable[[], object]]) -> None:
        """Until what it puts into ``opened`` is called, by any thread."""
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connected, LOOPBACK, self.port)
        self.port = server.sockets[0].getsockname()[1]
        opened.set_result(partial(loop.call_soon_threadsafe, stop.set))
        try:
            await stop.wait()
        finally:
            server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the platform: without a broker behind it, it is closed at once."""
        try:
            broker_reader, broker_writer = await asyncio.open_connection(LOOPBACK, self.broker_port)
        except OSError:
            writer.transport.abort()
            return
        handshakes = Handshakes()
        self.connections.append(handshakes)
        ways = (
            asyncio.create_task(_pass_on(reader, broker_writer, handshakes.client_says)),
            asyncio.create_task(_pass_on(broker_reader, writer, handshakes.broker_says)),
        )
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            writer.close()
            broker_writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, note: Callable[[bytes], None]) -> None:
    """Until either side ends; what is noted has been read, so it is noted before it can be answered."""
    with suppress(OSError):
        while data := await reader.read(_READ_BYTES):
            note(data)
            writer.write(data)
            await writer.drain()


@contextmanager
def open_tap(broker_port: int) -> Iterator[Tap]:
    """A tap with a thread of its own: it must not stand still while processes are struck."""
    tap, opened = Tap(broker_port), Future[Callable[[], object]]()
    with ThreadPoolExecutor(1, thread_name_prefix="tap") as thread:
        serving = thread.submit(lambda: asyncio.run(tap.serve(opened)))
        close = opened.result(_OPENS_WITHIN_S)
        try:
            yield tap
        finally:
            close()
    serving.result()
