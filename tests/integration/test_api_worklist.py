"""The worklist says whom nobody would be notified about, before anything has happened; over real HTTP."""

import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from schemas.registry import Binding, Device, Doctor, Home, Person, Register
from services.api.registration import register
from services.runtime.database import Pool
from tests.integration.care_world import settle_address
from tests.integration.console_world import DOCTOR, NOW, UNREGISTERED, Practice, browsing, open_practice


@pytest.fixture
async def practice(dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Practice]:
    monkeypatch.setattr("services.api.without_recipient.RECOUNT_S", 0.0)
    async with open_practice(dsn) as opened:
        yield opened


async def address_of_doctor(pool: Pool, *, emails: bool) -> None:
    doctor_no = await pool.fetchval("select doctor_no from doctors where email = $1", DOCTOR)
    await settle_address(pool, doctor_no, "email", DOCTOR if emails else None)


async def worklist(client: httpx.AsyncClient) -> str:
    """As text in one line, tags left out."""
    return " ".join(re.sub(r"<[^>]+>", "", (await client.get("/")).text).split())


async def settle(pool: Pool, names: list[str], *doctors: Doctor) -> tuple[UUID, ...]:
    """A home of people with a band each, in nobody's care."""
    people = tuple(Person(person_id=uuid4(), name=name, born_on=date(1940, 1, 1)) for name in names)
    bands = tuple(
        Device(
            device=f"band-{one.person_id.hex[:9]}", type="wearable_band", bindings=(Binding(person_id=one.person_id),)
        )
        for one in people
    )
    home = Home(home_id=uuid4(), label="home", time_zone="Europe/Berlin", people=people, devices=bands)
    ids = tuple(one.person_id for one in people)
    await register(pool, Register(homes=(home,), doctors=doctors, no_recipient=ids), NOW - timedelta(days=1))
    return ids


async def test_somebody_whose_only_doctor_has_no_address_is_named_with_a_link(practice: Practice) -> None:
    async with browsing(practice.address) as client:
        assert "nobody would be notified" not in await worklist(client)
        await address_of_doctor(practice.pool, emails=False)
        said = await worklist(client)
        html = (await client.get("/")).text
    await address_of_doctor(practice.pool, emails=True)
    assert (
        "If something happened to Ruth Sommer now, nobody would be notified:"
        " no doctor with an address for alerts cares for them." in said
    )
    assert f'href="/people/{practice.world.ruth}">Ruth Sommer</a>' in html
    assert "Karl" not in said
    assert "Nobody is waiting." in said


async def test_an_open_page_says_so_as_soon_as_it_is_so_and_that_it_was_shown_is_written_down(
    practice: Practice,
) -> None:
    newest = await practice.pool.fetchval("select max(audit_no) from audit")
    async with browsing(practice.address) as client, client.stream("GET", "/live") as stream:
        lines = stream.aiter_lines()
        async for line in lines:
            if "Nobody is waiting." in line:
                break
        await address_of_doctor(practice.pool, emails=False)
        async for line in lines:
            if "If something happened to" in line and "Ruth Sommer" in line:
                break
    await address_of_doctor(practice.pool, emails=True)
    shown = await practice.pool.fetch(
        "select people from audit where audit_no > $1 and action = 'read_worklist' order by audit_no", newest
    )
    ruth = await practice.pool.fetchval("select person_no from people where person_id = $1", practice.world.ruth)
    assert [ruth] in [row["people"] for row in shown]


async def test_many_are_named_up_to_ten_and_counted_beyond(practice: Practice) -> None:
    ids = await settle(practice.pool, [f"Ann {n:02}" for n in range(12)])
    silent = Doctor(email=UNREGISTERED, name="Dr. Sven Olsen", people=ids, addresses=())
    await register(practice.pool, Register(doctors=(silent,), no_recipient=ids), NOW - timedelta(hours=1))
    async with browsing(practice.address, UNREGISTERED) as client:
        said = await worklist(client)
    assert "happened to Ann 00, Ann 01," in said
    assert "Ann 09 or 2 more people of yours now, nobody" in said
    assert "Ann 10" not in said


async def test_who_is_in_nobodys_care_is_counted_for_every_doctor_and_not_named(practice: Practice) -> None:
    await settle(practice.pool, ["Otto Unbekannt"])
    async with browsing(practice.address) as client:
        one = await worklist(client)
        await settle(practice.pool, ["Ida Unbekannt"])
        two = await worklist(client)
        people = await client.get("/api/v1/people")
    assert (
        "One monitored person on this platform is in no doctor's care: if something happened to them now, nobody" in one
    )
    assert (
        "2 monitored people on this platform are in no doctor's care: if something happened to one of them now" in two
    )
    assert "Unbekannt" not in one + two + people.text
