"""The servers that tests run against, started once a session; and what happens where the full stack can't be had."""

import asyncio
import os
from collections.abc import Callable, Iterator
from uuid import uuid4

import asyncpg
import pytest

from deploy.embedded.embedded import Embedded
from deploy.local.prepare import why_unavailable
from deploy.local.settings import StackSettings
from deploy.local.stack import Stack
from services.runtime.migrate import load_migrations, migrate

NOT_RUN = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects the full-stack tests where they can't run; `pytest_sessionfinish` makes that a failure."""
    if why_unavailable() is None:
        return
    wanting = [item for item in items if item.get_closest_marker("full_stack")]
    config.stash[NOT_RUN] = len(wanting)
    config.hook.pytest_deselected(items=wanting)
    items[:] = [item for item in items if item not in wanting]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Names what was not run, what tests measured, and the versions of what was run."""
    if not_run := config.stash.get(NOT_RUN, 0):
        terminalreporter.write_line(f"not run: {not_run} tests that need mosquitto, Apache Kafka and TimescaleDB")
    for line in config.stash.get(SAID, []):
        terminalreporter.write_line(line)
    for name, version in config.stash.get(VERSIONS, {}).items():
        terminalreporter.write_line(f"{name}: {version}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run without the full stack is no success, unless ALLOW_NO_FULL_STACK=1 says so."""
    if (
        session.config.stash.get(NOT_RUN, 0)
        and session.exitstatus == 0
        and os.environ.get("ALLOW_NO_FULL_STACK") != "1"
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


VERSIONS = pytest.StashKey[dict[str, str]]()
SAID = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Puts a line, a figure that a test measured, under the results."""
    return request.config.stash.setdefault(SAID, []).append


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """PostgreSQL and the MQTT broker from wheels."""
    with Embedded(tmp_path_factory.mktemp("embedded")) as servers:
        yield servers


@pytest.fixture(scope="session")
def full_stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """Mosquitto without persistence, Apache Kafka and TimescaleDB."""
    stack = Stack(StackSettings(name=f"test-{os.getpid()}"))
    with stack:
        request.config.stash[VERSIONS] = stack.versions()
        yield stack
    stack.erase()


async def create_database(server_dsn: str) -> str:
    """An empty database beside the one of ``server_dsn``; its address."""
    name = f"test_{uuid4().hex[:12]}"
    connection = await asyncpg.connect(server_dsn)
    try:
        await connection.execute(f'create database "{name}"')
    finally:
        await connection.close()
    return f"{server_dsn.rpartition('/')[0]}/{name}"


async def drop_database(server_dsn: str, dsn: str) -> None:
    """Removes what `create_database` made, whoever is still connected."""
    connection = await asyncpg.connect(server_dsn)
    try:
        await connection.execute(f'drop database "{dsn.rpartition("/")[2]}" with (force)')
    finally:
        await connection.close()


@pytest.fixture(scope="module", params=["postgresql", pytest.param("timescaledb", marks=pytest.mark.full_stack)])
def dsn(request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh, migrated database for each test module, on both editions."""
    server: Embedded | Stack = request.getfixturevalue("embedded" if request.param == "postgresql" else "full_stack")
    address = asyncio.run(create_database(server.dsn))
    asyncio.run(migrate(address, load_migrations("schemas.sql.migrations")))
    yield address
    asyncio.run(drop_database(server.dsn, address))


@pytest.fixture(scope="module")
def embedded_dsn(embedded: Embedded) -> Iterator[str]:
    """The same on the wheel's PostgreSQL alone, for long tables of cases that no edition answers differently."""
    address = asyncio.run(create_database(embedded.dsn))
    asyncio.run(migrate(address, load_migrations("schemas.sql.migrations")))
    yield address
    asyncio.run(drop_database(embedded.dsn, address))
