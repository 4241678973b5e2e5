"""Five families: what each group of caregivers sees of whom, as time and consent move on."""
# ruff: noqa: S608  # the queries are what is tested

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from grafana.caregivers import Sight, add_caregivers, end_sight, remove_reader
from tests.integration.grafana_world import ALBERT, ANNA, BERTA, NOW, PASSWORD, Login, days_ago, login_for, make_world

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def world(dsn: str) -> str:
    """The database with the small world in it."""
    asyncio.run(make_world(dsn))
    return dsn


@pytest.fixture
async def owner(world: str) -> AsyncIterator[asyncpg.Connection]:
    """The owner of the database, on whose behalf grants are made; the platform's time is put back afterwards."""
    connection = await asyncpg.connect(world)
    yield connection
    await at(connection, NOW)
    for row in await connection.fetch("select distinct role_name::text as role from caregiver_grants"):
        await remove_reader(connection, row["role"])
    await connection.close()


async def at(owner: asyncpg.Connection, moment: datetime) -> None:
    """Moves the platform's time, as store's and score's markers do."""
    await owner.execute("update watermarks set received_at = $1", moment)


async def group(owner: asyncpg.Connection, world: str, kind: str, people: list[UUID], sight: Sight) -> Login:
    """A new group of caregivers."""
    login = login_for(world, kind)
    await add_caregivers(owner, login.role, people, sight, PASSWORD)
    return login


async def seen(login: Login, query: str) -> list[object]:
    """The first column of what a group sees."""
    viewer = await asyncpg.connect(login.dsn)
    try:
        return [row[0] for row in await viewer.fetch(query)]
    finally:
        await viewer.close()


def vitals_of(person: UUID, moment: datetime = NOW) -> str:
    """A query for the numbers of the vitals that have a newest value."""
    numbers = "array[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]::smallint[]"
    return f"select vital from caregiver_latest_vitals('{person}', {numbers}, '{moment}')"


def watched_of(person: UUID) -> str:
    """A query for the numbers of the vitals that were watched in the last day."""
    return f"select vital from caregiver_watched('{person}', array[1, 2, 3]::smallint[], '{NOW}')"


def curve_of(person: UUID, vital: int) -> str:
    """A query for the buckets of a vital over the last day."""
    return f"select bucket_at from caregiver_series('{person}', {vital}::smallint, '{NOW - DAY}', '{NOW}', 60)"


async def test_a_daughter_sees_everything_of_both_parents_and_nothing_of_the_neighbour(
    owner: asyncpg.Connection, world: str
) -> None:
    daughter = await group(owner, world, "daughter", [ANNA, ALBERT], Sight(since=days_ago(30)))

    assert await seen(daughter, "select label from caregiver_people()") == ["Albert Lind", "Anna Lind"]
    assert await seen(daughter, vitals_of(ANNA)) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert await seen(daughter, vitals_of(ALBERT)) == [1, 2, 3, 10]
    assert await seen(daughter, f"select rule from caregiver_alerts('{ALBERT}')") == ["sos", "silent_device"]
    assert await seen(daughter, vitals_of(BERTA)) == []
    assert await seen(daughter, curve_of(BERTA, 1)) == []
    assert (await seen(daughter, watched_of(ANNA)), await seen(daughter, watched_of(BERTA))) == ([1, 2, 3], [])


async def test_a_neighbour_with_a_key_sees_falls_and_emergencies_and_no_vital(
    owner: asyncpg.Connection, world: str
) -> None:
    only_help = Sight.of((), ("fall", "sos"), doses=False, since=days_ago(1), until=None)
    neighbour = await group(owner, world, "neighbour", [ANNA, ALBERT], only_help)

    assert await seen(neighbour, f"select rule from caregiver_alerts('{ANNA}')") == ["fall", "sos"]
    assert await seen(neighbour, f"select rule from caregiver_alerts('{ALBERT}')") == ["sos"]
    assert await seen(neighbour, vitals_of(ANNA)) == []
    assert await seen(neighbour, curve_of(ANNA, 1)) == []
    assert await seen(neighbour, watched_of(ANNA)) == []
    assert await seen(neighbour, f"select drug from caregiver_doses('{ANNA}', '{NOW}', 14)") == []
    assert await seen(neighbour, f"select drug from caregiver_dose_notices('{ANNA}', '{NOW}', 14)") == []
    assert await seen(neighbour, f"select drug from caregiver_supplies('{ANNA}', '{NOW}')") == []


async def test_a_visiting_nurse_sees_medicine_and_pressure_for_the_weeks_of_her_visits(
    owner: asyncpg.Connection, world: str
) -> None:
    visits = Sight.of(("systolic", "diastolic"), (), doses=True, since=days_ago(3), until=NOW + 7 * DAY)
    nurse = await group(owner, world, "nurse", [ANNA], visits)

    assert await seen(nurse, vitals_of(ANNA)) == [5, 6]
    doses = await seen(nurse, f"select due_at from caregiver_doses('{ANNA}', '{NOW}', 14)")
    assert len(doses) == 10
    assert all(isinstance(due, datetime) and due >= days_ago(3) for due in doses)
    notices = await seen(nurse, f"select at from caregiver_dose_notices('{ANNA}', '{NOW}', 14)")
    assert notices
    assert all(isinstance(at, datetime) and at >= days_ago(3) for at in notices)
    assert len(await seen(nurse, f"select drug from caregiver_supplies('{ANNA}', '{NOW}')")) == 2
    assert await seen(nurse, f"select 1 from caregiver_alerts('{ANNA}')") == []

    await at(owner, NOW + 7 * DAY - timedelta(seconds=1))
    assert await seen(nurse, "select label from caregiver_people()") == ["Anna Lind"]
    await at(owner, NOW + 7 * DAY)
    assert await seen(nurse, "select label from caregiver_people()") == []
    assert await seen(nurse, vitals_of(ANNA, NOW)) == [], "naming an earlier time does not bring it back"


async def test_consent_withdrawn_and_given_again_leaves_the_time_between_unseen(
    owner: asyncpg.Connection, world: str
) -> None:
    await at(owner, NOW - timedelta(hours=8))
    son = await group(owner, world, "son", [ANNA], Sight(since=days_ago(1)))
    await end_sight(owner, son.role, ANNA)
    assert await seen(son, curve_of(ANNA, 1)) == []

    await at(owner, NOW - timedelta(hours=1))
    await add_caregivers(owner, son.role, [ANNA], Sight(), None)
    await at(owner, NOW)
    shown = await seen(son, curve_of(ANNA, 1))
    assert (min(shown), len(shown)) == (NOW - timedelta(hours=1), 60)  # type: ignore[type-var]


async def test_two_families_on_one_server_never_see_each_other(owner: asyncpg.Connection, world: str) -> None:
    lind = await group(owner, world, "lind", [ANNA, ALBERT], Sight(since=days_ago(30)))
    other = await group(owner, world, "other", [BERTA], Sight(since=days_ago(30)))

    assert await seen(lind, "select person_id from caregiver_people()") == [ALBERT, ANNA]
    assert await seen(other, "select person_id from caregiver_people()") == [BERTA]
    for query in (vitals_of(BERTA), curve_of(BERTA, 1), f"select 1 from caregiver_alerts('{BERTA}')"):
        assert await seen(other, query)
        assert await seen(lind, query) == []
    for query in (vitals_of(ANNA), curve_of(ANNA, 1), f"select 1 from caregiver_alerts('{ANNA}')"):
        assert await seen(lind, query)
        assert await seen(other, query) == []
