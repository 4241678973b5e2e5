"""A database without room: work waits and says so, nothing is lost, and it goes on without a restart."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import asyncpg
import psutil
import pytest

from deploy.local.ports import free_port
from deploy.local.prepare import root_directory
from deploy.local.settings import StackSettings
from deploy.local.small_disk import SmallDisk
from deploy.local.stack import Stack
from deploy.platform.fleet import Fleet
from deploy.platform.platform import Platform
from deploy.platform.ready import wait_ready
from deploy.reconcile.accounts import compare, read_oracle
from tests.proving.chaos.mailbox import Inbox, open_inbox

pytestmark = [pytest.mark.full_stack, pytest.mark.slow, pytest.mark.timeout(300)]

DEVICES = 50
SECONDS = 45
UPLINKS_PER_S = 200
FULL_S = 20
NOTIFIED_S = 20
MOST_MB = 300


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    servers = Stack(StackSettings(name=f"full-disk-{os.getpid()}"))
    with servers:
        yield servers
    servers.erase()


@pytest.fixture(scope="module")
def disk(stack: Stack) -> Iterator[SmallDisk]:
    """The platform's database lies on it, all but its log of writes."""
    pid = stack.process("postgresql").pid
    assert pid is not None
    with SmallDisk(pid, root_directory(stack.settings.local), "postgres", megabytes=160) as small:
        asyncio.run(move(stack.dsn, small.directory))
        yield small


async def move(dsn: str, directory: str) -> None:
    connection = await asyncpg.connect(f"{dsn.rpartition('/')[0]}/postgres")
    try:
        await connection.execute(f"create tablespace small location '{directory}'")
        for _ in range(100):  # TimescaleDB's own workers come and go in it
            try:
                await connection.execute("alter database hearthbeat set tablespace small")
            except asyncpg.ObjectInUseError:
                await asyncio.sleep(0.2)
            else:
                return
        pytest.fail("somebody always uses the database")
    finally:
        await connection.close()


def is_ready(platform: Platform, service: str) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{platform.metrics_ports[service]}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except HTTPError as refused:
        if refused.code == HTTPStatus.SERVICE_UNAVAILABLE:
            return False
        raise


def within(seconds: float, condition: Callable[[], bool], what: str) -> float:
    """How long it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, what
        time.sleep(0.2)
    return time.monotonic() - began


def megabytes(platform: Platform) -> dict[str, float]:
    return {name: psutil.Process(one.pid).memory_info().rss / 2**20 for name, one in platform.processes.items()}


def subjects(inbox: Inbox) -> list[str]:
    return [mail.subject for mail in inbox.mails]


def test_a_full_disk_makes_store_wait_and_nothing_is_lost_when_there_is_room_again(
    stack: Stack, disk: SmallDisk, tmp_path: Path
) -> None:
    port = free_port()
    operators = {
        "HB_WATCH_SMTP_HOST": "127.0.0.1",
        "HB_WATCH_SMTP_PORT": str(port),
        "HB_WATCH_OPERATORS": '["operator@example.org"]',
        "HB_WATCH_EVERY_S": "1",
    }
    with open_inbox(port) as inbox, Platform(stack, overrides=operators, logs=tmp_path / "logs") as platform:
        fleet = Fleet(platform, tmp_path, homes=0, seed=1)
        fleet.register("--load-devices", str(DEVICES))
        wait_ready(platform)
        pids = {name: process.pid for name, process in platform.processes.items()}
        load = fleet.simulator(
            "load", "--uplinks-per-s", str(UPLINKS_PER_S), "--seconds", str(SECONDS), "--memory-outbox", drain_s=90
        )
        load.start()
        time.sleep(5)
        assert is_ready(platform, "store")

        disk.fill()
        within(15, lambda: not is_ready(platform, "store"), "store did not say that it waits")
        time.sleep(FULL_S)
        assert not is_ready(platform, "store")
        platform.check_alive()
        largest = megabytes(platform)
        # The mail server refuses one in four, and each attempt of watch is a mail of its own: three may be refused.
        within(NOTIFIED_S, lambda: any("service waits" in one for one in subjects(inbox)), "operators heard nothing")

        disk.free()
        recovered_s = within(30, lambda: is_ready(platform, "store"), "store did not go on")
        while load.alive:
            platform.check_alive()
            time.sleep(0.5)
        assert load.exit_code == 0, load.tail()
        assert {name: process.pid for name, process in platform.processes.items()} == pids
    accounts = asyncio.run(compare(stack.dsn, read_oracle(fleet.path("oracle.jsonl"))))
    print(f"{accounts.uplinks} uplinks; went on {recovered_s:.1f} s after there was room; MB: {largest}")  # noqa: T201
    assert accounts.uplinks >= UPLINKS_PER_S * SECONDS * 0.95
    assert accounts.balanced, accounts.examples
    assert max(largest.values()) < MOST_MB, largest
