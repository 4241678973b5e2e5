"""Notifications reach a real mail server and a real webhook receiver, whatever these do in between."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import pytest
from pydantic import SecretStr

from schemas.metrics import METRICS
from services.alert import app
from services.alert.channels.port import Channel, ConfiguredChannel
from services.alert.claims import FindingClaims
from services.alert.delivery import NotificationDelivery
from services.alert.notifications import NotificationQueue
from services.alert.sending import LEASE_S
from services.alert.settings import AlertSettings
from services.runtime.clock import FakeClock, to_datetime
from services.runtime.database import Pool, load_queries, open_pool
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from services.runtime.settings import DatabaseSettings
from services.watch.core import Kind
from services.watch.database import DatabaseProbe
from tests.integration.care_world import START_MS, World, acknowledge, find, settle_address, settle_doctor, settle_in
from tests.integration.receivers import (
    emails_to,
    mail_server,
    scripted_mail_server,
    settle_secret,
    webhook_receiver,
    webhooks_on_loopback,
)

SECRET = "a secret of at least sixteen characters"
WEBHOOKS = webhooks_on_loopback()


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        yield opened


@pytest.fixture
def real() -> FakeClock:
    """The clock of leases and retries, moved by hand."""
    return FakeClock()


class Desk:
    """Claims findings and works one channel's queue."""

    def __init__(self, pool: Pool, real: FakeClock, kind: ConfiguredChannel) -> None:
        self._pool, self._real, self.kind = pool, real, kind
        self._sql, self._clock, self._metrics = (
            load_queries("services.alert"),
            FakeClock(at_ms=START_MS),
            Metrics(METRICS),
        )

    async def open_alert(self, world: World) -> UUID:
        await self._pool.execute("update notifications set state = 'failed' where state in ('pending', 'sending')")
        notifications = NotificationQueue(sql=self._sql, channels=(self.kind.name,), clock=self._clock, real=self._real)
        claims = FindingClaims(
            pool=self._pool,
            sql=self._sql,
            notifications=notifications,
            clock=self._clock,
            metrics=self._metrics,
            log=logger("test"),
        )
        await find(self._pool, world)
        await claims.claim()
        alert_id: UUID = await self._pool.fetchval("select alert_id from alerts where home_no = $1", world.home_no)
        return alert_id

    def delivery(self, channel: Channel) -> NotificationDelivery:
        """What brings this desk's notifications to ``channel``."""
        return NotificationDelivery(
            kind=self.kind,
            channel=channel,
            pool=self._pool,
            sql=self._sql,
            base_url="https://console.example",
            clock=self._clock,
            real=self._real,
            metrics=self._metrics,
            log=logger("test"),
        )

    async def work(self, *, dies_before_recording: bool = False) -> int:
        """One round of the queue; dying leaves what a SIGKILL between sending and recording leaves."""
        async with self.kind.open() as channel:
            delivery = self.delivery(channel)
            rows = await delivery.claim(8)
            for row in rows:
                if dies_before_recording:
                    notification = delivery.notification_of(row)
                    assert notification is not None
                    await channel.send(notification)
                else:
                    await delivery.deliver(row)
            return len(rows)


async def notification(pool: Pool, alert_id: UUID) -> asyncpg.Record:
    row = await pool.fetchrow("select * from notifications where alert_id = $1", alert_id)
    assert row is not None
    return row


async def log_of(pool: Pool, alert_id: UUID) -> list[tuple[int, str, str | None, bool]]:
    rows = await pool.fetch(
        "select attempt, outcome, reason, possible_duplicate from notification_attempts where alert_id = $1 order by 1",
        alert_id,
    )
    return [tuple(row) for row in rows]


async def test_an_email_arrives_with_its_key_and_without_anything_about_the_person(pool: Pool, real: FakeClock) -> None:
    world = await settle_in(pool)
    async with mail_server("250 OK") as mails:
        desk = Desk(pool, real, emails_to(mails.port))
        alert_id = await desk.open_alert(world)
        assert await desk.work() == 1
        assert await desk.work() == 0

    (message,) = mails.messages
    assert mails.recipients == [world.email]
    assert message["Message-ID"] == f"<{alert_id}.1.{world.doctor_no}.email@hearth.example>"
    text = str(message.get_payload())
    assert f"https://console.example/alerts/{alert_id}" in text
    assert "Person" not in message.as_string()
    assert "What the doctor reads" not in message.as_string()
    assert (await notification(pool, alert_id))["state"] == "sent"
    assert await log_of(pool, alert_id) == [(1, "sent", "accepted", False)]


