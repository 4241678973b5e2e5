"""The register command refuses to leave anybody monitored with no recipient, unless the file says so."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from schemas.registry import Binding, ContactAddress, Device, Doctor, DosePlan, Home, Person, Register
from services.api.registration import RegisterError, people_without_recipient, register
from services.runtime.database import Pool, load_queries, open_pool
from services.runtime.settings import DatabaseSettings

NOW = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
TABLES = (
    "contact_addresses",
    "care_relations",
    "dose_plan_versions",
    "dose_plans",
    "bindings",
    "devices",
    "people",
    "homes",
    "doctors",
)
RUTH, KARL = UUID(int=1), UUID(int=2)
BY_WEBHOOK = (ContactAddress(channel="webhook", address="https://hook.example/x"),)


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        for table in TABLES:
            await opened.execute(f"delete from {table}")  # noqa: S608 - our own names
        yield opened


def home_of(*people: UUID, banded: bool = True, planned: bool = False) -> Home:
    """A home of these people, each with a band of their own, or with a dose plan."""
    plan = DosePlan(plan_id=UUID(int=99), device="pills", compartment=1, drug="Metformin", at=(time(8),))
    bound = (Binding(person_id=people[0]),)
    return Home(
        home_id=UUID(int=people[0].int + 1000),
        label="home",
        time_zone="Europe/Berlin",
        people=tuple(
            Person(person_id=one, name="Ruth Sommer", born_on=date(1941, 3, 2), plans=(plan,) if planned else ())
            for one in people
        ),
        devices=(
            *(
                Device(
                    device=f"band-{one.int}",
                    type="wearable_band",
                    bindings=(Binding(person_id=one),) if banded else (),
                )
                for one in people
            ),
            *((Device(device="pills", type="pill_dispenser", bindings=bound),) if planned else ()),
        ),
    )


def doctor(*people: UUID, email: str = "who@example.org", **more: Any) -> Doctor:
    return Doctor(email=email, name="Dr Who", people=people, **more)


async def rows_of(pool: Pool) -> list[list[tuple[Any, ...]]]:
    """Everything that a register file may write."""
    return [
        [tuple(row) for row in await pool.fetch(f"select * from {table} order by 1, 2")]  # noqa: S608 - our own names
        for table in TABLES
    ]


async def refused(pool: Pool, file: Register, now: datetime = LATER) -> str:
    """Why it is; nothing was written."""
    before = await rows_of(pool)
    with pytest.raises(RegisterError) as raised:
        await register(pool, file, now)
    assert await rows_of(pool) == before
    return str(raised.value)


async def test_a_doctor_whose_people_are_left_out_keeps_them_and_the_file_is_refused(pool: Pool) -> None:
    await register(pool, Register(homes=(home_of(RUTH),), doctors=(doctor(RUTH),)), NOW)

    why = await refused(pool, Register(doctors=(Doctor(email="who@example.org", name="Dr Who"),)))
    assert "who@example.org" in why
    assert '"without_people": true' in why


async def test_a_doctor_without_people_is_written_where_the_file_says_so(pool: Pool) -> None:
    await register(pool, Register(homes=(home_of(RUTH, banded=False),), doctors=(doctor(RUTH),)), NOW)
    written = await register(pool, Register(doctors=(doctor(without_people=True),)), LATER)

    assert (written.doctors, written.care_ended) == (1, 1)


async def test_a_doctor_with_people_who_says_to_have_none_is_refused(pool: Pool) -> None:
    file = Register(homes=(home_of(RUTH),), doctors=(doctor(RUTH, without_people=True),))
    assert "who@example.org" in await refused(pool, file)


@pytest.mark.parametrize("monitored_by", ["band", "plan"])
async def test_somebody_monitored_without_a_doctor_is_refused(pool: Pool, monitored_by: str) -> None:
    home = home_of(RUTH, banded=monitored_by == "band", planned=monitored_by == "plan")
    why = await refused(pool, Register(homes=(home,)))

    assert str(RUTH) in why
    assert "no_recipient" in why
    assert "Ruth" not in why


async def test_somebody_who_is_not_monitored_needs_no_doctor(pool: Pool) -> None:
    written = await register(pool, Register(homes=(home_of(RUTH, banded=False),)), NOW)
    assert written.people == 1


async def test_a_doctor_without_an_address_is_no_recipient(pool: Pool) -> None:
    why = await refused(pool, Register(homes=(home_of(RUTH),), doctors=(doctor(RUTH, addresses=()),)))
    assert str(RUTH) in why


async def test_a_doctor_with_a_webhook_alone_is_a_recipient(pool: Pool) -> None:
    who = doctor(RUTH, addresses=BY_WEBHOOK)
    written = await register(pool, Register(homes=(home_of(RUTH),), doctors=(who,)), NOW)
    assert written.care_begun == 1


async def test_a_file_that_takes_the_last_doctor_from_somebody_it_does_not_list_is_refused(pool: Pool) -> None:
    await register(pool, Register(homes=(home_of(RUTH, KARL),), doctors=(doctor(RUTH, KARL),)), NOW)

    why = await refused(pool, Register(doctors=(doctor(RUTH),)))
    assert str(KARL) in why
    assert str(RUTH) not in why


async def test_a_file_that_takes_the_address_from_the_only_doctor_is_refused(pool: Pool) -> None:
    await register(pool, Register(homes=(home_of(RUTH),), doctors=(doctor(RUTH),)), NOW)
    assert str(RUTH) in await refused(pool, Register(doctors=(doctor(RUTH, addresses=()),)))


async def test_the_care_of_one_doctor_may_end_where_another_is_notified(pool: Pool) -> None:
    both = (doctor(RUTH), doctor(RUTH, email="second@example.org"))
    await register(pool, Register(homes=(home_of(RUTH),), doctors=both), NOW)
    written = await register(pool, Register(doctors=(doctor(without_people=True),)), LATER)
    assert written.care_ended == 1


async def test_care_and_devices_that_end_together_leave_nobody_monitored(pool: Pool) -> None:
    await register(pool, Register(homes=(home_of(RUTH),), doctors=(doctor(RUTH),)), NOW)
    gone = Register(homes=(home_of(RUTH, banded=False),), doctors=(doctor(without_people=True),))
    written = await register(pool, gone, LATER)
    assert (written.care_ended, written.bindings_ended) == (1, 1)


async def test_a_file_may_say_that_nobody_is_to_be_notified(pool: Pool) -> None:
    await register(pool, Register(homes=(home_of(RUTH),), no_recipient=(RUTH,)), NOW)
    assert await people_without_recipient(pool, LATER) == [RUTH]


async def test_to_say_so_of_somebody_who_has_a_doctor_is_no_error(pool: Pool) -> None:
    file = Register(homes=(home_of(RUTH),), doctors=(doctor(RUTH),), no_recipient=(RUTH,))
    await register(pool, file, NOW)
    assert await people_without_recipient(pool, LATER) == []


async def test_to_say_so_of_somebody_whom_nobody_knows_is_refused(pool: Pool) -> None:
    unregistered = uuid4()
    assert f"unknown: {unregistered}" in await refused(pool, Register(no_recipient=(unregistered,)))


async def test_whom_the_file_does_not_touch_does_not_stand_in_its_way(pool: Pool) -> None:
    await register(pool, Register(homes=(home_of(KARL),), no_recipient=(KARL,)), NOW)
    written = await register(pool, Register(homes=(home_of(RUTH),), doctors=(doctor(RUTH),)), LATER)
    assert written.people == 1


async def test_a_file_that_lists_somebody_again_has_to_say_so_again(pool: Pool) -> None:
    await register(pool, Register(homes=(home_of(KARL),), no_recipient=(KARL,)), NOW)
    assert str(KARL) in await refused(pool, Register(homes=(home_of(KARL),)))


async def test_an_error_names_five_people_and_says_how_many_more_there_are(pool: Pool) -> None:
    why = await refused(pool, Register(homes=(home_of(*(UUID(int=n) for n in range(1, 9))),)))
    assert len(re.findall(r"[0-9a-f-]{36}", why)) == 5
    assert "and 3 more" in why


async def test_who_is_without_recipient_depends_on_the_moment(pool: Pool) -> None:
    await register(pool, Register(homes=(home_of(RUTH),), no_recipient=(RUTH,)), NOW)
    await register(pool, Register(doctors=(doctor(RUTH),)), LATER)

    assert await people_without_recipient(pool, NOW - timedelta(seconds=1)) == []
    assert await people_without_recipient(pool, NOW) == [RUTH]
    assert await people_without_recipient(pool, LATER) == []


async def test_an_address_on_a_channel_that_alert_has_not_reaches_nobody_now(pool: Pool) -> None:
    await register(pool, Register(homes=(home_of(RUTH),), doctors=(doctor(RUTH),)), NOW)
    by_webhook = doctor(RUTH, addresses=BY_WEBHOOK)
    assert await people_without_recipient(pool, LATER) == []

    for channels, doctors, without_recipient in (
        (["webhook"], doctor(RUTH), [RUTH]),
        (["email"], doctor(RUTH), []),
        (["email"], by_webhook, [RUTH]),
        (["email", "webhook"], by_webhook, []),
    ):
        await pool.execute(load_queries("services.alert")["write_channels"], channels)
        await register(pool, Register(doctors=(doctors,)), LATER)
        assert await people_without_recipient(pool, LATER + timedelta(seconds=1)) == without_recipient
    await pool.execute("delete from notification_channels")
