"""One run: a steady load on two of every service, instances that leave and join, and the books held after it."""

import asyncio
import os
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from deploy.local.settings import CHECKOUT, StackSettings
from deploy.local.stack import Stack
from deploy.platform.clock import SharedClock
from deploy.platform.fleet import Fleet
from deploy.platform.instances import two_of
from deploy.platform.platform import Platform
from deploy.platform.ready import wait_ready
from deploy.platform.services import ServiceProcess
from tests.proving.scale.changes import Change, plan
from tests.proving.scale.load import Windows, cost, settled
from tests.proving.scale.metric_sums import Sums, page_of
from tests.proving.scale.verdict import judge

RATE: Final = 60.0
"""Health time runs so fast that a minute of low oxygen is a second, and two minutes hold six episodes a person."""
LOGS: Final = CHECKOUT / ".local" / "reports" / "scale-logs"
_HEAD_START_S: Final = 20.0
_ALONE: Final = ("store-1", "score-1")
_TAKEN_OVER_S: Final = 13.0
"""By then the group has given up whoever left, and the others have its partitions."""
_SHARED_S: Final = 6.0
_TAIL_S: Final = 8.0
_UNWELL: Final = 0.1
_KEEPS_UP: Final = 0.75
"""Of the load, over all windows: whoever leaves in the last one leaves half of the partitions waiting at its end."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to try. Without ``phase_s`` one worker is not compared with two."""

    uplinks_per_s: int = 2_000
    devices: int = 1_000
    changes: int = 12
    every_s: float = 10.0
    phase_s: float = 15.0
    seed: int = 1

    @property
    def for_s(self) -> float:
        """How long the disturbances go on."""
        return self.changes * self.every_s

    @property
    def load_s(self) -> float:
        """How long the load has to last."""
        compared = 2 * self.phase_s + _TAKEN_OVER_S + _SHARED_S if self.phase_s else 0
        return compared + self.for_s + _TAIL_S + 5


@dataclass(slots=True)
class Seen:
    """What a run saw."""

    windows: Windows
    during: Sums = field(default_factory=Sums)
    before: Sums = field(default_factory=Sums)
    workers: dict[str, Any] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    away: set[str] = field(default_factory=set)


def run_scale(options: Options, directory: Path, say: Say) -> dict[str, Any]:
    """Runs on servers of its own, empty at first; gives the report."""
    stack = Stack(StackSettings(name=f"scale-{os.getpid()}"))
    say("starting mosquitto, Apache Kafka and TimescaleDB")
    try:
        with stack:
            clock = SharedClock.starting_in(_HEAD_START_S, rate=RATE)
            overrides = {"HB_MEDICATION_RESEND_AFTER_S": "5", "HB_SCORE_RESEND_AFTER_S": "5"}
            with Platform(stack, clock, overrides, directory / "logs", counts=two_of()) as platform:
                report = asyncio.run(_run(options, platform, directory, say))
            if report["failures"]:
                shutil.copytree(directory / "logs", LOGS, dirs_exist_ok=True)
            return report
    finally:
        stack.erase()


async def _run(options: Options, platform: Platform, directory: Path, say: Say) -> dict[str, Any]:
    fleet = Fleet(platform, directory, homes=0, seed=options.seed)
    await asyncio.to_thread(fleet.register, "--load-devices", str(options.devices))
    say("waiting for the first watermark marker of both ingests")
    await asyncio.to_thread(wait_ready, platform)
    changes = plan(options.changes, every_s=options.every_s)
    seen = Seen(Windows(options.every_s))
    generator = fleet.simulator(
        "load",
        "--uplinks-per-s", str(options.uplinks_per_s), "--seconds", str(round(options.load_s)), "--memory-outbox",
        "--unwell", str(_UNWELL), "--seed", str(options.seed),
    )  # fmt: skip
    generator.start()
    try:
        await _first_settled(platform, generator)
        if options.phase_s:
            seen.workers = await _compare(options, platform, say)
        await _disturb(options, platform, changes, seen, say)
        say("letting everything settle")
        await asyncio.to_thread(generator.wait)
    finally:
        generator.stop()
    if generator.exit_code:
        raise RuntimeError(f"the generator ended with {generator.exit_code}:\n{generator.tail()}")
    say("holding the books against each other")
    verdict = await judge(platform, fleet, directory)
    return _report(options, seen, changes, verdict)


async def _first_settled(platform: Platform, generator: ServiceProcess) -> None:
    while not await settled(platform.stack.dsn):
        if not generator.alive:
            raise RuntimeError(f"the generator ended with {generator.exit_code}:\n{generator.tail()}")
        await asyncio.sleep(0.5)


