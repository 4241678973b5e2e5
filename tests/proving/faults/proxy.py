"""A TCP proxy on loopback that can lose, hold, slow down or cut what goes through it, switched while it runs."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from random import Random
from typing import Final

from deploy.local.settings import LOOPBACK

_CHUNK: Final = 65_536
_WAITS_S: Final = 0.02


class Mode(StrEnum):
    """What becomes of bytes. New connections are taken in every mode but ``CUT``."""

    THROUGH = "through"
    HOLD = "hold"
    """Nothing comes through; all of it does once the mode changes, as TCP repeats what a partition lost."""
    SWALLOW = "swallow"
    """Nothing comes through, ever: the connections are of no use afterwards, but nobody is notified."""
    ONE_WAY = "one way"
    """From the client to the server only; answers are held."""
    CUT = "cut"
    """Connections end, new ones are ended at once."""


class Proxy:
    """Listens on ``port`` and passes on to ``target``.

    ``delay_s`` is for each way, ``bytes_per_s`` for each connection and way (0: no limit). One chunk of
    ``stumbles_one_in`` (0: none) comes ``stumbles_s`` later, as a segment that is lost and sent again.
    """

    def __init__(self, port: int, target: int) -> None:
        self.port, self.target = port, target
        self.delay_s = 0.0
        self.bytes_per_s = 0.0
        self.stumbles_one_in, self.stumbles_s = 0, 0.0
        self._mode = Mode.THROUGH
        self._chance = Random(port)
        self._ends: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{port}", daemon=True)
        self._server: asyncio.Server | None = None

    @property
    def mode(self) -> Mode:
        """What becomes of bytes now."""
        return self._mode

    def switch(self, mode: Mode) -> None:
        """From now on."""
        self._mode = mode
        if mode is Mode.CUT:
            self._loop.call_soon_threadsafe(self._abort_all)

    def open(self) -> None:
        """Begins to listen."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(5)

    def close(self) -> None:
        """Ends every connection."""
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._join, LOOPBACK, self.port)

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
        self._abort_all()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _abort_all(self) -> None:
        for end in self._ends:
            end.transport.abort()

    async def _join(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        if self._mode is Mode.CUT:
            back.transport.abort()
            return
        try:
            there, forth = await asyncio.open_connection(LOOPBACK, self.target)
        except OSError:
            back.transport.abort()
            return
        ends = {back, forth}
        self._ends |= ends
        try:
            ways = self._carry(here, forth, answers=False), self._carry(there, back, answers=True)
            await asyncio.gather(*ways, return_exceptions=True)
        finally:
            self._ends -= ends
            for end in ends:
                end.transport.abort()

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool) -> None:
        dead = False
        with suppress(OSError):
            while chunk := await source.read(_CHUNK):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if self.bytes_per_s:
                    await asyncio.sleep(len(chunk) / self.bytes_per_s)
                if self.stumbles_one_in and self._chance.randrange(self.stumbles_one_in) == 0:
                    await asyncio.sleep(self.stumbles_s)
                dead = dead or self._mode is Mode.SWALLOW
                while self._held(answers=answers):
                    await asyncio.sleep(_WAITS_S)
                if not dead:
                    sink.write(chunk)
                    await sink.drain()
        sink.close()

    def _held(self, *, answers: bool) -> bool:
        return self._mode is Mode.HOLD or (answers and self._mode is Mode.ONE_WAY)


@contextmanager
def open_proxy(port: int, target: int) -> Iterator[Proxy]:
    """A proxy that passes everything on, until asked otherwise."""
    proxy = Proxy(port, target)
    proxy.open()
    try:
        yield proxy
    finally:
        proxy.close()
