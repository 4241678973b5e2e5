"""A server of any protocol that shows whichever certificate it is given, and notes what a client entrusts it with."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

Greets = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _nothing(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """TLS from the first byte."""


async def _postgres(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A client asks for TLS in plaintext."""
    await reader.readexactly(8)
    writer.write(b"S")


async def _mail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """STARTTLS."""
    for answer in (b"220 mail\r\n", b"250-mail\r\n250 STARTTLS\r\n", b"220 go on\r\n"):
        writer.write(answer)
        if answer != b"220 go on\r\n":
            await reader.readline()


GREETINGS: Mapping[str, Greets] = {
    "broker": _nothing, "kafka": _nothing, "page": _nothing, "database": _postgres, "mail": _mail
}  # fmt: skip


@dataclass(slots=True)
class Impostor:
    """``parted`` conversations have come to their end; ``heard`` is what clients said by TLS."""

    port: int = 0
    parted: int = 0
    heard: bytes = b""


@asynccontextmanager
async def impostor(kind: str, certificate: ssl.SSLContext) -> AsyncIterator[Impostor]:
    """Listens on loopback as a server of ``kind``."""
    seen = Impostor()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, ConnectionError):
            await GREETINGS[kind](reader, writer)
            await writer.start_tls(certificate)
            seen.heard += await reader.read(100)
        writer.close()
        seen.parted += 1

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    async with server:
        seen.port = server.sockets[0].getsockname()[1]
        yield seen
