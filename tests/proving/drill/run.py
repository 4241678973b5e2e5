"""One restore drill: the database is lost twice and restored from one backup, by the log alone and by devices alone."""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from deploy.local.settings import StackSettings
from deploy.local.stack import Stack
from deploy.platform.clock import SharedClock
from deploy.platform.fleet import Fleet
from deploy.platform.platform import Platform
from deploy.platform.ready import wait_ready
from deploy.platform.services import ServiceProcess
from deploy.reconcile.accounts import compare, read_oracle
from services.score.replay import whatever_the_time
from tests.proving.drill.disaster import bring_back, delete_log, destroy_database, kill_services, until_score_has_read
from tests.proving.drill.rows import compare_rows, load_rows
from tests.proving.undisturbed import exported, replayed

RATE: Final = 90.0
_HEAD_START_S: Final = 10.0
_BACKUP_AT: Final = 0.2
_POWER_CUT_AT: Final = 0.4
_LOST_AGAIN_BEFORE_S: Final = 6.0
_DRAIN_S: Final = 90.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How large a drill. ``runs_for_s``: real seconds that homes stream."""

    homes: int
    runs_for_s: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What every part of a drill needs."""

    options: Options
    platform: Platform
    clock: SharedClock
    fleet: Fleet
    directory: Path
    say: Say

    @property
    def backup(self) -> Path:
        """The one backup of the drill."""
        return self.directory / "backup.tar.gz"

    def wait_until(self, share: float) -> None:
        """Until so much of the run is over."""
        time.sleep(max(0.0, self.options.runs_for_s * share - self.clock.elapsed_s))

    def simulator(self) -> ServiceProcess:
        """The devices, with what they kept of an earlier run. None is switched off for good: it could not hear."""
        return self.fleet.simulator(
            "run",
            "--seed", str(self.options.seed), "--truth", str(self.fleet.path("truth.jsonl")),
            "--state", str(self.directory / "state"), "--no-faults", "--no-incidents",
            drain_s=_DRAIN_S,
        )  # fmt: skip


def run_drill(options: Options, directory: Path, say: Say) -> dict[str, Any]:
    """On servers of its own. Gives the report; ``failures`` is empty when nothing was lost or is there twice."""
    stack = Stack(StackSettings(name=f"drill-{os.getpid()}"))
    say("starting mosquitto, Apache Kafka and TimescaleDB")
    try:
        with stack:
            clock = SharedClock.starting_in(_HEAD_START_S, rate=RATE, runs_for_s=options.runs_for_s)
            overrides = {
                "HB_MEDICATION_RESEND_AFTER_S": "5",
                "HB_SCORE_RESEND_AFTER_S": "5",
                "HB_SCORE_CHECKPOINT_EVERY_S": "2",
            }
            with Platform(stack, clock, overrides, directory / "logs") as platform:
                fleet = Fleet(platform, directory, homes=options.homes, seed=options.seed)
                fleet.register()
                wait_ready(platform)
                world = World(
                    options=options, platform=platform, clock=clock, fleet=fleet, directory=directory, say=say
                )
                return _drill(world)
    finally:
        stack.erase()


def _drill(world: World) -> dict[str, Any]:
    devices = world.simulator()
    devices.start()
    try:
        world.wait_until(_BACKUP_AT)
        world.say("backing up")
        world.platform.stack.back_up(world.backup)
        backed_up_at_s = world.clock.elapsed_s
        world.wait_until(_POWER_CUT_AT)
        devices.kill()
        by_log = _by_log(world)
        devices = world.simulator()
        devices.start()
        by_devices = _by_devices(world, devices)
    finally:
        devices.stop()
    report = {
        "seed": world.options.seed,
        "homes": world.options.homes,
        "backup": {"at_s": round(backed_up_at_s, 1), "of_s": world.options.runs_for_s,
                   "mb": round(world.backup.stat().st_size / 1e6, 1)},
        "by_log": by_log,
        "by_devices": by_devices,
    }  # fmt: skip
    return report | {"failures": failures(report)}


