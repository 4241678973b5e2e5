"""A thousand alerts that nobody answers: people are notified again in time, in order, and never after an answer."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import numpy as np
import pytest
from pydantic import SecretStr

from schemas.alert_events import Acknowledged
from schemas.alert_rows import alert_of
from services.api.acknowledge import write_change
from services.runtime.clock import WallClock, to_datetime
from services.runtime.database import Pool, load_queries, open_pool, transaction
from services.runtime.rounds import do_rounds
from services.runtime.settings import DatabaseSettings
from tests.integration.alert_world import AlertService, serve_alerts

TIMERS = 1_000
_FILL = """
with place as (
    select n, $1::timestamptz + ($2::timestamptz - $1::timestamptz) * n / $3::integer as due_at
    from generate_series(1, $3::integer) n
), home as (
    insert into homes (home_id, label, time_zone) select gen_random_uuid(), 'timers ' || n, 'UTC' from place
    returning home_no, substr(label, 8)::integer as n
), person as (
    insert into people (person_id, home_no, display_name, born_on)
    select gen_random_uuid(), home_no, 'Person ' || n, '1940-01-01' from home returning person_no, home_no
), doctor as (
    insert into doctors (email, display_name) select 'timers-' || home_no || '@example.org', n::text from home
    returning doctor_no, email, display_name::integer as n
), address as (
    insert into contact_addresses (doctor_no, channel, address) select doctor_no, 'email', email from doctor
), care as (
    insert into care_relations (doctor_no, person_no, valid)
    select doctor_no, person_no, tstzrange('2020-01-01', null)
    from doctor join home using (n) join person using (home_no)
), alert as (
    insert into alerts (alert_id, home_no, person_no, rule, concern, severity, level, active_severity, active_level,
                        state, episode, active_episodes, first_at, opened_at, condition_at, doctor_text, caregiver_text,
                        rationale, version)
    select gen_random_uuid(), home_no, person_no, 'spo2', 'spo2', 3, 2, 3, 2, 'open', 1, '{1}', $1, $1, $1, '', '', '',
           0
    from person returning alert_id, home_no
), notified as (
    insert into escalation_steps (alert_id, step, repeat, due_at, state, reason)
    select alert_id, 1, 0, $1, 'done', 'first' from alert
)
insert into escalation_steps (alert_id, step, repeat, due_at, state)
select alert_id, 2, 1, due_at, 'pending' from alert join home using (home_no) join place using (n)
returning alert_id
"""
_FIRED = """
select s.alert_id, s.due_at, n.created_at as fired_at
from escalation_steps s join notifications n using (alert_id, step) where s.step = 2 and s.alert_id = any ($1::uuid[])
order by n.created_at, s.due_at
"""


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        yield opened


async def running(pool: Pool) -> AlertService:
    """An alert service in real time, as in production."""
    service = await serve_alerts(pool, ["email"])
    clock = WallClock()
    queue = replace(service.escalation.notifications, clock=clock, real=clock)
    return replace(service, escalation=replace(service.escalation, clock=clock, notifications=queue))


async def fill(pool: Pool, first_ms: int, last_ms: int) -> list[asyncpg.Record]:
    rows = await pool.fetch(_FILL, to_datetime(first_ms), to_datetime(last_ms), TIMERS)
    await pool.execute("analyze")
    return rows


async def escalate(service: AlertService, stop: asyncio.Event) -> None:
    one = service.escalation
    await do_rounds(one.repeat, stop, every_s=0.25, clock=one.clock, log=one.log, metrics=one.metrics)


async def fired(
    pool: Pool, alerts: list[asyncpg.Record], *, within_s: float, most: int = TIMERS
) -> list[asyncpg.Record]:
    """The steps that were taken, once there are so many, or time is up."""
    ids = [row["alert_id"] for row in alerts]
    deadline = time.monotonic() + within_s
    while len(rows := await pool.fetch(_FIRED, ids)) < most and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    return rows


@pytest.mark.parametrize("over_s", [4.0, 0.001], ids=["one after the other", "all at once"])
async def test_people_are_notified_again_within_a_second_of_when_it_is_due(pool: Pool, over_s: float) -> None:
    service, stop = await running(pool), asyncio.Event()
    due_ms = time.time_ns() // 1_000_000 + 3_000
    alerts = await fill(pool, due_ms, due_ms + round(1000 * over_s))
    async with asyncio.TaskGroup() as group:
        group.create_task(escalate(service, stop))
        rows = await fired(pool, alerts, within_s=over_s + 10)
        stop.set()

    late = [(row["fired_at"] - row["due_at"]).total_seconds() for row in rows]
    assert len(rows) == TIMERS
    assert min(late) >= 0
    assert np.percentile(late, 99) <= 1.0


async def test_after_ten_minutes_down_all_that_fell_due_is_taken_in_order_and_nothing_that_was_answered(
    pool: Pool,
) -> None:
    service, stop = await running(pool), asyncio.Event()
    now_ms = time.time_ns() // 1_000_000
    alerts = await fill(pool, now_ms - 10 * 60_000, now_ms)
    answered = [row["alert_id"] for row in alerts[::20]]
    doctor_no, sql = await pool.fetchval("select min(doctor_no) from doctors"), load_queries("services.api")

    async def answer() -> dict[object, bool]:
        """Some are taken on while the service starts again, each as the console does it."""
        answers = {}
        for one in answered:
            async with transaction(pool) as connection:
                row = await connection.fetchrow(sql["hold_alert"], one)
                assert row is not None
                event, now = Acknowledged(doctor_no=doctor_no), WallClock().now_ms()
                answers[one] = await write_change(connection, sql, alert_of(row), event, now)
        return answers

    started_ms = time.time_ns() // 1_000_000
    async with asyncio.TaskGroup() as group:
        group.create_task(escalate(service, stop))
        answers = await answer()
        rows = await fired(pool, alerts, within_s=5, most=TIMERS - len(answered))
        await asyncio.sleep(0.5)
        rows = await fired(pool, alerts, within_s=0)
        stop.set()

    assert all(answers.values())
    assert len(rows) >= TIMERS - len(answered)
    assert max(row["fired_at"] for row in rows) <= to_datetime(started_ms + 5_000)
    # Of those that nobody was answering meanwhile, what fell due first is taken first.
    dues = [row["due_at"] for row in rows if row["alert_id"] not in answers]
    assert dues == sorted(dues)
    taken_on = await pool.fetch(
        "select alert_id, acknowledged_at from alerts where alert_id = any ($1::uuid[])", answered
    )
    answered_at = {row["alert_id"]: row["acknowledged_at"] for row in taken_on}
    late = [row for row in rows if row["fired_at"] > answered_at.get(row["alert_id"], row["fired_at"])]
    assert late == []
    left = await pool.fetchval(
        "select count(*) from escalation_steps where alert_id = any ($1::uuid[]) and state = 'pending'", answered
    )
    assert left == 0
