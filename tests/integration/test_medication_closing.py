"""What follows once doses are settled: notices for caregivers, the close of a day, what is left; on a real database."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from pydantic import SecretStr

from schemas.alerts import Message
from schemas.metrics import METRICS
from services.medication.day_close import DayClose
from services.medication.notices import NoticeBoard
from services.medication.supplies import Supplies
from services.runtime.clock import FakeClock, to_ms
from services.runtime.database import Pool, load_queries, open_pool
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from services.runtime.settings import DatabaseSettings
from services.sentences.catalogue import ENGLISH, Reader
from tests.integration.care_world import World, settle_in

SQL = {**load_queries("services.medication"), **load_queries("services.medication", "closing.sql")}
LONG_BEFORE = datetime(2026, 5, 1, tzinfo=UTC)


def berlin(day: int, hour: int, minute: int = 0) -> datetime:
    """June 2026, two hours ahead of UTC."""
    return datetime(2026, 6, 1, tzinfo=UTC) + timedelta(days=day - 1, hours=hour - 2, minutes=minute)


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        await opened.execute("truncate dose_plans cascade")
        await opened.execute("truncate adherence_days")
        yield opened


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(at_ms=to_ms(berlin(8, 1)))


def a_close(pool: Pool, clock: FakeClock) -> DayClose:
    """As a process makes it that has just started."""
    return DayClose(pool=pool, sql=SQL, clock=clock, metrics=Metrics(METRICS), log=logger("test"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan with a version, to which a test adds doses."""

    plan_id: UUID
    version_no: int


async def prescribe(pool: Pool, world: World, *times: time, zone: str = "Europe/Berlin", count: float = 1) -> Plan:
    """Twice a day where no ``times`` are named."""
    plan_id = uuid4()
    await pool.execute("insert into dose_plans (plan_id, person_no) values ($1, $2)", plan_id, world.person_no)
    number = await pool.fetchval(
        "insert into dose_plan_versions (plan_id, valid, device_no, compartment, drug, strength, count, at_times, zone,"
        " made_at) values ($1, $2, $3, 2, 'Levodopa', '100 mg', $4, $5, $6, $7) returning version_no",
        plan_id, asyncpg.Range(LONG_BEFORE, None), world.device_no, count, times or (time(8), time(20)), zone,
        LONG_BEFORE,
    )  # fmt: skip
    return Plan(plan_id=plan_id, version_no=number)


async def dose(
    pool: Pool, world: World, plan: Plan, due: datetime, state: str, *, taken_at: datetime | None = None, **more: Any
) -> UUID:
    """As the ledger leaves it: two hours on both sides of its due moment, missed after six."""
    dose_id = uuid4()
    is_settled = state not in {"pending", "reminded", "unknown"}
    row = {
        "dose_id": dose_id, "plan_id": plan.plan_id, "version_no": plan.version_no, "person_no": world.person_no,
        "home_no": world.home_no, "device_no": world.device_no, "compartment": 2,
        "local_date": (due + timedelta(hours=2)).date(), "early_after": due - timedelta(hours=3),
        "opens_at": due - timedelta(hours=2), "due_at": due, "closes_at": due + timedelta(hours=2),
        "missed_at": due + timedelta(hours=6), "state": state, "settled_at": due if is_settled else None,
        "drug": "Levodopa", "strength": "100 mg", "count": 1.0, "zone": "Europe/Berlin",
    } | more  # fmt: skip
    places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
    await pool.execute(f"insert into doses ({', '.join(row)}) values ({places})", *row.values())  # noqa: S608
    if taken_at is not None:
        await happen(pool, world, dose_id, taken_at, "decided")
    return dose_id


async def happen(pool: Pool, world: World, dose_id: UUID, at: datetime, role: str) -> None:
    """An event that belongs to a dose."""
    seq = await pool.fetchval("select count(*) from dose_evidence")
    await pool.execute(
        "insert into dose_evidence (device_no, epoch, seq, item, dose_id, compartment, kind, observed_at, decisive,"
        " role) values ($1, 7, $2, 0, $3, 2, 6, $4, $5, $6)",
        world.device_no, seq, dose_id, at, role == "decided", role,
    )  # fmt: skip


