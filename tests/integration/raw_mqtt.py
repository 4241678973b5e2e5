"""MQTT packets as bytes: what no client library would send."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from tests.proving.fuzz.corpus import made_of

_WAIT_S: Final = 2.0
_SHORT_WAIT_S: Final = 0.5
_NAMES: Final = {0x20: "connack", 0x40: "puback", 0x50: "pubrec", 0x70: "pubcomp", 0x90: "suback"}
_PUBLISH, _DISCONNECT = 0x30, 0xE0
_V5: Final = 5


def packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + variable(len(body)) + body


def variable(number: int) -> bytes:
    digits = bytearray()
    while number > 127:
        digits.append(number & 127 | 128)
        number >>= 7
    return bytes([*digits, number])


def text(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


def publish_properties(wish: Mapping[str, Any]) -> bytes:
    parts = []
    if "format" in wish:
        parts.append(b"\x01%c" % wish["format"])
    if "expiry" in wish:
        parts.append(b"\x02" + int(wish["expiry"]).to_bytes(4, "big"))
    if "content_type" in wish:
        parts.append(b"\x03" + text(wish["content_type"].encode()))
    if "response_topic" in wish:
        parts.append(b"\x08" + text(wish["response_topic"].encode()))
    if "alias" in wish:
        parts.append(b"\x23" + int(wish["alias"]).to_bytes(2, "big"))
    parts.append((b"\x26" + text(b"k") + text(b"v")) * wish.get("user_properties", 0))
    joined = b"".join(parts)
    return variable(len(joined)) + joined


@dataclass(slots=True, kw_only=True)
class RawClient:
    """One connection of a device, or of somebody who says so. ``answers`` is what the broker said, in order."""

    name: str
    password: str
    words: Mapping[str, str]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    answers: list[str] = field(default_factory=list)
    _version: int = _V5
    _packet_id: int = 0

    def _say(self, value: Any) -> bytes:
        said = made_of(value)
        for word, meaning in self.words.items():
            said = said.replace(b"{%s}" % word.encode(), meaning.encode())
        return said

    async def do(self, step: Mapping[str, Any]) -> None:
        """One step of a case; waits for what the broker says to it."""
        if "connect" in step:
            await self._connect(step["connect"])
        elif "publish" in step:
            await self._publish(step["publish"])
        elif "subscribe" in step:
            self._packet_id += 1
            body = self._packet_id.to_bytes(2, "big") + b"\0" + text(self._say(step["subscribe"])) + b"\0"
            await self._send(packet(0x82, body))
            await self._hear(_WAIT_S)
        elif "raw" in step:
            await self._send(bytes.fromhex(step["raw"]))
            await self._hear(_SHORT_WAIT_S)
        else:
            self.writer.transport.abort()

    async def _send(self, data: bytes) -> None:
        with suppress(ConnectionError):
            self.writer.write(data)
            await self.writer.drain()

    async def _connect(self, wish: Mapping[str, Any]) -> None:
        self._version = wish.get("version", _V5)
        username, password = wish.get("username", self.name), wish.get("password", self.password)
        will = wish.get("will")
        flags = 2 | (0x80 if username is not None else 0) | (0x40 if password is not None else 0)
        no_properties = b"\0" if self._version == _V5 else b""
        tail = text(self._say(wish.get("client_id", self.name)))
        if will is not None:
            flags |= 0x0C
            tail += no_properties + text(self._say(will["topic"])) + text(made_of(will["payload"]))
        tail += b"".join(text(one.encode()) for one in (username, password) if one is not None)
        head = text(b"MQTT") + bytes([self._version, flags, 0, 60]) + no_properties
        await self._send(packet(0x10, head + tail))
        await self._hear(_WAIT_S)

    async def _publish(self, wish: Mapping[str, Any]) -> None:
        qos = wish.get("qos", 1)
        self._packet_id += 1
        number = self._packet_id.to_bytes(2, "big") if qos else b""
        properties = publish_properties(wish) if self._version == _V5 else b""
        first = _PUBLISH | qos << 1 | (1 if wish.get("retain") else 0) | (8 if wish.get("dup") else 0)
        body = text(self._say(wish["topic"])) + number + properties + made_of(wish["payload"])
        await self._send(packet(first, body))
        if qos:
            await self._hear(_WAIT_S)
        if self.answers[-1:] == ["pubrec 0"]:
            await self._send(packet(0x62, number))
            await self._hear(_WAIT_S)

    async def _hear(self, wait_s: float) -> None:
        """The broker's next word, passing over the reason it gives before it closes."""
        try:
            async with asyncio.timeout(wait_s):
                while True:
                    first, body = await self._packet()
                    kind = first & 0xF0
                    if kind == _PUBLISH and self._is_own(body):
                        continue
                    if kind != _DISCONNECT:
                        self.answers.append(self._named(kind, body))
                        return
        except (asyncio.IncompleteReadError, ConnectionError):
            if self.answers[-1:] != ["closed"]:
                self.answers.append("closed")
        except TimeoutError:
            pass

    def _is_own(self, body: bytes) -> bool:
        topic = body[2 : 2 + int.from_bytes(body[:2], "big")].decode()
        return topic.split("/")[3:4] == [self.name]

    def _named(self, kind: int, body: bytes) -> str:
        name = _NAMES.get(kind, f"packet {kind}")
        if name in {"connack", "suback"}:
            return f"{name} {body[1] if name == 'connack' else body[-1]}"
        if self._version != _V5:
            return name
        return f"{name} {body[2] if len(body) > 2 else 0}"

    async def _packet(self) -> tuple[int, bytes]:
        first = (await self.reader.readexactly(1))[0]
        length, shift = 0, 0
        while True:
            digit = (await self.reader.readexactly(1))[0]
            length |= (digit & 127) << shift
            shift += 7
            if digit < 128:
                return first, await self.reader.readexactly(length)


def agrees(answers: list[str], expected: list[str]) -> bool:
    """``*`` at the end of an expected word stands for anything."""
    return len(answers) == len(expected) and all(
        said == wanted or (wanted.endswith("*") and said.startswith(wanted[:-1]))
        for said, wanted in zip(answers, expected, strict=True)
    )
