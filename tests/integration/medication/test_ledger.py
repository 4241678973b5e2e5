"""Doses are settled by events, the clock and the watermark, on a real database."""

from collections import Counter
from datetime import datetime, time, timedelta

import pytest

from schemas.alerts import Finding, Severity
from schemas.reasons import Flag
from services.medication.ledger import DoseLedger
from services.medication.machine import CONFIRMED, DISPENSED
from services.medication.planner import Planner
from services.runtime.clock import FakeClock, to_ms
from services.runtime.database import Pool
from tests.integration.care_world import settle_in
from tests.integration.dose_world import (
    berlin,
    findings,
    happen,
    hear,
    pass_on,
    prescribe,
    states,
    tick,
)


async def test_the_dispenser_hears_when_a_dose_is_due(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    await prescribe(pool, world, time(8))
    await planner.plan()
    for minutes in (0, 1, 16, 31, 46):
        await tick(pool, world, ledger, clock, berlin(1, 8) + timedelta(minutes=minutes))

    rows = await pool.fetch("select * from commands where device_no = $1 order by created_at", world.device_no)
    assert [row["details"]["reminder"] for row in rows] == [1, 2, 3]
    assert {row["kind"] for row in rows} == {"remind_dose"}
    assert rows[0]["expires_at"] == berlin(1, 8, 15)


@pytest.mark.parametrize(
    ("moment", "expected"), [(berlin(1, 6, 59), "early"), (berlin(1, 8, 5), "taken"), (berlin(1, 9, 30), "late")]
)
async def test_lifting_the_cup_takes_the_dose(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock, moment: datetime, expected: str
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world, time(8), time(20), since=berlin(1, 6))
    await planner.plan()
    clock.at_ms = to_ms(moment) + 2000
    await happen(pool, world, moment)
    await happen(pool, world, moment + timedelta(minutes=1), kind=CONFIRMED, compartment=2.0)
    for _ in range(3):
        await ledger.settle()

    assert (await states(pool, plan_id))[0] == expected
    evidence = await pool.fetch("select decisive, role from dose_evidence order by seq")
    assert [tuple(row) for row in evidence] == [(True, "decided"), (False, "same")]


async def test_a_dose_that_was_only_dispensed_is_not_taken(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world, time(8), since=berlin(1, 7))
    await planner.plan()
    clock.at_ms = to_ms(berlin(1, 8, 6))
    await happen(pool, world, berlin(1, 8, 5), kind=DISPENSED)
    await happen(pool, world, berlin(1, 8, 5), flags=Flag.JUMPED)
    await ledger.settle()

    assert (await states(pool, plan_id))[0] == "reminded"


async def test_a_time_critical_dose_is_a_finding_only_once_the_watermark_has_passed_its_window(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    await prescribe(pool, world, time(8), critical=True, since=berlin(1, 7))
    await planner.plan()
    for minute in (0, 15):
        await tick(pool, world, ledger, clock, berlin(1, 8, minute))
    clock.at_ms = to_ms(berlin(1, 9))
    await hear(pool, world, berlin(1, 8, 31))
    await ledger.settle()
    assert await findings(pool, world) == []

    await pass_on(pool, berlin(1, 8, 30))
    await ledger.settle()
    assert await findings(pool, world) == []

    await pass_on(pool, berlin(1, 8, 31))
    for _ in range(3):
        await ledger.settle()
    assert await findings(pool, world) == [(1, 2, Severity.MEDIUM, berlin(1, 8, 30))]


async def test_an_answer_in_time_that_arrived_late_is_no_missed_dose(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world, time(8), critical=True, since=berlin(1, 7))
    await planner.plan()
    await happen(pool, world, berlin(1, 8, 29))
    await tick(pool, world, ledger, clock, berlin(1, 8, 59))

    assert await findings(pool, world) == []
    assert (await states(pool, plan_id))[0] == "taken"


async def test_taking_it_after_all_ends_the_episode(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world, time(8), critical=True, since=berlin(1, 7))
    await planner.plan()
    for minute in (0, 30, 35):
        await tick(pool, world, ledger, clock, berlin(1, 8, minute))
    await happen(pool, world, berlin(1, 9, 5))
    await tick(pool, world, ledger, clock, berlin(1, 9, 6))

    assert [(episode, level) for episode, level, _, _ in await findings(pool, world)] == [(1, 2), (1, 0)]
    assert (await states(pool, plan_id))[0] == "late"
    evidence = await pool.fetchval("select evidence from findings where person_no = $1 and level = 0", world.person_no)
    assert evidence[0]["what"] == "cup_lifted"


async def test_each_missed_dose_is_an_episode_of_its_own(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    critical = await prescribe(pool, world, time(8), time(20), critical=True, since=berlin(1, 7))
    daily = await prescribe(pool, world, time(8), compartment=3, since=berlin(1, 7))
    await planner.plan()
    for minutes in range(0, 48 * 60, 30):
        await tick(pool, world, ledger, clock, berlin(1, 7) + timedelta(minutes=minutes))

    assert (await states(pool, critical))[:4] == ["missed"] * 4
    assert (await states(pool, daily))[:2] == ["missed"] * 2
    found = await findings(pool, world)
    levels = Counter(level for _, level, _, _ in found)
    assert levels == {2: 4, 0: 4, 1: 2}
    assert len({episode for episode, _, _, _ in found}) == 6


async def test_an_event_of_another_persons_binding_takes_nothing(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock
) -> None:
    world, other = await settle_in(pool), await settle_in(pool)
    plan_id = await prescribe(pool, world, time(8), since=berlin(1, 7))
    await planner.plan()
    clock.at_ms = to_ms(berlin(1, 8, 6))
    await happen(pool, world, berlin(1, 8, 5))
    await pool.execute("update device_events set person_no = $1 where device_no = $2", other.person_no, world.device_no)
    await ledger.settle()

    assert (await states(pool, plan_id))[0] == "reminded"


async def test_a_crash_before_the_commit_changes_nothing(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world, time(8), critical=True, since=berlin(1, 7))
    await planner.plan()
    for minute in (0, 15, 30):
        await tick(pool, world, ledger, clock, berlin(1, 8, minute))
    before = await states(pool, plan_id)
    clock.at_ms = to_ms(berlin(1, 9))
    await hear(pool, world, berlin(1, 8, 56))
    await pass_on(pool, berlin(1, 8, 59))
    with monkeypatch.context() as broken:
        broken.setattr("services.medication.ledger.finding_row", fail)
        with pytest.raises(ConnectionResetError):
            await ledger.settle()
    assert await states(pool, plan_id) == before

    await ledger.settle()
    assert len(await findings(pool, world)) == 1


def fail(_finding: Finding, _now: datetime) -> None:
    raise ConnectionResetError
