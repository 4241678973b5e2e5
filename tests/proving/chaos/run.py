"""One chaos run: homes stream, processes are struck, everything settles, and the books are held against the oracle."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Final

import asyncpg

from deploy.local.ports import free_port
from deploy.local.prepare import Say
from deploy.local.settings import StackSettings
from deploy.local.stack import Stack
from deploy.platform.clock import SharedClock
from deploy.platform.fleet import Fleet
from deploy.platform.platform import Platform
from deploy.platform.ready import wait_ready
from deploy.platform.services import ServiceProcess
from deploy.reconcile.incidents import Incident, judge_incidents, load_alerted, read_truth
from tests.proving.chaos.doctors import Practice, at_work, register_doctors
from tests.proving.chaos.evidence import LOGS, keep_logs, with_diary
from tests.proving.chaos.mailbox import open_inbox
from tests.proving.chaos.options import INCIDENTS_TIMES, QUIET_S, Options
from tests.proving.chaos.recovery import recovered
from tests.proving.chaos.report import as_report
from tests.proving.chaos.schedule import last_blows, plan
from tests.proving.chaos.strikes import Struck, strike
from tests.proving.chaos.tap import open_tap
from tests.proving.chaos.verdict import Scene, judge

_HEAD_START_S: Final = 14.0
_SETTLES_S: Final = 150.0
_DRAIN_S: Final = 60.0
_PENDING_PAGES: Final = "select count(*) from notifications where state in ('pending', 'sending')"
_PEACE_S: Final = 25.0
"""No strike is begun so near the end, or within the quiet: it would not be over when platform time stands still."""
_CHECKPOINT_S: Final = 9.0
"""By then score has written a checkpoint since the last record."""


def run_chaos(options: Options, directory: Path, say: Say) -> dict[str, Any]:
    """Runs on servers of its own, empty at first; mosquitto keeps nothing unless resends are off. Gives the report.

    The logs of a run that is red, or broke off, are kept in `evidence.LOGS`, apart for each of a seed's two runs.
    """
    stack = Stack(StackSettings(name=f"chaos-{os.getpid()}", mqtt_persistence=not options.resends))
    logs = directory / "logs"
    sound = False
    try:
        report = _on_servers(options, stack, directory, with_diary(say, logs))
        sound = not report["failures"]
        return report
    finally:
        try:
            if not sound:
                keep_logs(logs, stack.settings.run_directory, LOGS / ("resends" if options.resends else "no-resends"))
        finally:
            stack.erase()


def _on_servers(options: Options, stack: Stack, directory: Path, say: Say) -> dict[str, Any]:
    mail_port = free_port()
    say("starting mosquitto, Apache Kafka and TimescaleDB")
    with stack, open_inbox(mail_port) as inbox, open_tap(stack.mqtt_port) as tap:
        say("registering homes and doctors")
        earlier = SharedClock.starting_in(0, rate=options.rate)
        passwords = _register(options, Platform(stack, earlier), directory)
        clock = SharedClock.starting_in(
            _HEAD_START_S, rate=options.rate, runs_for_s=options.runs_for_s, origin_ms=earlier.origin_ms
        )
        overrides = {
            "HB_MEDICATION_RESEND_AFTER_S": "5",
            "HB_SCORE_RESEND_AFTER_S": "5",
            "HB_ALERT_SMTP_HOST": "127.0.0.1",
            "HB_ALERT_SMTP_PORT": str(mail_port),
            "HB_MQTT_PORT": str(tap.port),
            "HB_WATCH_EVERY_S": "1",
        }
        say("starting the services")
        with Platform(stack, clock, overrides, directory / "logs") as platform:
            wait_ready(platform)
            fleet = Fleet(platform, directory, homes=options.homes, seed=options.seed)
            practice = Practice(platform.console_url, options.seed, passwords)
            scene = Scene(platform=platform, clock=clock, fleet=fleet, inbox=inbox, tap=tap, practice=practice)
            return _run(options, scene, say)


def _register(options: Options, platform: Platform, directory: Path) -> Mapping[str, str]:
    """Takes as long as it takes: platform time has not begun for anybody. Gives the doctors' passwords."""
    platform.prepare()
    fleet = Fleet(platform, directory, homes=options.homes, seed=options.seed)
    fleet.register()
    return register_doctors(platform, fleet.path("register.json"))