async def _compare(options: Options, platform: Platform, say: Say) -> dict[str, Any]:
    """One store and one scorer, then two of each, under the same load."""
    say("one store and one scorer")
    for name in _ALONE:
        await asyncio.to_thread(platform.processes[name].stop)
    await asyncio.sleep(_TAKEN_OVER_S)
    one = await cost(platform, options.phase_s)
    say("two stores and two scorers")
    for name in _ALONE:
        platform.processes[name].start()
    await asyncio.sleep(_SHARED_S)
    return {"1": one, "2": await cost(platform, options.phase_s)}


async def _disturb(options: Options, platform: Platform, changes: list[Change], seen: Seen, say: Say) -> None:
    for name, port in platform.metrics_ports.items():
        page = page_of(port)
        seen.during.add(page, sign=-1)
        if name.startswith("store"):
            seen.before.add(page)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(seen.windows.watch(platform.stack.dsn, options.for_s))
        for change in changes:
            tasks.create_task(_change(change, platform, seen, say))
        tasks.create_task(_keep(platform, seen, options.for_s))
    for port in platform.metrics_ports.values():
        seen.during.add(page_of(port))


async def _change(change: Change, platform: Platform, seen: Seen, say: Say) -> None:
    await asyncio.sleep(change.at_s)
    say(f"{change.at_s:.0f} s: {change.way} {change.instance} for {change.away_s:.0f} s")
    process = platform.processes[change.instance]
    seen.away.add(change.instance)
    seen.during.add(page_of(platform.metrics_ports[change.instance]))
    await asyncio.to_thread(process.kill if change.way == "kill" else process.stop)
    await asyncio.sleep(change.away_s)
    process.start()
    seen.away.discard(change.instance)


async def _keep(platform: Platform, seen: Seen, for_s: float) -> None:
    """Starts again what ended by itself, and notes that: nothing should."""
    deadline = asyncio.get_running_loop().time() + for_s
    while asyncio.get_running_loop().time() < deadline:
        for name, process in platform.processes.items():
            if name not in seen.away and not process.alive:
                seen.ended.append(f"{name} ended with {process.exit_code}: {process.tail(3)}")
                process.start()
        await asyncio.sleep(0.25)


def _report(options: Options, seen: Seen, changes: list[Change], verdict: dict[str, Any]) -> dict[str, Any]:
    latency = "hb_store_device_to_row_seconds"
    counted = seen.during.counters
    report = {
        "options": {"uplinks_per_s": options.uplinks_per_s, "seconds": options.for_s, "devices": options.devices},
        "seed": options.seed,
        "leaves_and_joins": dict(Counter(change.instance for change in changes)),
        **verdict,
        "uplinks_settled_per_window": seen.windows.counts,
        "window_s": options.every_s,
        "checkpoints_lost": counted["hb_score_checkpoints_lost_total"],
        "finding_conflicts": counted["hb_score_finding_conflicts_total"],
        "duplicates_dropped": counted["hb_store_duplicates_total"],
        "device_to_row_p99_ms": {
            "before": seen.before.quantile_ms(latency, 0.99),
            "during": seen.during.quantile_ms(latency, 0.99),
        },
        "workers": seen.workers,
    }
    return report | {"failures": _failures(report) + seen.ended}


def _failures(report: dict[str, Any]) -> list[str]:
    wrong = [
        f"{report[name]} {what}"
        for name, what in (
            ("lost", "lost"),
            ("duplicated", "duplicated"),
            ("unsettled", "not settled"),
            ("foreign", "that nobody published"),
            ("key_conflicts", "conflicts on the key of readings"),
            ("finding_conflicts", "findings with the id of another"),
            ("findings_unclaimed", "findings that became no alert"),
        )
        if report[name]
    ]
    if not report["findings"]:
        wrong.append("no findings: nothing was compared")
    if not report["findings_equal_to_replay"]:
        wrong.append("the findings are not those of an undisturbed replay")
    if not report["state_equal_to_replay"]:
        wrong.append("score's state is not that of an undisturbed replay")
    if min(report["uplinks_settled_per_window"]) <= 0:
        wrong.append("nothing was settled for a whole window")
    options = report["options"]
    settled, wanted = sum(report["uplinks_settled_per_window"]), options["uplinks_per_s"] * options["seconds"]
    if settled < _KEEPS_UP * wanted:
        wrong.append(f"only {settled} of {wanted:.0f} uplinks were settled meanwhile")
    return wrong
