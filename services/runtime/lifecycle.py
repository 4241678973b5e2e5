"""How a process lives: signals set a stop event, work finishes within a grace period, a crash is a non-zero exit."""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable
from typing import Final

import uvloop

_GC_THRESHOLDS: Final = (100_000, 20, 20)
"""Bursts make and drop hundreds of thousands of tuples that hold no cycles; the default looks at each 700th."""

Main = Callable[[asyncio.Event], Awaitable[None]]


async def serve(main: Main, *, grace_s: float) -> None:
    """Runs ``main`` until it ends or a signal asks; then gives it ``grace_s`` seconds. Raises what ``main`` raises."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    task = asyncio.ensure_future(main(stop))
    stopper = asyncio.create_task(stop.wait(), name="stop")
    await asyncio.wait({task, stopper}, return_when=asyncio.FIRST_COMPLETED)
    stopper.cancel()
    async with asyncio.timeout(None if task.done() else grace_s):
        await task


def run_process(main: Main, *, grace_s: float = 10.0, in_bursts: bool = True) -> None:
    """The whole of a service's process, called only from ``__main__``.

    ``in_bursts`` is for all that handle records; whoever opens client after client, which do hold cycles, would grow.
    """
    gc.freeze()
    if in_bursts:
        gc.set_threshold(*_GC_THRESHOLDS)
    uvloop.run(serve(main, grace_s=grace_s))
