"""How a process lives: logs, metrics, a signal and then a grace period; a crash is exit code 1."""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Protocol, TypeVar

import uvloop

from schemas.metrics import Metric
from services.runtime.clock import Clock
from services.runtime.logs import configure_logs
from services.runtime.metrics import Metrics, serve_metrics
from services.runtime.settings import ClockSettings, LogSettings

GC_THRESHOLDS: Final = (100_000, 20, 20)
"""Bursts make and drop hundreds of thousands of tuples that hold no cycles; the default looks at each 700th."""

Main = Callable[[asyncio.Event], Awaitable[None]]


class ProcessSettings(Protocol):
    """What the process of every service needs to know."""

    @property
    def log(self) -> LogSettings:
        """How it speaks, and where it shows its metrics."""

    @property
    def clock(self) -> ClockSettings:
        """Platform time."""


Settings = TypeVar("Settings", bound=ProcessSettings)
Settings_contra = TypeVar("Settings_contra", bound=ProcessSettings, contravariant=True)


class Service(Protocol[Settings_contra]):
    """``run`` of a service's ``app``. It knows no signals, so tests can run it beside others."""

    def __call__(
        self, settings: Settings_contra, /, *, clock: Clock, stop: asyncio.Event, metrics: Metrics
    ) -> Awaitable[None]:
        """Works until ``stop``. Raises what it can't go on after."""


def run_service(
    service: Service[Settings], settings: Settings, rows: Iterable[Metric], *, in_bursts: bool = True
) -> None:
    """Runs ``service`` as the whole of a process, until a signal; called only from ``__main__``.

    ``rows`` are the metrics that it may count; ``in_bursts``: see ``run_process``. Raises what
    ``service`` raises, and TimeoutError where it did not end in time after a signal: exit code 1.
    """
    configure_logs(settings.log.log_level)
    metrics, clock = Metrics(rows), settings.clock.clock()

    async def main(stop: asyncio.Event) -> None:
        await service(settings, clock=clock, stop=stop, metrics=metrics)

    log = settings.log
    with serve_metrics(metrics, log.metrics_port, log.metrics_host, log.tls.server_certificate()):
        run_process(main, in_bursts=in_bursts)


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
    # Where it has ended by itself, this only raises what ended it.
    async with asyncio.timeout(None if task.done() else grace_s):
        await task


def run_process(main: Main, *, grace_s: float = 10.0, in_bursts: bool = True) -> None:
    """Runs ``main`` by ``serve`` on an event loop of its own.

    ``in_bursts`` makes garbage collection rare, for services that handle records. A service that
    opens one client after the other must not set it: clients hold cycles, and memory would grow.
    """
    # What was imported stays for the life of the process: no collection has to look at it again.
    gc.freeze()
    if in_bursts:
        gc.set_threshold(*GC_THRESHOLDS)
    uvloop.run(serve(main, grace_s=grace_s))
