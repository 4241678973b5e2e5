"""An empty, migrated PostgreSQL of its own for a measurement, with as many people as it takes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pydantic import SecretStr

from deploy.embedded.embedded import Embedded
from services.runtime.database import Pool, load_queries, open_pool
from services.runtime.migrate import load_migrations, migrate
from services.runtime.settings import DatabaseSettings
from tests.proving.capacity.demand import DEVICES_A_PERSON

SQL: Final = load_queries("tests.proving.capacity", "world.sql")
_TO_FILL_S: Final = 600.0


@asynccontextmanager
async def empty_database() -> AsyncIterator[str]:
    """Its address. It ends with the block, and its files with it."""
    with TemporaryDirectory(prefix="capacity-") as directory:
        servers = Embedded(Path(directory))
        try:
            await asyncio.to_thread(servers.start)
            await migrate(servers.dsn, load_migrations("schemas.sql.migrations"))
            yield servers.dsn
        finally:
            await asyncio.to_thread(servers.stop)


async def register(dsn: str, people: int) -> None:
    """So many people in as many homes, each with their devices."""
    settings = DatabaseSettings(dsn=SecretStr(dsn), command_timeout_s=_TO_FILL_S)
    async with open_pool(settings, application="capacity") as pool:
        await pool.execute(SQL["homes"], people)
        await pool.execute(SQL["people"])
        await pool.execute(SQL["devices"], DEVICES_A_PERSON)
        await pool.execute(SQL["bindings"])
        await pool.execute("analyze")


@asynccontextmanager
async def as_a_service(dsn: str) -> AsyncIterator[Pool]:
    """A pool with the limits of time that a service has."""
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="capacity") as pool:
        yield pool
