"""A demo from its start to its verdict."""

import asyncio
import json
import signal
import time
from datetime import timedelta
from typing import Final

import asyncpg
from rich.console import Console

from deploy.demo.options import DOCTOR, DRAIN_S, EDIT_AT_MS, DemoError, Options
from deploy.demo.past_report import judge_past
from deploy.demo.replayed import compare_replay
from deploy.demo.report import Report, build_report, show_report, write_report
from deploy.demo.watch import Watcher
from deploy.demo.world import World
from deploy.platform.clock import SharedClock
from deploy.reconcile.accounts import compare, read_oracle
from deploy.reconcile.incidents import IncidentOutcome, judge_incidents, load_alerted, read_truth
from deploy.reconcile.latency import alert_delays_ms, histogram_quantiles, quantile_of, read_metrics
from deploy.reconcile.unanswered import judge_unanswered, load_standing
from deploy.running.steps import print_first_steps
from device_sim.past import PAST_EPOCH
from services.runtime.clock import to_datetime

_LOOK_EVERY_S: Final = 0.25
_SAY_EVERY_S: Final = 5.0
_SLACK_REAL_S: Final = 10.0
"""So much later than it is due a notification may be made: what is due at once waits for what came before."""


async def run_demo(options: Options, started_at: float, console: Console) -> Report:
    """Runs it and says what came of it. The report is written too."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with console.status("starting PostgreSQL, the MQTT broker, the services and the homes"):
        world = await asyncio.to_thread(lambda: World(options, started_at).__enter__())
    try:
        connection = await asyncpg.connect(world.embedded.dsn)
        watcher = Watcher(world, connection)
        _greet(world, console)
        await _watch(world, watcher, console, stop)
        report = await _conclude(world, watcher, console)
        await connection.close()
    finally:
        await asyncio.to_thread(lambda: world.__exit__(None, None, None))
    write_report(report, options.report)
    show_report(report, console)
    console.print(f"Report: {options.report}")
    return report


def _greet(world: World, console: Console) -> None:
    console.print(f"\n[bold]Doctor's console:[/] {world.console_url}")
    console.print(f"  sign in as [bold]{DOCTOR}[/] with [bold]{world.password}[/]")
    console.print(f"  {world.options.speed:g} platform seconds a real second; loopback only")
    console.print("  This broker does not enforce device identity; the full stack (make up) does.")
    print_first_steps(console, at="the demo")
    console.print(
        "  Not a medical device: simulated people.\n" + ("" if world.options.for_s else "  Ctrl-C ends it.\n")
    )


async def _watch(world: World, watcher: Watcher, console: Console, stop: asyncio.Event) -> None:
    """Until the simulator has drained, or the person has had enough (then it drains too)."""
    said_at, said = 0.0, None
    asked = False
    moves = world.moves_doses
    while world.simulator.alive:
        _insist_on_services(world)
        await watcher.look()
        newest = await watcher.newest_alert()
        if newest != said or time.monotonic() - said_at > _SAY_EVERY_S:
            console.print(f"[dim]{world.since_start_s:5.0f} s[/] {await watcher.line()}")
            if newest != said and newest:
                console.print(f"        [bold yellow]alert[/] {newest}")
            said_at, said = time.monotonic(), newest
        if moves and world.clock.now_ms() - world.clock.origin_ms >= EDIT_AT_MS:
            moves = False
            await asyncio.to_thread(world.move_doses)
            console.print("plans are edited: doses that are due in 25 minutes are now due 15 minutes later")
        if stop.is_set() and not asked:
            asked = True
            console.print("draining: no more readings, everything under way settles")
            world.simulator.ask_to_stop()
        await asyncio.sleep(_LOOK_EVERY_S)
    if world.simulator.exit_code:
        raise DemoError(f"the simulator ended with {world.simulator.exit_code}:\n{world.simulator.tail()}")


def _insist_on_services(world: World) -> None:
    if not world.services.alive:
        raise DemoError(f"the services ended:\n{world.services.tail()}")


async def _conclude(world: World, watcher: Watcher, console: Console) -> Report:
    """Waits until what the frozen moment demands is there, at most DRAIN_S, then takes stock."""
    deadline = time.monotonic() + DRAIN_S
    ended_at_ms = world.clock.now_ms()
    with console.status("settling what is due"):
        while True:
            _insist_on_services(world)
            # With failures it looks again until the time is up: what is under way may still settle
            # them.
            passed = await watcher.watermark_ms() >= min(ended_at_ms, world.clock.frozen_at_ms or ended_at_ms)
            report = await _take_stock(world, watcher, ended_at_ms)
            if (passed and not report["failures"]) or time.monotonic() > deadline:
                return report
            await asyncio.sleep(1)


async def _take_stock(world: World, watcher: Watcher, ended_at_ms: int) -> Report:
    directory, dsn = world.options.directory, world.embedded.dsn
    await watcher.look()
    # Somebody may have added homes of their own meanwhile: those are not the simulator's to answer for.
    homes = [home["home_id"] for home in json.loads((directory / "register.json").read_text())["homes"]]
    accounts = await compare(dsn, read_oracle(directory / "oracle.jsonl"), homes, PAST_EPOCH)
    uplinks = json.loads((directory / "summary.json").read_text())["uplinks"]
    outcome: IncidentOutcome | None = None
    episodes = None
    if world.options.replay is None:
        outcome = judge_incidents(read_truth(directory / "truth.jsonl"), await load_alerted(dsn, homes), ended_at_ms)
    else:
        episodes = await compare_replay(dsn, world.options.replay, directory / "people.json", ended_at_ms)
    first = {"first_screen_s": watcher.seen.first_screen_s, "first_alert_s": watcher.seen.first_alert_s}
    latency = await _latency(world.metrics_port, dsn, world.clock)
    unanswered = judge_unanswered(
        await load_standing(dsn, homes), to_datetime(ended_at_ms), timedelta(seconds=_SLACK_REAL_S * world.clock.rate)
    )
    past = (
        await judge_past(dsn, PAST_EPOCH, to_datetime(world.clock.origin_ms), world.filled) if world.has_past else None
    )
    return build_report(uplinks, accounts, outcome, episodes, unanswered, first, latency, past)


async def _latency(metrics_port: int, dsn: str, clock: SharedClock) -> dict[str, dict[str, float | None]]:
    page = await asyncio.to_thread(read_metrics, metrics_port)
    rows = histogram_quantiles(page, "hb_store_device_to_row_seconds", (0.5, 0.99))
    frozen = to_datetime(clock.frozen_at_ms) if clock.frozen_at_ms else None
    delays = await alert_delays_ms(dsn, clock.rate, frozen)
    return {
        "device_to_row": {"p50": rows[0] and rows[0] * 1000, "p99": rows[1] and rows[1] * 1000},
        "device_to_alert": {"p50": quantile_of(delays, 0.5), "p99": quantile_of(delays, 0.99)},
    }
