"""Rounds go on while there is more, rest when there is nothing, and outlive a database that is away."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
import structlog
from asyncpg import DiskFullError

from schemas.metrics import METRICS
from services.runtime.clock import FakeClock
from services.runtime.errors import RetryLaterError
from services.runtime.metrics import Metrics
from services.runtime.rounds import do_rounds

LOG: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rests a tenth as long as the product after a server was away."""
    monkeypatch.setattr("services.runtime.rounds._AWAY_S", 0.05)


def answers(stop: asyncio.Event, *given: int | Exception) -> tuple[list[float], Callable[[], Awaitable[int]]]:
    """A round that gives ``given`` one after the other, then stops; and when it was called."""
    called: list[float] = []

    async def one() -> int:
        called.append(time.monotonic())
        if len(called) >= len(given):
            stop.set()
        answer = given[len(called) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return called, one


async def test_a_round_that_found_something_is_followed_by_another_at_once() -> None:
    stop = asyncio.Event()
    called, one = answers(stop, 5, 1, 0)

    await do_rounds(one, stop, clock=FakeClock(), every_s=30, log=LOG, metrics=Metrics(METRICS))

    assert len(called) == 3
    assert called[-1] - called[0] < 5


async def test_it_rests_until_it_is_woken() -> None:
    stop, wake = asyncio.Event(), asyncio.Event()
    called, one = answers(stop, 0, 0)
    asyncio.get_running_loop().call_later(0.05, wake.set)

    await do_rounds(one, stop, clock=FakeClock(), every_s=30, log=LOG, metrics=Metrics(METRICS), wake=wake)

    assert 0.04 <= called[1] - called[0] < 5


async def test_a_round_that_found_something_wakes_who_works_on_it_and_an_empty_one_does_not() -> None:
    stop, others = asyncio.Event(), [asyncio.Event(), asyncio.Event()]
    woken: list[bool] = []
    _, give = answers(stop, 0, 3, 0)

    async def one() -> int:
        woken.append(any(other.is_set() for other in others))
        return await give()

    await do_rounds(one, stop, clock=FakeClock(), every_s=0.001, log=LOG, metrics=Metrics(METRICS), wakes=others)

    assert woken == [False, False, True]
    assert all(other.is_set() for other in others)


async def test_stopping_ends_the_rest() -> None:
    stop = asyncio.Event()

    async def nothing() -> int:
        asyncio.get_running_loop().call_later(0.05, stop.set)
        return 0

    async with asyncio.timeout(5):
        await do_rounds(nothing, stop, clock=FakeClock(), every_s=30, log=LOG, metrics=Metrics(METRICS))

    assert stop.is_set()


async def test_a_server_that_is_away_is_tried_again() -> None:
    stop = asyncio.Event()
    called, one = answers(stop, ConnectionRefusedError(), RetryLaterError(), 0)

    await do_rounds(one, stop, clock=FakeClock(), every_s=0.01, log=LOG, metrics=Metrics(METRICS))

    assert len(called) == 3


async def test_a_process_is_not_ready_while_its_rounds_wait_for_the_database() -> None:
    stop, metrics = asyncio.Event(), Metrics(METRICS)
    waiting: list[list[str]] = []

    async def one() -> int:
        waiting.append(list(metrics.waiting))
        if len(waiting) == 1:
            raise DiskFullError
        if len(waiting) == 3:
            stop.set()
        return 1

    await do_rounds(one, stop, clock=FakeClock(), every_s=0.01, log=LOG, metrics=metrics)

    assert waiting == [[], ["database"], []]


async def test_a_beat_of_the_clock_ends_a_rest_and_rounds_are_counted_by_the_name_of_their_task() -> None:
    stop, clock, metrics = asyncio.Event(), FakeClock(beat=1), Metrics(METRICS)
    called, one = answers(stop, 0, 0)

    def beat() -> None:
        clock.beat += 1

    asyncio.get_running_loop().call_later(0.05, beat)
    work = do_rounds(one, stop, clock=clock, every_s=30, log=LOG, metrics=metrics)
    await asyncio.create_task(work, name="looking")

    assert 0.04 <= called[1] - called[0] < 5
    assert metrics.registry.get_sample_value("hb_process_rounds_total", {"work": "looking"}) == 2
