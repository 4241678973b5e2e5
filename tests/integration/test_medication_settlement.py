"""Plans, doses, reminders, notices, days and stock together, as medication's loop does them, on a real database."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta

import pytest

from schemas.metrics import METRICS
from services.medication.day_close import DayClose
from services.medication.notices import NoticeBoard
from services.medication.planner import Planner
from services.medication.settlement import Settlement
from services.medication.supplies import Supplies
from services.runtime.clock import FakeClock, to_datetime, to_ms
from services.runtime.database import Pool, load_queries
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from tests.integration.care_world import World, settle_in
from tests.integration.dose_world import (
    berlin,
    happen,
    hear,
    ledger_of,
    no_doses,
    pass_on,
    planner_of,
    prescribe,
    states,
)

SQL = {**load_queries("services.medication"), **load_queries("services.medication", "closing.sql")}


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with no_doses(dsn) as opened:
        yield opened


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A household whose dispenser is heard each time that the clock moves."""

    pool: Pool
    world: World
    clock: FakeClock
    planner: Planner
    settlement: Settlement

    async def at(self, moment: datetime, *, heard: bool = True) -> None:
        """Moves all of it to ``moment``, a quarter of an hour at a time."""
        now = to_datetime(self.clock.now_ms())
        while now < moment:
            now = min(moment, now + timedelta(minutes=15))
            self.clock.at_ms = to_ms(now)
            if heard:
                await hear(self.pool, self.world, now)
            await pass_on(self.pool, now)
            await self.planner.plan()
            await self.settlement.settle()

    async def notices(self) -> list[tuple[datetime, str]]:
        rows = await self.pool.fetch("select at, caregiver_text from caregiver_notices order by at")
        return [(row["at"], row["caregiver_text"]) for row in rows]

    async def supply(self) -> tuple[float, datetime | None, bool]:
        """Of the only plan with stock."""
        (row,) = await self.pool.fetch("select left_count, runs_out_at, refill_due from plan_supplies")
        return row["left_count"], row["runs_out_at"], row["refill_due"]

    async def said(self, rule: str) -> list[tuple[int, datetime]]:
        """Level and moment of what was found."""
        rows = await self.pool.fetch(
            "select level, observed_at from findings where person_no = $1 and rule = $2"
            " order by raised_at, observed_at",
            self.world.person_no,
            rule,
        )
        return [(row["level"], row["observed_at"]) for row in rows]


@pytest.fixture
async def house(pool: Pool) -> House:
    clock = FakeClock(at_ms=to_ms(berlin(1, 6)))
    settlement = Settlement(
        ledger=ledger_of(pool, clock),
        notices=NoticeBoard(pool=pool, sql=SQL, clock=clock),
        days=DayClose(pool=pool, sql=SQL, clock=clock, metrics=Metrics(METRICS), log=logger("test")),
        supplies=Supplies(pool=pool, sql=SQL),
    )
    world = await settle_in(pool)
    return House(pool=pool, world=world, clock=clock, planner=planner_of(pool, clock), settlement=settlement)


async def test_reminders_that_no_broker_took_before_they_expired_cost_the_dose_nothing(house: House) -> None:
    plan_id = await prescribe(house.pool, house.world, time(8), since=berlin(1, 6))
    await house.at(berlin(1, 9))

    rows = await house.pool.fetch("select details, sent_at, expires_at from commands order by created_at")
    assert [(row["details"]["reminder"], row["sent_at"]) for row in rows] == [(1, None), (2, None), (3, None)]
    assert all(row["expires_at"] <= berlin(1, 9) for row in rows)
    assert await house.pool.fetch(SQL["unsent_commands"], berlin(1, 9), 10) == []
    assert (await states(house.pool, plan_id))[0] == "reminded"

    await happen(house.pool, house.world, berlin(1, 9, 20))
    await house.at(berlin(1, 9, 30))
    assert (await states(house.pool, plan_id))[0] == "taken"
    await house.at(berlin(2, 9, 59))
    assert (await states(house.pool, plan_id))[1] == "reminded"
    await house.at(berlin(2, 10, 30))
    assert await house.notices() == [(berlin(2, 10), "The dose due at 08:00 was not taken by 10:00.")]


async def test_a_dispenser_that_is_away_makes_no_notice_until_it_is_heard(house: House) -> None:
    plan_id = await prescribe(house.pool, house.world, time(8), time(20), since=berlin(1, 7))
    await house.at(berlin(1, 7, 30))
    await house.at(berlin(1, 12), heard=False)
    assert (await states(house.pool, plan_id))[0] == "unknown"
    assert await house.notices() == []

    await house.at(berlin(1, 13))
    assert await house.notices() == [(berlin(1, 9), "The dose due at 08:00 was not taken by 09:00.")]


async def test_a_taking_that_the_dispenser_kept_makes_no_notice_at_all(house: House) -> None:
    plan_id = await prescribe(house.pool, house.world, time(8), time(20), since=berlin(1, 7))
    await house.at(berlin(1, 7, 30))
    await house.at(berlin(1, 12), heard=False)
    await happen(house.pool, house.world, berlin(1, 8, 10), received_at=berlin(1, 12, 1))
    await house.at(berlin(1, 13))

    assert (await states(house.pool, plan_id))[0] == "taken"
    assert await house.notices() == []


async def test_a_week_of_which_too_much_was_missed_is_found_when_its_day_ends(house: House) -> None:
    await prescribe(house.pool, house.world, time(8), time(20), since=berlin(1, 7))
    for day in range(1, 7):
        if day % 2:
            await happen(house.pool, house.world, berlin(day, 8, 3))
            await happen(house.pool, house.world, berlin(day, 20, 3))
    for day in range(1, 8):
        await house.at(berlin(day, 23, 30))
        if day == 5:
            assert await house.said("adherence") == []

    # Ten doses are known once the fifth evening's dose is: six of them taken.
    assert await house.said("adherence") == [(1, berlin(5, 23) + timedelta(hours=1))]
    days = await house.pool.fetch("select taken, known from adherence_days where person_no = $1 order by day",
                                  house.world.person_no)  # fmt: skip
    assert [(row["taken"], row["known"]) for row in days][4] == (6, 10)


async def test_stock_goes_down_by_what_the_ledger_found_taken(house: House) -> None:
    plan_id = await prescribe(house.pool, house.world, time(8), time(20), since=berlin(1, 7))
    await house.pool.execute(
        "insert into plan_stock (plan_id, at, count, what) values ($1, $2, 10, 'counted')", plan_id, berlin(1, 7)
    )
    await happen(house.pool, house.world, berlin(1, 8, 3))
    await house.at(berlin(1, 8, 45))
    assert await house.supply() == (9, berlin(6, 8), True)

    await happen(house.pool, house.world, berlin(1, 9, 30))
    await house.at(berlin(1, 10))
    assert (await states(house.pool, plan_id))[0] == "double"
    assert await house.supply() == (8, berlin(5, 20), True)
