"""Doses that are unknown, taken twice, held or taken as needed, on a real database."""

from datetime import time, timedelta

import asyncpg
import pytest

from schemas.alerts import Severity
from services.medication.ledger import DoseLedger
from services.medication.planner import Planner
from services.runtime.clock import FakeClock, to_datetime, to_ms
from services.runtime.database import Pool
from tests.integration.care_world import settle_in
from tests.integration.dose_world import (
    berlin,
    findings,
    happen,
    pass_on,
    prescribe,
    states,
    tick,
)


async def test_a_dose_whose_dispenser_was_away_is_unknown_until_it_reports(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world, time(8), critical=True, since=berlin(1, 7))
    await planner.plan()
    await tick(pool, world, ledger, clock, berlin(1, 7, 10))
    for minutes in range(0, 180, 15):
        clock.at_ms = to_ms(berlin(1, 8) + timedelta(minutes=minutes))
        await pass_on(pool, to_datetime(clock.at_ms))
        await ledger.settle()
    assert (await states(pool, plan_id))[0] == "unknown"

    # The heartbeats of its outbox come in before what was taken.
    await tick(pool, world, ledger, clock, berlin(1, 11))
    assert (await states(pool, plan_id))[0] == "unknown"
    await happen(pool, world, berlin(1, 8, 1), received_at=berlin(1, 11, 1))
    await tick(pool, world, ledger, clock, berlin(1, 11, 10))

    assert (await states(pool, plan_id))[0] == "taken"
    rows = await pool.fetch("select message, end_reason from findings where person_no = $1", world.person_no)
    assert [tuple(row) for row in rows] == [("missed_dose.taken_late", "recovered")]


@pytest.mark.parametrize(
    ("settled", "floor", "state"),
    [
        ("{[0,40)}", 0, "reminded"),
        ("{[0,38),[39,40)}", 0, "unknown"),
        ("{[3,40)}", 0, "unknown"),
        # What it had to evict does not come any more.
        ("{[3,40)}", 3, "reminded"),
        ("{[0,5),[39,40)}", 38, "unknown"),
        ("{[0,5),[39,40)}", 39, "reminded"),
        ("{}", 7, "reminded"),
    ],
)
async def test_while_an_uplink_of_a_dispenser_is_missing_nobody_says_that_a_dose_was_not_taken(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock, settled: str, floor: int, state: str
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world, time(8), critical=True, since=berlin(1, 7))
    await planner.plan()
    for minutes in (0, 10, 20, 31, 32):
        await tick(pool, world, ledger, clock, berlin(1, 8) + timedelta(minutes=minutes), settled=settled, floor=floor)

    assert (await states(pool, plan_id))[0] == state
    said = await pool.fetch("select message from findings where person_no = $1", world.person_no)
    assert len(said) == (state == "reminded")
    # It falls silent: what is missing is waited for, and no longer.
    clock.at_ms = to_ms(berlin(1, 8, 46))
    await pass_on(pool, berlin(1, 8, 46))
    await ledger.settle()
    assert (await states(pool, plan_id))[0] == "reminded"
    assert len(await pool.fetch("select message from findings where person_no = $1", world.person_no)) == 1


async def test_a_missed_dose_that_is_reported_weeks_late_was_taken_after_all(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world, time(8), since=berlin(1, 7))
    await planner.plan()
    for minutes in (60, 12 * 60 + 55, 13 * 60 + 1):
        await tick(pool, world, ledger, clock, berlin(1, 7) + timedelta(minutes=minutes))
    assert (await states(pool, plan_id))[0] == "missed"

    await happen(pool, world, berlin(1, 8, 20), received_at=berlin(28, 9))
    clock.at_ms = to_ms(berlin(28, 9))
    await ledger.settle()
    assert (await states(pool, plan_id))[0] == "taken"


