"""One bench: a thousand devices at a steady rate, then the accounts."""

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deploy.bench.ceiling import copy_rows_per_s
from deploy.bench.usage import measure, pids_of, spent
from deploy.local.settings import CHECKOUT, StackSettings
from deploy.local.stack import Stack
from deploy.platform.fleet import Fleet
from deploy.platform.platform import Platform
from deploy.platform.ready import wait_ready
from deploy.proof.accounts import Accounts, compare, read_oracle
from deploy.proof.latency import histogram_quantiles, read_metrics

REPORT: Final = CHECKOUT / ".local" / "reports" / "bench.json"
LOGS: Final = REPORT.with_name("bench-logs")
"""Where the services' logs are kept when the books do not balance: the servers and all they knew are erased."""
_SNAPSHOT_S: Final = 3.0
"""By then ingest has heard of the devices: it reads the registry every 2 s."""
_READINGS_PER_UPLINK: Final = 4

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to try. ``uplinks_per_s`` over all devices together."""

    uplinks_per_s: int
    seconds: int
    devices: int


def run_bench(asked: Asked, say: Say) -> dict[str, Any]:
    """Runs on servers of its own, empty at first; gives the report."""
    stack = Stack(StackSettings(name=f"bench-{os.getpid()}"))
    say("starting mosquitto, Apache Kafka and TimescaleDB")
    try:
        with stack:
            versions, settings = stack.versions(), stack.server_settings()
            with Platform(stack) as platform:
                report = _measure(asked, platform, stack.settings.run_directory / "fleet", say)
            say("measuring the database's ceiling")
            ceiling = asyncio.run(copy_rows_per_s(stack.dsn))
    finally:
        stack.erase()
    report["settings"] = settings | {"acks": "all", "versions": versions}
    report["ceiling"] = {"copy_rows_per_s": round(ceiling)}
    return report


def _measure(asked: Asked, platform: Platform, directory: Path, say: Say) -> dict[str, Any]:
    fleet = Fleet(platform, directory, homes=0, seed=1)
    fleet.register("--load-devices", str(asked.devices))
    say("waiting for the first canary")
    wait_ready(platform)
    time.sleep(_SNAPSHOT_S)
    before = measure(pids_of(platform))
    _generate(asked, platform, fleet, say)
    after = measure(pids_of(platform))
    say("holding the oracle against the database")
    oracle = read_oracle(fleet.path("oracle.jsonl"))
    accounts = asyncio.run(compare(platform.stack.dsn, oracle))
    if not accounts.balanced:
        shutil.copytree(platform.directory, LOGS, dirs_exist_ok=True)
    page = read_metrics(platform.metrics_ports["store"])
    rows = histogram_quantiles(page, "hb_store_device_to_row_seconds", (0.5, 0.99))
    summary = fleet.summary()
    readings = max(1, accounts.readings.stored)
    return {
        "sustained": _sustained(summary, accounts),
        "latency_ms": {"device_to_row": {"p50": rows[0] and rows[0] * 1000, "p99": rows[1] and rows[1] * 1000}},
        "cpu_us_per_reading": {name: cpu * 1e6 / readings for name, cpu in spent(before, after).items()},
        "rss_mb": {name: usage.rss_mb for name, usage in after.items()},
        "generator": summary["generator"],
        "proof": {
            "balanced": accounts.balanced,
            "unsettled": accounts.unsettled,
            "set_aside": accounts.readings.set_aside,
            "examples": accounts.examples,
        },
    }


def _generate(asked: Asked, platform: Platform, fleet: Fleet, say: Say) -> None:
    """Runs the generator to its end. Raises ServiceEndedError, RuntimeError."""
    generator = fleet.simulator(
        "load",
        "--uplinks-per-s", str(asked.uplinks_per_s), "--seconds", str(asked.seconds), "--memory-outbox",
    )  # fmt: skip
    generator.start()
    began = time.monotonic()
    try:
        while generator.alive:
            platform.check_alive()
            say(f"{time.monotonic() - began:.0f} s of {asked.seconds} s at {asked.uplinks_per_s:,} uplinks/s")
            time.sleep(0.5)
        platform.check_alive()
    finally:
        generator.stop()
    if generator.exit_code:
        raise RuntimeError(f"the generator ended with {generator.exit_code}:\n{generator.tail()}")


def _sustained(summary: dict[str, Any], accounts: Accounts) -> dict[str, Any]:
    seconds = summary["sustained"]["seconds"]
    per_s = summary["uplinks"]["published"] / seconds
    return {
        "uplinks_per_s": per_s,
        "readings_per_s": per_s * _READINGS_PER_UPLINK,
        "seconds": seconds,
        "lost": accounts.lost + accounts.unsettled,
        "duplicated": accounts.twice,
    }
