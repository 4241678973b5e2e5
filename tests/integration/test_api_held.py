"""A doctor says whose a doubted measurement is: over real HTTP, on the real database."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.runtime.database import Pool
from tests.integration.console_world import FORMER, NOW, Practice, browsing, open_practice, token_in
from tests.integration.doubted_measurement import doubt


@pytest.fixture
async def practice(dsn: str) -> AsyncIterator[Practice]:
    async with open_practice(dsn) as opened:
        await opened.pool.execute("truncate held_readings cascade")
        yield opened


async def say(client: httpx.AsyncClient, measurement: UUID, state: str) -> httpx.Response:
    token = (await client.get("/api/v1/session")).json()["csrf_token"]
    return await client.post(
        f"/api/v1/held-readings/{measurement}", json={"state": state}, headers={"X-CSRF-Token": token}
    )


async def stands(pool: Pool, measurement: UUID) -> tuple[Any, ...]:
    row = await pool.fetchrow(
        "select state, person_id from held_readings left join people on people.person_no = moved_to"
        " where measurement_id = $1",
        measurement,
    )
    assert row is not None
    return tuple(row)


async def test_a_room_mates_weight_is_given_to_them_and_only_once(practice: Practice) -> None:
    measurement = await doubt(practice.pool, practice.world.ruth, practice.world.karl)
    async with browsing(practice.address) as client:
        (seen,) = (await client.get(f"/api/v1/people/{practice.world.ruth}/held-readings")).json()
        answers = [await say(client, measurement, state) for state in ("moved", "moved", "kept")]

    assert (seen["state"], seen["fits_person_id"]) == ("open", str(practice.world.karl))
    assert [one.status_code for one in answers] == [200, 200, 409]
    assert await stands(practice.pool, measurement) == ("moved", practice.world.karl)
    audited = await practice.pool.fetch(
        "select people.person_id from audit cross join unnest(people) as whom (person_no) join people using (person_no)"
        " where action = 'decide_held' and allowed"
    )
    assert {row["person_id"] for row in audited} >= {practice.world.ruth, practice.world.karl}


async def test_pounds_fit_nobody_else(practice: Practice) -> None:
    measurement = await doubt(practice.pool, practice.world.ruth, None)
    async with browsing(practice.address) as client:
        assert (await say(client, measurement, "moved")).status_code == 422
        assert (await say(client, measurement, "dismissed")).status_code == 200
    assert await stands(practice.pool, measurement) == ("dismissed", None)


async def test_whoever_does_not_care_for_the_person_says_nothing(practice: Practice) -> None:
    measurement = await doubt(practice.pool, practice.world.ruth, practice.world.karl)
    async with browsing(practice.address, FORMER) as client:
        assert (await say(client, measurement, "kept")).status_code == 404
        assert (await client.get(f"/api/v1/people/{practice.world.ruth}/held-readings")).status_code == 404
    assert await stands(practice.pool, measurement) == ("open", None)


async def test_the_page_asks_and_its_buttons_decide(practice: Practice) -> None:
    measurement = await doubt(practice.pool, practice.world.ruth, practice.world.karl)
    path = f"/people/{practice.world.ruth}"
    async with browsing(practice.address) as client:
        listed = (await client.get("/people")).text
        shown = (await client.get(path)).text
        answer = await client.post(f"{path}/held/{measurement}", data={"csrf": token_in(shown), "state": "kept"})
        after = (await client.get(path)).text

    assert "1 measurement: whose?" in listed
    assert "Is this Ruth Sommer" in shown
    assert "Weight 62.4 kg" in shown
    assert "Karl Sommer" in shown
    assert answer.status_code == 303
    assert "kept as this person" in after
    assert await stands(practice.pool, measurement) == ("kept", None)


async def test_what_waits_for_longer_than_a_day_stands_on_the_worklist_until_it_is_decided(practice: Practice) -> None:
    world, pool = practice.world, practice.pool
    first = await doubt(pool, world.ruth, None, at=NOW - timedelta(hours=49))
    await doubt(pool, world.ruth, None, at=NOW - timedelta(hours=1))
    await doubt(pool, world.karl, world.ruth, at=NOW - timedelta(hours=23))
    async with browsing(practice.address) as client:
        found = (await client.get("/api/v1/held-readings")).json()
        page = (await client.get("/")).text
    async with browsing(practice.address, FORMER) as client:
        assert (await client.get("/api/v1/held-readings")).json() == []

    (held,) = found
    assert (held["person_id"], held["vitals"], held["measurements"]) == (str(world.ruth), ["weight"], 2)
    assert held["text"] == "Weight is held: fits pounds; 2 measurements that no rule has seen."
    assert held["text"] in page
    assert f"/people/{world.ruth}#held" in page
    assert f"/people/{world.karl}#held" not in page
    assert await pool.fetchval("select count(*) from notifications") == 0

    async with browsing(practice.address) as client:
        assert (await say(client, first, "dismissed")).status_code == 200
        assert (await client.get("/api/v1/held-readings")).json() == []


async def test_whom_it_fits_is_named_only_to_whoever_cares_for_them(practice: Practice) -> None:
    world, pool = practice.world, practice.pool
    await doubt(pool, world.ruth, world.karl, at=NOW - timedelta(days=2))
    async with browsing(practice.address) as client:
        (named,) = (await client.get("/api/v1/held-readings")).json()
        await pool.execute(
            "update care_relations set valid = tstzrange(lower(valid), $2) from people"
            " where people.person_no = care_relations.person_no and person_id = $1 and lower(valid) < $2",
            world.karl,
            NOW - timedelta(minutes=1),
        )
        (unnamed,) = (await client.get("/api/v1/held-readings")).json()

    assert "fits Karl Sommer" in named["text"]
    assert "not usual of this person" in unnamed["text"]
    assert "Karl" not in unnamed["text"]
