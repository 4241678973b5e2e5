"""Every process is killed while two hundred devices publish; nothing is lost, nobody is forgotten."""

import asyncio
import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local.settings import SERVERS, StackSettings
from deploy.local.stack import Stack
from deploy.platform.clock import SharedClock
from deploy.platform.fleet import Fleet
from deploy.platform.platform import Platform
from deploy.platform.services import SERVICES, ServiceProcess
from deploy.proof.accounts import compare, read_oracle
from deploy.proof.incidents import Incident, judge_incidents, load_alerted, read_truth

pytestmark = [pytest.mark.full_stack, pytest.mark.slow, pytest.mark.timeout(600)]

SEED = int(os.environ.get("HB_KILL_SEED", "5"))
HOMES = 48
SPEED = 120.0
RUNS_FOR_S = 110.0
QUIET_AT_THE_END_S = 35.0
"""Silence is not judged for 15 platform minutes after an outage of ours, and a frozen clock would never get there."""
HEAD_START_S = 6.0
SETTLES_S = 90.0


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Servers of our own, since they will be killed; mosquitto keeps nothing."""
    servers = Stack(StackSettings(name=f"kills-{os.getpid()}"))
    with servers:
        yield servers
    servers.erase()


def kill_everything(
    platform: Platform, simulator: ServiceProcess, clock: SharedClock, chance: random.Random
) -> list[tuple[str, int]]:
    """Kills each process in random order, again and again, and starts it anew; names and platform times."""
    kills: list[tuple[str, int]] = []
    waiting: list[str] = []
    while simulator.alive and clock.elapsed_s < RUNS_FOR_S - QUIET_AT_THE_END_S:
        if not waiting:
            waiting = chance.sample([*SERVICES, *SERVERS], k=len(SERVICES) + len(SERVERS))
        target = waiting.pop()
        kills.append((target, clock.now_ms()))
        if target in SERVERS:
            platform.stack.process(target).kill()
            time.sleep(chance.uniform(0, 1))
            platform.stack.process(target).start()
            platform.stack.process(target).wait_ready()
        else:
            platform.processes[target].kill()
        time.sleep(chance.uniform(0.5, 3))
        platform.restart_ended()
    return kills


def straddled(truth: list[Incident], kills: list[tuple[str, int]]) -> int:
    """Incidents under way while something was killed."""
    return sum(
        any(incident.starts_at_ms <= at <= incident.due_at_ms for _, at in kills)
        for incident in truth
        if incident.alert_expected
    )


async def settled(dsn: str, truth: list[Incident], now_ms: int) -> None:
    """Waits until no incident is missed any more, at most SETTLES_S."""
    deadline = time.monotonic() + SETTLES_S
    while time.monotonic() < deadline:
        if not judge_incidents(truth, await load_alerted(dsn), now_ms).missed:
            return
        await asyncio.sleep(1)


async def conflicts(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        found: int = await connection.fetchval("select coalesce(sum(conflicts), 0) from key_conflicts")
        return found
    finally:
        await connection.close()


def test_nothing_is_lost_and_every_incident_is_told_though_every_process_is_killed(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = SharedClock.starting_in(HEAD_START_S, rate=SPEED, runs_for_s=RUNS_FOR_S)
    with Platform(stack, clock, {"HB_SCORE_RESEND_AFTER_S": "5"}, tmp_path / "logs") as platform:
        fleet = Fleet(platform, tmp_path, homes=HOMES, seed=SEED)
        fleet.register()
        simulator = fleet.simulator(
            "run",
            "--seed", str(SEED), "--truth", str(fleet.path("truth.jsonl")), "--state", str(tmp_path / "state"),
        )  # fmt: skip
        simulator.start()
        time.sleep(max(0.0, 3 - clock.elapsed_s))
        kills = kill_everything(platform, simulator, clock, random.Random(SEED))
        while simulator.alive:
            platform.restart_ended()
            time.sleep(0.5)
        assert simulator.exit_code == 0, simulator.tail()
        truth = read_truth(fleet.path("truth.jsonl"))
        ended_at_ms = clock.now_ms()
        asyncio.run(settled(stack.dsn, truth, ended_at_ms))
        outcome = judge_incidents(truth, asyncio.run(load_alerted(stack.dsn)), ended_at_ms)
        found = platform.command("services.score", "export-state")
        undisturbed = platform.command("services.score", "replay-state")
    accounts = asyncio.run(compare(stack.dsn, read_oracle(fleet.path("oracle.jsonl"))))
    uplinks = fleet.summary()["uplinks"]
    devices = sum(len(home["devices"]) for home in json.loads(fleet.path("register.json").read_text())["homes"])
    with capsys.disabled():
        print(f"\nkills: {dict(Counter(name for name, _ in kills))}; devices: {devices}; uplinks: {uplinks}")  # noqa: T201
        print(f"incidents: {outcome.by_kind}; false: {outcome.false_alerts} {outcome.examples}")  # noqa: T201

    assert {name for name, _ in kills} == {*SERVICES, *SERVERS}
    assert devices >= 200
    assert uplinks["published"] >= 10_000
    assert straddled(truth, kills) >= 10
    assert accounts.balanced, accounts.examples
    assert uplinks["acked_end_to_end"] == uplinks["published"]
    assert asyncio.run(conflicts(stack.dsn)) == 0
    assert (outcome.missed, outcome.twice) == (0, 0), outcome.examples
    assert outcome.alerted >= 10
    assert found == undisturbed
