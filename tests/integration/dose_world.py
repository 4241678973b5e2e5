"""Plans, events and what was heard of a dispenser, as rows; the planner and the ledger that look at them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, time
from uuid import UUID, uuid4

import asyncpg
from pydantic import SecretStr

from schemas.alerts import Message
from schemas.metrics import METRICS
from schemas.plan_versions import edited
from services.api.plan_versions import queries, version_of, write_edits
from services.medication.ledger import DoseLedger
from services.medication.machine import LIFTED
from services.medication.planner import Planner
from services.runtime.clock import FakeClock, to_ms
from services.runtime.database import Pool, load_queries, open_pool, transaction
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from services.runtime.settings import DatabaseSettings
from services.sentences.catalogue import ENGLISH, Reader
from tests.integration.care_world import World

SQL = load_queries("services.medication")
LONG_BEFORE = datetime(2026, 6, 1, tzinfo=UTC)


def berlin(day: int, hour: int, minute: int = 0) -> datetime:
    """A summer day in June 2026, two hours ahead of UTC."""
    return datetime(2026, 6, day, hour - 2, minute, tzinfo=UTC)


@asynccontextmanager
async def no_doses(dsn: str) -> AsyncIterator[Pool]:
    """The database, without plans, doses, watermarks, and what was heard of any device."""
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        await opened.execute(
            "truncate dose_evidence, doses, dose_plan_versions, dose_plans, plan_pauses, plan_stock, plan_supplies,"
            " caregiver_notices, adherence_days, commands, device_cursor"
        )
        await opened.execute("delete from watermarks")
        await opened.execute("update dose_events_position set received_at = '-infinity'")
        yield opened


def planner_of(pool: Pool, clock: FakeClock) -> Planner:
    """One that goes by ``clock``."""
    return Planner(pool=pool, sql=SQL, clock=clock)


def ledger_of(pool: Pool, clock: FakeClock) -> DoseLedger:
    """One that goes by ``clock``."""
    return DoseLedger(pool=pool, sql=SQL, clock=clock, metrics=Metrics(METRICS), log=logger("test"))


async def prescribe(
    pool: Pool,
    world: World,
    *times: time,
    critical: bool = False,
    compartment: int = 2,
    since: datetime = LONG_BEFORE,
    listed: bool = False,
) -> UUID:
    """A plan with its first version; without times it is taken as needed, six hours apart at least."""
    plan_id = uuid4()
    await pool.execute("insert into dose_plans (plan_id, person_no) values ($1, $2)", plan_id, world.person_no)
    await pool.execute(
        "insert into dose_plan_versions (plan_id, valid, device_no, compartment, drug, kind, at_times, time_critical,"
        " listed, least_interval_min, zone, made_at) values ($1, $2, $3, $4, 'Levodopa', $5, $6, $7, $8, 360,"
        " 'Europe/Berlin', $9)",
        plan_id,
        asyncpg.Range(since, None),
        world.device_no,
        compartment,
        "scheduled" if times else "as_needed",
        times,
        critical,
        listed,
        since,
    )
    return plan_id


async def edit(pool: Pool, plan_id: UUID, moment: datetime, *times: time, compartment: int = 2) -> None:
    """As the register command, and a doctor, write it."""
    async with transaction(pool) as connection:
        known = await connection.fetchrow(queries()["known_plans"], [plan_id], [])
        newest = None if known is None else version_of(dict(known), by_doctor=False)
        assert newest is not None
        content = replace(newest.content, at_times=times, compartment=compartment) if times else None
        change = edited(plan_id, newest, content, moment)
        assert change is not None
        await write_edits(connection, [change], moment)


async def happen(
    pool: Pool,
    world: World,
    moment: datetime,
    *,
    kind: int = LIFTED,
    compartment: float = 2,
    flags: int = 0,
    received_at: datetime | None = None,
) -> None:
    """As store writes it."""
    seq = await pool.fetchval("select count(*) from device_events")
    await pool.execute(
        "insert into device_events values ($1, 7, $2, 0, $3, $4, $5, $6, $9, $7, $8)",
        world.device_no,
        seq,
        world.home_no,
        world.person_no,
        kind,
        moment,
        flags,
        {"compartment": compartment},
        received_at or moment,
    )


async def hear(pool: Pool, world: World, moment: datetime, *, settled: str = "{}", floor: int = 0) -> None:
    """Store has the newest of the dispenser; ``settled``: the numbers of its uplinks that are, all of them."""
    await pool.execute(
        "insert into device_cursor (device_no, epoch, settled, floor, rejected, last_received_at)"
        " values ($1, 7, $3::text::int8multirange, $4, '{}', $2) on conflict (device_no, epoch) do update"
        " set settled = excluded.settled, floor = excluded.floor, last_received_at = excluded.last_received_at",
        world.device_no,
        moment,
        settled,
        floor,
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


async def tick(
    pool: Pool,
    world: World,
    ledger: DoseLedger,
    clock: FakeClock,
    moment: datetime,
    *,
    settled: str = "{}",
    floor: int = 0,
) -> None:
    """Everything is as far as ``moment``, and the dispenser was heard then; the rest as in ``hear``."""
    clock.at_ms = to_ms(moment)
    await hear(pool, world, moment, settled=settled, floor=floor)
    await pass_on(pool, moment)
    await ledger.settle()


async def states(pool: Pool, plan_id: UUID) -> list[str]:
    rows = await pool.fetch("select state from doses_in_force where plan_id = $1 order by due_at", plan_id)
    return [row["state"] for row in rows]


async def findings(pool: Pool, world: World) -> list[tuple[int, int, int, datetime]]:
    """Episode, level, severity, moment; sentences can be made again from the rows, and only ends have a reason."""
    rows = await pool.fetch("select * from findings where person_no = $1 order by observed_at", world.person_no)
    for row in rows:
        assert ENGLISH.say(Message(row["message"], row["facts"]), Reader.DOCTOR) == row["doctor_text"]
        assert (row["level"] == 0) is (row["end_reason"] is not None)
        assert row["concern"].partition(".")[0] == row["rule"]
    return [(row["episode"], row["level"], row["severity"], row["observed_at"]) for row in rows]
