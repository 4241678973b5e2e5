"""The migration files: their names, their order, and which need TimescaleDB."""

import re
from collections import Counter

import pytest

from services.runtime.migrate import Migration, load_migrations

MIGRATIONS = load_migrations("schemas.sql.migrations")
NAME = re.compile(r"\d{4}_[a-z][a-z0-9_]*\.sql")
NOT_AT_ONCE = re.compile(
    r"^\s*((commit|rollback|begin)\s*;|vacuum\b|create index concurrently\b)", re.IGNORECASE | re.MULTILINE
)


def test_they_come_in_the_order_of_their_numbers() -> None:
    names = [one.name for one in MIGRATIONS]
    assert names == sorted(names)
    assert names[0] == "0001_homes.sql"


def test_the_first_of_them_are_the_baseline() -> None:
    ours = [one.baseline for one in MIGRATIONS]
    assert ours[0]
    assert ours == sorted(ours, reverse=True)


def test_no_two_have_the_same_number() -> None:
    numbers = Counter(one.name[:4] for one in MIGRATIONS)
    assert [number for number, times in numbers.items() if times > 1] == []


@pytest.mark.parametrize("migration", MIGRATIONS, ids=lambda one: one.name)
def test_a_migration_is_named_by_number_and_noun(migration: Migration) -> None:
    assert NAME.fullmatch(migration.name)


@pytest.mark.parametrize("migration", MIGRATIONS, ids=lambda one: one.name)
def test_a_migration_begins_by_saying_what_it_is_for(migration: Migration) -> None:
    assert migration.sql.startswith("-- ")


@pytest.mark.parametrize("migration", MIGRATIONS, ids=lambda one: one.name)
def test_a_migration_is_one_transaction(migration: Migration) -> None:
    assert NOT_AT_ONCE.search(_without_functions(migration.sql)) is None


@pytest.mark.parametrize("migration", MIGRATIONS, ids=lambda one: one.name)
def test_what_only_timescale_can_do_stands_in_files_that_say_so(migration: Migration) -> None:
    timescale = re.search(r"create_hypertable|timescaledb\.|add_retention_policy|add_dimension", migration.sql)
    assert migration.needs_timescale or timescale is None


def _without_functions(sql: str) -> str:
    return re.sub(r"\$(\w*)\$.*?\$\1\$", "", sql, flags=re.DOTALL)
