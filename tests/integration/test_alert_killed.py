"""The process of alert, killed with SIGKILL wherever it may be: every incident alerts once, no notification is lost."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random

import pytest
from pydantic import SecretStr

from schemas.alerts import Severity
from services.runtime.database import Pool, open_pool
from services.runtime.settings import DatabaseSettings
from tests.integration.care_world import find, settle_in
from tests.integration.receivers import WebhookReceiver, key_file, webhook_receiver


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        yield opened


@asynccontextmanager
async def alert_process(dsn: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m services.alert`; dead when the block ends."""
    environment = {
        **os.environ,
        "HB_DB_DSN": dsn,
        "HB_ALERT_WEBHOOK_KEY_FILE": str(key_file()),
        "HB_ALERT_WEBHOOK_ALLOWED_NETWORKS": '["127.0.0.0/8"]',
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.alert", env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def until(pool: Pool, question: str, answer: int) -> None:
    """Waits for the database to say so."""
    for _ in range(600):
        if await pool.fetchval(question) == answer:
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"not {answer}: {question}")


async def test_it_stops_in_good_order_when_asked(dsn: str, pool: Pool) -> None:
    world = await settle_in(pool, emails=False)
    await find(pool, world)
    async with alert_process(dsn) as process:
        await until(pool, "select count(*) from findings where claimed_at is null", 0)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await process.wait() == 0


async def test_killed_again_and_again_it_alerts_every_incident_once(dsn: str, pool: Pool) -> None:
    random, homes = Random(7), 40
    async with webhook_receiver(200) as receiver:
        worlds = [await settle_in(pool, webhook=receiver.address, emails=False) for _ in range(homes)]
        await pool.execute("truncate alert_findings, notification_attempts, notifications, escalation_steps")
        for world in worlds[: homes // 2]:
            await find(pool, world, severity=Severity.HIGH)
        for round_no in range(5):
            async with alert_process(dsn):
                await asyncio.sleep(0.6 + random.random() * 0.6)
                for world in worlds[homes // 2 + 4 * round_no : homes // 2 + 4 * (round_no + 1)]:
                    await find(pool, world, severity=Severity.HIGH)
                await asyncio.sleep(random.random() * 0.2)
        await pool.execute("update notifications set leased_until = to_timestamp(0) where state = 'sending'")
        async with alert_process(dsn):
            await until(pool, "select count(*) from findings where claimed_at is null", 0)
            await until(pool, "select count(*) from notifications where state in ('pending', 'sending')", 0)

    home_numbers = [world.home_no for world in worlds]
    each = await pool.fetch(
        "select home_no, count(*) as alerts from alerts where home_no = any($1) group by home_no", home_numbers
    )
    assert [row["alerts"] for row in each] == [1] * homes
    assert await pool.fetchval("select count(*) from alert_findings") == homes
    keys = keys_of(receiver)
    assert len(set(keys)) == homes
    flagged = sum("hearthbeat-possible-duplicate" in call.headers for call in receiver.calls)
    assert len(keys) - homes <= flagged


def keys_of(receiver: WebhookReceiver) -> list[str]:
    """What the receiver would know a repetition by."""
    return [call.headers["idempotency-key"] for call in receiver.calls]


async def test_killed_between_sending_and_recording_it_repeats_once_and_says_so(dsn: str, pool: Pool) -> None:
    async with webhook_receiver("hang", 200) as receiver:
        world = await settle_in(pool, webhook=receiver.address, emails=False)
        arrived = asyncio.Event()
        receiver.on_call = arrived.set
        await find(pool, world, rule="fall", severity=Severity.HIGH)
        async with alert_process(dsn) as process, asyncio.timeout(20):
            await arrived.wait()
            process.kill()
            await process.wait()
        await pool.execute("update notifications set leased_until = to_timestamp(0) where state = 'sending'")
        async with alert_process(dsn):
            await until(pool, "select count(*) from notifications where state in ('pending', 'sending')", 0)

    first, second = receiver.calls
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert [("hearthbeat-possible-duplicate" in call.headers) for call in (first, second)] == [False, True]
    attempts = await pool.fetch(
        "select n.outcome, n.possible_duplicate from notification_attempts n join alerts a using (alert_id)"
        " where a.home_no = $1 order by n.attempt",
        world.home_no,
    )
    assert [tuple(row) for row in attempts] == [("unknown", False), ("sent", True)]