async def test_a_mail_server_that_is_busy_or_away_is_tried_again(pool: Pool, real: FakeClock) -> None:
    world = await settle_in(pool)
    async with mail_server("451 busy", "250 OK") as mails:
        desk = Desk(pool, real, emails_to(mails.port))
        away = Desk(pool, real, emails_to(1))
        alert_id = await desk.open_alert(world)
        assert await away.work() == 1
        real.advance(seconds=5)
        assert await desk.work() == 1
        real.advance(seconds=14)
        assert await desk.work() == 0
        real.advance(seconds=1)
        assert await desk.work() == 1

    assert await log_of(pool, alert_id) == [
        (1, "retry", "no_answer", False),
        (2, "retry", "server_error", False),
        (3, "sent", "accepted", False),
    ]
    assert len(mails.messages) == 1


async def test_a_mailbox_that_does_not_exist_is_given_up_and_stands_in_the_audit(pool: Pool, real: FakeClock) -> None:
    world = await settle_in(pool)
    await settle_address(pool, world.doctor_no, "email", f"nobody-{world.email}")
    async with mail_server("250 OK") as mails:
        desk = Desk(pool, real, emails_to(mails.port))
        alert_id = await desk.open_alert(world)
        await desk.work()

    assert (await notification(pool, alert_id))["state"] == "failed"
    assert await log_of(pool, alert_id) == [(1, "failed", "refused_by_receiver", False)]
    audit = await pool.fetch("select what, note from alert_audit where alert_id = $1 order by audit_no", alert_id)
    assert [tuple(row) for row in audit] == [("opened", None), ("notification_failed", "email")]


async def test_a_refused_mail_holds_up_neither_another_doctor_nor_the_same_doctors_webhook(
    dsn: str, pool: Pool
) -> None:
    await pool.execute("update notifications set state = 'failed' where state in ('pending', 'sending')")
    async with mail_server("250 OK") as mails, webhook_receiver(200) as receiver:
        world = await settle_in(pool, webhook=receiver.address)
        await settle_address(pool, world.doctor_no, "email", f"nobody-{world.email}")
        second_no = await settle_doctor(pool, world, email=f"second-{world.email}")
        await find(pool, world)
        async with alert_at_work(dsn, mails.port):
            await until(lambda: bool(mails.recipients and receiver.calls), "not notified")
        alert_id = await pool.fetchval("select alert_id from alerts where home_no = $1", world.home_no)

    assert mails.recipients == [f"second-{world.email}"]
    assert len(receiver.calls) == 1
    rows = await pool.fetch(
        "select doctor_no, channel, state, attempts from notifications where alert_id = $1", alert_id
    )
    assert sorted(map(tuple, rows)) == [
        (world.doctor_no, "email", "failed", 1),
        (world.doctor_no, "webhook", "sent", 1),
        (second_no, "email", "sent", 1),
    ]
    audit = await pool.fetch("select what, note from alert_audit where alert_id = $1 order by audit_no", alert_id)
    assert [tuple(row) for row in audit] == [("opened", None), ("notification_failed", "email")]


async def test_operators_hear_of_a_mail_server_that_refuses_us_until_it_takes_the_notification(
    pool: Pool, real: FakeClock
) -> None:
    world = await settle_in(pool)
    clock = FakeClock(at_ms=START_MS)
    probe = DatabaseProbe(pool=pool, sql=load_queries("services.watch"), clock=clock, metrics=Metrics(METRICS))

    async def unclaimed() -> list[str]:
        seen = await probe.probe(real.now_ms())
        return [one.detail.partition(",")[0] for one in seen.conditions if one.kind is Kind.NOTIFICATION_UNSENT]

    async with scripted_mail_server(greeting="554 not you") as refusing, mail_server("250 OK") as mails:
        desk, mended = Desk(pool, real, emails_to(refusing)), Desk(pool, real, emails_to(mails.port))
        alert_id = await desk.open_alert(world)
        assert await unclaimed() == []
        await desk.work()
        assert await log_of(pool, alert_id) == [(1, "retry", "refuses_us", False)]
        assert await unclaimed() == ["1"]
        real.advance(seconds=5)
        async with mended.kind.open() as channel:
            delivery = mended.delivery(channel)
            (row,) = await delivery.claim(8)
            assert await unclaimed() == ["1"]  # an attempt that is under way has mended nothing yet
            await delivery.deliver(row)
        assert await unclaimed() == []


async def test_a_doctor_who_switched_emails_off_meanwhile_gets_none(pool: Pool, real: FakeClock) -> None:
    world = await settle_in(pool)
    async with mail_server("250 OK") as mails:
        desk = Desk(pool, real, emails_to(mails.port))
        alert_id = await desk.open_alert(world)
        await settle_address(pool, world.doctor_no, "email", None)
        await desk.work()

    assert mails.messages == []
    assert await log_of(pool, alert_id) == [(1, "failed", "no_address", False)]


