"""A viewer of Grafana can send any SQL: whatever a caregiver's login tries, nobody else's rows come back."""
# ruff: noqa: S608  # the queries are what is tested

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import chain
from typing import Any, Final
from urllib.parse import quote

import asyncpg
import pytest
from pydantic import SecretStr

from grafana.caregivers import Sight, add_caregivers, remove_reader, set_password
from services.runtime.database import open_pool
from services.runtime.settings import DatabaseSettings
from services.runtime.wakeups import WakeUp, wake
from tests.integration.grafana_world import (
    ANNA,
    BERTA,
    DOCTOR_WORDS,
    PASSWORD,
    SECRET_NAME,
    SECRET_VALUE,
    Login,
    days_ago,
    login_for,
    make_world,
)
from tests.integration.hostile_sql import ATTEMPTS, Attempt, Outcome

FOREIGN: Final = (
    SECRET_NAME,
    "Verborgen",
    "Hidden",
    str(SECRET_VALUE),
    str(BERTA),
    DOCTOR_WORDS,
    "Albert",
    "@example.org",
)
OUR_SCHEMAS: Final = "nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and nspname not like 'pg_temp%'"


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def family(dsn: str) -> Iterator[Login]:
    """A caregiver group that may see Anna, and nobody else."""

    async def prepare(login: Login) -> None:
        await make_world(dsn)
        async with connected(dsn) as owner:
            await add_caregivers(owner, login.role, [ANNA], Sight(since=days_ago(30)), PASSWORD)
            await owner.execute("analyze")

    async def clear_away(login: Login) -> None:
        async with connected(dsn) as owner:
            await remove_reader(owner, login.role)

    login = login_for(dsn, "family")
    asyncio.run(prepare(login))
    yield login
    asyncio.run(clear_away(login))


async def outcome_of(connection: asyncpg.Connection, attempt: Attempt) -> tuple[Outcome, list[asyncpg.Record]]:
    """Runs the statements of an attempt; what became of the last, and its rows."""
    *before, last = attempt.statements
    for statement in ("set default_transaction_read_only = off", *before):
        await connection.execute(statement)
    try:
        rows = await connection.fetch(last)
    except asyncpg.InsufficientPrivilegeError:
        return Outcome.DENIED, []
    except asyncpg.PostgresError:
        return Outcome.ERROR, []
    if not rows:
        return Outcome.NO_ROWS, []
    return (Outcome.HARMLESS if attempt.outcome is Outcome.HARMLESS else Outcome.OWN_ROWS), rows


def foreign_in(rows: list[asyncpg.Record]) -> list[str]:
    """What there is of other people in rows, as text."""
    texts = [str(value) for value in chain.from_iterable(row.values() for row in rows)]
    return [text for text in texts if any(word in text for word in FOREIGN)]


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda one: one.statements[-1][:70])
async def test_an_attempt_ends_as_it_must_and_shows_nobody_else(family: Login, dsn: str, attempt: Attempt) -> None:
    async with connected(dsn) as bystander, connected(family.dsn) as viewer:
        await bystander.fetch(f"select '{SECRET_NAME}'")  # stays in pg_stat_activity, to be snooped for
        outcome, rows = await outcome_of(viewer, attempt)

        assert outcome is attempt.outcome
        assert foreign_in(rows) == []
        await viewer.execute("rollback; set search_path = public")
        assert [row["person_id"] for row in await viewer.fetch("select * from caregiver_people()")] == [ANNA]


def test_there_are_enough_attempts() -> None:
    assert len({attempt.statements for attempt in ATTEMPTS}) == len(ATTEMPTS) >= 20


@pytest.mark.usefixtures("family")
async def test_the_owner_would_have_seen_what_the_attempts_are_after(dsn: str) -> None:
    """So that the tests above can fail: the same words are found where they may be read."""
    async with connected(dsn) as owner:
        for table in ("people", "readings", "alerts", "dose_plan_versions", "homes"):
            assert foreign_in(await owner.fetch(f"select * from {table}")), table
        known = "select most_common_vals::text, histogram_bounds::text from pg_stats where tablename = 'people'"
        assert foreign_in(await owner.fetch(known))


async def test_nothing_was_changed_by_any_attempt(family: Login, dsn: str) -> None:
    async with connected(dsn) as owner:
        assert await owner.fetchval("select count(*) from people") == 3
        assert await owner.fetchval("select count(*) from readings where person_no = 3") == 4 * 1440
        grants = await owner.fetch("select role_name::text, person_no from caregiver_grants")
        assert [tuple(row) for row in grants] == [(family.role, 1)]
        assert await owner.fetchval("select count(*) from alerts where state = 'open'") == 4


