"""How somebody keeps to their plans, over the REST interface; and what is left of their medicine, for pages."""

import re
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from services.api.adherence import supplies_of
from services.api.console import Console
from services.api.feed import AlertFeed
from services.api.settings import ApiSettings
from services.runtime.database import Pool
from services.runtime.metrics import Metrics
from services.runtime.settings import DatabaseSettings
from tests.integration.console_world import FORMER, NOW, Practice, browsing, open_practice

MONDAY = date(2026, 11, 16)


@pytest.fixture
async def practice(dsn: str) -> AsyncIterator[Practice]:
    async with open_practice(dsn) as opened:
        yield opened


async def plans_of(practice: Practice) -> dict[str, UUID]:
    """Ruth's plans by drug."""
    rows = await practice.pool.fetch(
        "select v.drug, v.plan_id from dose_plan_versions v join dose_plans using (plan_id)"
        " join people using (person_no) where person_id = $1",
        practice.world.ruth,
    )
    return {row["drug"]: row["plan_id"] for row in rows}


async def add_dose(pool: Pool, plan_id: UUID, due: datetime, state: str, *, taken_at: datetime | None = None) -> None:
    """Another dose of a plan, with half an hour on both sides, as the ledger leaves it."""
    dose_id, step = uuid4(), timedelta(minutes=30)
    await pool.execute(
        "insert into doses (dose_id, plan_id, version_no, person_no, home_no, device_no, compartment, drug, strength,"
        " zone, local_date, early_after, opens_at, due_at, closes_at, missed_at, state, settled_at)"
        " select $1, plan_id, version_no, person_no, home_no, v.device_no, v.compartment, v.drug, v.strength, v.zone,"
        " ($3::timestamptz at time zone v.zone)::date,"
        " $3::timestamptz - 2 * $4::interval,"
        " $3::timestamptz - $4::interval, $3, $3::timestamptz + $4::interval,"
        " $3::timestamptz + 2 * $4::interval, $5, $6"
        " from dose_plan_versions v join dose_plans using (plan_id) join people using (person_no) where plan_id = $2",
        dose_id, plan_id, due, step, state, None if state in {"pending", "reminded", "unknown"} else due,
    )  # fmt: skip
    if taken_at is not None:
        await pool.execute(
            "insert into dose_evidence (device_no, epoch, seq, item, dose_id, compartment, kind, observed_at, decisive,"
            " role) select device_no, 7, (select count(*) from dose_evidence), 0, dose_id, compartment, 6, $2, true,"
            " 'decided' from doses where dose_id = $1",
            dose_id, taken_at,
        )  # fmt: skip


async def test_the_weeks_of_each_plan_with_days_doses_and_times(practice: Practice) -> None:
    levodopa = (await plans_of(practice))["Levodopa 100 mg"]
    monday = datetime(2026, 11, 16, 7, tzinfo=NOW.tzinfo)
    for day, state, late in (
        (0, "taken", 5),
        (1, "late", 55),
        (2, "double", 10),
        (3, "unknown", None),
        (4, "held", None),
    ):
        due = monday + timedelta(days=day)
        await add_dose(practice.pool, levodopa, due, state,
                       taken_at=None if late is None else due + timedelta(minutes=late))  # fmt: skip
    async with browsing(practice.address) as client:
        answer = await client.get(f"/api/v1/people/{practice.world.ruth}/adherence")

    assert answer.status_code == 200
    body = answer.json()
    (week,) = [one for one in body["weeks"] if one["plan_id"] == str(levodopa)]
    assert (week["week"], week["drug"]) == (MONDAY.isoformat(), "Levodopa 100 mg")
    # Sunday morning's dose was missed by the world; the evening's is to come.
    counts = {
        name: week[name] for name in ("due", "taken", "in_window", "doubles", "missed", "unknown", "held", "open")
    }
    assert counts == {
        "due": 6, "taken": 3, "in_window": 2, "doubles": 1, "missed": 1, "unknown": 1, "held": 1, "open": 0,
    }  # fmt: skip
    assert (week["taking"], week["timing"], week["pdc"]) == (0.75, 0.5, 0.75)
    assert (week["days"], week["days_covered"]) == (4, 3)
    assert body["recent_days"] == 7
    assert (body["recent"]["taken"], body["recent"]["missed"]) == (3, 0)


