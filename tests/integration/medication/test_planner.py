"""Plans become doses, and an edit moves those to come and no other, on a real database."""

from datetime import UTC, datetime, time, timedelta

import pytest

from services.medication.ledger import DoseLedger
from services.medication.planner import Planner
from services.runtime.clock import FakeClock, to_ms
from services.runtime.database import Pool
from tests.integration.care_world import settle_in
from tests.integration.dose_world import (
    berlin,
    edit,
    findings,
    happen,
    prescribe,
    states,
    tick,
)


async def test_a_plan_is_doses_for_three_days_and_planning_again_adds_none(
    pool: Pool, planner: Planner, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world, time(8), time(20), since=berlin(1, 7))
    for _ in range(3):
        await planner.plan()
        clock.advance(seconds=3600)

    due = await pool.fetch("select due_at from doses where plan_id = $1 order by due_at", plan_id)
    assert [row["due_at"] for row in due] == [berlin(day, hour) for day in (1, 2, 3) for hour in (8, 20)]


async def test_what_fell_due_while_nothing_was_planned_is_made_up_for(
    pool: Pool, planner: Planner, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world, time(8), since=berlin(1, 7))
    await planner.plan()
    clock.at_ms = to_ms(berlin(9, 7))
    await planner.plan()

    due = await pool.fetch("select due_at from doses where plan_id = $1 order by due_at", plan_id)
    assert [row["due_at"] for row in due] == [berlin(day, 8) for day in range(1, 12)]


async def test_a_plan_that_ends_drops_the_doses_to_come_and_no_other(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world, time(8), time(20))
    await planner.plan()
    clock.at_ms = to_ms(berlin(1, 8))
    await ledger.settle()
    await edit(pool, plan_id, berlin(1, 9))
    before = await pool.fetchval("select count(*) from doses where plan_id = $1", plan_id)
    # Even before the planner has come by, what is due after the end is none.
    assert (await states(pool, plan_id))[-1] == "reminded"
    await planner.plan()

    rows = await pool.fetch("select due_at, state from doses where plan_id = $1 order by due_at desc", plan_id)
    assert (rows[0]["due_at"], rows[0]["state"]) == (berlin(1, 8), "reminded")
    assert len(rows) < before


async def test_an_edit_moves_the_doses_to_come_and_leaves_the_others_alone(
    pool: Pool, planner: Planner, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world, time(8), time(20), since=berlin(1, 7))
    await planner.plan()
    before = await pool.fetch("select * from doses where plan_id = $1 and due_at < $2", plan_id, berlin(1, 15))
    clock.at_ms = to_ms(berlin(1, 15))
    await edit(pool, plan_id, berlin(1, 15), time(8), time(12), time(20))
    await planner.plan()
    await planner.plan()

    after = await pool.fetch("select * from doses where plan_id = $1 and due_at < $2", plan_id, berlin(1, 15))
    assert [tuple(row) for row in after] == [tuple(row) for row in before]
    due = await pool.fetch("select due_at from doses where plan_id = $1 and due_at > $2", plan_id, berlin(1, 15))
    assert sorted(row["due_at"] for row in due) == [
        berlin(1, 20), *(berlin(day, hour) for day in (2, 3, 4) for hour in (8, 12, 20) if (day, hour) < (4, 15)),
    ]  # fmt: skip


@pytest.mark.parametrize("compartment", [2, 5])
async def test_a_dose_taken_early_stands_for_the_next_one_of_the_new_version(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock, compartment: int
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world, time(20), since=berlin(1, 7))
    await planner.plan()
    await happen(pool, world, berlin(1, 17))
    await tick(pool, world, ledger, clock, berlin(1, 17, 1))
    assert await states(pool, plan_id) == ["early", "pending", "pending"]

    await edit(pool, plan_id, berlin(1, 19), time(20, 30), compartment=compartment)
    clock.at_ms = to_ms(berlin(1, 19))
    await planner.plan()
    await tick(pool, world, ledger, clock, berlin(1, 23, 30))

    rows = await pool.fetch("select due_at, state, compartment from doses where plan_id = $1 order by due_at", plan_id)
    assert [tuple(row) for row in rows[:2]] == [
        (berlin(1, 20, 30), "early", compartment), (berlin(2, 20, 30), "pending", compartment),
    ]  # fmt: skip
    assert await findings(pool, world) == []


async def test_a_week_in_a_zone_that_changes_its_clock_has_every_dose_once(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    start = datetime(2026, 10, 22, tzinfo=UTC)
    plan_id = await prescribe(pool, world, time(2, 30), time(14), since=start)
    for hours in range(0, 24 * 7, 6):
        await tick(pool, world, ledger, clock, start + timedelta(hours=hours))
        await planner.plan()

    rows = await pool.fetch(
        "select count(*) as doses from doses where plan_id = $1 and due_at < $2 group by local_date",
        plan_id,
        start + timedelta(days=7),
    )
    assert {row["doses"] for row in rows} == {2}
    assert set((await states(pool, plan_id))[:12]) == {"missed"}
