"""Lists come in pages that lose and repeat nothing, however many of their rows share a moment or a name."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from schemas.vitals import WEIGHT
from services.api.cursors import ReadingKey, write_cursor
from services.runtime.database import Pool
from tests.integration.console_world import NOW, Practice, browsing, open_practice, raise_alert

RANGE = {"from": (NOW - timedelta(hours=25)).isoformat(), "to": NOW.isoformat()}


@pytest.fixture
async def practice(dsn: str) -> AsyncIterator[Practice]:
    async with open_practice(dsn) as opened:
        yield opened


async def all_readings(client: httpx.AsyncClient, path: str, query: dict[str, Any]) -> list[dict[str, Any]]:
    """Page after page; each must hold something that the ones before did not."""
    found: list[dict[str, Any]] = []
    while True:
        body = (await client.get(path, params=query)).json()
        fresh = [row for row in body["readings"] if row not in found[-len(body["readings"]) :]]
        assert len(fresh) == len(body["readings"]), "the page stands still"
        found += fresh
        if body["next"] is None:
            return found
        query = query | {"after": body["next"]}


async def weigh(pool: Pool, world_person: object) -> set[tuple[int, int]]:
    """2,500 weights of two devices: many of one moment, others a microsecond apart; their seq and item."""
    person_no = await pool.fetchval("select person_no from people where person_id = $1", world_person)
    devices = [row["device_no"] for row in await pool.fetch("select device_no from devices order by device_no limit 2")]
    rows = []
    for number in range(2500):
        at = NOW - timedelta(hours=1, microseconds=0 if number < 1200 else number // 100)
        rows.append(
            (person_no, WEIGHT.number, at, devices[number % 2], 1 + number % 3, number // 4, number % 4, 70.0, 0, at)
        )
    await pool.copy_records_to_table("readings", records=rows)
    return {(row[5], row[6]) for row in rows}


async def test_readings_that_share_a_moment_are_each_listed_once(practice: Practice) -> None:
    written = await weigh(practice.pool, practice.world.ruth)
    path = f"/api/v1/people/{practice.world.ruth}/readings"
    async with browsing(practice.address) as client:
        found = await all_readings(client, path, RANGE | {"vital": "weight", "limit": 7})

    assert len(found) == len(written) == 2500
    assert {(row["seq"], row["item"]) for row in found} == written
    assert [row["observed_at"] for row in found] == sorted(row["observed_at"] for row in found)


async def test_readings_come_in_pages_that_lose_and_repeat_nothing(practice: Practice) -> None:
    path = f"/api/v1/people/{practice.world.ruth}/readings"
    async with browsing(practice.address) as client:
        found = [
            row["observed_at"]
            for row in await all_readings(client, path, RANGE | {"vital": "heart_rate", "limit": 500})
        ]

    assert len(found) == len(set(found)) == 1440 - 119
    assert found == sorted(found)


@pytest.mark.parametrize("junk", ["", "x", "A" * 39, "z" * 40, "A" * 39 + "=", "\x00", "2026-11-22T00:00:00Z"])
async def test_a_place_to_go_on_from_that_no_answer_gave_is_refused_by_name(practice: Practice, junk: str) -> None:
    path = f"/api/v1/people/{practice.world.ruth}/readings"
    async with browsing(practice.address) as client:
        answer = await client.get(path, params=RANGE | {"vital": "weight", "after": junk})

    assert answer.status_code == 422
    assert [problem["loc"] for problem in answer.json()["detail"]] == [["query", "after"]]


async def test_a_place_outside_the_range_leads_nowhere_else(practice: Practice) -> None:
    path = f"/api/v1/people/{practice.world.ruth}/readings"
    query = RANGE | {"vital": "heart_rate", "limit": "3"}
    early, late = (write_cursor(ReadingKey(NOW + timedelta(days=days), 1, 1, 1, 1)) for days in (-9, 9))
    async with browsing(practice.address) as client:
        first = (await client.get(path, params=query)).json()
        assert (await client.get(path, params=query | {"after": early})).json() == first
        assert (await client.get(path, params=query | {"after": late})).json()["readings"] == []


async def test_alerts_that_opened_together_are_each_listed_once(practice: Practice) -> None:
    raised = [
        await raise_alert(practice.pool, practice.world.ruth, rule=f"rule_{n}", at=NOW - timedelta(minutes=n // 4))
        for n in range(10)
    ]
    found: list[str] = []
    async with browsing(practice.address) as client:
        query: dict[str, Any] = {"limit": 3, "state": "open"}
        while rows := (await client.get("/api/v1/alerts", params=query)).json():
            found += [row["alert_id"] for row in rows]
            query |= {"before": rows[-1]["opened_at"], "before_id": rows[-1]["alert_id"]}

    assert sorted(found) == sorted(map(str, raised))


@pytest.mark.parametrize("half", ["before=2026-11-22T14:00:00Z", "before_id=00000000-0000-4000-8000-0000000000aa"])
async def test_half_a_place_in_the_alerts_is_refused(practice: Practice, half: str) -> None:
    """One half loses alerts of the same moment, the other begins again and again."""
    async with browsing(practice.address) as client:
        answer = await client.get(f"/api/v1/alerts?{half}")

    assert answer.status_code == 422
    assert "'before' and 'before_id'" in answer.json()["detail"]