async def test_a_webhook_that_fails_and_hangs_gets_the_notification_in_the_end_under_one_key(
    pool: Pool, real: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.alert.channels.webhook._TIMEOUT_S", 0.3)
    async with webhook_receiver(500, 500, "hang", 200) as receiver:
        world = await settle_in(pool, webhook=receiver.address)
        await settle_secret(pool, world.doctor_no, SECRET)
        desk = Desk(pool, real, WEBHOOKS)
        alert_id = await desk.open_alert(world)
        for wait_s in (0, 5, 15, 45):
            real.advance(seconds=wait_s - 1)
            assert await desk.work() == 0
            real.advance(seconds=1)
            assert await desk.work() == 1
        real.advance(seconds=86_400)
        assert await desk.work() == 0

    assert [outcome for _, outcome, _, _ in await log_of(pool, alert_id)] == ["retry", "retry", "retry", "sent"]
    assert {call.headers["idempotency-key"] for call in receiver.calls} == {f"{alert_id}.1.{world.doctor_no}.webhook"}
    assert all(call.is_signed_with(SECRET) for call in receiver.calls)
    assert not any(call.is_signed_with("another secret") for call in receiver.calls)
    assert not any("hearthbeat-possible-duplicate" in call.headers for call in receiver.calls)


async def test_retries_never_stop_before_the_notification_is_sent(pool: Pool, real: FakeClock) -> None:
    async with webhook_receiver(500) as receiver:
        world = await settle_in(pool, webhook=receiver.address)
        desk = Desk(pool, real, WEBHOOKS)
        await desk.open_alert(world)
        done = 0
        for _ in range(12):
            done += await desk.work()
            real.advance(seconds=300)

    assert done == 12


async def test_a_receiver_that_wants_nothing_more_is_left_alone(pool: Pool, real: FakeClock) -> None:
    async with webhook_receiver(410) as receiver:
        world = await settle_in(pool, webhook=receiver.address)
        desk = Desk(pool, real, WEBHOOKS)
        alert_id = await desk.open_alert(world)
        await desk.work()
        real.advance(seconds=86_400)
        assert await desk.work() == 0

    assert (await notification(pool, alert_id))["state"] == "failed"


async def test_a_crash_between_sending_and_recording_is_one_flagged_repetition(pool: Pool, real: FakeClock) -> None:
    async with webhook_receiver(200) as receiver:
        world = await settle_in(pool, webhook=receiver.address)
        desk = Desk(pool, real, WEBHOOKS)
        alert_id = await desk.open_alert(world)
        await desk.work(dies_before_recording=True)
        assert await desk.work() == 0
        real.advance(seconds=LEASE_S)
        assert await desk.work() == 1
        assert await desk.work() == 0

    first, second = receiver.calls
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert "hearthbeat-possible-duplicate" not in first.headers
    assert second.headers["hearthbeat-possible-duplicate"] == "yes"
    assert await log_of(pool, alert_id) == [(1, "unknown", None, False), (2, "sent", "accepted", True)]
    assert (await notification(pool, alert_id))["possible_duplicate"]


async def test_a_notification_is_sent_even_when_its_alert_was_answered_meanwhile(pool: Pool, real: FakeClock) -> None:
    world = await settle_in(pool)
    async with mail_server("250 OK") as mails:
        desk = Desk(pool, real, emails_to(mails.port))
        alert_id = await desk.open_alert(world)
        assert await acknowledge(pool, alert_id, world.doctor_no, version=0, at=to_datetime(START_MS))
        await desk.work()

    assert "It has been answered since." in str(mails.messages[0].get_payload())


async def test_workers_beside_each_other_send_a_notification_once(pool: Pool, real: FakeClock) -> None:
    async with webhook_receiver(200) as receiver:
        world = await settle_in(pool, webhook=receiver.address)
        desk = Desk(pool, real, WEBHOOKS)
        await desk.open_alert(world)
        done = await asyncio.gather(*(desk.work() for _ in range(5)))

    assert sum(done) == 1
    assert len(receiver.calls) == 1


@asynccontextmanager
async def alert_at_work(dsn: str, smtp_port: int) -> AsyncIterator[None]:
    """The whole service, with both channels."""
    settings = AlertSettings(channels=(emails_to(smtp_port), WEBHOOKS), database=DatabaseSettings(dsn=SecretStr(dsn)))
    stop = asyncio.Event()
    running = asyncio.create_task(
        app.run(settings, clock=FakeClock(at_ms=START_MS), stop=stop, metrics=Metrics(METRICS))
    )
    try:
        yield
    finally:
        stop.set()
        await running


async def until(condition: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(what)


async def test_a_notification_leaves_as_soon_as_it_is_queued(
    dsn: str, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.alert.app._DELIVERY_POLL_S", 600.0)
    await pool.execute("update notifications set state = 'failed' where state in ('pending', 'sending')")
    world = await settle_in(pool)
    async with mail_server(*["250 OK"] * 50) as mails, alert_at_work(dsn, mails.port):
        await asyncio.sleep(1)  # by then the channel has found nothing and rests
        await find(pool, world)
        await until(lambda: world.email in mails.recipients, "not notified")
