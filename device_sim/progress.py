"""What a tester sees while a run goes on."""

import sys
import time
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

from rich.live import Live
from rich.table import Table

from device_sim.run import Run

_EVERY_S: Final = 0.5


class Progress:
    """A table on the terminal, drawn twice a second; nothing where there is no terminal and nobody asked."""

    def __init__(self, run: Run, *, wanted: bool, incidents: int = 0) -> None:
        self._run, self._incidents = run, incidents
        self._live = Live(auto_refresh=False, transient=True) if wanted or sys.stdout.isatty() else None
        self._next = 0.0

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self) -> None:
        """Draws, when it is time to."""
        now = time.monotonic()
        if self._live is not None and now >= self._next:
            self._next = now + _EVERY_S
            self._live.update(self._table(), refresh=True)

    def _table(self) -> Table:
        run, tally = self._run, self._run.tally
        moment = datetime.fromtimestamp(run.clock.now_ms() / 1000, UTC)
        online = sum(link.online for link in run.network.links)
        table = Table(title=f"Simulated homes, platform time {moment:%Y-%m-%d %H:%M:%S} UTC, speed {run.clock.rate:g}")
        for name in (
            "devices online",
            "uplinks",
            "acknowledged",
            "waiting",
            "sent again",
            "readings",
            "ack p50/p99 ms",
        ):
            table.add_column(name, justify="right")
        latency = tally.latency()
        table.add_row(
            f"{online}/{len(run.devices)}",
            str(run.oracle.uplinks),
            str(run.oracle.uplinks - run.unsettled),
            str(run.unsettled),
            str(tally.sent_again),
            str(run.oracle.readings),
            f"{latency['p50']}/{latency['p99']}",
        )
        return table
