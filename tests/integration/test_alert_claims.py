"""Findings become alerts and notifications in one transaction, on a real database."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from pydantic import SecretStr

from schemas.alert_events import PlanStep, Reason
from schemas.alerts import Severity
from schemas.metrics import METRICS
from services.alert.channels import CHANNELS
from services.alert.claims import FindingClaims
from services.alert.escalation import Escalation
from services.alert.notifications import NotificationQueue
from services.runtime.clock import FakeClock, to_datetime
from services.runtime.database import Pool, load_queries, open_pool, transaction
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from services.runtime.settings import DatabaseSettings
from tests.integration import care_world
from tests.integration.care_world import START_MS, World, find, settle_in


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        yield opened


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(at_ms=START_MS + 5_000)


@pytest.fixture
def notifications(clock: FakeClock) -> NotificationQueue:
    names = [one.name for one in CHANNELS]
    return NotificationQueue(sql=load_queries("services.alert"), channels=names, clock=clock, real=FakeClock())


@pytest.fixture
def claims(pool: Pool, notifications: NotificationQueue, clock: FakeClock) -> FindingClaims:
    return FindingClaims(
        pool=pool,
        sql=notifications.sql,
        notifications=notifications,
        clock=clock,
        metrics=Metrics(METRICS),
        log=logger("test"),
    )


@pytest.fixture
async def escalation(pool: Pool, notifications: NotificationQueue, clock: FakeClock) -> Escalation:
    await pool.execute("update escalation_steps set state = 'cancelled' where state = 'pending'")
    return Escalation(
        pool=pool,
        sql=notifications.sql,
        notifications=notifications,
        clock=clock,
        metrics=Metrics(METRICS),
        log=logger("test"),
    )


async def alerts(pool: Pool, world: World) -> list[asyncpg.Record]:
    return await pool.fetch("select * from alerts where home_no = $1 order by opened_at", world.home_no)


async def only_alert(pool: Pool, world: World) -> asyncpg.Record:
    (alert,) = await alerts(pool, world)
    return alert


async def queued(pool: Pool, alert_id: UUID) -> list[tuple[int, int, str]]:
    rows = await pool.fetch(
        "select step, doctor_no, channel from notifications where alert_id = $1 order by 1, 2, 3", alert_id
    )
    return [tuple(row) for row in rows]


async def acknowledge(pool: Pool, alert: asyncpg.Record, world: World, clock: FakeClock) -> bool:
    at = to_datetime(clock.now_ms())
    return await care_world.acknowledge(pool, alert["alert_id"], world.doctor_no, version=alert["version"], at=at)


async def story(pool: Pool, alert_id: UUID) -> list[str]:
    rows = await pool.fetch("select what from alert_audit where alert_id = $1 order by audit_no", alert_id)
    return [row["what"] for row in rows]


async def test_a_finding_is_an_alert_with_its_reason_and_a_notification_on_each_channel(
    pool: Pool, claims: FindingClaims, clock: FakeClock
) -> None:
    world = await settle_in(pool, webhook="https://receiver.example/")
    finding = await find(pool, world)

    assert await claims.claim() == 1

    alert = await only_alert(pool, world)
    assert (alert["state"], alert["version"], alert["doctor_text"]) == ("open", 0, finding.doctor_text)
    assert (alert["condition_at"], alert["opened_at"]) == (to_datetime(START_MS), to_datetime(clock.now_ms()))
    assert await queued(pool, alert["alert_id"]) == [(1, world.doctor_no, "email"), (1, world.doctor_no, "webhook")]
    assert await story(pool, alert["alert_id"]) == ["opened"]
    assert await claims.claim() == 0


async def test_what_is_claimed_in_one_batch_comes_to_the_same_as_one_by_one(pool: Pool, claims: FindingClaims) -> None:
    at_once, singly = await settle_in(pool), await settle_in(pool)
    for world in (at_once, singly):
        for episode, level in ((1, 1), (1, 2), (1, 0), (2, 1)):
            await find(pool, world, episode=episode, level=level, at=START_MS + episode * 100)
            if world is singly:
                await claims.claim()
    await claims.claim()

    one, other = await only_alert(pool, at_once), await only_alert(pool, singly)
    same = ("state", "level", "episode", "episodes", "active_episodes", "version", "doctor_text", "ended_at")
    assert [one[name] for name in same] == [other[name] for name in same]
    assert one["active_episodes"] == [2]
    assert await story(pool, one["alert_id"]) == ["opened", "raised", "ended", "joined"]


async def test_who_presses_again_two_minutes_after_the_last_notification_notifies_people_again(
    pool: Pool, claims: FindingClaims, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    for said, seconds in ((1, 0), (3, 60), (5, 60), (7, 119), (9, 1)):
        clock.advance(seconds=seconds)
        await find(pool, world, rule="sos", severity=Severity.HIGH, said=said)
        await claims.claim()

    alert = await only_alert(pool, world)
    assert await story(pool, alert["alert_id"]) == ["opened", "joined", "called_again", "joined", "called_again"]
    assert {step for step, *_ in await queued(pool, alert["alert_id"])} == {1, 3, 5}


async def test_who_presses_again_after_a_doctor_took_it_on_opens_the_alert_again(
    pool: Pool, claims: FindingClaims, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    await find(pool, world, rule="sos", severity=Severity.HIGH, said=1)
    await claims.claim()
    assert await acknowledge(pool, await only_alert(pool, world), world, clock)
    await find(pool, world, rule="sos", severity=Severity.HIGH, said=3)
    await claims.claim()

    alert = await only_alert(pool, world)
    assert (alert["state"], len(await queued(pool, alert["alert_id"]))) == ("open", 2)
    assert (await story(pool, alert["alert_id"]))[-1] == "reopened"


async def test_low_findings_are_claimed_and_alert_nobody(pool: Pool, claims: FindingClaims) -> None:
    world = await settle_in(pool)
    await find(pool, world, severity=Severity.LOW)

    assert await claims.claim() == 1
    assert await alerts(pool, world) == []


async def test_a_technical_alert_is_on_the_console_and_in_no_mailbox(pool: Pool, claims: FindingClaims) -> None:
    world = await settle_in(pool)
    await find(pool, world, rule="silent_device", severity=Severity.TECHNICAL)
    await claims.claim()

    assert await queued(pool, (await only_alert(pool, world))["alert_id"]) == []


async def test_an_alert_of_the_home_goes_to_everybody_who_cares_for_somebody_there(
    pool: Pool, claims: FindingClaims
) -> None:
    world, unregistered = await settle_in(pool), await settle_in(pool)
    await find(pool, world, rule="sos", severity=Severity.HIGH, for_home=True)
    await claims.claim()

    notified = await queued(pool, (await only_alert(pool, world))["alert_id"])
    assert notified == [(1, world.doctor_no, "email")]
    assert await alerts(pool, unregistered) == []


async def test_a_doctor_whose_care_has_ended_is_not_notified(pool: Pool, claims: FindingClaims) -> None:
    world = await settle_in(pool)
    await pool.execute(
        "update care_relations set valid = '[2020-01-01,2021-01-01)' where doctor_no = $1", world.doctor_no
    )
    await find(pool, world)
    await claims.claim()

    assert await queued(pool, (await only_alert(pool, world))["alert_id"]) == []


async def test_of_two_doctors_who_acknowledge_at_once_one_wins(
    pool: Pool, claims: FindingClaims, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    await find(pool, world)
    await claims.claim()
    alert = await only_alert(pool, world)

    won = await asyncio.gather(*(acknowledge(pool, alert, world, clock) for _ in range(2)))

    assert sorted(won) == [False, True]
    assert (await only_alert(pool, world))["acknowledged_note"] == "called them"
    assert await story(pool, alert["alert_id"]) == ["opened", "acknowledged"]


async def test_an_acknowledged_alert_closes_with_its_episode_and_the_next_episode_is_a_new_one(
    pool: Pool, claims: FindingClaims, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    await find(pool, world)
    await claims.claim()
    assert await acknowledge(pool, await only_alert(pool, world), world, clock)
    await find(pool, world, level=0, at=START_MS + 60_000)
    await claims.claim()
    clock.advance(seconds=60)
    await find(pool, world, episode=2, at=START_MS + 90_000)
    await claims.claim()

    assert [alert["state"] for alert in await alerts(pool, world)] == ["closed", "open"]


async def test_acknowledging_an_alert_whose_episode_is_over_closes_it(
    pool: Pool, claims: FindingClaims, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    for level in (1, 0):
        await find(pool, world, level=level)
    await claims.claim()

    assert (await only_alert(pool, world))["state"] == "open"
    assert await acknowledge(pool, await only_alert(pool, world), world, clock)
    assert (await only_alert(pool, world))["state"] == "closed"


async def test_an_acknowledged_alert_that_gets_worse_opens_again_and_notifies_again(
    pool: Pool, claims: FindingClaims, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    await find(pool, world)
    await claims.claim()
    await acknowledge(pool, await only_alert(pool, world), world, clock)
    await find(pool, world, level=2, severity=Severity.HIGH)
    await claims.claim()

    alert = await only_alert(pool, world)
    assert (alert["state"], alert["level"]) == ("open", 2)
    assert [step for step, _, _ in await queued(pool, alert["alert_id"])] == [1, 3]


async def test_a_grave_alert_is_repeated_until_somebody_acts(
    pool: Pool, claims: FindingClaims, escalation: Escalation, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    await find(pool, world, severity=Severity.HIGH)
    await claims.claim()
    alert = await only_alert(pool, world)
    notified = []
    for minute in range(181):
        notified += [minute] * await escalation.repeat()
        clock.advance(seconds=60)

    assert notified == [15, 30, 45, 60, 120, 180]
    assert [step for step, _, _ in await queued(pool, alert["alert_id"])] == [1, 2, 3, 4, 5, 6, 7]

    assert await acknowledge(pool, alert, world, clock)
    clock.advance(seconds=7200)
    assert await escalation.repeat() == 0


async def test_a_step_that_is_planned_while_somebody_acknowledges_is_cancelled_too(
    pool: Pool, claims: FindingClaims, escalation: Escalation, clock: FakeClock
) -> None:
    world = await settle_in(pool)
    await find(pool, world, severity=Severity.HIGH)
    await claims.claim()
    alert = await only_alert(pool, world)
    clock.advance(seconds=16 * 60)
    async with transaction(pool) as connection:
        await connection.execute("select from alerts where alert_id = $1 for update", alert["alert_id"])
        answered = asyncio.create_task(acknowledge(pool, alert, world, clock))
        await asyncio.sleep(0.3)  # by then it waits for the row
        assert not answered.done()
        await connection.execute(
            "update escalation_steps set state = 'done' where alert_id = $1 and state = 'pending'", alert["alert_id"]
        )
        now = clock.now_ms()
        planned = PlanStep(reason=Reason.REPEAT, repeats=2, due=now, since=now)
        assert await escalation.notifications.plan(connection, [(alert["alert_id"], planned)]) == 1

    assert await answered
    steps = await pool.fetch("select state from escalation_steps where alert_id = $1 order by step", alert["alert_id"])
    assert [row["state"] for row in steps] == ["done", "done", "cancelled"]


async def test_steps_that_fell_due_during_an_outage_are_taken_once_each(
    pool: Pool, claims: FindingClaims, escalation: Escalation, clock: FakeClock
) -> None:
    worlds = [await settle_in(pool) for _ in range(10)]
    for world in worlds:
        await find(pool, world, rule="fall", severity=Severity.HIGH)
    await claims.claim()
    clock.advance(seconds=16 * 60)

    taken = await asyncio.gather(*(escalation.repeat() for _ in range(30)))

    assert sum(taken) == 10


async def test_the_audit_refuses_to_be_rewritten(pool: Pool, claims: FindingClaims) -> None:
    world = await settle_in(pool)
    await find(pool, world)
    await claims.claim()

    for change in ("update alert_audit set note = 'x'", "delete from alert_audit", "truncate alert_audit"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(change)


async def test_claimers_beside_each_other_open_one_alert(pool: Pool, claims: FindingClaims) -> None:
    world = await settle_in(pool)
    for episode in range(1, 9):
        await find(pool, world, episode=episode, at=START_MS + episode)

    taken = await asyncio.gather(*(claims.claim() for _ in range(6)))

    assert sum(taken) == 8
    assert (await only_alert(pool, world))["episodes"] == 8


async def test_the_console_hears_of_a_batch_once_it_is_committed(dsn: str, pool: Pool, claims: FindingClaims) -> None:
    seen: asyncio.Queue[int] = asyncio.Queue()
    world = await settle_in(pool)

    async def look() -> None:
        seen.put_nowait(len(await alerts(pool, world)))

    looks: list[asyncio.Task[None]] = []
    listener = await asyncpg.connect(dsn)
    await listener.add_listener("alerts", lambda *_: looks.append(asyncio.ensure_future(look())))
    await find(pool, world)
    await claims.claim()

    async with asyncio.timeout(5):
        assert await seen.get() == 1
    await listener.close()


async def test_a_batch_that_fails_leaves_nothing_behind(
    pool: Pool, claims: FindingClaims, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await settle_in(pool)
    await find(pool, world)
    with monkeypatch.context() as broken:
        broken.setattr(NotificationQueue, "carry_out", fail)
        with pytest.raises(ConnectionResetError):
            await claims.claim()

    assert await alerts(pool, world) == []
    assert await claims.claim() == 1
    assert await queued(pool, (await only_alert(pool, world))["alert_id"]) == [(1, world.doctor_no, "email")]


async def fail(*_: object, **__: object) -> int:
    raise ConnectionResetError


async def test_the_schema_holds_what_the_code_promises(pool: Pool, claims: FindingClaims) -> None:
    world = await settle_in(pool)
    await find(pool, world)
    await claims.claim()
    alert = await only_alert(pool, world)

    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute("update alerts set state = 'acknowledged' where alert_id = $1", alert["alert_id"])
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute(
            "update alerts set ended_at = $2 where alert_id = $1",
            alert["alert_id"],
            alert["opened_at"] + timedelta(seconds=1),
        )
