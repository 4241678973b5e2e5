"""Strikes the processes of a platform one after the other, starts them again and notes how long they were away."""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from deploy.local import proc
from deploy.local.settings import SERVERS
from deploy.platform.platform import Platform
from tests.proving.chaos.recovery import recovered
from tests.proving.chaos.schedule import BACKEND, HANDS_OVER_TO, Strike

_SERVES_A_SERVICE: Final = b"hearthbeat"
_HOLDS_S: Final = 0.3
_RECONNECTS_S: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """A strike as it went: platform times of the blow and of the recovery, and the real seconds the latter took.

    ``recovery_s`` is None where nobody waited for it.
    """

    strike: Strike
    at_ms: int
    recovered_at_ms: int
    recovery_s: float | None


async def strike(
    platform: Platform, one: Strike, now_ms: Callable[[], int], chance: Random, *, waits: bool = True
) -> Struck:
    """Strikes, brings back, and ``waits`` until the work goes on. Raises NotRecoveredError."""
    await asyncio.sleep(one.pause_s)
    at_ms = now_ms()
    if one.way == "freeze":
        await _freeze(platform, one)
    elif one.laden:
        await _kill_laden(platform, one)
    elif one.target == BACKEND:
        _kill_backend(platform, chance)
    else:
        await _kill(platform, one)
    platform.restart_ended()
    recovery_s = await recovered(platform, one, now_ms) if waits else None
    return Struck(strike=one, at_ms=at_ms, recovered_at_ms=now_ms(), recovery_s=recovery_s)


async def _freeze(platform: Platform, one: Strike) -> None:
    process = platform.stack.process(one.target) if one.target in SERVERS else platform.processes[one.target]
    process.freeze()
    try:
        await asyncio.sleep(one.away_s)
    finally:
        process.thaw()


async def _kill(platform: Platform, one: Strike) -> None:
    if one.target not in SERVERS:
        platform.processes[one.target].kill()
        await asyncio.sleep(one.away_s)
        return
    server = platform.stack.process(one.target)
    await asyncio.to_thread(server.kill)
    await asyncio.sleep(one.away_s)
    await asyncio.to_thread(server.start)


async def _kill_laden(platform: Platform, one: Strike) -> None:
    """Whom the target hands over to is away from before the blow; of a server, until its clients have come back."""
    name, way = HANDS_OVER_TO[one.target]
    server = platform.stack.process(name)
    await asyncio.to_thread(server.freeze if way == "freeze" else server.kill)
    try:
        await asyncio.sleep(_HOLDS_S)
        await _kill(platform, one)
        if one.target in SERVERS:
            await asyncio.sleep(_RECONNECTS_S)
    finally:
        await asyncio.to_thread(server.thaw if way == "freeze" else server.start)


def _kill_backend(platform: Platform, chance: Random) -> None:
    """One of the processes that serve our connections; they know themselves by the database's name."""
    postmaster = platform.stack.process("postgresql").pid
    serving = [
        process.pid
        for process in (proc.descendants(postmaster) if postmaster else ())
        if _SERVES_A_SERVICE in (proc.PROC / str(process.pid) / "cmdline").read_bytes().split(b"127.0.0.1")[0]
    ]
    if serving:
        os.kill(chance.choice(sorted(serving)), signal.SIGKILL)
