"""At seven on their own clock doctors get what waits as a list: once a day, where there is something, and no more."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from uuid import UUID, uuid4

import asyncpg
import pytest
from pydantic import SecretStr

from schemas.alerts import EndReason, Finding, Severity
from schemas.vitals import WEIGHT
from services.alert.sending import LEASE_S
from services.runtime.clock import to_datetime
from services.runtime.database import Pool, open_pool
from services.runtime.settings import DatabaseSettings
from tests.integration.alert_desk import AlertDesk, ms
from tests.integration.care_world import World, find, settle_address, settle_in
from tests.integration.receivers import MailServer, emails_to, mail_server, webhook_receiver, webhooks_on_loopback

EVENING, MORNING, NEXT_MORNING = "2026-06-01 18:00", "2026-06-02 05:00", "2026-06-03 05:00"
"""In UTC; the doctors are in Berlin, two hours ahead."""


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        yield opened


@pytest.fixture
async def mails() -> AsyncIterator[MailServer]:
    async with mail_server("250 OK") as server:
        yield server


@pytest.fixture
async def world(pool: Pool) -> World:
    return await settle_in(pool)


@pytest.fixture
async def desk(pool: Pool, mails: MailServer, world: World) -> AlertDesk:
    """Where the doctor of ``world`` is known before the first morning."""
    assert world.doctor_no
    desk = AlertDesk(pool, emails_to(mails.port), at_ms=ms(EVENING))
    await desk.clear()
    await desk.look()
    return desk


async def lists_of(pool: Pool, doctor_no: int) -> list[asyncpg.Record]:
    return await pool.fetch("select * from morning_lists where doctor_no = $1 order by list_no", doctor_no)


async def entries_of(pool: Pool, list_no: int) -> list[tuple[str, str, int]]:
    rows = await pool.fetch(
        "select kind, rule, severity from morning_list_entries where list_no = $1 order by place", list_no
    )
    return [tuple(row) for row in rows]


async def finds(pool: Pool, desk: AlertDesk, world: World, rule: str, severity: Severity, **fields: object) -> Finding:
    found = await find(pool, world, rule=rule, severity=severity, at=desk.clock.at_ms, **fields)  # type: ignore[arg-type]
    await desk.claim()
    return found


async def arrived(mails: MailServer, world: World) -> list[str]:
    return [
        str(message["Subject"])
        for to, message in zip(mails.recipients, mails.messages, strict=True)
        if to == world.email and message["X-HearthBeat-Kind"] == "list"
    ]


async def test_a_list_names_what_is_open_recovered_listed_or_known_too_late(
    pool: Pool, desk: AlertDesk, world: World, mails: MailServer
) -> None:
    await finds(pool, desk, world, "spo2", Severity.HIGH)
    await finds(pool, desk, world, "heart_rate", Severity.MEDIUM)
    desk.at("2026-06-01 19:00")
    await finds(pool, desk, world, "heart_rate", Severity.MEDIUM, level=0, end_reason=EndReason.RECOVERED)
    await finds(pool, desk, world, "glucose_high", Severity.MEDIUM)
    await finds(pool, desk, world, "weight", Severity.LOW)
    late = await find(pool, world, rule="respiratory_rate", severity=Severity.HIGH, at=desk.clock.at_ms)
    await pool.execute("update findings set retrospective = true where finding_id = $1", late.finding_id)
    await finds(pool, desk, world, "silent_device", Severity.TECHNICAL, for_home=True)
    desk.at(MORNING)
    await desk.look()
    await desk.send_lists()

    (made,) = await lists_of(pool, world.doctor_no)
    assert (made["day"], made["zone"]) == (date(2026, 6, 2), "Europe/Berlin")
    assert await entries_of(pool, made["list_no"]) == [
        ("open", "spo2", Severity.HIGH),
        ("recovered", "heart_rate", Severity.MEDIUM),
        ("listed", "glucose_high", Severity.MEDIUM),
        ("listed", "weight", Severity.LOW),
        ("retrospective", "respiratory_rate", Severity.HIGH),
    ]
    (message,) = [one for to, one in zip(mails.recipients, mails.messages, strict=True) if to == world.email]
    assert message["Subject"] == "HearthBeat, morning list of 2026-06-02: 5"
    assert message["Message-ID"] == f"<list.{world.doctor_no}.2026-06-02.email@hearth.example>"
    assert message["X-HearthBeat-Kind"] == "list"
    assert message["Date"] is not None
    assert "https://console.example/morning" in str(message.get_payload())
    assert "Person" not in message.as_string()
    assert desk.counted("hb_alert_list_attempts_total", channel="email", outcome="sent", reason="accepted") >= 1


async def test_who_asked_for_details_reads_in_the_list_who_and_what(
    pool: Pool, desk: AlertDesk, world: World, mails: MailServer
) -> None:
    await pool.execute("update contact_addresses set details = true where doctor_no = $1", world.doctor_no)
    await finds(pool, desk, world, "spo2", Severity.HIGH)
    desk.at(MORNING)
    await desk.look()
    await desk.send_lists()

    text = next(str(one.get_payload()) for to, one in zip(mails.recipients, mails.messages, strict=True))
    name = await pool.fetchval("select display_name from people where person_no = $1", world.person_no)
    assert f"- {name} (HIGH): What the doctor reads at level 1." in text


async def hold(pool: Pool, world: World, seen: str, unit: str = "[lb_av]") -> UUID:
    """A weight that no rule has seen."""
    held: UUID = await pool.fetchval(
        "insert into held_readings (held_id, measurement_id, home_no, person_no, device_no, epoch, seq, item, vital,"
        " value, observed_at, received_at, reason, unit, meant, times_better, is_held)"
        " values ($1, $1, $2, $3, $4, 1, 1, 0, $5, 176.8, $6, $6, 'unit', $7, 80.2, 1e6, true) returning held_id",
        uuid4(), world.home_no, world.person_no, world.device_no, WEIGHT.number, to_datetime(ms(seen)), unit,
    )  # fmt: skip
    return held


async def test_what_is_held_for_longer_than_a_day_stands_on_every_list_and_notifies_nobody(
    pool: Pool, desk: AlertDesk, world: World, mails: MailServer
) -> None:
    await pool.execute("update contact_addresses set details = true where doctor_no = $1", world.doctor_no)
    first = await hold(pool, world, "2026-06-01 05:00:01")
    desk.at(MORNING)
    await desk.look()
    assert await lists_of(pool, world.doctor_no) == []

    await hold(pool, world, "2026-06-02 05:30")
    await hold(pool, world, "2026-06-02 06:00", unit="kg")
    for morning in (NEXT_MORNING, "2026-06-04 05:00"):
        desk.at(morning)
        await desk.claim()
        await desk.look()
    await pool.execute(
        "update held_readings set state = 'dismissed', decided_by = $1, decided_at = $2",
        world.doctor_no,
        to_datetime(ms("2026-06-04 06:00")),
    )
    desk.at("2026-06-05 05:00")
    await desk.look()
    await desk.send_lists()

    rows = await pool.fetch(
        "select list_no, kind, rule, held_id, waiting from morning_list_entries join morning_lists using (list_no)"
        " where doctor_no = $1 order by list_no, place",
        world.doctor_no,
    )
    by_list = [
        [tuple(row)[1:] for row in rows if row["list_no"] == number] for number in {r["list_no"]: 0 for r in rows}
    ]
    assert [len(entries) for entries in by_list] == [1, 2]
    assert by_list[0] == [("held", None, first, 2)]
    assert by_list[1][0] == ("held", None, first, 2)
    assert await pool.fetchval("select count(*) from notifications where doctor_no = $1", world.doctor_no) == 0
    name = await pool.fetchval("select display_name from people where person_no = $1", world.person_no)
    sent = next(one for to, one in zip(mails.recipients, mails.messages, strict=True) if to == world.email)
    line = f"- {name}: Weight held since 2026-06-01 (measured 2 times): fits pounds"
    assert line.encode() in sent.get_payload(decode=True)


async def test_there_is_one_list_a_day_whatever_starts_again(
    pool: Pool, desk: AlertDesk, world: World, mails: MailServer
) -> None:
    await finds(pool, desk, world, "spo2", Severity.HIGH)
    desk.at("2026-06-02 04:59:59")
    await desk.look()
    assert await lists_of(pool, world.doctor_no) == []
    for moment in (MORNING, "2026-06-02 05:00:01", "2026-06-02 12:00", "2026-06-03 04:59"):
        again = AlertDesk(pool, emails_to(mails.port), at_ms=ms(moment), real=desk.real)
        await again.look()
        await again.send_lists()
    desk.at(NEXT_MORNING)
    await desk.look()
    await desk.send_lists()

    assert [row["day"] for row in await lists_of(pool, world.doctor_no)] == [date(2026, 6, 2), date(2026, 6, 3)]
    assert await arrived(mails, world) == [
        "HearthBeat, morning list of 2026-06-02: 1",
        "HearthBeat, morning list of 2026-06-03: 1",
    ]


async def test_a_morning_with_nothing_to_list_has_no_list_also_when_something_comes_later_that_day(
    pool: Pool, desk: AlertDesk, world: World
) -> None:
    desk.at(MORNING)
    await desk.look()
    desk.at("2026-06-02 08:00")
    await finds(pool, desk, world, "weight", Severity.LOW)
    await desk.look()
    assert await lists_of(pool, world.doctor_no) == []

    desk.at(NEXT_MORNING)
    await desk.look()
    (made,) = await lists_of(pool, world.doctor_no)
    assert await entries_of(pool, made["list_no"]) == [("listed", "weight", Severity.LOW)]
    desk.at("2026-06-04 05:00")
    await desk.look()
    assert len(await lists_of(pool, world.doctor_no)) == 1  # what was named once is not named again


async def test_what_has_recovered_is_named_by_one_list_alone(pool: Pool, desk: AlertDesk, world: World) -> None:
    await finds(pool, desk, world, "spo2", Severity.MEDIUM)
    await finds(pool, desk, world, "spo2", Severity.MEDIUM, level=0, end_reason=EndReason.RECOVERED)
    for moment in (MORNING, NEXT_MORNING):
        desk.at(moment)
        await desk.look()

    (made,) = await lists_of(pool, world.doctor_no)
    assert await entries_of(pool, made["list_no"]) == [("recovered", "spo2", Severity.MEDIUM)]


async def test_a_list_is_made_late_after_an_outage_and_left_to_the_next_morning_after_a_long_one(
    pool: Pool, desk: AlertDesk, world: World
) -> None:
    await finds(pool, desk, world, "spo2", Severity.HIGH)
    desk.at("2026-06-02 17:00")
    await desk.look()
    assert [row["day"] for row in await lists_of(pool, world.doctor_no)] == [date(2026, 6, 2)]

    await finds(pool, desk, world, "weight", Severity.LOW)
    desk.at("2026-06-03 17:01")
    await desk.look()
    assert len(await lists_of(pool, world.doctor_no)) == 1
    desk.at("2026-06-04 05:00")
    await desk.look()
    _, made = await lists_of(pool, world.doctor_no)
    assert made["day"] == date(2026, 6, 4)
    assert ("listed", "weight", Severity.LOW) in await entries_of(pool, made["list_no"])


async def test_a_doctor_abroad_gets_the_list_at_seven_there(pool: Pool, desk: AlertDesk, world: World) -> None:
    await pool.execute("update doctors set time_zone = 'Asia/Shanghai' where doctor_no = $1", world.doctor_no)
    await desk.clear()
    await desk.look()
    await finds(pool, desk, world, "spo2", Severity.HIGH)
    desk.at("2026-06-01 22:59:59")
    await desk.look()
    assert await lists_of(pool, world.doctor_no) == []
    desk.at("2026-06-01 23:00")
    await desk.look()

    assert [row["zone"] for row in await lists_of(pool, world.doctor_no)] == ["Asia/Shanghai"]


async def test_a_list_is_no_notification(pool: Pool, desk: AlertDesk, world: World) -> None:
    await finds(pool, desk, world, "weight", Severity.LOW)
    desk.at(MORNING)
    await desk.look()
    await desk.send_lists()

    assert len(await lists_of(pool, world.doctor_no)) == 1
    assert await pool.fetchval("select count(*) from notifications where doctor_no = $1", world.doctor_no) == 0


async def sending_of(pool: Pool, doctor_no: int) -> asyncpg.Record:
    row = await pool.fetchrow(
        "select s.* from morning_list_sendings s join morning_lists using (list_no) where doctor_no = $1", doctor_no
    )
    assert row is not None
    return row


async def test_a_list_that_a_server_can_not_take_now_is_tried_again_and_a_refused_one_is_given_up(
    pool: Pool, desk: AlertDesk, world: World
) -> None:
    await finds(pool, desk, world, "spo2", Severity.HIGH)
    desk.at(MORNING)
    await desk.look()
    await desk.send_lists(emails_to(1))
    assert (await sending_of(pool, world.doctor_no))["state"] == "pending"
    assert await desk.send_lists() == 0
    desk.real.advance(seconds=5)
    await settle_address(pool, world.doctor_no, "email", f"nobody-{world.email}")
    assert await desk.send_lists() > 0
    desk.real.advance(seconds=86_400)
    await desk.send_lists()

    sending = await sending_of(pool, world.doctor_no)
    assert (sending["state"], sending["attempts"], sending["reason"]) == ("failed", 2, "refused_by_receiver")


async def test_a_crash_between_sending_and_recording_is_one_flagged_repetition_of_a_list(
    pool: Pool, world: World, desk: AlertDesk
) -> None:
    async with webhook_receiver(200) as receiver:
        webhooks = webhooks_on_loopback()
        await settle_address(pool, world.doctor_no, "email", None)
        await settle_address(pool, world.doctor_no, "webhook", receiver.address)
        desk = AlertDesk(pool, webhooks, at_ms=ms(EVENING))
        await finds(pool, desk, world, "spo2", Severity.HIGH)
        desk.at(MORNING)
        await desk.look()
        await desk.send_lists(dies_before_recording=True)
        desk.real.advance(seconds=LEASE_S)
        await desk.send_lists()

    first, second = receiver.calls
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert "hearthbeat-possible-duplicate" not in first.headers
    assert second.headers["hearthbeat-possible-duplicate"] == "yes"
    assert (await sending_of(pool, world.doctor_no))["state"] == "sent"


async def test_instances_beside_each_other_make_and_send_a_list_once(
    pool: Pool, desk: AlertDesk, world: World, mails: MailServer
) -> None:
    await finds(pool, desk, world, "spo2", Severity.HIGH)
    desks = [AlertDesk(pool, emails_to(mails.port), at_ms=ms(MORNING), real=desk.real) for _ in range(4)]
    await asyncio.gather(*(one.look() for one in desks))
    await asyncio.gather(*(one.send_lists() for one in desks))

    assert await arrived(mails, world) == ["HearthBeat, morning list of 2026-06-02: 1"]


async def test_a_doctor_who_cares_for_nobody_any_more_gets_no_list(pool: Pool, desk: AlertDesk, world: World) -> None:
    await finds(pool, desk, world, "spo2", Severity.HIGH)
    await pool.execute(
        "update care_relations set valid = tstzrange(lower(valid), $2) where doctor_no = $1",
        world.doctor_no,
        to_datetime(ms("2026-06-01 20:00")),
    )
    desk.at(MORNING)
    await desk.look()

    assert await lists_of(pool, world.doctor_no) == []
    assert await pool.fetchval("select next_at from morning_looks where doctor_no = $1", world.doctor_no) is not None
