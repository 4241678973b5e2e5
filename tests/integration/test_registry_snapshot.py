"""Ingest's snapshot of the registry: every kind of change is seen at the next look, and without one nothing is read."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import structlog
from asyncpg import Range
from pydantic import SecretStr

from services.ingest.snapshot import SnapshotKeeper
from services.runtime.clock import FakeClock
from services.runtime.database import Pool, open_pool
from services.runtime.settings import DatabaseSettings
from tests.integration.care_world import World, settle_in

if TYPE_CHECKING:
    from services.ingest.registry import Registry

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        yield opened


@pytest.fixture
async def world(pool: Pool) -> World:
    return await settle_in(pool)


async def bind(pool: Pool, world: World) -> None:
    """The device measures its person, since long ago."""
    await pool.execute(
        "insert into bindings (device_no, person_no, valid) values ($1, $2, $3)",
        world.device_no,
        world.person_no,
        Range(LONG_AGO, None),
    )


class Watched:
    """A snapshot and what its last look saw."""

    def __init__(self, pool: Pool) -> None:
        self._keeper = SnapshotKeeper(pool, structlog.get_logger(), FakeClock())
        self.registry: Registry = {}

    async def look(self) -> bool:
        """Whether the registry was read."""
        before = self.registry
        await self._keeper.look()
        found = await self._keeper.fresh(asyncio.Event())
        assert found is not None
        self.registry = found
        return found is not before


async def test_without_a_change_nothing_is_read_again(pool: Pool, world: World) -> None:
    watched = Watched(pool)
    assert await watched.look()
    assert world.device in watched.registry
    assert not await watched.look()


async def test_a_new_household_is_seen(pool: Pool, world: World) -> None:
    watched = Watched(pool)
    await watched.look()
    newcomer = await settle_in(pool)
    assert await watched.look()
    assert {world.device, newcomer.device} <= watched.registry.keys()


async def test_a_binding_its_end_and_its_removal_are_seen(pool: Pool, world: World) -> None:
    watched = Watched(pool)
    await bind(pool, world)
    await watched.look()
    assert watched.registry[world.device].person_at(1, 1_780_000_000_000) is not None
    ended = Range(LONG_AGO, datetime(2021, 1, 1, tzinfo=UTC))
    await pool.execute("update bindings set valid = $2 where device_no = $1", world.device_no, ended)
    assert await watched.look()
    assert watched.registry[world.device].person_at(1, 1_780_000_000_000) is None
    await pool.execute("delete from bindings where device_no = $1", world.device_no)
    assert await watched.look()
    assert not watched.registry[world.device].people


async def test_a_person_who_moves_is_seen(pool: Pool, world: World) -> None:
    watched = Watched(pool)
    await bind(pool, world)
    other = await settle_in(pool)
    await watched.look()
    await pool.execute("update people set home_no = $2 where person_no = $1", world.person_no, other.home_no)
    assert await watched.look()
    person = watched.registry[world.device].person_at(1, 1_780_000_000_000)
    assert person is not None
    assert person.home_no == other.home_no
