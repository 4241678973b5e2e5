"""Until when the certificates of the platform's servers hold: asked at each listener, as its clients see them."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from services.runtime.metrics import Metrics
from services.watch.settings import WatchSettings

EVERY_S: Final = 600.0
_TIMEOUT_S: Final = 5.0
_PLEASE_TLS: Final = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""PostgreSQL's SSLRequest: it speaks plaintext until it was asked."""
_POSTGRES_PORT: Final = 5432
_HTTPS_PORT: Final = 443


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Something that shows a certificate for ``name``. ``asks_first``: by PostgreSQL's own greeting."""

    server: str
    host: str
    port: int
    name: str
    context: ssl.SSLContext
    asks_first: bool = False


def listeners_of(settings: WatchSettings) -> list[Listener]:
    """Those that watch reaches by TLS; database, bus and broker only where the platform has a CA. Raises OSError."""
    found = list(_pages(settings))
    inside = settings.log.tls.context()
    if inside is None:
        return found
    mqtt = settings.mqtt
    if settings.broker_counter:
        found.append(
            Listener(
                server="broker", host=mqtt.host, port=mqtt.port, name=mqtt.server_name or mqtt.host, context=inside
            )
        )
    if settings.bus.kind == "kafka":
        for number, (host, port) in enumerate(_addresses(settings.bus.kafka, 9092)):
            found.append(Listener(server=f"kafka-{number}", host=host, port=port, name=host, context=inside))
    dsn = urlsplit(settings.database.dsn.get_secret_value())
    where = dsn.netloc.rpartition("@")[2] or ",".join(parse_qs(dsn.query).get("host", []))
    for number, (host, port) in enumerate(_addresses(where, _POSTGRES_PORT)):
        if not host.startswith(("/", "%2F")):  # a socket of this machine has no certificate
            found.append(
                Listener(server=f"database-{number}", host=host, port=port, name=host, context=inside, asks_first=True)
            )
    return found


def _pages(settings: WatchSettings) -> Iterator[Listener]:
    context = settings.log.tls.context_for_pages()
    for kind, pages in (("metrics", settings.services), ("console", settings.health)):
        for name, url in sorted(pages.items()):
            parts = urlsplit(url)
            if parts.scheme == "https" and parts.hostname:
                port = parts.port or _HTTPS_PORT
                yield Listener(
                    server=f"{kind} {name}", host=parts.hostname, port=port, name=parts.hostname, context=context
                )


def _addresses(listed: str, port: int) -> Iterator[tuple[str, int]]:
    for one in filter(None, (part.strip() for part in listed.split(","))):
        parts = urlsplit(f"//{one}")
        yield parts.hostname or "", parts.port or port


async def ends_at(listener: Listener) -> int | None:
    """When the certificate that it shows ends, Unix seconds; None where it can't be reached or shows none we trust."""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await _ends_at(listener)
    except (OSError, EOFError, TimeoutError):
        return None


async def _ends_at(listener: Listener) -> int | None:
    at_once = {} if listener.asks_first else {"ssl": listener.context, "server_hostname": listener.name}
    reader, writer = await asyncio.open_connection(listener.host, listener.port, **at_once)  # type: ignore[arg-type]
    try:
        if listener.asks_first:
            writer.write(_PLEASE_TLS)
            if await reader.readexactly(1) != b"S":
                return None
            await writer.start_tls(listener.context, server_hostname=listener.name)
        shown = writer.get_extra_info("ssl_object").getpeercert()
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return ssl.cert_time_to_seconds(shown["notAfter"])


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatesLook:
    """Shows when each listener's certificate ends. Of one that can't be reached the last answer stays."""

    listeners: list[Listener]
    metrics: Metrics

    async def look(self) -> int:
        """One round. Gives 0: there is never more to do at once."""
        for listener, ends in zip(self.listeners, await asyncio.gather(*map(ends_at, self.listeners)), strict=True):
            if ends is not None:
                self.metrics.set("hb_watch_certificate_ends_timestamp_seconds", ends, server=listener.server)
        return 0
