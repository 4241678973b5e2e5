"""Work done in rounds: again at once while there is more, else after a pause; outlives a database that is away."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Final

import structlog

from services.runtime.clock import Clock
from services.runtime.database import LOST_CONNECTION
from services.runtime.errors import RetryLaterError
from services.runtime.metrics import Metrics, Server

Round = Callable[[], Awaitable[int]]
"""Does what is to be done now, and says how much that was. It raises LOST_CONNECTION or
RetryLaterError where a server is away."""
_AWAY_S: Final = 0.5
_LOOKS_EVERY_S: Final = 0.005


async def do_rounds(
    one: Round,
    stop: asyncio.Event,
    *,
    every_s: float,
    clock: Clock,
    log: structlog.typing.FilteringBoundLogger,
    metrics: Metrics,
    wake: asyncio.Event | None = None,
    wakes: Collection[asyncio.Event] = (),
) -> None:
    """Until ``stop``. Rests after a round that found nothing. The metrics call the work as the task that does it.

    The rest lasts ``every_s`` real seconds, or until ``wake`` or the next beat of ``clock``. After a round that found
    something, ``wakes`` are set, for others who work on what it has done.
    """
    wake = wake or asyncio.Event()
    work = _name_of_task()
    waited_for: Server | None = None
    stopped = asyncio.create_task(stop.wait())
    try:
        while not stop.is_set():
            # Before the round: news that comes during it must start another one.
            wake.clear()
            beat = clock.beat
            try:
                found = await one()
            except (*LOST_CONNECTION, RetryLaterError) as error:
                waited_for = _server_of(error)
                metrics.waits(on=waited_for, now=True)
                log.warning("not now", error=type(error).__name__)
                await asyncio.wait({stopped}, timeout=_AWAY_S)
            else:
                metrics.count("hb_process_rounds_total", work=work)
                if waited_for is not None:
                    metrics.waits(on=waited_for, now=False)
                    waited_for = None
                for other in wakes if found else ():
                    other.set()
                if not found:
                    await _rest(wake, stopped, every_s, clock, beat)
    finally:
        stopped.cancel()


def _name_of_task() -> str:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine runs in one
    return task.get_name()


def _server_of(error: Exception) -> Server:
    """Rounds use the database; what a connection to the broker refuses is raised as RetryLaterError."""
    return Server.BROKER if isinstance(error, RetryLaterError) else Server.DATABASE


async def _rest(wake: asyncio.Event, stopped: "asyncio.Task[bool]", seconds: float, clock: Clock, beat: int) -> None:
    woken = asyncio.create_task(wake.wait())
    deadline = asyncio.get_running_loop().time() + seconds
    # Only a stepped clock beats; every other is waited for in one go.
    slices = _LOOKS_EVERY_S if beat else seconds
    while clock.beat == beat and (left := deadline - asyncio.get_running_loop().time()) > 0:
        done, _ = await asyncio.wait({woken, stopped}, timeout=min(slices, left), return_when=asyncio.FIRST_COMPLETED)
        if done:
            break
    woken.cancel()
    with suppress(asyncio.CancelledError):
        await woken
