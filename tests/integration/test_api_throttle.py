"""What is asked at each sign-in costs the same however much somebody has tried; counted in rows of 100,000 attempts."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import asyncpg
import pytest

from services.api.core import MOST_OF_ACCOUNT, MOST_OF_ADDRESS, MOST_TOGETHER
from services.runtime.database import load_queries

SQL = load_queries("services.api", "sign_in.sql")
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
SINCE = NOW - timedelta(minutes=15)
ATTEMPTS = 100_000
COUNTED_TO = 30
VICTIM, SOMEBODY = (sha256(name).digest() for name in (b"doctor@example.org", b"somebody@example.org"))
FLOODS = {
    "of one account from one address": "$1::bytea, 'here'",
    "of one account from everywhere": "$1::bytea, 'from ' || number",
    "of every account from one address": "$1::bytea || number::text::bytea, 'here'",
}


@pytest.fixture
async def connection(dsn: str) -> AsyncIterator[Any]:
    """Without a cache of statements, so that each is planned as it is asked to be."""
    opened = await asyncpg.connect(dsn, statement_cache_size=0)
    yield opened
    await opened.close()


async def flood(connection: Any, who_where: str, *, analyzed: bool) -> None:
    """Attempts of the last 14 minutes, every other one refused, all but a few with the browser's own cookie."""
    await connection.execute("alter table sign_in_attempts set (autovacuum_enabled = off)")  # says when it is analyzed
    await connection.execute("truncate sign_in_attempts")
    await connection.execute(
        "insert into sign_in_attempts (account, address, attempted_at, outcome, cookie_no)"  # noqa: S608 - a test's own
        f" select {who_where}, $2::timestamptz + number * interval '8 milliseconds',"
        "  case when number % 2 = 0 then 'failed' else 'refused' end, case when number > 20 then 7 end"
        f" from generate_series(1, {ATTEMPTS}) as number",
        VICTIM,
        NOW - timedelta(minutes=14),
    )
    if analyzed:
        await connection.execute("vacuum analyze sign_in_attempts")


def scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every node that reads a table or an index."""
    if "Scan" in plan["Node Type"]:
        yield plan
    for below in plan.get("Plans", ()):
        yield from scans(below)


async def rows_read(connection: Any, query: str, arguments: str) -> float:
    """How many rows the scans of a query looked at, those it threw away included."""
    await connection.execute(f"prepare asked as {query}")
    plan = await connection.fetchval(f"explain (analyze, buffers, format json) execute asked({arguments})")
    await connection.execute("deallocate asked")
    wasted = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    read: float = sum(
        node["Actual Loops"] * (node["Actual Rows"] + sum(node.get(name, 0) for name in wasted))
        for node in scans(json.loads(plan)[0]["Plan"])
    )
    return read


@pytest.mark.parametrize("analyzed", [False, True], ids=["never-analyzed", "analyzed"])
@pytest.mark.parametrize("what", FLOODS)
async def test_a_flood_of_attempts_makes_no_question_dearer(connection: Any, what: str, *, analyzed: bool) -> None:
    await flood(connection, FLOODS[what], analyzed=analyzed)
    for mode in ("force_generic_plan", "force_custom_plan"):
        await connection.execute(f"set plan_cache_mode = {mode}")
        for account in (VICTIM, SOMEBODY):
            for address in ("here", "elsewhere"):
                for cookie in ("null", "7"):
                    asked = f"'\\x{account.hex()}', '{address}', {2**62}, '{SINCE}', {cookie}"
                    read = await rows_read(connection, SQL["recent_failures"], asked)
                    assert read <= 4 * COUNTED_TO + 2, (mode, asked)


async def test_forgetting_looks_at_the_oldest_alone(connection: Any) -> None:
    await flood(connection, FLOODS["of every account from one address"], analyzed=True)
    for before in (NOW - timedelta(days=30), NOW):
        async with connection.transaction():
            assert await rows_read(connection, SQL["forget_attempts"], f"'{before}'") <= 200


async def test_counts_end_where_no_limit_is_any_more(connection: Any) -> None:
    await flood(connection, FLOODS["of one account from one address"], analyzed=False)
    past = await connection.fetchrow(SQL["recent_failures"], VICTIM, "here", 2**62, SINCE, 7)

    assert max(MOST_TOGETHER, MOST_OF_ACCOUNT, MOST_OF_ADDRESS) <= COUNTED_TO
    counted = [past[name] for name in ("together", "of_address", "of_account", "of_device")]
    assert counted == [COUNTED_TO] * 4
    assert past["newest_of_account"] == NOW - timedelta(minutes=14) + ATTEMPTS * timedelta(milliseconds=8)