async def readable(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch(
        "select format('%I.%I', nspname, relname) as name"
        " from pg_class join pg_namespace on pg_namespace.oid = relnamespace"
        f" where relkind in ('r', 'p', 'v', 'm', 'f', 'S') and {OUR_SCHEMAS} and has_schema_privilege(nspname, 'usage')"
        " and case when relkind = 'S' then has_sequence_privilege(pg_class.oid, 'select')"
        " else has_any_column_privilege(pg_class.oid, 'select') end"
    )
    return [row["name"] for row in rows]


async def test_no_relation_of_ours_can_be_read_at_all(family: Login) -> None:
    async with connected(family.dsn) as viewer:
        names = await readable(viewer)

        assert [name for name in names if not name.startswith(("_timescaledb", "timescaledb"))] == []
        for name in names:
            with suppress(asyncpg.InsufficientPrivilegeError):  # a view over what may not be called
                assert foreign_in(await viewer.fetch(f"select * from {name}")) == [], name


async def test_no_chunk_of_the_hypertable_can_be_read(family: Login, dsn: str) -> None:
    async with connected(dsn) as owner, connected(family.dsn) as viewer:
        chunks = await owner.fetch(
            "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'readings'::regclass"
        )
        hypertable = await owner.fetchval("select count(*) from pg_extension where extname = 'timescaledb'")

        assert bool(chunks) == bool(hypertable)
        for chunk in chunks:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await viewer.fetch(f"select * from {chunk['name']}")


async def test_the_only_functions_that_see_more_than_the_caller_are_those_for_caregivers(family: Login) -> None:
    async with connected(family.dsn) as viewer:
        rows = await viewer.fetch(
            "select proname, proconfig, pg_get_userbyid(proowner) as owner from pg_proc"
            " join pg_namespace on pg_namespace.oid = pronamespace"
            f" where prosecdef and {OUR_SCHEMAS} and has_function_privilege(pg_proc.oid, 'execute')"
        )

    assert {row["proname"] for row in rows} == {
        "caregiver_people",
        "caregiver_latest_vitals",
        "caregiver_series",
        "caregiver_watched",
        "caregiver_doses",
        "caregiver_dose_notices",
        "caregiver_supplies",
        "caregiver_alerts",
    }
    assert {row["owner"] for row in rows} == {"hearthbeat_panels"}
    assert {tuple(row["proconfig"]) for row in rows} == {("search_path=pg_catalog, public, pg_temp",)}


async def test_no_machinery_of_timescaledb_can_be_called(family: Login, dsn: str) -> None:
    """In 2.19.3 its ``drop_chunk`` asks for no privilege: one call by a viewer, and a day of readings is gone."""
    async with connected(dsn) as owner, connected(family.dsn) as viewer:
        chunks = await owner.fetch(
            "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'readings'::regclass"
        )
        await viewer.execute("set default_transaction_read_only = off")
        for chunk in chunks:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await viewer.fetch("select _timescaledb_functions.drop_chunk($1::text::regclass)", chunk["name"])
        callable_ = await viewer.fetch(
            "select pg_proc.oid::regprocedure::text from pg_proc join pg_depend on objid = pg_proc.oid"
            " join pg_extension on pg_extension.oid = refobjid and extname = 'timescaledb'"
            " where provolatile = 'v' and has_function_privilege(pg_proc.oid, 'execute')"
        )

    assert callable_ == []


async def test_nothing_can_be_created_anywhere(family: Login) -> None:
    async with connected(family.dsn) as viewer:
        schemas = await viewer.fetch("select nspname from pg_namespace where has_schema_privilege(oid, 'create')")

        assert schemas == []
        assert not await viewer.fetchval("select has_database_privilege(current_database(), 'temporary')")
        assert not await viewer.fetchval("select has_database_privilege(current_database(), 'create')")


async def test_the_session_is_bounded(family: Login) -> None:
    async with connected(family.dsn) as viewer:
        settings = {
            name: await viewer.fetchval(f"show {name}")
            for name in ("statement_timeout", "default_transaction_read_only", "temp_file_limit", "lock_timeout")
        }

    assert settings == {
        "statement_timeout": "10s",
        "default_transaction_read_only": "on",
        "temp_file_limit": "256MB",
        "lock_timeout": "1s",
    }


async def test_a_group_has_no_more_than_its_connections(family: Login) -> None:
    opened: list[asyncpg.Connection] = []
    try:
        opened += [await asyncpg.connect(family.dsn) for _ in range(8)]
        with pytest.raises(asyncpg.TooManyConnectionsError):
            await asyncpg.connect(family.dsn)
    finally:
        for connection in opened:
            await connection.close()


@pytest.mark.parametrize("password", ["wrong horse battery", ""])
async def test_a_wrong_password_does_not_sign_in(family: Login, password: str) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(family.dsn.replace(quote(PASSWORD), quote(password)), password=password)


async def test_copying_out_gives_no_table(family: Login) -> None:
    received: list[bytes] = []

    async def keep(data: bytes) -> None:
        received.append(data)

    async with connected(family.dsn) as viewer:
        for query in ("select * from people", "select value from readings"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await viewer.copy_from_query(query, output=keep)
        await viewer.copy_from_query("select label from caregiver_people()", output=keep)

    assert b"".join(received) == b"Anna Lind\n"


@pytest.mark.parametrize(
    "query",
    [
        "select schema_to_xml('public', true, true, '')",
        "select database_to_xml(true, true, '')",
        "select query_to_xml('select * from caregiver_people()', true, true, '')",
    ],
)
async def test_xml_exports_hold_only_what_may_be_read(family: Login, query: str) -> None:
    async with connected(family.dsn) as viewer:
        try:
            rows = await viewer.fetch(query)
        except (asyncpg.FeatureNotSupportedError, asyncpg.DatetimeFieldOverflowError):
            rows = []  # built without libxml; TimescaleDB's catalogue holds endless times
        assert foreign_in(rows) == []


async def test_endless_times_end_in_an_error_or_in_own_rows(family: Login) -> None:
    async with connected(family.dsn) as viewer:
        for query in (
            f"select * from caregiver_series('{ANNA}', 1::smallint, '-infinity', 'infinity', 60)",
            f"select * from caregiver_doses('{ANNA}', 'infinity', 2147483647)",
            f"select * from caregiver_dose_notices('{ANNA}', 'infinity', 2147483647)",
            f"select * from caregiver_dose_notices('{ANNA}', '-infinity', -1)",
            f"select * from caregiver_supplies('{ANNA}', '-infinity')",
            f"select * from caregiver_series('{ANNA}', 1::smallint, '0001-01-01', '9999-01-01', -5)",
            f"select * from caregiver_watched('{ANNA}', array[1]::smallint[], 'infinity')",
            f"select * from caregiver_watched('{ANNA}', array[1]::smallint[], '-infinity')",
        ):
            try:
                rows: list[Any] = await viewer.fetch(query)
            except asyncpg.DataError:
                rows = []
            assert foreign_in(rows) == []
            assert len(rows) <= 2001


async def test_listening_says_that_something_happened_and_nothing_of_whom(family: Login, dsn: str) -> None:
    """NOTIFY and LISTEN are everybody's in PostgreSQL, so what is sent there is the names of channels and topics."""
    heard: list[tuple[str, str]] = []
    async with (
        connected(family.dsn) as viewer,
        open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="t") as pool,
    ):
        for news in WakeUp:
            await viewer.add_listener(news, lambda *event: heard.append((event[2], event[3])))
        await pool.execute(
            "insert into findings select gen_random_uuid(), 3, 2, 'spo2', 1, 1, 1, 1, '2026-11-22', '2026-11-22', '[]',"
            f" '{DOCTOR_WORDS}', 'Hidden', 'why', false, '2026-11-22'"
        )
        assert all([await wake(pool, news) for news in WakeUp])
        await viewer.fetch("select 1")

    assert heard == [(news.value, "") for news in WakeUp]


async def test_a_changed_password_locks_the_group_out_until_the_owner_gives_another(family: Login, dsn: str) -> None:
    """PostgreSQL lets a role change its own password; it gains nothing by that, and the owner can undo it."""
    async with connected(family.dsn) as viewer:
        await viewer.execute("set default_transaction_read_only = off")
        await viewer.execute("alter role current_user password 'another one of mine'")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(family.dsn)
    async with connected(dsn) as owner:
        await set_password(owner, family.role, PASSWORD)
    async with connected(family.dsn) as viewer:
        assert [row["label"] for row in await viewer.fetch("select * from caregiver_people()")] == ["Anna Lind"]
