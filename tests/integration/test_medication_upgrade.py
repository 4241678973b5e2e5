"""A database of before the versions of plans keeps its doses under their ids, and settles none of them again."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from deploy.embedded.embedded import Embedded
from services.runtime.migrate import load_migrations, migrate
from tests.conftest import create_database, drop_database

_BEFORE = "0045"
_WORLD = """
insert into homes (home_id, label, time_zone) values (gen_random_uuid(), 'home', 'Europe/Berlin');
insert into people (person_id, home_no, display_name, born_on) values (gen_random_uuid(), 1, 'Ruth', '1940-01-01');
insert into devices (device, device_type, home_no, shard, registered_at)
values ('pills', 'pill_dispenser', 1, 0, '2026-01-01Z');
insert into watermarks values ('store', '0', 0, '2026-06-02 12:00Z'), ('score', '0', 0, '2026-06-02 12:00Z');
insert into dose_plans (plan_id, person_no, device_no, compartment, drug, at_times, time_critical, valid)
values ('00000000-0000-0000-0000-000000000001', 1, 1, 2, 'Levodopa', '{08:00,20:00}', true, '[2026-01-01Z,)');
insert into doses (dose_id, plan_id, person_no, home_no, device_no, compartment, local_date, time_index, early_after,
                   opens_at, due_at, closes_at, missed_at, state, episode, settled_at)
select ('00000000-0000-0000-0001-00000000000' || n)::uuid, '00000000-0000-0000-0000-000000000001', 1, 1, 1, 2,
       '2026-06-01', n, at, at, at, at, at, state, episode, settled_at
from (values (0, timestamptz '2026-06-01 00:00Z', 'missed', 1, timestamptz '2026-06-01 06:00Z'),
             (1, '2026-06-01 00:00Z', 'taken', null, '2026-06-01 06:05Z'),
             (2, '2026-06-02 18:00Z', 'pending', null, null)) as row (n, at, state, episode, settled_at);
insert into dose_evidence values (1, 1, 1, 0, '00000000-0000-0000-0001-000000000001', 2, 5, '2026-06-01 06:05Z', true);
"""


@pytest.fixture
async def upgraded(embedded: Embedded) -> AsyncIterator[asyncpg.Connection]:
    dsn = await create_database(embedded.dsn)
    known = load_migrations("schemas.sql.migrations")
    await migrate(dsn, [one for one in known if one.name < _BEFORE])
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_WORLD)
        await migrate(dsn, known)
        yield connection
    finally:
        await connection.close()
        await drop_database(embedded.dsn, dsn)


async def test_doses_keep_their_ids_states_and_drug(upgraded: asyncpg.Connection) -> None:
    rows = await upgraded.fetch("select * from doses order by dose_id")

    assert [(row["dose_id"].int & 0xF, row["state"], row["said_last"]) for row in rows] == [
        (0, "missed", "missed"), (1, "taken", None), (2, "pending", None),
    ]  # fmt: skip
    assert {(row["drug"], row["zone"], row["time_critical"]) for row in rows} == {("Levodopa", "Europe/Berlin", True)}
    # Two that a clock change had moved together stay two.
    assert [row["same_due"] for row in rows] == [0, 1, 0]


async def test_what_was_settled_is_not_settled_again(upgraded: asyncpg.Connection) -> None:
    rows = await upgraded.fetch("select fixed_at, settled_at from doses")
    assert all((row["fixed_at"] is None) is (row["settled_at"] is None) for row in rows)
    assert await upgraded.fetchval("select role from dose_evidence") == "decided"

    version = await upgraded.fetchrow("select *, upper_inf(valid) as in_force from dose_plan_versions")
    assert version is not None
    assert version["in_force"]
    assert version["planned_through"] == await upgraded.fetchval("select max(due_at) from doses")
    assert await upgraded.fetchval("select received_at from dose_events_position") is not None
