"""Which databases can be brought up to date: empty ones, and those that began with this baseline."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from deploy.embedded.embedded import Embedded
from services.runtime.migrate import (
    BeforeBaselineError,
    ChangedMigrationError,
    Migration,
    migrate,
)
from tests.conftest import create_database, drop_database


def table(name: str, *, baseline: bool = True) -> Migration:
    return Migration(name=f"{name}.sql", sql=f"create table made_{name} ()", baseline=baseline)


FIRST, SECOND, LATER = table("0001_a"), table("0002_b"), table("0003_c", baseline=False)
#: As files were numbered before: some of the same name, some with higher numbers than any today.
OLD = (Migration(name=FIRST.name, sql="create table old ()"), table("0088_z"))


@pytest.fixture
async def empty(embedded: Embedded) -> AsyncIterator[str]:
    dsn = await create_database(embedded.dsn)
    yield dsn
    await drop_database(embedded.dsn, dsn)


async def tables(dsn: str) -> list[str]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("select tablename from pg_tables where tablename like 'made%' order by 1")
        return [row["tablename"] for row in rows]
    finally:
        await connection.close()


async def test_later_migrations_are_added_to_the_baseline(empty: str) -> None:
    await migrate(empty, [FIRST, SECOND])
    await migrate(empty, [FIRST, SECOND, LATER])
    await migrate(empty, [FIRST, SECOND, LATER])
    assert await tables(empty) == ["made_0001_a", "made_0002_b", "made_0003_c"]


async def test_a_run_that_was_cut_short_is_gone_on_with(empty: str) -> None:
    await migrate(empty, [FIRST])
    await migrate(empty, [FIRST, SECOND, LATER])
    assert await tables(empty) == ["made_0001_a", "made_0002_b", "made_0003_c"]


async def test_a_database_from_before_the_baseline_is_refused_and_left_alone(empty: str) -> None:
    await migrate(empty, OLD)
    before = await tables(empty)
    with pytest.raises(BeforeBaselineError, match=r"start afresh with an empty database\. .*0001_a"):
        await migrate(empty, [FIRST, SECOND, LATER])
    assert await tables(empty) == before


async def test_a_file_that_came_into_the_baseline_later_is_not_applied_after_others(empty: str) -> None:
    await migrate(empty, [FIRST, LATER])
    with pytest.raises(BeforeBaselineError):
        await migrate(empty, [FIRST, SECOND, LATER])
    assert await tables(empty) == ["made_0001_a", "made_0003_c"]


async def test_a_later_migration_that_was_applied_never_changes(empty: str) -> None:
    await migrate(empty, [FIRST, LATER])
    changed = Migration(name=LATER.name, sql="create table other ()")
    with pytest.raises(ChangedMigrationError, match="0003_c"):
        await migrate(empty, [FIRST, changed])
