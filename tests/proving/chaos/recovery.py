"""When a struck process does its work again, seen from outside: a marker gets through, a question is answered."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

import asyncpg

from deploy.platform.platform import Platform
from tests.proving.chaos.schedule import Strike

TOO_LONG_S: Final = 60.0
_EVERY_S: Final = 0.1
_ASKS_DATABASE: Final = frozenset({"alert", "medication", "watch"})

_MARKER_PASSED: Final = "select received_at > to_timestamp($1::float8 / 1000) from watermark"
_HAS_ASKED: Final = "select bool_or(query_start > $2) from pg_stat_activity where application_name = $1"
_NOW: Final = "select now()"


class NotRecoveredError(RuntimeError):
    """A process did not work again in time."""


async def recovered(platform: Platform, strike: Strike, now_ms: Callable[[], int]) -> float:
    """Waits until the target works again; real seconds from now, when it has been started. Raises NotRecoveredError.

    For what an uplink passes through: a marker sent from now on has passed store and score. For the console: it
    answers. For those that live off the database: they have asked it something.
    """
    began = time.monotonic()
    if strike.target == "api":
        await _until(platform, lambda: asyncio.to_thread(_answers, platform.console_url), strike)
    elif strike.target in _ASKS_DATABASE:
        since = await _ask(platform.stack.dsn, _NOW)
        await _until(platform, lambda: _ask(platform.stack.dsn, _HAS_ASKED, f"hb-{strike.target}", since), strike)
    else:
        sent_from = now_ms()
        await _until(platform, lambda: _ask(platform.stack.dsn, _MARKER_PASSED, sent_from), strike)
    return time.monotonic() - began


async def _until(platform: Platform, works: Callable[[], Awaitable[object]], strike: Strike) -> None:
    """Whoever ends meanwhile is started again, as by any supervisor."""
    deadline = time.monotonic() + TOO_LONG_S
    while not await works():
        platform.restart_ended()
        if time.monotonic() > deadline:
            raise NotRecoveredError(f"{strike.target} did not work again within {TOO_LONG_S:.0f} s of a {strike.way}")
        await asyncio.sleep(_EVERY_S)


async def _ask(dsn: str, question: str, *arguments: object) -> object:
    """The one value, or None while the database is away."""
    try:
        connection = await asyncpg.connect(dsn, timeout=2, command_timeout=2)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        return None
    try:
        return await connection.fetchval(question, *arguments)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        return None
    finally:
        connection.terminate()


def _answers(address: str) -> bool:
    try:
        with urlopen(f"{address}/healthz", timeout=2):  # noqa: S310 - loopback http
            return True
    except (URLError, OSError):
        return False
