"""Each service's role at the database may do just what its statements take: every statement, and much that is none."""
# ruff: noqa: S608  # the queries are what is tested

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from schemas.broker_access import new_secret
from schemas.database_access import DATABASE_SERVICES, role_of, signed_in_as
from services.runtime.database import open_pool
from services.runtime.roles import UnknownServiceError, WeakSecretError, grant_roles
from services.runtime.settings import DatabaseSettings
from tests.integration.forbidden_sql import FOR_NOBODY, forbidden_to
from tests.integration.service_statements import BUS, Right, rights_given, rights_taken, statements_of

SECRETS = {service: new_secret() for service in DATABASE_SERVICES}
USES_BUS = {"ingest", "store", "score", "watch"}
ROW = "values (1, 1, $1, 1, 1, 1, 0, 60, 0, $1)"


async def give(dsn: str, secrets: dict[str, str] | None = None, *, bus_of_tables: bool = True) -> None:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as pool:
        await grant_roles(pool, SECRETS if secrets is None else secrets, bus_of_tables=bus_of_tables)


@pytest.fixture(scope="module")
def given(dsn: str) -> str:
    """The owner's address of a database whose roles have their rights; those of the bus of tables as well."""
    asyncio.run(give(dsn))
    return dsn


@asynccontextmanager
async def signed_in(dsn: str, service: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(signed_in_as(dsn, role_of(service), SECRETS[service]))
    try:
        yield connection
    finally:
        await connection.close()


def rights_of_bus(service: str) -> tuple[str, ...]:
    return (service, BUS) if service in USES_BUS else (service,)


@pytest.mark.parametrize("service", DATABASE_SERVICES)
async def test_a_service_may_run_every_statement_of_its_own(given: str, service: str) -> None:
    refused = {}
    async with signed_in(given, service) as connection:
        for part in rights_of_bus(service):
            for name, sql in statements_of(part).items():
                try:
                    await connection.execute(f"explain (generic_plan) {sql}")
                except asyncpg.PostgresError as error:
                    refused[name] = str(error)
    assert refused == {}


@pytest.mark.parametrize("service", DATABASE_SERVICES)
async def test_a_role_has_just_the_rights_that_its_statements_take(given: str, service: str) -> None:
    taken: dict[Right, str] = {}
    for part in rights_of_bus(service):
        taken |= await rights_taken(given, part)
    has = await rights_given(given, role_of(service))
    missing = {right: name for right, name in taken.items() if not allows(has, right)}
    needless = {right for right in has if not any(allows({right}, one) for one in taken)}
    assert (missing, needless) == ({}, set())


def allows(has: set[Right], wanted: Right) -> bool:
    if wanted.column == "*":
        return any((right.what, right.of) == (wanted.what, wanted.of) for right in has)
    return wanted in has


@pytest.mark.parametrize("service", DATABASE_SERVICES)
async def test_more_than_a_hundred_statements_are_refused_to_a_service(given: str, service: str) -> None:
    forbidden = forbidden_to(service)
    assert len(forbidden) == len(set(forbidden))
    assert len(forbidden) > 200
    assert len(FOR_NOBODY) > 150
    owner, done = await asyncpg.connect(given), {}
    try:
        async with signed_in(given, service) as connection:
            for statement in forbidden:
                try:
                    done[statement] = await connection.execute(statement)
                except asyncpg.InsufficientPrivilegeError:
                    continue
                except asyncpg.PostgresError as error:
                    done[statement] = f"{type(error).__name__}: {error}"
    finally:
        await owner.close()
    assert done == {}


async def test_what_is_no_longer_listed_is_taken_back(given: str) -> None:
    role, other = role_of("watch"), role_of("api")
    owner = await asyncpg.connect(given)
    try:
        await owner.execute(
            f"grant select on doctors to {role}; grant update (note) on alert_audit to {role};"
            f"grant usage on sequence homes_home_no_seq to {role}; grant create on schema public to {role};"
            f"grant execute on function current_cluster() to {role}; grant hearthbeat_panels to {role};"
            f"grant {other} to {role}; alter role {role} createdb createrole connection limit -1;"
            f"alter role {role} set statement_timeout = 0"
        )
        before = await rights_given(given, role)
        await give(given)
        after = await rights_given(given, role)
        assert {right.of for right in before - after} == {
            "doctors", "alert_audit", "homes_home_no_seq", "current_cluster()"
        }  # fmt: skip
        assert after < before
        assert not await owner.fetchval("select has_schema_privilege($1, 'public', 'create')", role)
        kept = await owner.fetchrow(
            "select rolcreatedb, rolcreaterole, rolsuper, rolconnlimit > 0 as limited, rolconfig,"
            " exists (select from pg_auth_members where member = pg_roles.oid) as grouped"
            " from pg_roles where rolname = $1",
            role,
        )
        assert kept is not None
        assert tuple(kept)[:4] == (False, False, False, True)
        assert "statement_timeout=30000" in kept["rolconfig"]
        assert not kept["grouped"]
    finally:
        await owner.close()


async def test_a_service_that_uses_no_bus_of_tables_has_no_right_on_one(given: str) -> None:
    await give(given, bus_of_tables=False)
    async with signed_in(given, "store") as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("select value from bus_log")
    await give(given)


async def test_readings_of_a_new_week_can_be_written_and_read_at_once(given: str) -> None:
    async with signed_in(given, "store") as store, signed_in(given, "score") as score:
        moment = await store.fetchval("select timestamptz '2031-03-01 12:00Z'")
        columns = "person_no, vital, observed_at, device_no, epoch, seq, item, value, flags, received_at"
        await store.execute(f"insert into readings ({columns}) {ROW}", moment)
        assert await score.fetchval("select value from readings where observed_at = $1", moment) == 60
    owner = await asyncpg.connect(given)
    try:
        for chunk in await owner.fetch("select inhrelid::regclass::text as name from pg_inherits where inhparent ="
                                       " 'readings'::regclass"):  # fmt: skip
            async with signed_in(given, "alert") as connection:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.fetch(f"select * from {chunk['name']}")
    finally:
        await owner.close()


async def test_another_password_replaces_the_one_before(given: str) -> None:
    fresh = new_secret()
    await give(given, {**SECRETS, "watch": fresh})
    with pytest.raises(asyncpg.InvalidPasswordError):
        async with signed_in(given, "watch"):
            pass
    await (await asyncpg.connect(signed_in_as(given, role_of("watch"), fresh))).close()
    await give(given)


async def test_a_password_that_is_not_given_stays(given: str) -> None:
    await give(given, {})
    async with signed_in(given, "watch") as connection:
        assert await connection.fetchval("select current_user") == role_of("watch")


async def test_short_secrets_and_unknown_services_are_refused(given: str) -> None:
    with pytest.raises(WeakSecretError, match="store"):
        await give(given, {"store": "short"})
    with pytest.raises(UnknownServiceError, match="grafana"):
        await give(given, {"grafana": new_secret()})


async def test_a_service_that_signs_in_as_a_superuser_says_so_once(given: str) -> None:
    as_itself = signed_in_as(given, role_of("store"), SECRETS["store"])
    for address, application, warnings in (
        (given, "hb-store", 1),
        (given, "hb-prepare", 0),
        (as_itself, "hb-store", 0),
    ):
        settings = DatabaseSettings(dsn=SecretStr(address))
        with capture_logs() as logs:
            async with (
                open_pool(settings, application=application) as pool, pool.acquire() as one, pool.acquire() as another
            ):  # fmt: skip
                assert await one.fetchval("select 1") == await another.fetchval("select 1")
        assert [row["log_level"] for row in logs] == ["warning"] * warnings
