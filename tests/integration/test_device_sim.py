"""The simulator against a real broker and the smallest platform: what it publishes is settled, whatever is killed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy.embedded.embedded import Embedded
from device_sim.clock import SimClock
from device_sim.fleet import make_fleet
from device_sim.incident import NearMissKind
from device_sim.incidents import IncidentPlan
from device_sim.oracle import Oracle, read_oracle
from device_sim.outbox import Limits
from device_sim.outbox_store import SqliteStore
from device_sim.physiology import MINUTE_MS, Span
from device_sim.publish import Broker
from device_sim.run import Run
from device_sim.simulate import make_sources
from device_sim.world import make_world
from schemas.codec import encode_command
from schemas.messages import Command, CommandKind
from schemas.topics import shard_of
from tests.integration.fake_platform import FakePlatform

pytestmark = pytest.mark.embedded
RATE = 600.0
START_MS = 1_763_886_600_000


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """Servers of its own, since the broker is killed."""
    with Embedded(tmp_path_factory.mktemp("simulated")) as running:
        yield running


@pytest.fixture
def platform(servers: Embedded) -> Iterator[FakePlatform]:
    with FakePlatform(servers.mqtt_host, servers.mqtt_port) as running:
        yield running


def clock(*, seconds: float) -> SimClock:
    return SimClock(
        origin_ms=START_MS,
        origin_monotonic=time.monotonic(),
        rate=RATE,
        frozen_at_ms=START_MS + round(seconds * RATE * 1000),
    )


def made(
    servers: Embedded,
    directory: Path,
    *,
    seconds: float,
    seed: int,
    faults: bool = False,
    mqtt: int = 5,
    plan: IncidentPlan | None = None,
) -> tuple[Run, SqliteStore]:
    if plan is None:
        world = make_world(make_fleet(homes=4, seed=seed, start_ms=START_MS), seed)
        plan = IncidentPlan(world, start_ms=START_MS, rate=RATE)
    store = SqliteStore(directory / "outbox.sqlite")
    port = servers.mqtt_port if mqtt == 5 else servers.mqtt_port_v311
    run = Run(
        make_sources(plan, faults=faults),
        clock=clock(seconds=seconds),
        store=store,
        oracle=Oracle(directory / "oracle.jsonl"),
        broker=Broker(host=servers.mqtt_host, port=port, mqtt=mqtt, passwords={}),
        limits=Limits(resend_after_s=0.5),
        seed=seed,
    )
    return run, store


def drive(
    run: Run, store: SqliteStore, *, drain_s: float = 30, meanwhile: Callable[[], None] | None = None
) -> dict[str, Any]:
    """A whole run; ``meanwhile`` happens beside it."""
    beside = threading.Thread(target=meanwhile or (lambda: None))
    beside.start()
    while not run.clock.frozen:
        run.step()
    beside.join()
    run.take_rest()
    run.drain(drain_s, lambda: None, given_up=lambda: False)
    run.close()
    store.close()
    return run.summary()


def published(directory: Path) -> set[tuple[str, int, int]]:
    lines = [line[:3] for line in read_oracle(directory / "oracle.jsonl")]
    assert len(lines) == len(set(lines))
    return set(lines)


@pytest.mark.parametrize("mqtt", [5, 3])
def test_everything_published_is_acknowledged_end_to_end(
    servers: Embedded, platform: FakePlatform, tmp_path: Path, mqtt: int
) -> None:
    run, store = made(servers, tmp_path, seconds=3, seed=10 + mqtt, mqtt=mqtt)
    summary = drive(run, store)
    assert summary["drained"]
    assert published(tmp_path) == platform.settled
    assert summary["uplinks"]["published"] == summary["uplinks"]["acked_end_to_end"] > 100
    assert summary["uplinks"]["abandoned"] == 0


def test_a_device_that_is_away_measures_on_and_sends_it_all_when_it_is_back(
    servers: Embedded, platform: FakePlatform, tmp_path: Path
) -> None:
    """Away from minute 5 to minute 25 of 30; ``seen`` is what the platform has by minute 22 or so."""
    world = make_world(make_fleet(homes=2, seed=23, start_ms=START_MS), 23)
    plan = IncidentPlan(world, start_ms=START_MS, rate=RATE, enabled=False)
    band, other = [device for device in world.devices if device.type == "wearable_band"][:2]
    away = Span(START_MS + 5 * MINUTE_MS, START_MS + 25 * MINUTE_MS)
    at, busy = away.first_ms, Span(START_MS, START_MS + 30 * MINUTE_MS)
    plan.add(replace(plan.nearly(0, NearMissKind.CGM_BACKLOG, band, at, busy), away=away))
    run, store = made(servers, tmp_path, seconds=3, seed=23, plan=plan)
    seen: Counter[str] = Counter()

    def look() -> None:
        time.sleep(run.clock.real_s_until(START_MS + 22 * MINUTE_MS))
        seen.update(device for device, _, _ in list(platform.settled))

    assert drive(run, store, meanwhile=look)["drained"]
    assert seen[band.device] < 10 < seen[other.device]
    assert Counter(device for device, _, _ in platform.settled)[band.device] >= 30
    assert published(tmp_path) == platform.settled


def test_faults_and_lost_storage_lose_nothing(servers: Embedded, platform: FakePlatform, tmp_path: Path) -> None:
    run, store = made(servers, tmp_path, seconds=5, seed=19, faults=True)
    summary = drive(run, store)
    epochs = {(device, epoch) for device, epoch, _ in published(tmp_path)}
    assert published(tmp_path) == platform.settled
    assert {"drop", "delay", "duplicate", "reorder"} & set(summary["faults"])
    assert summary["faults"]["lost_storage"] >= 1
    assert len(epochs) > len({device for device, _ in epochs})


def test_a_broker_killed_without_persistence_costs_nothing(
    servers: Embedded, platform: FakePlatform, tmp_path: Path
) -> None:
    def kill() -> None:
        for _ in range(2):
            time.sleep(1)
            servers.process("mqtt").kill()
            servers.process("mqtt").start()

    run, store = made(servers, tmp_path, seconds=5, seed=4)
    summary = drive(run, store, meanwhile=kill)
    assert summary["drained"]
    assert summary["disconnects"] >= len(run.devices)
    assert published(tmp_path) == platform.settled


def test_what_a_deaf_platform_did_not_keep_is_sent_again(
    servers: Embedded, platform: FakePlatform, tmp_path: Path
) -> None:
    def be_deaf() -> None:
        platform.deaf = True
        time.sleep(2)
        platform.deaf = False

    run, store = made(servers, tmp_path, seconds=3, seed=5)
    summary = drive(run, store, meanwhile=be_deaf)
    assert summary["drained"]
    assert summary["uplinks"]["sent_again"] > 50
    assert published(tmp_path) == platform.settled


def test_a_simulator_that_was_restarted_goes_on_where_it_stopped(
    servers: Embedded, platform: FakePlatform, tmp_path: Path
) -> None:
    platform.deaf = True
    run, store = made(servers, tmp_path, seconds=2, seed=6)
    first = drive(run, store, drain_s=0)
    assert first["uplinks"]["acked_end_to_end"] == 0
    before = published(tmp_path)
    platform.deaf = False
    again, store = made(servers, tmp_path, seconds=4, seed=6)
    summary = drive(again, store)
    after = published(tmp_path)
    assert summary["drained"]
    assert before < after == platform.settled
    for device, epoch in {(device, epoch) for device, epoch, _ in after}:
        numbers = sorted(seq for one, other, seq in after if (one, other) == (device, epoch))
        assert numbers == list(range(len(numbers)))
    assert len({device for device, _, _ in after}) == len({(device, epoch) for device, epoch, _ in after})


def test_a_command_is_answered_by_an_event(servers: Embedded, platform: FakePlatform, tmp_path: Path) -> None:
    def ask() -> None:
        platform.wait_until_heard(100)
        command = Command(id="ask-1", kind=CommandKind.REMIND_DOSE, expires_at=START_MS * 2)
        platform.command(shard_of("dispenser-000"), "dispenser-000", encode_command(command))

    run, store = made(servers, tmp_path, seconds=4, seed=7)
    summary = drive(run, store, meanwhile=ask)
    assert summary["commands"] == {"remind_dose": 1}
    assert published(tmp_path) == platform.settled


def command_line(*arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "device_sim", *arguments], env=os.environ | environment)


def test_the_command_drains_on_sigterm_and_says_what_it_did(
    servers: Embedded, platform: FakePlatform, tmp_path: Path
) -> None:
    register = str(tmp_path / "register.json")
    assert command_line("fleet", "--homes", "3", "--seed", "8", "--register", register).wait(30) == 0
    files = [f"--{name}={tmp_path / name}" for name in ("truth", "oracle", "summary", "state")]
    origin = {"HB_CLOCK_RATE": "60", "HB_CLOCK_ORIGIN_MS": str(time.time_ns() // 1_000_000)}
    running = command_line(
        "run",
        "--register",
        register,
        "--port",
        str(servers.mqtt_port),
        "--seed=8",
        "--resend-after=1",
        *files,
        **origin,
    )
    platform.wait_until_heard(30)
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 0
    uplinks = json.loads((tmp_path / "summary").read_text())["uplinks"]
    assert uplinks["published"] == uplinks["acked_end_to_end"] == len(platform.settled)
    assert (tmp_path / "truth").read_text().startswith('{"incident":"sos-0"')


def test_the_load_generator_loses_nothing_and_measures_itself(
    servers: Embedded, platform: FakePlatform, tmp_path: Path
) -> None:
    register, oracle, summary = (str(tmp_path / name) for name in ("register.json", "oracle.jsonl", "summary.json"))
    assert command_line("fleet", "--load-devices", "50", "--register", register).wait(30) == 0
    arguments = ("--register", register, "--port", str(servers.mqtt_port), "--oracle", oracle, "--summary", summary)
    stage = tmp_path / "stage"
    options = ("--presses-per-s", "10", "--stage", str(stage), "--memory-outbox")
    running = command_line("load", *arguments, "--uplinks-per-s", "400", "--seconds", "2", *options)
    assert running.wait(60) == 0
    said = json.loads(Path(summary).read_text())
    assert sum(uplinks for _device, _epoch, uplinks in said["books"]) == said["uplinks"]["published"] == 800
    assert len({press["device"] for press in said["presses"]}) == len(said["presses"]) == said["events_published"] > 15
    assert stage.read_text() == "ended"
    assert said["uplinks"]["acked_end_to_end"] == said["uplinks"]["published"] == len(published(tmp_path))
    assert published(tmp_path) == platform.settled
    assert said["generator"]["connections"] == 50
    assert said["sustained"]["uplinks_per_s"] > 300
