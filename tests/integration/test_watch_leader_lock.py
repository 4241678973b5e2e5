"""Of two watches one is at work."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from structlog.testing import CapturingLogger

from services.runtime.database import Pool, load_queries, open_pool
from services.runtime.settings import DatabaseSettings
from services.watch import leader_lock as leader_locks
from services.watch.leader_lock import LeaderLock, LeaderLockTakenError, keep_leader_lock, wait_for_leader_lock

SQL = load_queries("services.watch")
_CUT = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1"


@pytest.fixture
async def pools(embedded_dsn: str) -> AsyncIterator[tuple[Pool, Pool]]:
    settings = DatabaseSettings(dsn=SecretStr(embedded_dsn), pool_size=2)
    async with open_pool(settings, application="one") as one, open_pool(settings, application="two") as two:
        yield one, two


async def test_the_second_waits_and_takes_over_when_the_first_leaves(
    pools: tuple[Pool, Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leader_locks, "_AGAIN_S", 0.05)
    first, second, log = LeaderLock(pools[0], SQL), LeaderLock(pools[1], SQL), CapturingLogger()
    assert await first.take()
    waiting = asyncio.create_task(wait_for_leader_lock(second, asyncio.Event(), log))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    assert [call.args for call in log.calls] == [("another watch is at work",)]

    await first.leave()
    assert await asyncio.wait_for(waiting, 5)
    assert await second.take()
    assert not await first.take()
    await second.leave()


async def test_one_that_is_stopped_while_it_waits_goes_no_further(pools: tuple[Pool, Pool]) -> None:
    first, second, stop = LeaderLock(pools[0], SQL), LeaderLock(pools[1], SQL), asyncio.Event()
    assert await first.take()
    waiting = asyncio.create_task(wait_for_leader_lock(second, stop, CapturingLogger()))
    await asyncio.sleep(0.1)
    stop.set()
    assert not await asyncio.wait_for(waiting, 5)
    await first.leave()


async def test_one_that_lost_its_connection_takes_the_lock_again(
    pools: tuple[Pool, Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leader_locks, "_AGAIN_S", 0.05)
    first, second, stop = LeaderLock(pools[0], SQL), LeaderLock(pools[1], SQL), asyncio.Event()
    assert await first.take()
    keeping = asyncio.create_task(keep_leader_lock(first, stop))
    await pools[1].execute(_CUT, "one")
    await asyncio.sleep(0.5)
    assert not keeping.done()
    assert not await second.take()
    stop.set()
    await keeping


async def test_one_whose_lock_somebody_else_keeps_ends_and_not_for_a_single_refusal(
    pools: tuple[Pool, Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal or two may be a connection of its own that the server still holds."""
    monkeypatch.setattr(leader_locks, "_AGAIN_S", 0.05)
    first, second = LeaderLock(pools[0], SQL), LeaderLock(pools[1], SQL)
    assert await second.take()
    began = asyncio.get_running_loop().time()
    with pytest.raises(LeaderLockTakenError):
        await asyncio.wait_for(keep_leader_lock(first, asyncio.Event()), 5)
    assert asyncio.get_running_loop().time() - began > 3 * 0.05
    await second.leave()


async def test_without_a_database_a_watch_begins_all_the_same() -> None:
    nobody = DatabaseSettings(dsn=SecretStr("postgresql://hearth:secret@127.0.0.1:1/hearth"))
    async with open_pool(nobody, application="one") as pool:
        leader_lock = LeaderLock(pool, SQL)
        assert await asyncio.wait_for(wait_for_leader_lock(leader_lock, asyncio.Event(), CapturingLogger()), 5)
        await leader_lock.leave()
