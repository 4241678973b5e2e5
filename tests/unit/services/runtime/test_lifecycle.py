"""How a service ends. What signals do is seen in a child process: tests/integration/test_lifecycle.py."""

import asyncio

import pytest

from services.runtime.errors import ConnectionEndedError, HearthBeatError, RetryLaterError
from services.runtime.lifecycle import serve


async def test_a_service_that_is_done_ends() -> None:
    seen = []

    async def main(stop: asyncio.Event) -> None:
        await asyncio.sleep(0)
        seen.append(stop.is_set())

    await serve(main, grace_s=0.01)
    assert seen == [False]


async def test_a_crash_is_passed_on() -> None:
    async def main(_stop: asyncio.Event) -> None:
        await asyncio.sleep(0)
        raise ConnectionEndedError

    with pytest.raises(ConnectionEndedError):
        await serve(main, grace_s=0.01)


async def test_the_grace_period_begins_with_the_signal_and_not_before() -> None:
    async def main(_stop: asyncio.Event) -> None:
        await asyncio.sleep(0.05)

    await serve(main, grace_s=0.001)


def test_an_error_says_what_its_documentation_says() -> None:
    assert str(RetryLaterError()) == "A server can't take this now; nothing is lost, try again."
    assert str(ConnectionEndedError("ingest-0")).endswith("has ended. ingest-0")
    assert issubclass(RetryLaterError, HearthBeatError)
