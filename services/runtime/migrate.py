"""Applies the numbered SQL files to a database, once each, and says which edition it found."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Final

import asyncpg

from services.runtime.errors import HearthBeatError

LOCK: Final = 7_001_042
"""Whoever changes what a database is made of holds it."""
_REQUIRES_TIMESCALE: Final = "-- requires: timescaledb"
_BASELINE: Final = "baseline.sha256"


class Edition(StrEnum):
    """Which TimescaleDB the database has."""

    COMMUNITY = "community"
    APACHE = "apache"
    NONE = "none"


class ChangedMigrationError(HearthBeatError):
    """A migration that was applied before has changed since; write a new one instead."""


class BeforeBaselineError(HearthBeatError):
    """No upgrade leads here from before the baseline: start afresh with an empty database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One file. ``needs_timescale`` files are passed over where the extension can't be had.

    ``baseline`` files are the set that upgrades start from: whatever database can be upgraded was
    made by just these, in the text that they have now.
    """

    name: str
    sql: str
    baseline: bool = False

    @property
    def needs_timescale(self) -> bool:
        """What the first line says."""
        return self.sql.startswith(_REQUIRES_TIMESCALE)


def load_migrations(package: str) -> tuple[Migration, ...]:
    """The ``NNNN_name.sql`` files of ``package`` in order of their numbers.

    Those that its ``baseline.sha256`` lists are the baseline.
    """
    folder = resources.files(package)
    checksums = folder.joinpath(_BASELINE).read_text("utf-8").splitlines()
    baseline = {line.split()[1] for line in checksums}
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))

    def read(name: str) -> Migration:
        sql = folder.joinpath(name).read_text("utf-8")
        return Migration(name=name, sql=sql, baseline=name in baseline)

    return tuple(read(name) for name in names)


async def migrate(dsn: str, migrations: Sequence[Migration], context: ssl.SSLContext | None = None) -> Edition:
    """Brings the database up to date under an advisory lock; by TLS where there is a ``context`` for it.

    Raises ChangedMigrationError, and BeforeBaselineError where the database was made by other
    files than this baseline; then nothing of it was changed.
    """
    connection = await asyncpg.connect(dsn, ssl=context)
    try:
        # Of the session, not of a transaction: each file has one of its own. Closing frees the
        # lock.
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        edition = await find_edition(connection)
        await connection.execute(
            "create table if not exists migrations "
            "(name text primary key, sql text not null, passed_over boolean not null)"
        )
        await _check_baseline(connection, migrations)
        for migration in migrations:
            await _apply(connection, migration, edition)
        return edition
    finally:
        await connection.close()


async def find_edition(connection: asyncpg.Connection) -> Edition:
    """Creates the extension where the server has it. A plain PostgreSQL is the edition ``none``."""
    if not await connection.fetchval("select 1 from pg_available_extensions where name = 'timescaledb'"):
        return Edition.NONE
    await connection.execute("create extension if not exists timescaledb")
    licence = await connection.fetchval("show timescaledb.license")
    return Edition.COMMUNITY if licence == "timescale" else Edition.APACHE


async def _check_baseline(connection: asyncpg.Connection, migrations: Sequence[Migration]) -> None:
    """What was applied first must be the baseline, or its beginning where a run was cut short."""
    # collate "C" sorts as Python does, whatever the database's locale.
    applied = await connection.fetch('select name, sql from migrations order by name collate "C"')
    baseline = [migration for migration in migrations if migration.baseline]
    for row, migration in zip(applied, baseline, strict=False):
        if (row["name"], row["sql"]) != (migration.name, migration.sql):
            raise BeforeBaselineError(f"(It was made by another {row['name']}.)")


async def _apply(connection: asyncpg.Connection, migration: Migration, edition: Edition) -> None:
    applied = await connection.fetchrow("select sql from migrations where name = $1", migration.name)
    if applied is not None:
        if applied["sql"] != migration.sql:
            raise ChangedMigrationError(migration.name)
        return
    passed_over = migration.needs_timescale and edition is Edition.NONE
    # The file and the note of it together: a crash leaves both or neither.
    async with connection.transaction():
        if not passed_over:
            await connection.execute(migration.sql)
        await connection.execute(
            "insert into migrations (name, sql, passed_over) values ($1, $2, $3)",
            migration.name,
            migration.sql,
            passed_over,
        )
