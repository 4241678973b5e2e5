"""Ten thousand devices at one broker, two thousand of them connected: what a new one and many new secrets cost."""

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any, NamedTuple, Self

import pytest

from deploy.local.settings import StackSettings
from deploy.local.stack import Stack
from schemas.broker_access import BrokerUser, device_user, new_secret, verifier_of
from schemas.topics import shard_of
from services.runtime.broker_files import BrokerFiles
from services.runtime.settings import BrokerSettings, MqttSettings
from tests.integration.path_world import broker_passwords
from tests.integration.raw_mqtt import packet, text

pytestmark = [pytest.mark.full_stack, pytest.mark.slow, pytest.mark.timeout(240)]

DEVICES, CONNECTED, CHANGED = 10_000, 2_000, 500
LONGEST_PAUSE_S = 5
"""Not a measurement: devices would send again after it."""
_MQTT_311, _PINGREQ, _PINGRESP = 4, b"\xc0\x00", b"\xd0\x00"
_CLEAN, _KEPT = 0xC2, 0xC0
"""User name and password, with a session that is new or one that stays."""


class Line(NamedTuple):
    """An open connection of a device."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def answers(self) -> bool:
        """Whether the broker still knows it."""
        try:
            self.writer.write(_PINGREQ)
            async with asyncio.timeout(30):
                return await self.reader.readexactly(2) == _PINGRESP
        except (OSError, asyncio.IncompleteReadError):
            return False


async def sign_in(port: int, name: str, secret: str, *, kept: bool = False) -> Line | None:
    """A connection of MQTT 3.1.1; None where the broker refuses it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    flags = _KEPT if kept else _CLEAN
    head = text(b"MQTT") + bytes([_MQTT_311, flags, 0, 0])
    writer.write(packet(0x10, head + b"".join(text(one.encode()) for one in (name, name, secret))))
    async with asyncio.timeout(30):
        said = await reader.readexactly(4)
    if said[3]:
        writer.close()
        return None
    return Line(reader, writer)


class Crowd:
    """Connections that are closed in the end."""

    def __init__(self, port: int, secrets: dict[str, str]) -> None:
        self._port, self._secrets = port, secrets
        self._open: list[Line] = []

    async def sign_in(self, names: Iterable[str]) -> dict[str, Line]:
        """All of them, with sessions that stay."""
        lines: dict[str, Line] = {}
        for name in names:
            line = await sign_in(self._port, name, self._secrets[name], kept=True)
            assert line is not None, name
            lines[name] = line
            self._open.append(line)
        return lines

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for line in self._open:
            line.writer.transport.abort()
        await asyncio.sleep(0)


async def longest_pause_s(line: Line, while_running: Coroutine[Any, Any, None]) -> float:
    """The longest time that the broker left a ping without an answer while the work went on."""
    work, longest = asyncio.create_task(while_running), 0.0
    ends_at = float("inf")
    while time.monotonic() < ends_at:
        began = time.monotonic()
        assert await line.answers()
        longest = max(longest, time.monotonic() - began)
        await asyncio.sleep(0.005)
        if work.done() and ends_at == float("inf"):
            ends_at = time.monotonic() + 3  # SIGHUP is heard a little later
    await work
    return longest


async def lost(lines: dict[str, Line]) -> list[str]:
    """Those whose connections have ended."""
    return [name for name, line in lines.items() if not await line.answers()]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    stack = Stack(StackSettings(name=f"test-crowd-{os.getpid()}", servers=("mosquitto",)))
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()
        stack.erase()


async def test_a_new_device_and_many_new_secrets_cost_nobody_else_a_session(
    stack: Stack, say: Callable[[str], None]
) -> None:
    secrets = {f"band-{number}": new_secret() for number in range(DEVICES)}
    users = {name: device_user(name, shard_of(name), verifier_of(secret)) for name, secret in secrets.items()}
    pid = stack.process("mosquitto").pid or 0
    directory = stack.settings.server_directory("mosquitto")
    files = BrokerFiles(BrokerSettings(directory=directory, pid=pid), MqttSettings(passwords=broker_passwords(stack)))

    async def apply(*more: BrokerUser, changed: Sequence[str] = ()) -> None:
        # In a process of its own, as a command is: paho's loop takes no file number above 1,023, and here are more.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            work = partial(files.apply, [*users.values(), *more], changed)
            await asyncio.get_running_loop().run_in_executor(pool, work)

    await apply()
    async with Crowd(stack.mqtt_port, secrets) as crowd:
        names = list(secrets)
        lines = await crowd.sign_in(names[:CONNECTED])
        watched = lines[names[0]]

        new = new_secret()
        pause_s = await longest_pause_s(watched, apply(device_user("newcomer", 1, verifier_of(new))))
        say(f"{DEVICES:,} devices, {CONNECTED:,} connected: one more is let in with a pause of {pause_s * 1000:.0f} ms")
        newcomer = await sign_in(stack.mqtt_port, "newcomer", new)
        assert newcomer is not None
        newcomer.writer.close()
        assert pause_s < LONGEST_PAUSE_S
        assert await lost(lines) == []

        # Half of those that change are connected, half have a session and are away.
        changed = names[CONNECTED - CHANGED // 2 : CONNECTED + CHANGED // 2]
        for line in (await crowd.sign_in(changed[CHANGED // 2 :])).values():
            line.writer.close()
        for name in changed:
            secrets[name] = new_secret()
            users[name] = device_user(name, shard_of(name), verifier_of(secrets[name]))
        began = time.monotonic()
        pause_s = await longest_pause_s(watched, apply(changed=changed))
        took_s = time.monotonic() - began
        say(f"{CHANGED} new secrets at once: {took_s:.1f} s in all, with a pause of {pause_s * 1000:.0f} ms")
        assert await lost({name: line for name, line in lines.items() if name not in set(changed)}) == []
        await crowd.sign_in(changed)
        await apply()
        assert await watched.answers()
    assert stack.process("mosquitto").pid == pid
