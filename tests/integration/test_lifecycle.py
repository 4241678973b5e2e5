"""What a signal does to a service, seen in a process of its own."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from unittest.mock import ANY

import pytest

PROGRAM = """
import asyncio, sys
from services.runtime.lifecycle import run_process

async def main(stop):
    print("begun", flush=True)
    {body}

run_process(main, grace_s=0.5)
"""
SERVICE = """
import asyncio, dataclasses
from schemas.metrics import METRICS
from services.runtime.lifecycle import run_service
from services.runtime.logs import logger
from services.runtime.settings import ClockSettings, LogSettings

@dataclasses.dataclass
class Settings:
    log: LogSettings
    clock: ClockSettings

async def run(settings, *, clock, stop, metrics):
    metrics.count("hb_store_retries_total")
    logger("one").info("not said at this level")
    logger("one").warning("said", rate=clock.rate)
    print("begun", flush=True)
    await stop.wait()

log, clock = LogSettings(log_level="warning"), ClockSettings(origin_ms=0, rate=60)
run_service(run, Settings(log, clock), METRICS)
"""
FINISHES = """
    await stop.wait()
    await asyncio.sleep(0.2)
    print("batch finished", flush=True)
"""
HANGS = """
    await asyncio.sleep(60)
"""
CRASHES = """
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(stop.wait())
        raise ValueError("broken")
"""
HANGS_WITH_RESOURCES = """
    try:
        await asyncio.sleep(60)
    finally:
        print("closed", flush=True)
"""
STARTS_S = 20.0


class Child:
    """A process that runs one of the programs above."""

    def __init__(self, program: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def begun(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "begun\n"

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def ended(self) -> tuple[int, str, str]:
        """Exit code, and what it said since it had begun."""
        said, complained = self._process.communicate(timeout=STARTS_S)
        return self._process.returncode, said, complained

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


@pytest.fixture
def children() -> Iterator[list[Child]]:
    started: list[Child] = []
    yield started
    for child in started:
        child.end()


def child_of(children: list[Child], body: str, program: str = PROGRAM) -> Child:
    child = Child(program.format(body=body.strip()) if body else program)
    children.append(child)
    child.begun()
    return child


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_batch_finish_and_the_exit_is_clean(children: list[Child], number: signal.Signals) -> None:
    child = child_of(children, FINISHES)
    child.signal(number)
    assert child.ended() == (0, "batch finished\n", "")


def test_a_second_signal_does_not_cut_the_batch_short(children: list[Child]) -> None:
    child = child_of(children, FINISHES)
    child.signal(signal.SIGTERM)
    child.signal(signal.SIGTERM)
    assert child.ended()[:2] == (0, "batch finished\n")


def test_what_hangs_is_cut_off_after_its_grace_period(children: list[Child]) -> None:
    child = child_of(children, HANGS)
    asked = time.monotonic()
    child.signal(signal.SIGTERM)
    code, _, complained = child.ended()
    assert code == 1
    assert "TimeoutError" in complained
    assert time.monotonic() - asked > 0.4


def test_resources_are_closed_even_when_it_is_cut_off(children: list[Child]) -> None:
    child = child_of(children, HANGS_WITH_RESOURCES)
    child.signal(signal.SIGTERM)
    assert child.ended()[:2] == (1, "closed\n")


def test_a_crash_is_an_exit_code_that_is_not_zero(children: list[Child]) -> None:
    code, _, complained = child_of(children, CRASHES).ended()
    assert code == 1
    assert "ValueError: broken" in complained


def test_a_service_has_the_log_and_the_clock_of_its_settings(children: list[Child]) -> None:
    child = child_of(children, "", SERVICE)
    child.signal(signal.SIGTERM)
    code, _, logged = child.ended()
    assert code == 0
    assert [json.loads(line) for line in logged.splitlines()] == [
        {"service": "one", "event": "said", "rate": 60.0, "level": "warning", "timestamp": ANY}
    ]
