"""What notifications say on their way out, whom a refusal speeds up, and which are not needed any more."""

from collections.abc import AsyncIterator
from email.header import decode_header, make_header
from email.message import Message

import pytest
from pydantic import SecretStr

from schemas.alerts import EndReason, Severity
from schemas.registry import ContactAddress, Doctor, Register
from services.api.registration import register
from services.runtime.clock import to_datetime
from services.runtime.database import Pool, open_pool
from services.runtime.settings import DatabaseSettings
from tests.integration.alert_desk import AlertDesk, alert_of, ms, states_of
from tests.integration.care_world import START_MS, acknowledge, find, settle_address, settle_doctor, settle_in
from tests.integration.receivers import emails_to, mail_server, webhook_receiver, webhooks_on_loopback


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        yield opened


def subject_of(message: Message) -> str:
    return str(make_header(decode_header(message["Subject"])))


def text_of(message: Message) -> str:
    content = message.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode()


async def test_only_an_address_that_asked_for_details_gets_them_and_each_its_language(pool: Pool) -> None:
    world = await settle_in(pool)
    await settle_doctor(pool, world, email=f"second-{world.email}")
    address = ContactAddress(channel="email", address=world.email, details=True, language="zh")
    doctor = Doctor(email=world.email, name="Dr Who", without_people=True, addresses=(address,))
    await register(pool, Register(doctors=(doctor,)), to_datetime(START_MS))
    await pool.execute("update care_relations set valid = '[2020-01-01,)' where doctor_no = $1", world.doctor_no)
    name = await pool.fetchval("select display_name from people where person_no = $1", world.person_no)
    async with mail_server("250 OK") as mails:
        desk = AlertDesk(pool, emails_to(mails.port), at_ms=START_MS)
        await desk.clear()
        await find(pool, world, severity=Severity.HIGH)
        await desk.claim()
        await desk.send()

    said = dict(zip(mails.recipients, mails.messages, strict=True))
    asked, other = said[world.email], said[f"second-{world.email}"]
    assert subject_of(other) == "HearthBeat, HIGH: new alert"
    assert name not in other.as_string() + text_of(other)
    assert "What the doctor reads" not in text_of(other)
    assert subject_of(asked).endswith(name)
    assert "新警报" in subject_of(asked)
    assert name in text_of(asked)
    assert "What the doctor reads at level 1." in text_of(asked)
    assert {message["X-HearthBeat-Kind"] for message in mails.messages} == {"alert"}


async def test_a_second_episode_and_a_repetition_say_how_often_and_how_long(pool: Pool) -> None:
    world = await settle_in(pool)
    async with mail_server("250 OK") as mails:
        desk = AlertDesk(pool, emails_to(mails.port), at_ms=ms("2026-06-01 12:00"))
        await desk.clear()
        await find(pool, world, severity=Severity.HIGH, at=desk.clock.at_ms)
        await desk.claim()
        await desk.send()
        desk.at("2026-06-01 12:05")
        await find(pool, world, level=0, end_reason=EndReason.RECOVERED, at=desk.clock.at_ms)
        await desk.claim()
        desk.at("2026-06-01 12:20")
        await find(pool, world, severity=Severity.HIGH, episode=2, at=desk.clock.at_ms)
        await desk.claim()
        await desk.send()
        desk.at("2026-06-01 12:35")
        await desk.claim()
        await desk.send()

    assert [subject_of(message) for message in mails.messages] == [
        "HearthBeat, HIGH: new alert",
        "HearthBeat, HIGH: again, 2 times since 14:00",
        "HearthBeat, HIGH: unanswered for 35 min",
    ]
    assert len({message["Message-ID"] for message in mails.messages}) == 3


async def test_what_has_recovered_before_it_could_be_sent_is_said_once_and_its_repetition_not(pool: Pool) -> None:
    world = await settle_in(pool)
    async with mail_server("250 OK") as mails:
        desk, away = (AlertDesk(pool, emails_to(port), at_ms=ms("2026-06-01 12:00")) for port in (mails.port, 1))
        await desk.clear()
        await find(pool, world, severity=Severity.HIGH, at=desk.clock.at_ms)
        await desk.claim()
        await away.send()
        desk.at("2026-06-01 12:15")
        await desk.claim()
        await away.send()
        alert_id = (await alert_of(pool, world))["alert_id"]
        assert await states_of(pool, alert_id) == [(1, "first", "pending"), (2, "repeat", "pending")]
        desk.at("2026-06-01 12:20")
        await find(pool, world, level=0, end_reason=EndReason.RECOVERED, at=desk.clock.at_ms)
        await desk.claim()
        desk.real.advance(seconds=600)
        await desk.send()

    assert [subject_of(message) for message in mails.messages] == ["HearthBeat, HIGH: new alert, recovered since"]
    assert "It has recovered since; nobody has answered it yet." in text_of(mails.messages[0])
    assert await states_of(pool, alert_id) == [(1, "first", "sent"), (2, "repeat", "withdrawn")]
    assert desk.counted("hb_alert_withdrawn_total") == 1


async def test_a_repetition_of_what_was_answered_meanwhile_is_not_sent(pool: Pool) -> None:
    world = await settle_in(pool)
    async with mail_server("250 OK") as mails:
        desk = AlertDesk(pool, emails_to(mails.port), at_ms=ms("2026-06-01 12:00"))
        await desk.clear()
        await find(pool, world, severity=Severity.HIGH, at=desk.clock.at_ms)
        await desk.claim()
        await desk.send()
        desk.at("2026-06-01 12:15")
        await desk.claim()
        alert = await alert_of(pool, world)
        at = to_datetime(desk.clock.at_ms)
        assert await acknowledge(pool, alert["alert_id"], world.doctor_no, version=alert["version"], at=at)
        assert await desk.send() == 0

    assert len(mails.messages) == 1


async def test_after_a_refusal_for_good_who_waits_for_another_attempt_is_tried_at_once(pool: Pool) -> None:
    async with mail_server("250 OK") as mails, webhook_receiver(503, 503, 200) as receiver:
        world = await settle_in(pool, webhook=receiver.address)
        await settle_address(pool, world.doctor_no, "email", f"nobody-{world.email}")
        emails, webhooks = emails_to(mails.port), webhooks_on_loopback()
        desk = AlertDesk(pool, emails, webhooks, at_ms=START_MS)
        await desk.clear()
        await find(pool, world, severity=Severity.HIGH)
        await desk.claim()
        await desk.send(webhooks)
        desk.real.advance(seconds=5)
        await desk.send(webhooks)
        assert await desk.send(webhooks) == 0
        await desk.send(emails)
        assert await desk.send(webhooks) == 1

    assert len(receiver.calls) == 3
    assert desk.counted("hb_alert_unreachable_total") == 0


async def test_an_alert_whose_every_recipient_refuses_for_good_reaches_nobody_and_that_is_counted(pool: Pool) -> None:
    async with mail_server("250 OK") as mails, webhook_receiver(410) as receiver:
        world = await settle_in(pool, webhook=receiver.address)
        await settle_address(pool, world.doctor_no, "email", f"nobody-{world.email}")
        emails, webhooks = emails_to(mails.port), webhooks_on_loopback()
        desk = AlertDesk(pool, emails, webhooks, at_ms=START_MS)
        await desk.clear()
        await find(pool, world, severity=Severity.HIGH)
        await desk.claim()
        await desk.send(emails)
        assert desk.counted("hb_alert_unreachable_total") == 0
        await desk.send(webhooks)

    assert desk.counted("hb_alert_unreachable_total") == 1
