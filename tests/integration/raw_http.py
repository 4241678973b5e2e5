"""Requests as bytes, so that nothing between a test and the console mends them."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.proving.fuzz.corpus import made_of

PATIENCE_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who asks: cookies, and the words that a request may hold in braces."""

    cookie: str = ""
    words: Mapping[str, str] = field(default_factory=dict)

    def say(self, text: str) -> str:
        """``text`` with its words filled in."""
        for word, meaning in self.words.items():
            text = text.replace(f"{{{word}}}", meaning)
        return text

    def header(self, value: Any) -> bytes:
        """The value of a header, a byte for a letter."""
        return self.say(value).encode("latin-1") if isinstance(value, str) else self.bytes_of(value)

    def bytes_of(self, parts: Any) -> bytes:
        """The same for a recipe of bytes."""
        listed = parts if isinstance(parts, list) else [parts]
        return b"".join(self.say(one).encode() if isinstance(one, str) else made_of(one) for one in listed)


def request_of(sent: Mapping[str, Any], sender: Sender, host: str) -> bytes:
    """The bytes of a case of the corpus."""
    if "raw" in sent:
        return sender.bytes_of(sent["raw"])
    body = sender.bytes_of(sent.get("body", []))
    headers = {"Host": host, "Connection": "close", "Cookie": sender.cookie} | sent.get("headers", {})
    if sent.get("cookies"):
        headers["Cookie"] += "".join(f"; c{number}=1" for number in range(sent["cookies"]))
    if sent.get("big_header"):
        headers["X-Big"] = "a" * sent["big_header"]
    if sent.get("chunked"):
        headers["Transfer-Encoding"] = "chunked"
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    elif "body" in sent:
        headers["Content-Length"] = str(sent.get("content_length", len(body)))
    lines = b"".join(b"%s: %s\r\n" % (name.encode(), sender.header(value)) for name, value in headers.items())
    path = sender.bytes_of(sent["path"])
    return b"%s %s HTTP/1.1\r\n%s\r\n%s" % (sent["method"].encode(), path, lines, body)


async def ask(address: str, request: bytes) -> tuple[int, bytes]:
    """The status and all that came with it; status 0 where nothing came."""
    url = urlsplit(address)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    answer = b""
    try:
        async with asyncio.timeout(PATIENCE_S):
            with suppress(ConnectionError):
                writer.write(request)
                await writer.drain()
            with suppress(ConnectionError):
                while chunk := await reader.read(65_536):
                    answer += chunk
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    first: Sequence[bytes] = answer.split(b" ", 2)
    return (int(first[1]) if answer.startswith(b"HTTP/1.") else 0), answer