async def test_a_second_lift_is_a_double_dose_and_the_next_dose_stays_open(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world, time(8), critical=True, since=berlin(1, 7), listed=True)
    await planner.plan()
    for minute in (0, 5, 30, 31):
        await happen(pool, world, berlin(1, 8, minute))
        await tick(pool, world, ledger, clock, berlin(1, 8, minute))

    assert (await states(pool, plan_id))[:2] == ["double", "pending"]
    assert await findings(pool, world) == [(1, 2, Severity.HIGH, berlin(1, 8, 30))]
    rows = await pool.fetch("select role from dose_evidence order by observed_at")
    assert [row["role"] for row in rows] == ["decided", "same", "double", "same"]


async def test_one_lift_takes_two_drugs(pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock) -> None:
    world = await settle_in(pool)
    plans = [await prescribe(pool, world, time(8), critical=True, since=berlin(1, 7)) for _ in range(2)]
    await planner.plan()
    await happen(pool, world, berlin(1, 8, 2))
    await tick(pool, world, ledger, clock, berlin(1, 8, 2))

    assert [(await states(pool, plan_id))[0] for plan_id in plans] == ["taken", "taken"]
    assert await pool.fetchval("select count(*) from dose_evidence") == 2


async def test_what_is_taken_as_needed_is_a_dose_until_an_earlier_lift_makes_it_the_same_taking(
    pool: Pool, ledger: DoseLedger, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world)
    for minute in (5, 50):
        await happen(pool, world, berlin(1, 8, minute))
        await tick(pool, world, ledger, clock, berlin(1, 8, minute))
    assert await states(pool, plan_id) == ["taken", "double"]

    await happen(pool, world, berlin(1, 8, 0), received_at=berlin(1, 9))
    await tick(pool, world, ledger, clock, berlin(1, 9))
    assert await states(pool, plan_id) == ["taken", "double"]
    rows = await pool.fetch("select due_at from doses where plan_id = $1 order by due_at", plan_id)
    assert [row["due_at"] for row in rows] == [berlin(1, 8), berlin(1, 8, 50)]


async def test_a_dose_of_a_paused_plan_is_held(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world, time(8), critical=True, since=berlin(1, 7))
    await planner.plan()
    await pool.execute(
        "insert into plan_pauses (plan_id, valid, doctor_no, why, made_at) values ($1, $2, $3, 'Surgery', $4)",
        plan_id, asyncpg.Range(berlin(1, 7), berlin(2, 7)), world.doctor_no, berlin(1, 7),
    )  # fmt: skip
    for minutes in (0, 35, 90):
        await tick(pool, world, ledger, clock, berlin(1, 8) + timedelta(minutes=minutes))
    await happen(pool, world, berlin(1, 9, 31))
    await tick(pool, world, ledger, clock, berlin(1, 9, 31))

    assert (await states(pool, plan_id))[:2] == ["held", "pending"]
    assert await findings(pool, world) == []
    assert await pool.fetchval("select count(*) from commands where device_no = $1", world.device_no) == 0
    assert await pool.fetchval("select role from dose_evidence") == "held"


async def test_events_in_any_batches_come_to_the_same(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock
) -> None:
    """One dispenser sends as things happen, the other newest first and all at the end."""
    moments = [berlin(day, 8) + timedelta(minutes=minutes) for day in (1, 2, 3) for minutes in (-70, 4, 40, 130, 700)]
    found = []
    for backwards in (False, True):
        world = await settle_in(pool)
        plan_id = await prescribe(pool, world, time(8), time(18), since=berlin(1, 5))
        await pool.execute("update dose_events_position set received_at = '-infinity'")
        clock.at_ms = to_ms(berlin(1, 6))
        await planner.plan()
        for number, moment in enumerate(reversed(moments) if backwards else moments):
            received = berlin(4, 3) + timedelta(seconds=number) if backwards else moment
            await happen(pool, world, moment, received_at=received)
            await tick(pool, world, ledger, clock, received)
        rows = await pool.fetch(
            "select due_at, state, settled_at, doubles, array(select (role, e.observed_at)::text from dose_evidence e"
            " where e.dose_id = s.dose_id order by observed_at) from doses s where plan_id = $1 and due_at < $2"
            " order by due_at", plan_id, berlin(4, 2),
        )  # fmt: skip
        found.append([tuple(row) for row in rows])

    assert found[0] == found[1]
    assert {row[1] for row in found[0]} == {"late", "double"}
