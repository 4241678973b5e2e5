"""What every phase works with: the platform, its fleet, and a load that is run, measured and held against the books."""

import asyncio
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from deploy.local.settings import CHECKOUT
from deploy.platform.fleet import Fleet
from deploy.platform.platform import Platform
from deploy.platform.ready import wait_ready
from deploy.platform.services import SERVICES, ServiceProcess
from deploy.reconcile.latency import histogram_quantiles, read_metrics
from device_sim.outbox import RESEND_AFTER_S
from tests.proving.bench.books import ITEMS, Books, read_books
from tests.proving.bench.memory import Memory, judge_memory, sampled
from tests.proving.bench.notifications import Inbox
from tests.proving.bench.options import Options
from tests.proving.bench.usage import NOTHING, Usage, measure, pids_of, spent

LOGS: Final = CHECKOUT / ".local" / "reports" / "bench-logs"
"""Where the services' logs are kept when the books do not balance: the servers and all they knew are erased."""
DEVICE_TO_ROW: Final = "hb_store_device_to_row_seconds"
_SNAPSHOT_S: Final = 3.0
"""By then ingest has heard of new devices: it reads the registry every 2 s."""
_CONNECT_WITHIN_S: Final = 150.0

Say = Callable[[str], None]
During = Callable[[], None]


class LoadError(RuntimeError):
    """The generator ended with an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One load: what the generator says, what it cost, what the books say."""

    summary: dict[str, Any]
    cpu_s: dict[str, float]
    memory: dict[str, Memory]
    row_ms: dict[str, float | None]
    books: Books

    @property
    def readings(self) -> int:
        """Published readings, at least 1."""
        return max(1, ITEMS * int(self.summary["uplinks"]["published"]))

    @property
    def cpu_us_per_reading(self) -> dict[str, float]:
        """Of every service and server."""
        return {name: cpu * 1e6 / self.readings for name, cpu in self.cpu_s.items()}

    def described(self) -> dict[str, Any]:
        """The part of a report that every load has."""
        seconds = self.summary["sustained"]["seconds"]
        per_s = self.summary["uplinks"]["published"] / seconds
        return {
            "uplinks_per_s": per_s,
            "readings_per_s": per_s * ITEMS,
            "seconds": seconds,
            "lost": self.books.lost + self.books.lost_events + self.books.unsettled,
            "duplicated": self.books.duplicated,
            "rejected": self.books.rejected,
            "foreign": self.books.foreign,
            "sent_again": self.summary["uplinks"]["sent_again"],
            "ack_ms": self.summary["ack_latency_ms"],
            "device_to_row_ms": self.row_ms,
            "generator": self.summary["generator"],
        }


@dataclass(slots=True, kw_only=True)
class Bench:
    """A running platform with the fleet that loads it."""

    options: Options
    platform: Platform
    fleet: Fleet
    inbox: Inbox
    say: Say
    registered: int = field(default=0)

    def register(self, devices: int) -> None:
        """Makes so many devices known and waits until uplinks get through."""
        if devices != self.registered:
            self.say(f"registering {devices:,} devices")
            self.fleet.register("--load-devices", str(devices))
            self.registered = devices
        self.say("waiting for the first watermark marker")
        wait_ready(self.platform)
        time.sleep(_SNAPSHOT_S)

    def generator(
        self,
        per_s: float,
        seconds: float,
        *,
        presses_per_s: float = 0,
        drain_s: float = 120,
        resend_after_s: float = RESEND_AFTER_S,
    ) -> ServiceProcess:
        """The generator, not started. It says in ``stage`` how far it is."""
        self.stage.unlink(missing_ok=True)
        return self.fleet.simulator(
            "load",
            "--uplinks-per-s", str(per_s), "--seconds", str(seconds), "--memory-outbox",
            "--presses-per-s", str(presses_per_s), "--stage", str(self.stage),
            drain_s=drain_s, resend_after_s=resend_after_s,
        )  # fmt: skip

    @property
    def stage(self) -> Path:
        """The file in which the generator says what it does."""
        return self.fleet.path("stage")

    def wait_for_stage(self, generator: ServiceProcess, wanted: str, within_s: float) -> None:
        """Returns once the generator has come to ``wanted``. Raises LoadError."""
        deadline = time.monotonic() + within_s
        while not self.stage.exists() or self.stage.read_text() != wanted:
            if not generator.alive or time.monotonic() > deadline:
                raise LoadError(f"the generator did not come to {wanted!r}:\n{generator.tail()}")
            stack = self.platform.stack
            if dead := [name for name in stack.settings.servers if not stack.process(name).alive]:
                raise LoadError(f"{', '.join(dead)} ended by itself")
            time.sleep(0.05)

    def load(
        self, per_s: float, seconds: float, *, what: str, presses_per_s: float = 0, during: During | None = None
    ) -> Loaded:
        """A steady load to its end; ``during`` runs beside it once everybody is connected.

        Raises ServiceEndedError, LoadError.
        """
        since = datetime.now(UTC)
        pids = pids_of(self.platform)
        page = read_metrics(self.platform.metrics_ports["store"])
        generator = self.generator(per_s, seconds, presses_per_s=presses_per_s)
        self.say(f"{what}: connecting {self.registered:,} devices")
        generator.start()
        try:
            self.wait_for_stage(generator, "sending", _CONNECT_WITHIN_S)
            before, began = measure(pids), time.monotonic()
            with sampled({name: pids[name] for name in pids}) as samples:
                if during is not None:
                    during()
                while generator.alive:
                    self.platform.check_alive()
                    self.say(f"{what}: {time.monotonic() - began:.0f} s of {seconds:.0f} s at {per_s:,.0f} uplinks/s")
                    time.sleep(0.5)
            now = pids_of(self.platform)
            # Of a server that began anew meanwhile, what it took before that is not known any more.
            before = {name: one if now[name] == pids[name] else NOTHING for name, one in before.items()}
            after = measure(now)
        finally:
            generator.stop()
        if generator.exit_code:
            raise LoadError(f"the generator ended with {generator.exit_code}:\n{generator.tail()}")
        return self._close(since, page, before, after, samples)

    def _close(
        self,
        since: datetime,
        page: str,
        before: Mapping[str, Usage],
        after: Mapping[str, Usage],
        samples: Mapping[str, list[float]],
    ) -> Loaded:
        self.say("holding what was published against the database")
        summary = self.fleet.summary()
        books = asyncio.run(read_books(self.platform.stack.dsn, summary, since))
        if not books.balanced:
            shutil.copytree(self.platform.directory, LOGS, dirs_exist_ok=True)
        now = read_metrics(self.platform.metrics_ports["store"])
        p50, p99 = histogram_quantiles(now, DEVICE_TO_ROW, (0.5, 0.99), since=page)
        return Loaded(
            summary=summary,
            cpu_s=spent(before, after),
            memory={name: judge_memory(found) for name, found in samples.items()},
            row_ms={"p50": None if p50 is None else 1000 * p50, "p99": None if p99 is None else 1000 * p99},
            books=books,
        )


def memory_report(memory: Mapping[str, Memory]) -> dict[str, Any]:
    """Of our services; servers have their own settings for it."""
    return {
        name: {"most": found.most_mb, "growth": found.growth, "flat": found.flat, "samples": found.samples_mb}
        for name, found in memory.items()
        if name in SERVICES
    }
