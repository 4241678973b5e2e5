"""The commands that make readers' logins and end what they see, against a real database."""
# ruff: noqa: S608  # the queries are what is tested

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from grafana.__main__ import app
from grafana.caregivers import Sight, add_caregivers, remove_reader
from grafana.errors import (
    ForeignRoleError,
    NoSuchPersonError,
    NoSuchReaderError,
    OverlappingGrantError,
    UnknownPlatformTimeError,
    WeakPasswordError,
)
from tests.integration.grafana_world import ALBERT, ANNA, NOW, PASSWORD, Login, days_ago, login_for, make_world

EVERYTHING = Sight(since=days_ago(30))


@pytest.fixture(scope="module")
def world(dsn: str) -> str:
    """The database with the small world in it."""
    asyncio.run(make_world(dsn))
    return dsn


@pytest.fixture
def login(world: str) -> Iterator[Login]:
    """A name for a group; whatever a test made of it is removed."""

    async def clear_away() -> None:
        connection = await asyncpg.connect(world)
        try:
            await remove_reader(connection, reader.role)
        except NoSuchReaderError:
            pass
        finally:
            await connection.close()

    reader = login_for(world, "family")
    yield reader
    asyncio.run(clear_away())


def command(world: str, *arguments: str, password: str = PASSWORD) -> Result:
    """The command line, its password on standard input."""
    return CliRunner().invoke(app, [*arguments, "--dsn", world], input=f"{password}\n")


def ask(dsn: str, query: str) -> list[tuple[object, ...]]:
    """Rows, as whoever ``dsn`` signs in."""

    async def asked() -> list[tuple[object, ...]]:
        connection = await asyncpg.connect(dsn)
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    return asyncio.run(asked())


def labels(login: Login) -> list[object]:
    """The names that a group sees."""
    return [row[0] for row in ask(login.dsn, "select label from caregiver_people()")]


def test_a_group_is_made_and_signs_in_and_sees_whom_it_may(world: str, login: Login) -> None:
    result = command(world, "caregiver", "add", login.role, "--person", str(ANNA), "--person", str(ALBERT))

    assert result.exit_code == 0, result.output
    assert result.output == f"{login.role}: new login, sees 2 more\n"
    assert labels(login) == ["Albert Lind", "Anna Lind"]


def test_a_known_group_gets_another_person_without_a_password(world: str, login: Login) -> None:
    command(world, "caregiver", "add", login.role, "--person", str(ANNA))
    result = command(world, "caregiver", "add", login.role, "--person", str(ALBERT), password="")

    assert result.output == f"{login.role}: sees 1 more\n"
    assert labels(login) == ["Albert Lind", "Anna Lind"]


def test_without_a_start_nothing_from_before_is_shown(world: str, login: Login) -> None:
    command(world, "caregiver", "add", login.role, "--person", str(ANNA))
    (begin,) = ask(world, f"select lower(valid) from caregiver_grants where role_name = '{login.role}'")

    assert begin == (NOW,)
    assert ask(login.dsn, f"select * from caregiver_doses('{ANNA}', '2026-11-22 12:00Z', 1)")[0][1] > NOW  # type: ignore[operator]


def test_named_vitals_and_alerts_are_all_that_is_seen(world: str, login: Login) -> None:
    named = ["--vital", "heart_rate", "--alert", "fall", "--since", "2026-11-01"]
    command(world, "caregiver", "add", login.role, "--person", str(ANNA), *named)
    wanted = f"select vital from caregiver_latest_vitals('{ANNA}', array[1, 2, 7]::smallint[], '2026-11-22 12:00Z')"

    assert ask(login.dsn, wanted) == [(1,)]
    assert ask(login.dsn, f"select rule from caregiver_alerts('{ANNA}')") == [("fall",)]
    assert ask(login.dsn, f"select 1 from caregiver_doses('{ANNA}', '2026-11-22 12:00Z', 14)") == []
    series = f"caregiver_series('{ANNA}', 2::smallint, '2026-11-21 12:00Z', '2026-11-22 12:00Z', 60)"
    assert ask(login.dsn, f"select 1 from {series}") == []


def test_ending_is_at_once(world: str, login: Login) -> None:
    command(
        world, "caregiver", "add", login.role, "--person", str(ANNA), "--person", str(ALBERT), "--since", "2026-11-01"
    )
    assert command(world, "caregiver", "end", login.role, "--person", str(ANNA)).exit_code == 0
    assert labels(login) == ["Albert Lind"]
    assert command(world, "caregiver", "end", login.role).exit_code == 0
    assert labels(login) == []


def test_a_removed_login_signs_in_no_more(world: str, login: Login) -> None:
    command(world, "caregiver", "add", login.role, "--person", str(ANNA))
    assert command(world, "caregiver", "remove", login.role).exit_code == 0

    with pytest.raises(asyncpg.InvalidPasswordError):
        ask(login.dsn, "select 1")
    assert ask(world, f"select 1 from caregiver_grants where role_name = '{login.role}'") == []