def _by_log(world: World) -> dict[str, Any]:
    """Every device is without power: what comes back comes from the log."""
    platform, dsn = world.platform, world.platform.stack.dsn
    world.say("losing the database, the devices without power")
    wait_ready(platform)
    before, state_before = asyncio.run(load_rows(dsn)), exported(platform, world.directory).read_text()
    kill_services(platform)
    destroy_database(platform)
    said, took_s = bring_back(platform, world.backup)
    at_backup = asyncio.run(load_rows(dsn))
    began = time.monotonic()
    platform.start()
    wait_ready(platform)
    caught_up_s = time.monotonic() - began
    difference = compare_rows(before, asyncio.run(load_rows(dsn)))
    found = exported(platform, world.directory)
    undisturbed = replayed(platform, found)
    return asdict(difference) | {
        "said": said,
        "rows": {"before": before.counts, "in_backup": at_backup.counts},
        "restore_s": round(took_s, 1),
        "caught_up_s": round(caught_up_s, 1),
        # Time has gone on since, and the log with it: an hour may have closed.
        "score_as_before": whatever_the_time(found.read_text()) == whatever_the_time(state_before),
        "score_as_undisturbed": found.read_text() == undisturbed,
    }


def _by_devices(world: World, devices: ServiceProcess) -> dict[str, Any]:
    """The log is gone too: what comes back was kept by the devices. They go on measuring meanwhile."""
    platform, dsn = world.platform, world.platform.stack.dsn
    world.wait_until(1 - _LOST_AGAIN_BEFORE_S / world.options.runs_for_s)
    world.say("losing the database and the log, the devices at work")
    kill_services(platform)
    before = asyncio.run(load_rows(dsn))
    destroy_database(platform)
    deleted = asyncio.run(delete_log(platform))
    said, took_s = bring_back(platform, world.backup)
    at_backup = asyncio.run(load_rows(dsn))
    base = world.directory / "state-at-backup.txt"
    base.write_text(platform.command("services.score", "export-state", "--as-it-stands"))
    platform.start()
    world.say("the devices send it all again")
    began = time.monotonic()
    while devices.alive:
        platform.check_alive()
        time.sleep(0.2)
    drained_s = time.monotonic() - began
    if devices.exit_code:
        raise RuntimeError(f"the simulator ended with {devices.exit_code}:\n{devices.tail()}")
    world.say("holding the books against each other")
    asyncio.run(until_score_has_read(platform))
    accounts = asyncio.run(compare(dsn, read_oracle(world.fleet.path("oracle.jsonl"))))
    uplinks = world.fleet.summary()["uplinks"]
    found = exported(platform, world.directory)
    undisturbed = replayed(platform, found, after=base)
    return {
        "lost": accounts.lost + accounts.unsettled,
        "duplicated": accounts.twice,
        "balanced": accounts.balanced,
        "examples": accounts.examples[:3],
        "uplinks": uplinks,
        "said": said,
        "records_deleted": deleted,
        "rows": {"before": before.counts, "in_backup": at_backup.counts},
        "restore_s": round(took_s, 1),
        "drained_s": round(drained_s, 1),
        "score_as_undisturbed": found.read_text() == undisturbed,
    }  # fmt: skip


def failures(report: dict[str, Any]) -> list[str]:
    """Why the drill is red; empty for green. A backup that held everything would prove nothing."""
    by_log, by_devices = report["by_log"], report["by_devices"]
    uplinks = by_devices["uplinks"]
    checks = {
        f"by the log: {by_log['lost']} rows lost": not by_log["lost"],
        f"by the log: {by_log['duplicated']} rows twice": not by_log["duplicated"],
        "by the log: score's state is not what it was": by_log["score_as_before"] and by_log["score_as_undisturbed"],
        f"by devices: {by_devices['examples']}": by_devices["balanced"],
        "by devices: not every uplink was acknowledged": uplinks["acked_end_to_end"] == uplinks["published"],
        "by devices: score's state differs from an undisturbed replay": by_devices["score_as_undisturbed"],
        "the backup held everything": all(
            part["rows"]["in_backup"]["readings"] < part["rows"]["before"]["readings"] for part in (by_log, by_devices)
        ),
    }
    return [what for what, well in checks.items() if not well]
