"""What a signal does to a service, seen in a process of its own."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

PROGRAM = """
import asyncio, sys
from services.runtime.lifecycle import run_process

async def main(stop):
    print("begun", flush=True)
    {body}

run_process(main, grace_s=0.5)
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

    def __init__(self, body: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(body=body.strip())],
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


def child_of(children: list[Child], body: str) -> Child:
    child = Child(body)
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