async def test_only_as_many_weeks_as_asked_for_come_and_the_newest_first(practice: Practice) -> None:
    levodopa = (await plans_of(practice))["Levodopa 100 mg"]
    for weeks in range(1, 6):
        await add_dose(practice.pool, levodopa, NOW - timedelta(weeks=weeks), "missed")
    async with browsing(practice.address) as client:
        address = f"/api/v1/people/{practice.world.ruth}/adherence"
        some = (await client.get(address, params={"weeks": 3})).json()["weeks"]
        refused = [(await client.get(address, params={"weeks": weeks})).status_code for weeks in (0, 27, "x")]

    mondays = [one["week"] for one in some if one["plan_id"] == str(levodopa)]
    assert mondays == [(MONDAY - timedelta(weeks=weeks)).isoformat() for weeks in range(3)]
    assert refused == [422] * 3


async def test_nothing_is_shown_of_somebody_who_is_not_in_care_or_is_nobody(practice: Practice) -> None:
    async with browsing(practice.address, FORMER) as client:
        denied = await client.get(f"/api/v1/people/{practice.world.ruth}/adherence")
        nobody = await client.get(f"/api/v1/people/{uuid4()}/adherence")
    async with browsing(practice.address, None) as client:
        signed_out = await client.get(f"/api/v1/people/{practice.world.ruth}/adherence")

    assert [one.status_code for one in (denied, nobody, signed_out)] == [404, 404, 401]
    trail = await practice.pool.fetch(
        "select allowed from audit join people on people.person_no = any(audit.people)"
        " where action = 'read_doses' and person_id = $1",
        practice.world.ruth,
    )
    assert [row["allowed"] for row in trail] == [False]


async def test_somebody_without_plans_has_no_weeks_and_no_shares(practice: Practice) -> None:
    async with browsing(practice.address) as client:
        body = (await client.get(f"/api/v1/people/{practice.world.karl}/adherence")).json()

    assert body["weeks"] == []
    assert (body["recent"]["due"], body["recent"]["taking"], body["recent"]["pdc"]) == (0, None, None)


async def test_what_is_left_is_shown_once_it_was_counted(practice: Practice, dsn: str) -> None:
    plans = await plans_of(practice)
    person_no = await practice.pool.fetchval("select person_no from people where person_id = $1", practice.world.ruth)
    settings = ApiSettings(database=DatabaseSettings(dsn=dsn))  # type: ignore[arg-type]
    console = Console(
        settings=settings, pool=practice.pool, clock=practice.clock, stop=None, feed=AlertFeed(practice.pool),  # type: ignore[arg-type]
        metrics=Metrics(()),
    )  # fmt: skip
    assert await supplies_of(console, person_no) == []

    await practice.pool.execute(
        "insert into plan_stock (plan_id, at, count, what) select unnest($1::uuid[]), $2, 10, 'counted'",
        list(plans.values()), NOW,
    )  # fmt: skip
    await practice.pool.execute(
        "insert into plan_supplies (plan_id, as_of, left_count, runs_out_at, refill_due, state_key)"
        " values ($1, $2, 10, '2026-11-27 23:30Z', true, 'test')",
        plans["Levodopa 100 mg"], NOW,
    )  # fmt: skip
    forecast, waiting = await supplies_of(console, person_no)

    assert (forecast.drug, forecast.left, forecast.runs_out_on, forecast.refill_due) == (
        "Levodopa 100 mg", 10, date(2026, 11, 28), True,
    )  # fmt: skip
    assert (waiting.drug, waiting.left, waiting.runs_out_on, waiting.refill_due) == (
        "Metformin 500 mg",
        None,
        None,
        False,
    )


async def test_the_page_of_plans_shows_both(practice: Practice) -> None:
    levodopa = (await plans_of(practice))["Levodopa 100 mg"]
    for hours in range(4):
        taken = NOW - timedelta(days=1, hours=hours)
        await add_dose(practice.pool, levodopa, taken, "taken", taken_at=taken)
    await practice.pool.execute(
        "insert into plan_stock (plan_id, at, count, what) values ($1, $2, 10, 'counted')", levodopa, NOW
    )
    async with browsing(practice.address) as client:
        waiting = (await client.get(f"/people/{practice.world.ruth}/plans")).text
        await practice.pool.execute(
            "insert into plan_supplies (plan_id, as_of, left_count, runs_out_at, refill_due, state_key)"
            " values ($1, $2, 9.5, '2026-11-27 23:30Z', true, 'test')",
            levodopa, NOW,
        )  # fmt: skip
        shown = (await client.get(f"/people/{practice.world.ruth}/plans")).text

    assert "Being counted" in waiting
    words = " ".join(re.sub(r"<[^>]*>", " ", shown).split())
    assert "9.5 left, runs out on 28 Nov 2026 Refill due" in words
    # Four of five doses; the fifth is this morning's, which was missed.
    assert "Levodopa 100 mg 1 missed 50 % 1 of 2 days 80 % 4 of 5 80 % 4 of 5" in words