async def week(pool: Pool, world: World, *states: str, plan: Plan | None = None) -> None:
    """Doses at 8 and 20 from the first of June on."""
    plan = plan or await prescribe(pool, world)
    for place, state in enumerate(states):
        due = berlin(1 + place // 2, (8, 20)[place % 2])
        await dose(pool, world, plan, due, state, taken_at=due if state in {"taken", "double"} else None)


async def said(pool: Pool, world: World) -> list[tuple[int, int, datetime]]:
    """Episode, level and moment of what was said of a person's adherence; sentences can be made again from the rows."""
    rows = await pool.fetch(
        "select * from findings where person_no = $1 and rule = 'adherence' order by observed_at", world.person_no
    )
    for row in rows:
        assert ENGLISH.say(Message(row["message"], row["facts"]), Reader.DOCTOR) == row["doctor_text"]
        assert (row["level"] == 0) is (row["end_reason"] == "recovered")
        assert row["concern"] == "adherence"
        assert row["severity"] == 2
    return [(row["episode"], row["level"], row["observed_at"]) for row in rows]


async def test_a_week_of_seven_in_ten_is_found_at_the_end_of_the_local_day_and_once(
    pool: Pool, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    await week(pool, world, *["taken"] * 7, "missed", *["unknown"] * 4, *["missed"] * 2)
    close = a_close(pool, clock)

    await close.close(berlin(7, 23, 59))
    assert await said(pool, world) == []
    for minute in (0, 1, 20):
        await close.close(berlin(8, 0, minute))

    assert await said(pool, world) == [(1, 1, berlin(8, 0))]
    rows = await pool.fetch("select * from adherence_days where person_no = $1 order by day", world.person_no)
    assert [(row["day"], row["taken"], row["known"]) for row in rows] == [
        (date(2026, 6, 6), 7, 8), (date(2026, 6, 7), 7, 10),
    ]  # fmt: skip


async def test_whoever_starts_again_judges_no_day_twice(pool: Pool, clock: FakeClock) -> None:
    world = await settle_in(pool)
    await week(pool, world, *["taken"] * 7, *["missed"] * 3)
    for _ in range(3):
        await a_close(pool, clock).close(berlin(8, 0, 30))

    assert await said(pool, world) == [(1, 1, berlin(8, 0))]
    assert await pool.fetchval("select count(*) from adherence_days where person_no = $1", world.person_no) == 1


async def test_a_crash_before_the_commit_leaves_the_day_to_be_judged(
    pool: Pool, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await settle_in(pool)
    await week(pool, world, *["taken"] * 7, *["missed"] * 3)

    def fail(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr("services.medication.day_close.finding_row", fail)
        with pytest.raises(RuntimeError):
            await a_close(pool, clock).close(berlin(8, 0, 30))
    assert await pool.fetchval("select count(*) from adherence_days where person_no = $1", world.person_no) == 0

    await a_close(pool, clock).close(berlin(8, 0, 30))
    assert await said(pool, world) == [(1, 1, berlin(8, 0))]


@pytest.mark.parametrize(
    "states",
    [
        ["taken"] * 8 + ["missed"] * 2,
        ["missed"] * 9,
        ["missed"] * 9 + ["unknown"] * 5,
        ["missed"] * 9 + ["held"] * 5,
        ["missed"] * 9 + ["reminded"] * 5,
        ["double"] * 8 + ["missed"] * 2,
    ],
)
async def test_enough_taken_or_too_little_known_is_no_finding(pool: Pool, clock: FakeClock, states: list[str]) -> None:
    world = await settle_in(pool)
    await week(pool, world, *states)

    await a_close(pool, clock).close(berlin(8, 0, 1))

    assert await said(pool, world) == []


async def test_what_is_taken_as_needed_is_not_counted_neither_way(pool: Pool, clock: FakeClock) -> None:
    world = await settle_in(pool)
    plan = await prescribe(pool, world)
    await week(pool, world, *["missed"] * 9, plan=plan)
    for hour in range(10):
        await dose(pool, world, plan, berlin(3, 9, hour), "taken", as_needed=True, same_due=1)
    await a_close(pool, clock).close(berlin(8, 0, 1))

    assert await said(pool, world) == []


async def test_it_ends_once_enough_is_taken_again_and_begins_anew_after_that(pool: Pool, clock: FakeClock) -> None:
    world = await settle_in(pool)
    states = ["missed"] * 6 + ["taken"] * 16 + ["missed"] * 8
    await week(pool, world, *states)
    close = a_close(pool, clock)
    for day in range(2, 17):
        clock.at_ms = to_ms(berlin(day, 1))
        await close.close(berlin(day, 0, 1))

    # After five days four of ten; after nine 12 of the last 14; after 14 days six of the last eight missed.
    assert await said(pool, world) == [(1, 1, berlin(6, 0)), (1, 0, berlin(10, 0)), (2, 1, berlin(14, 0))]


async def test_after_an_outage_only_the_newest_day_is_judged(pool: Pool, clock: FakeClock) -> None:
    world = await settle_in(pool)
    await week(pool, world, *["missed"] * 10, *["taken"] * 14)
    await a_close(pool, clock).close(berlin(13, 0, 1))

    assert await said(pool, world) == []
    assert await pool.fetchval("select day from adherence_days where person_no = $1", world.person_no) == date(
        2026, 6, 12
    )


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Asia/Kathmandu", "America/St_Johns", "Pacific/Pago_Pago"])
async def test_a_day_ends_at_midnight_at_home(pool: Pool, clock: FakeClock, zone: str) -> None:
    world = await settle_in(pool, zone=zone)
    await week(pool, world, *["missed"] * 14)
    close = a_close(pool, clock)
    midnight = None
    for quarter in range(4 * 24):
        moment = berlin(8, 2) + timedelta(minutes=15 * quarter, seconds=1)
        await close.close(moment)
        if midnight is None and await said(pool, world):
            midnight = moment
    first = (await said(pool, world))[0][2]

    assert len(await said(pool, world)) == 1
    assert first < (midnight or first) <= first + timedelta(minutes=15, seconds=1) or midnight == berlin(
        8, 2
    ) + timedelta(seconds=1)


async def notices(pool: Pool, world: World) -> list[tuple[datetime, str]]:
    rows = await pool.fetch("select * from caregiver_notices where person_no = $1 order by at", world.person_no)
    for row in rows:
        assert ENGLISH.say(Message(row["message"], row["facts"]), Reader.CAREGIVER) == row["caregiver_text"]
    return [(row["at"], row["caregiver_text"]) for row in rows]


async def test_a_dose_that_is_open_when_its_window_ends_is_noticed_once(pool: Pool, clock: FakeClock) -> None:
    world = await settle_in(pool)
    plan = await prescribe(pool, world)
    await dose(pool, world, plan, berlin(1, 8), "reminded", judged_from=berlin(1, 10))
    board = NoticeBoard(pool=pool, sql=SQL, clock=clock)

    assert await board.write(berlin(1, 10)) == 0
    assert [await board.write(berlin(1, 10, minute)) for minute in (1, 2, 59)] == [1, 0, 0]
    assert await notices(pool, world) == [(berlin(1, 10), "The dose due at 08:00 was not taken by 10:00.")]


@pytest.mark.parametrize(
    ("state", "more"),
    [
        ("unknown", {}),
        ("held", {}),
        ("taken", {"judged_from": berlin(1, 10)}),
        ("late", {"judged_from": berlin(1, 10)}),
        ("reminded", {}),
        ("reminded", {"judged_from": berlin(1, 10, 3)}),
        ("missed", {}),
        ("pending", {"as_needed": True, "judged_from": berlin(1, 10)}),
    ],
)
async def test_nothing_is_said_of_what_is_not_known_or_not_open(
    pool: Pool, clock: FakeClock, state: str, more: dict[str, Any]
) -> None:
    world = await settle_in(pool)
    await dose(pool, world, await prescribe(pool, world), berlin(1, 8), state, **more)

    assert await NoticeBoard(pool=pool, sql=SQL, clock=clock).write(berlin(1, 10, 2)) == 0


async def test_a_dose_missed_during_an_outage_is_noticed_while_that_is_news(pool: Pool, clock: FakeClock) -> None:
    world = await settle_in(pool)
    plan = await prescribe(pool, world)
    await dose(pool, world, plan, berlin(1, 8), "missed", judged_from=berlin(1, 14))
    await dose(pool, world, plan, berlin(1, 20), "missed", judged_from=berlin(2, 9))

    await NoticeBoard(pool=pool, sql=SQL, clock=clock).write(berlin(2, 9, 30))

    assert [at for at, _ in await notices(pool, world)] == [berlin(1, 22)]


async def stock(pool: Pool, plan: Plan, at: datetime, count: float, what: str = "counted") -> None:
    await pool.execute(
        "insert into plan_stock (plan_id, at, count, what) values ($1, $2, $3, $4)", plan.plan_id, at, count, what
    )


async def supply(pool: Pool, plan: Plan) -> tuple[float, datetime | None, bool]:
    row = await pool.fetchrow("select * from plan_supplies where plan_id = $1", plan.plan_id)
    assert row is not None
    return row["left_count"], row["runs_out_at"], row["refill_due"]


async def test_what_is_left_follows_counts_takings_and_refills(pool: Pool) -> None:
    world = await settle_in(pool)
    plan = await prescribe(pool, world, count=2)
    supplies = Supplies(pool=pool, sql=SQL)
    await stock(pool, plan, berlin(1, 7), 20)
    await supplies.forecast(berlin(1, 7, 30))
    # Ten doses: today and four days more; the next morning nothing is left.
    assert await supply(pool, plan) == (20, berlin(6, 8), True)

    taken = await dose(pool, world, plan, berlin(1, 8), "taken", taken_at=berlin(1, 8), count=2.0)
    await supplies.forecast(berlin(1, 8, 31))
    assert await supply(pool, plan) == (18, berlin(6, 8), True)

    await happen(pool, world, taken, berlin(1, 9), "double")
    await happen(pool, world, taken, berlin(1, 8, 1), "same")
    await supplies.forecast(berlin(1, 9, 31))
    assert await supply(pool, plan) == (16, berlin(5, 20), True)

    await stock(pool, plan, berlin(1, 9, 32), 56, "refilled")
    await supplies.forecast(berlin(1, 9, 32))
    left, runs_out_at, refill_due = await supply(pool, plan)
    assert (left, runs_out_at, refill_due) == (72, berlin(19, 20), False)


async def test_a_dose_that_was_taken_early_needs_nothing_more(pool: Pool) -> None:
    world = await settle_in(pool)
    plan = await prescribe(pool, world)
    await stock(pool, plan, berlin(1, 5), 3)
    await dose(pool, world, plan, berlin(1, 8), "early", taken_at=berlin(1, 5, 30))
    await Supplies(pool=pool, sql=SQL).forecast(berlin(1, 6))

    # Two are left: for this evening and tomorrow morning.
    assert await supply(pool, plan) == (2, berlin(2, 20), True)


async def test_a_plan_that_a_doctor_paused_runs_out_later_or_never(pool: Pool) -> None:
    world = await settle_in(pool)
    plan = await prescribe(pool, world)
    await stock(pool, plan, berlin(1, 7), 4)
    supplies = Supplies(pool=pool, sql=SQL)
    await supplies.forecast(berlin(1, 7, 30))
    assert (await supply(pool, plan))[1] == berlin(3, 8)

    pause = "insert into plan_pauses (plan_id, valid, doctor_no, why, made_at) values ($1, $2, $3, 'surgery', $4)"
    at = berlin(1, 7, 40)
    await pool.execute(pause, plan.plan_id, asyncpg.Range(berlin(2, 0), berlin(4, 0)), world.doctor_no, at)
    await supplies.forecast(berlin(1, 7, 45))
    assert (await supply(pool, plan))[1] == berlin(5, 8)

    await pool.execute(pause, plan.plan_id, asyncpg.Range(berlin(4, 0), None), world.doctor_no, at)
    await supplies.forecast(berlin(1, 7, 50))
    assert (await supply(pool, plan))[1:] == (None, False)


async def test_a_plan_whose_stock_nobody_counted_has_no_forecast(pool: Pool) -> None:
    await prescribe(pool, await settle_in(pool))

    assert await Supplies(pool=pool, sql=SQL).forecast(berlin(1, 8)) == 0
    assert await pool.fetchval("select count(*) from plan_supplies") == 0


async def test_a_forecast_is_made_again_only_where_something_has_changed(pool: Pool) -> None:
    plan = await prescribe(pool, await settle_in(pool))
    await stock(pool, plan, berlin(1, 7), 20)
    supplies = Supplies(pool=pool, sql=SQL)

    found = [await supplies.forecast(berlin(1, 8) + timedelta(minutes=minutes)) for minutes in (0, 1, 2, 59, 361)]
    assert found == [1, 0, 0, 0, 1]