def _run(options: Options, scene: Scene, say: Say) -> dict[str, Any]:
    platform, fleet = scene.platform, scene.fleet
    simulator = fleet.simulator(
        "run",
        "--seed", str(options.seed), "--truth", str(fleet.path("truth.jsonl")), "--state", str(fleet.path("state")),
        "--incidents-times", str(INCIDENTS_TIMES), "--near-misses", "0", *([] if options.resends else ["--no-faults"]),
        resend_after_s=options.resend_after_s, drain_s=_DRAIN_S,
    )  # fmt: skip
    simulator.start()
    time.sleep(max(0.0, 3 - scene.clock.elapsed_s))
    try:
        with at_work(scene.practice):
            struck = asyncio.run(_strike_all(options, platform, simulator, scene.clock, say))
            say("letting it settle")
            while simulator.alive:
                platform.restart_ended()
                time.sleep(0.5)
    finally:
        simulator.stop()
    truth = read_truth(fleet.path("truth.jsonl"))
    asyncio.run(_settle(options, platform.stack.dsn, truth, scene.clock.now_ms(), say))
    say("looking at everything")
    verdict = asyncio.run(judge(options, scene, truth, struck))
    return as_report(options, verdict, struck)


async def _strike_all(
    options: Options, platform: Platform, simulator: ServiceProcess, clock: SharedClock, say: Say
) -> list[Struck]:
    chance = Random(options.seed)
    struck: list[Struck] = []
    for number, one in enumerate(plan(options.kills, seed=options.seed, targets=options.struck_targets), start=1):
        if clock.elapsed_s > options.runs_for_s - min(_PEACE_S, options.quiet_s):
            break
        say(f"strike {number} of {options.kills}: {one.way} {one.target}")
        struck.append(await strike(platform, one, clock.now_ms, chance, waits=options.waits))
        if not simulator.alive:
            raise RuntimeError(f"the simulator ended with {simulator.exit_code}:\n{simulator.tail()}")
    if not options.waits:
        struck = await _all_recovered(platform, struck, clock)
    say("streaming on in peace")
    await asyncio.sleep(max(0.0, options.runs_for_s - clock.elapsed_s))
    say("the last blows")
    for one in last_blows():
        await asyncio.sleep(one.pause_s)
        platform.processes[one.target].kill()
        platform.restart_ended()
    return struck


async def _all_recovered(platform: Platform, struck: Sequence[Struck], clock: SharedClock) -> list[Struck]:
    """Waits until uplinks get through and people can be notified again: until then everything was one outage."""
    for target in ("store", "alert"):
        await recovered(platform, replace(struck[-1].strike, target=target, laden=False), clock.now_ms)
    return [replace(one, recovered_at_ms=clock.now_ms()) for one in struck]


async def _settle(options: Options, dsn: str, truth: list[Incident], now_ms: int, say: Say) -> None:
    """Waits until no incident is missed and no notification waits, at most _SETTLES_S; then for score's checkpoint.

    A run that was not quiet for long enough may miss silent devices for good: it waits for notifications alone.
    """
    deadline = time.monotonic() + _SETTLES_S
    while time.monotonic() < deadline:
        missed = judge_incidents(truth, await load_alerted(dsn), now_ms).missed
        connection = await asyncpg.connect(dsn)
        try:
            waiting = await connection.fetchval(_PENDING_PAGES)
        finally:
            await connection.close()
        if not waiting and not (missed and options.quiet_s >= QUIET_S):
            break
        say(f"{missed} incidents without alert, {waiting} notifications under way")
        await asyncio.sleep(1)
    await asyncio.sleep(_CHECKPOINT_S)
