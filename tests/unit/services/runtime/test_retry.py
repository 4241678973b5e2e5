"""Work is tried again until it works or it is time to stop; meanwhile it shows what is missing."""

import asyncio
from collections.abc import Awaitable, Callable
from ssl import SSLCertVerificationError

import pytest
import structlog
from asyncpg import DiskFullError
from asyncpg.exceptions import ClientConfigurationError
from structlog.testing import capture_logs

from schemas.metrics import METRICS
from services.runtime.errors import RetryLaterError
from services.runtime.metrics import Metrics, Server
from services.runtime.retry import GaveUpError, Retry

COUNTER = "hb_store_retries_total"


def failing(*errors: Exception, gives: int = 7) -> tuple[list[int], Callable[[], Awaitable[int]]]:
    """An attempt that raises ``errors`` one after the other, then works; and the attempts made."""
    made: list[int] = []

    async def attempt() -> int:
        made.append(len(made))
        if len(made) <= len(errors):
            raise errors[len(made) - 1]
        return gives

    return made, attempt


def retry(metrics: Metrics, *, every_s: float = 0.001) -> Retry:
    return Retry(
        every_s=every_s,
        log=structlog.get_logger(),
        metrics=metrics,
        on=Server.DATABASE,
        counter=COUNTER,
        says="database away",
    )


async def test_what_works_is_done_once_and_its_answer_given() -> None:
    made, attempt = failing()
    assert await retry(Metrics(METRICS)).until_done(attempt, asyncio.Event()) == 7
    assert made == [0]


async def test_what_fails_is_tried_again_counted_and_said() -> None:
    made, attempt = failing(ConnectionRefusedError(), DiskFullError("no room for 'Ann'"))
    metrics = Metrics(METRICS)

    with capture_logs() as said:
        assert await retry(metrics).until_done(attempt, asyncio.Event(), records=3) == 7

    assert len(made) == 3
    assert metrics.registry.get_sample_value(COUNTER) == 2
    assert [(one["event"], one["error"], one["records"]) for one in said] == [
        ("database away", "ConnectionRefusedError", 3),
        ("database away", "DiskFullError", 3),
    ]


async def test_a_process_is_not_ready_until_it_has_worked() -> None:
    metrics, waiting = Metrics(METRICS), list[list[str]]()
    _, attempt = failing(ConnectionResetError())

    async def seen() -> int:
        waiting.append(list(metrics.waiting))
        return await attempt()

    await retry(metrics).until_done(seen, asyncio.Event())
    assert (waiting, metrics.waiting) == ([[], ["database"]], [])


async def test_stopping_ends_the_rest_and_what_was_not_done_stays_so() -> None:
    made, attempt = failing(*[OSError()] * 100)
    stop, metrics = asyncio.Event(), Metrics(METRICS)
    asyncio.get_running_loop().call_later(0.02, stop.set)

    async with asyncio.timeout(5):
        with pytest.raises(GaveUpError):
            await retry(metrics, every_s=60).until_done(attempt, stop)

    assert (len(made), metrics.waiting) == (1, ["database"])


async def test_after_the_signal_there_is_one_attempt_and_no_rest() -> None:
    stop = asyncio.Event()
    stop.set()
    works, good = failing()
    fails, bad = failing(OSError())

    async def never(_seconds: float) -> None:
        pytest.fail("rested")

    assert await retry(Metrics(METRICS)).until_done(good, stop) == 7
    with pytest.raises(GaveUpError):
        await retry(Metrics(METRICS)).until_done(bad, stop, rest=never)
    assert (works, fails) == ([0], [0])


async def test_a_rest_of_ones_own_takes_the_place_of_sleep() -> None:
    rests = list[float]()

    async def hold(seconds: float) -> None:
        rests.append(seconds)

    _, attempt = failing(OSError(), OSError())
    assert await retry(Metrics(METRICS), every_s=60).until_done(attempt, asyncio.Event(), rest=hold) == 7
    assert rests == [60, 60]


@pytest.mark.parametrize("error", [ClientConfigurationError("port"), SSLCertVerificationError()])
async def test_an_argument_that_does_not_fit_is_raised_at_once(error: Exception) -> None:
    made, attempt = failing(error)
    with pytest.raises(type(error)):
        await retry(Metrics(METRICS)).until_done(attempt, asyncio.Event())
    assert made == [0]


@pytest.mark.parametrize("error", [RetryLaterError(), GaveUpError(), KeyError()])
async def test_any_other_error_is_raised_at_once(error: Exception) -> None:
    made, attempt = failing(error)
    with pytest.raises(type(error)):
        await retry(Metrics(METRICS)).until_done(attempt, asyncio.Event())
    assert made == [0]


async def test_of_a_bus_the_log_says_why_and_only_what_is_asked_for_is_shown() -> None:
    refused = RetryLaterError("topic a")
    refused.__cause__ = OSError("node 1 is not ready")
    _, attempt = failing(refused, RetryLaterError("topic b"))

    with capture_logs() as said:
        bare = Retry(errors=(RetryLaterError,), every_s=0.001, log=structlog.get_logger(), says="no")
        await bare.until_done(attempt, asyncio.Event())

    assert said[0]["error"] == "node 1 is not ready"
    assert said[1]["error"].endswith("topic b")