def test_a_new_password_replaces_the_old_one(world: str, login: Login) -> None:
    command(world, "caregiver", "add", login.role, "--person", str(ANNA), password="a password of before")
    with pytest.raises(asyncpg.InvalidPasswordError):
        ask(login.dsn, "select 1")
    assert command(world, "caregiver", "password", login.role).exit_code == 0

    assert ask(login.dsn, "select 1") == [(1,)]


def test_an_operator_signs_in_and_sees_counts(world: str, login: Login) -> None:
    assert command(world, "operator", "add", login.role).exit_code == 0

    assert ask(login.dsn, "select sum(alerts)::integer from operator_alerts") == [(5,)]
    assert ask(login.dsn, "show jit") == [("off",)]


def test_a_short_password_makes_no_login(world: str, login: Login) -> None:
    result = command(world, "caregiver", "add", login.role, "--person", str(ANNA), password="too short")

    assert result.exit_code == 1
    assert "at least 15" in result.output
    assert ask(world, f"select 1 from pg_roles where rolname = '{login.role}'") == []


def test_an_unknown_person_makes_no_login(world: str, login: Login) -> None:
    result = command(world, "caregiver", "add", login.role, "--person", str(uuid4()))

    assert result.exit_code == 1
    assert ask(world, f"select 1 from pg_roles where rolname = '{login.role}'") == []


async def test_what_cannot_be_granted_is_refused_by_name(world: str, login: Login) -> None:
    connection = await asyncpg.connect(world)
    try:
        await add_caregivers(connection, login.role, [ANNA], EVERYTHING, PASSWORD)
        with pytest.raises(OverlappingGrantError):
            await add_caregivers(connection, login.role, [ANNA], EVERYTHING, None)
        with pytest.raises(NoSuchPersonError):
            await add_caregivers(connection, login.role, [UUID(int=99)], EVERYTHING, None)
        with pytest.raises(WeakPasswordError):
            await add_caregivers(connection, f"{login.role}_b", [ANNA], EVERYTHING, None)
        with pytest.raises(NoSuchReaderError):
            await remove_reader(connection, f"{login.role}_b")
    finally:
        await connection.close()


async def test_a_role_that_is_no_caregivers_is_left_alone(world: str, login: Login) -> None:
    connection = await asyncpg.connect(world)
    try:
        await connection.execute(f"create role {login.role}_x login; grant pg_read_all_data to {login.role}_x")
        with pytest.raises(ForeignRoleError):
            await add_caregivers(connection, f"{login.role}_x", [ANNA], EVERYTHING, PASSWORD)
        with pytest.raises(ForeignRoleError):
            await remove_reader(connection, f"{login.role}_x")
        with pytest.raises(ForeignRoleError):
            await remove_reader(connection, "postgres")
    finally:
        await connection.execute(f"drop role {login.role}_x")
        await connection.close()


async def test_before_the_platform_has_run_a_start_must_be_named_and_nobody_sees_anything(
    world: str, login: Login
) -> None:
    connection = await asyncpg.connect(world)
    marks = await connection.fetch("delete from watermarks returning *")
    try:
        with pytest.raises(UnknownPlatformTimeError):
            await add_caregivers(connection, login.role, [ANNA], Sight(), PASSWORD)
        await add_caregivers(connection, login.role, [ANNA], Sight(since=datetime(2020, 1, 1, tzinfo=UTC)), PASSWORD)
        viewer = await asyncpg.connect(login.dsn)
        assert await viewer.fetch("select * from caregiver_people()") == []
        await viewer.close()
    finally:
        await connection.executemany("insert into watermarks values ($1, $2, $3, $4)", [tuple(mark) for mark in marks])
        await connection.close()


async def test_the_catalogue_keeps_a_verifier_and_no_password(world: str, login: Login) -> None:
    connection = await asyncpg.connect(world)
    try:
        await add_caregivers(connection, login.role, [ANNA], EVERYTHING, PASSWORD)
        kept = await connection.fetchval("select rolpassword from pg_authid where rolname = $1::text", login.role)
        assert kept.startswith("SCRAM-SHA-256$")
        assert "horse" not in kept
    finally:
        await connection.close()


def test_whatever_is_changed_about_a_reader_is_written_down_with_who_did_it(world: str, login: Login) -> None:
    command(world, "caregiver", "add", login.role, "--person", str(ANNA))
    command(world, "caregiver", "password", login.role, password=f"{PASSWORD} anew")
    command(world, "caregiver", "end", login.role, "--person", str(ANNA))
    command(world, "caregiver", "remove", login.role)
    said = ask(
        world,
        "select command, changed_by <> '', details - 'until' from register_changes"
        f" where subject = '{login.role}' order by change_no",
    )

    assert [(what, named, json.loads(str(details))) for what, named, details in said] == [
        ("caregiver add", True, {"people": [str(ANNA)], "new_login": True}),
        ("reader password", True, {}),
        ("caregiver end", True, {"person": str(ANNA)}),
        ("reader remove", True, {}),
    ]
    assert PASSWORD not in str(said)
