"""How large mosquitto's access files get, and for how long it stands still while it reads them."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from typing import Final

from deploy.local.settings import StackSettings
from deploy.local.stack import Stack
from schemas.broker_access import ACL, PASSWORDS, BrokerUser, device_user, new_secret, verifier_of
from schemas.topics import shard_of
from services.runtime.broker_files import BrokerFiles
from services.runtime.settings import BrokerSettings, MqttSettings

DEVICES: Final = (5_000, 10_000, 20_000, 40_000)
_WATCHER: Final = "watcher"
_CONNECT, _PINGREQ, _PINGRESP = 0x10, b"\xc0\x00", b"\xd0\x00"
_HEARD_S: Final = 3.0
"""SIGHUP is heard a little after it was sent."""
_ANSWER_S: Final = 300.0

Point = dict[str, float]


def measure(say: Callable[[str], None], devices: Sequence[int] = DEVICES) -> list[Point]:
    """A point for each number of devices, on a mosquitto of its own; one of them is connected and asks all the time."""
    stack = Stack(StackSettings(name=f"capacity-{os.getpid()}", servers=("mosquitto",)))
    secret = new_secret()
    watcher = device_user(_WATCHER, 1, verifier_of(secret))
    try:
        stack.start()
        users: list[BrokerUser] = [watcher]
        found = []
        for count in devices:
            say(f"broker: {count:,} devices")
            users += [_device(number) for number in range(len(users) - 1, count)]
            found.append(asyncio.run(_measure(stack, users, secret)))
        return found
    finally:
        stack.stop()
        stack.erase()


def _device(number: int) -> BrokerUser:
    name = f"band-{number:07d}"
    return device_user(name, shard_of(name), verifier_of(new_secret()))


async def _measure(stack: Stack, users: Sequence[BrokerUser], secret: str) -> Point:
    directory = stack.settings.server_directory("mosquitto")
    pid = stack.process("mosquitto").pid or 0
    files = BrokerFiles(BrokerSettings(directory=directory, pid=pid), MqttSettings())
    await asyncio.to_thread(files.apply, users)
    # The first reading lets the watcher in, the second one is measured.
    reader, writer = await _signed_in(stack.mqtt_port, secret)
    apply = asyncio.create_task(asyncio.to_thread(files.apply, users))
    longest, quiet_since = 0.0, time.monotonic()
    while not apply.done() or time.monotonic() - quiet_since < _HEARD_S:
        began = time.monotonic()
        writer.write(_PINGREQ)
        async with asyncio.timeout(_ANSWER_S):
            assert await reader.readexactly(2) == _PINGRESP
        if not apply.done() or time.monotonic() - began > longest:
            quiet_since = time.monotonic()
        longest = max(longest, time.monotonic() - began)
        await asyncio.sleep(0.005)
    await apply
    writer.close()
    size = sum((directory / name).stat().st_size for name in (PASSWORDS, ACL))
    return {"devices": len(users) - 1, "files_mb": size / 1e6, "pause_s": longest}


async def _signed_in(port: int, secret: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    deadline = time.monotonic() + _ANSWER_S
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        words = (_WATCHER.encode(), _WATCHER.encode(), secret.encode())
        texts = b"".join(len(one).to_bytes(2, "big") + one for one in words)
        body = b"\x00\x04MQTT\x04\xc2\x00\x00" + texts
        assert len(body) < 128
        writer.write(bytes([_CONNECT, len(body)]) + body)
        async with asyncio.timeout(_ANSWER_S):
            answer = await reader.readexactly(4)
        if answer[3] == 0:
            return reader, writer
        writer.close()
        # It has not read its files yet.
        if time.monotonic() > deadline:
            raise TimeoutError("mosquitto does not let its watcher in")
        await asyncio.sleep(0.1)
