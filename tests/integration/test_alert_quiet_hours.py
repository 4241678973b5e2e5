"""Quiet hours hold what is MEDIUM until the doctor's morning: one notification, and only if it is still needed."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from pydantic import SecretStr

from schemas.alerts import EndReason, Severity
from schemas.metrics import METRICS
from services.runtime.clock import to_datetime
from services.runtime.database import Pool, load_queries, open_pool
from services.runtime.metrics import Metrics
from services.runtime.settings import DatabaseSettings
from services.watch.core import Kind
from services.watch.database import DatabaseProbe
from tests.integration.alert_desk import AlertDesk, alert_of, end_quiet_hours, ms, settle_quiet_hours, states_of
from tests.integration.care_world import World, acknowledge, find, settle_doctor, settle_in
from tests.integration.receivers import MailServer, emails_to, mail_server

NIGHT = "2026-06-01 21:00"
"""Eleven in the evening in Berlin."""
MORNING = "2026-06-02 05:00"
HELD = [(1, "first", "held")]


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        yield opened


@pytest.fixture
async def mails() -> AsyncIterator[MailServer]:
    async with mail_server("250 OK") as server:
        yield server


@pytest.fixture
async def desk(pool: Pool, mails: MailServer) -> AlertDesk:
    desk = AlertDesk(pool, emails_to(mails.port), at_ms=ms(NIGHT))
    await desk.clear()
    return desk


@pytest.fixture
async def world(pool: Pool) -> World:
    """Of a doctor whose quiet hours are from ten to seven."""
    world = await settle_in(pool)
    await settle_quiet_hours(pool, world.doctor_no, "22:00", "07:00")
    return world


async def begin(pool: Pool, desk: AlertDesk, world: World, severity: Severity = Severity.MEDIUM) -> UUID:
    await find(pool, world, at=desk.clock.at_ms, severity=severity)
    await desk.claim()
    alert_id: UUID = (await alert_of(pool, world))["alert_id"]
    return alert_id


async def test_a_medium_notification_waits_for_the_morning_and_a_colleague_gets_it_at_once(
    pool: Pool, desk: AlertDesk, world: World, mails: MailServer
) -> None:
    colleague = f"second-{world.email}"
    await settle_doctor(pool, world, email=colleague)
    alert_id = await begin(pool, desk, world)
    held = await pool.fetchrow("select * from notifications where alert_id = $1 and state = 'held'", alert_id)
    await desk.send()

    assert held is not None
    assert held["doctor_no"] == world.doctor_no
    assert held["held_until"] == to_datetime(ms(MORNING))
    assert mails.recipients == [colleague]

    desk.at("2026-06-02 04:59:59")
    assert await desk.release() == 0
    desk.at(MORNING)
    assert await desk.release() == 1
    await desk.send()
    assert mails.recipients == [colleague, world.email]
    assert desk.counted("hb_alert_held_total", state="pending") == 1
    assert mails.messages[1]["Subject"] == "HearthBeat, medium: new alert"


async def test_a_high_notification_is_never_held(pool: Pool, desk: AlertDesk, world: World, mails: MailServer) -> None:
    await begin(pool, desk, world, Severity.HIGH)
    await desk.send()

    assert mails.recipients == [world.email]


async def test_what_gets_worse_at_night_goes_out_at_once_and_takes_the_place_of_what_was_held(
    pool: Pool, desk: AlertDesk, world: World, mails: MailServer
) -> None:
    alert_id = await begin(pool, desk, world)
    desk.at("2026-06-01 23:00")
    await find(pool, world, level=2, severity=Severity.HIGH, at=desk.clock.at_ms, said=2)
    await desk.claim()
    await desk.send()

    assert (await states_of(pool, alert_id))[0] == (1, "first", "withdrawn")
    assert [message["Subject"] for message in mails.messages] == ["HearthBeat, HIGH: an alert got worse"]
    desk.at(MORNING)
    assert await desk.release() == 0


async def test_of_an_alert_that_is_repeated_at_night_one_notification_comes_in_the_morning(
    pool: Pool, desk: AlertDesk, world: World, mails: MailServer
) -> None:
    alert_id = await begin(pool, desk, world)
    desk.at("2026-06-01 23:00")
    await desk.claim()

    assert await states_of(pool, alert_id) == [(1, "first", "withdrawn"), (2, "repeat", "held")]
    desk.at(MORNING)
    assert await desk.release() == 1
    await desk.send()
    assert [message["Subject"] for message in mails.messages] == ["HearthBeat, medium: unanswered for 8 h 0 min"]


async def test_what_has_recovered_by_the_morning_is_not_sent(
    pool: Pool, desk: AlertDesk, world: World, mails: MailServer
) -> None:
    alert_id = await begin(pool, desk, world)
    desk.at("2026-06-01 23:30")
    await find(pool, world, level=0, at=desk.clock.at_ms, end_reason=EndReason.RECOVERED)
    await desk.claim()
    desk.at(MORNING)
    await desk.release()
    await desk.send()

    assert {state for _, _, state in await states_of(pool, alert_id)} == {"withdrawn"}
    assert mails.recipients == []


async def test_what_a_colleague_has_answered_by_the_morning_is_not_sent(
    pool: Pool, desk: AlertDesk, world: World, mails: MailServer
) -> None:
    second_no = await settle_doctor(pool, world, email=f"second-{world.email}")
    alert_id = await begin(pool, desk, world)
    await desk.send()
    version = (await alert_of(pool, world))["version"]
    assert await acknowledge(pool, alert_id, second_no, version=version, at=to_datetime(ms("2026-06-01 22:00")))
    desk.at(MORNING)
    await desk.release()
    await desk.send()

    assert world.email not in mails.recipients


async def test_who_gives_up_quiet_hours_gets_what_they_held_at_once(
    pool: Pool, desk: AlertDesk, world: World, mails: MailServer
) -> None:
    alert_id = await begin(pool, desk, world)
    assert await states_of(pool, alert_id) == HELD
    desk.at("2026-06-01 22:00")
    assert await desk.release() == 0
    await end_quiet_hours(pool, world.doctor_no, desk.clock.at_ms)
    assert await desk.release() == 1
    await desk.send()

    assert mails.recipients == [world.email]


async def test_the_database_holds_one_notification_at_most_of_an_alert_for_a_doctor_and_channel(
    pool: Pool, desk: AlertDesk, world: World
) -> None:
    index = await pool.fetchval("select indexdef from pg_indexes where indexname = 'one_held_notification'")

    assert "UNIQUE" in index
    assert "held" in index
    assert await states_of(pool, await begin(pool, desk, world)) == HELD


async def test_operators_learn_of_what_is_still_held_when_its_time_is_over(
    pool: Pool, desk: AlertDesk, world: World
) -> None:
    probe = DatabaseProbe(pool=pool, sql=load_queries("services.watch"), clock=desk.clock, metrics=Metrics(METRICS))

    async def unsent() -> list[str]:
        seen = await probe.probe(desk.real.now_ms())
        return [one.detail.partition(",")[0] for one in seen.conditions if one.kind is Kind.NOTIFICATION_UNSENT]

    await begin(pool, desk, world)
    desk.at(MORNING)
    assert await unsent() == []
    desk.at("2026-06-02 05:01")
    assert await unsent() == ["1"]
    await desk.release()
    assert await unsent() == []
