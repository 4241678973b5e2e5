"""Plans become doses, and doses are settled by events, the clock and the watermark, on a real database."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from pydantic import SecretStr

from schemas.alerts import Finding, Message, Severity
from schemas.metrics import METRICS
from schemas.reasons import Flag
from services.medication.core import TAKING
from services.medication.ledger import DoseLedger
from services.medication.planner import Planner
from services.runtime.clock import FakeClock, to_datetime, to_ms
from services.runtime.database import Pool, load_queries, open_pool
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from services.runtime.settings import DatabaseSettings
from services.sentences.catalogue import ENGLISH, Reader
from tests.integration.care_world import World, settle_in

LIFTED, CONFIRMED = TAKING
SQL = load_queries("services.medication")
LONG_BEFORE = datetime(2026, 6, 1, tzinfo=UTC)


def berlin(day: int, hour: int, minute: int = 0) -> datetime:
    """A summer day in June 2026, two hours ahead of UTC."""
    return datetime(2026, 6, day, hour - 2, minute, tzinfo=UTC)


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        await opened.execute("truncate dose_evidence, doses, dose_plans, commands")
        await opened.execute("delete from watermarks")
        yield opened


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(at_ms=to_ms(berlin(1, 6)))


@pytest.fixture
def planner(pool: Pool, clock: FakeClock) -> Planner:
    return Planner(pool=pool, sql=SQL, clock=clock)


@pytest.fixture
def ledger(pool: Pool, clock: FakeClock) -> DoseLedger:
    return DoseLedger(pool=pool, sql=SQL, clock=clock, metrics=Metrics(METRICS), log=logger("test"))


async def prescribe(
    pool: Pool, world: World, *times: time, critical: bool = False, compartment: int = 2, since: datetime = LONG_BEFORE
) -> UUID:
    """As the register command writes it."""
    plan_id = uuid4()
    await pool.execute(
        "insert into dose_plans (plan_id, person_no, device_no, compartment, drug, at_times, time_critical, valid)"
        " values ($1, $2, $3, $4, 'Levodopa', $5, $6, $7)",
        plan_id,
        world.person_no,
        world.device_no,
        compartment,
        times,
        critical,
        asyncpg.Range(since, None),
    )
    return plan_id


async def happen(
    pool: Pool, world: World, moment: datetime, *, kind: int = LIFTED, compartment: float = 2, flags: int = 0
) -> None:
    """As store writes it."""
    seq = await pool.fetchval("select count(*) from device_events")
    await pool.execute(
        "insert into device_events values ($1, 7, $2, 0, $3, $4, $5, $6, $6, $7, $8)",
        world.device_no,
        seq,
        world.home_no,
        world.person_no,
        kind,
        moment,
        flags,
        {"compartment": compartment},
    )


async def pass_on(pool: Pool, moment: datetime) -> None:
    """Store and score have committed everything received up to ``moment``."""
    for consumer in ("store", "score"):
        await pool.execute(
            "insert into watermarks values ($1, '0', 0, $2) on conflict (consumer, instance, partition_no)"
            " do update set received_at = excluded.received_at",
            consumer,
            moment,
        )


async def states(pool: Pool, plan_id: UUID) -> list[str]:
    rows = await pool.fetch("select state from doses where plan_id = $1 order by due_at", plan_id)
    return [row["state"] for row in rows]


async def findings(pool: Pool, world: World) -> list[tuple[int, int, int, datetime]]:
    """Episode, level, severity, moment; sentences can be made again from the rows, and only ends have a reason."""
    rows = await pool.fetch("select * from findings where person_no = $1 order by observed_at", world.person_no)
    for row in rows:
        assert ENGLISH.say(Message(row["message"], row["facts"]), Reader.DOCTOR) == row["doctor_text"]
        assert (row["level"] == 0) is (row["end_reason"] is not None)
    return [(row["episode"], row["level"], row["severity"], row["observed_at"]) for row in rows]


async def test_a_plan_is_doses_for_three_days_and_planning_again_adds_none(
    pool: Pool, planner: Planner, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world, time(8), time(20), since=berlin(1, 7))
    for _ in range(3):
        await planner.plan()
        clock.advance(seconds=3600)

    due = await pool.fetch("select due_at from doses where plan_id = $1 order by due_at", plan_id)
    assert [row["due_at"] for row in due] == [berlin(day, hour) for day in (1, 2, 3, 4) for hour in (8, 20)]


async def test_a_plan_that_ends_drops_the_doses_to_come_and_no_other(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world, time(8), time(20))
    await planner.plan()
    clock.at_ms = to_ms(berlin(1, 8))
    await ledger.settle()
    await pool.execute(
        "update dose_plans set valid = tstzrange(lower(valid), $2) where plan_id = $1", plan_id, berlin(1, 21)
    )
    await planner.plan()

    assert await states(pool, plan_id) == ["reminded", "pending"]


async def test_a_plan_that_changes_its_time_moves_the_doses_to_come(
    pool: Pool, planner: Planner, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world, time(8), time(20))
    await planner.plan()
    clock.at_ms = to_ms(berlin(1, 10))
    await pool.execute("update dose_plans set at_times = $2 where plan_id = $1", plan_id, [time(9)])
    await planner.plan()

    rows = await pool.fetch("select due_at from doses where plan_id = $1 and due_at > $2", plan_id, berlin(1, 10))
    assert sorted(row["due_at"] for row in rows) == [berlin(day, 9) for day in (2, 3, 4)]


async def test_the_dispenser_hears_when_a_dose_is_due(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    await prescribe(pool, world, time(8))
    await planner.plan()
    for minutes in (0, 1, 16, 31, 46):
        clock.at_ms = to_ms(berlin(1, 8) + timedelta(minutes=minutes))
        await ledger.settle()

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
    plan_id = await prescribe(pool, world, time(8), time(20))
    await planner.plan()
    clock.at_ms = to_ms(moment) + 2000
    await happen(pool, world, moment)
    await happen(pool, world, moment + timedelta(minutes=1), kind=CONFIRMED, compartment=2.0)
    for _ in range(3):
        await ledger.settle()

    assert (await states(pool, plan_id))[0] == expected
    evidence = await pool.fetch("select decisive from dose_evidence order by seq")
    assert [row["decisive"] for row in evidence] == [True, False]


async def test_a_dose_that_was_only_dispensed_is_not_taken(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world, time(8))
    await planner.plan()
    clock.at_ms = to_ms(berlin(1, 8, 6))
    await happen(pool, world, berlin(1, 8, 5), kind=4)
    await happen(pool, world, berlin(1, 8, 5), flags=Flag.JUMPED)
    await ledger.settle()

    assert (await states(pool, plan_id))[0] == "reminded"


async def test_a_time_critical_dose_is_a_finding_only_once_the_watermark_has_passed_its_window(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    await prescribe(pool, world, time(8), critical=True)
    await planner.plan()
    clock.at_ms = to_ms(berlin(1, 9))
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
    plan_id = await prescribe(pool, world, time(8), critical=True)
    await planner.plan()
    clock.at_ms = to_ms(berlin(1, 9))
    await happen(pool, world, berlin(1, 8, 29))
    await pass_on(pool, berlin(1, 8, 59))
    await ledger.settle()

    assert await findings(pool, world) == []
    assert (await states(pool, plan_id))[0] == "taken"


async def test_taking_it_after_all_ends_the_episode(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world, time(8), critical=True)
    await planner.plan()
    clock.at_ms = to_ms(berlin(1, 9))
    await pass_on(pool, berlin(1, 8, 59))
    await ledger.settle()
    await happen(pool, world, berlin(1, 9, 5))
    await ledger.settle()

    assert [(episode, level) for episode, level, _, _ in await findings(pool, world)] == [(1, 2), (1, 0)]
    assert (await states(pool, plan_id))[0] == "late"
    evidence = await pool.fetchval("select evidence from findings where person_no = $1 and level = 0", world.person_no)
    assert evidence[0]["what"] == "cup_lifted"


async def test_each_missed_dose_is_an_episode_of_its_own(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    critical = await prescribe(pool, world, time(8), time(20), critical=True)
    daily = await prescribe(pool, world, time(8), compartment=3)
    await planner.plan()
    clock.at_ms = to_ms(berlin(3, 6))
    await pass_on(pool, berlin(3, 6))
    await ledger.settle()

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
    plan_id = await prescribe(pool, world, time(8))
    await planner.plan()
    clock.at_ms = to_ms(berlin(1, 8, 6))
    await happen(pool, world, berlin(1, 8, 5))
    await pool.execute("update device_events set person_no = $1 where device_no = $2", other.person_no, world.device_no)
    await ledger.settle()

    assert (await states(pool, plan_id))[0] == "reminded"


async def test_a_week_in_a_zone_that_changes_its_clock_has_every_dose_once(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    start = datetime(2026, 10, 22, tzinfo=UTC)
    plan_id = await prescribe(pool, world, time(2, 30), time(14), since=start)
    for hours in range(0, 24 * 7, 6):
        clock.at_ms = to_ms(start + timedelta(hours=hours))
        await pass_on(pool, to_datetime(clock.at_ms))
        await planner.plan()
        await ledger.settle()

    rows = await pool.fetch(
        "select count(*) as doses from doses where plan_id = $1 and due_at < $2 group by local_date",
        plan_id,
        start + timedelta(days=7),
    )
    assert {row["doses"] for row in rows} == {2}
    assert set((await states(pool, plan_id))[:12]) == {"missed"}


async def test_a_crash_before_the_commit_changes_nothing(
    pool: Pool, planner: Planner, ledger: DoseLedger, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await settle_in(pool)
    plan_id = await prescribe(pool, world, time(8), critical=True)
    await planner.plan()
    clock.at_ms = to_ms(berlin(1, 9))
    await pass_on(pool, berlin(1, 8, 59))
    with monkeypatch.context() as broken:
        broken.setattr("services.medication.ledger._row", fail)
        with pytest.raises(ConnectionResetError):
            await ledger.settle()
    assert (await states(pool, plan_id))[0] == "pending"

    await ledger.settle()
    assert len(await findings(pool, world)) == 1


def fail(_finding: Finding, _now: datetime) -> None:
    raise ConnectionResetError
