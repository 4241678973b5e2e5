"""A doctor leaves: what they could do ends at once, their people are handed over, the trail stays."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from schemas.registry import Doctor, Register
from services.api.passwords import DisabledAccountError, set_password
from services.api.registration import RegisterError, register
from services.cli.additions import Left, begin_care, disable_doctor, enable_doctor
from services.cli.session import RefusedError, Session
from tests.integration.console_world import (
    DOCTOR,
    NOW,
    PASSWORD,
    UNREGISTERED,
    Practice,
    browsing,
    open_practice,
    open_world,
    raise_alert,
    token_in,
)

ANOTHER = "another horse, batteries"


@pytest.fixture
async def practice(dsn: str) -> AsyncIterator[Practice]:
    # The database is that of the test before.
    async with open_world(dsn) as pool:
        await pool.execute("update doctors set disabled_at = null")
    async with open_practice(dsn) as opened:
        yield opened


async def disable(practice: Practice, *, heir: str | None = None, no_recipient: bool = False) -> Left:
    session = Session(pool=practice.pool, clock=practice.clock, by="the administrator")
    return await disable_doctor(session, DOCTOR, heir=heir, no_recipient=no_recipient)


async def enable(practice: Practice, password: str = ANOTHER) -> None:
    await enable_doctor(Session(pool=practice.pool, clock=practice.clock, by="the administrator"), DOCTOR, password)


async def status_of_sign_in(practice: Practice, password: str) -> int:
    async with browsing(practice.address, None) as client:
        form = {"csrf": token_in((await client.get("/sign-in")).text), "email": DOCTOR, "password": password}
        return (await client.post("/sign-in", data=form)).status_code


async def caring(practice: Practice, email: str) -> set[Any]:
    rows = await practice.pool.fetch(
        "select person_id from care_relations join doctors using (doctor_no) join people using (person_no)"
        " where email = $1 and upper_inf(valid)",
        email,
    )
    return {row["person_id"] for row in rows}


async def test_a_disabled_doctor_is_out_at_the_next_request_and_an_open_worklist_ends(practice: Practice) -> None:
    async with (
        browsing(practice.address) as client,
        browsing(practice.address) as elsewhere,
        elsewhere.stream("GET", "/live", timeout=30) as stream,
    ):
        lines = stream.aiter_lines()
        assert await anext(lines) == "retry: 2000"
        await disable(practice, heir=UNREGISTERED)
        assert (await client.get("/api/v1/session")).status_code == 401
        assert (await client.get(f"/people/{practice.world.ruth}")).status_code == 303
        async with asyncio.timeout(30):
            assert "event: signed_out" in [line async for line in lines]
    assert await status_of_sign_in(practice, PASSWORD) == 401
    assert await practice.pool.fetchval("select count(*) from device_cookies") == 0


async def test_people_are_handed_over_with_their_alerts_and_nothing_of_the_trail_is_lost(practice: Practice) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth)
    async with browsing(practice.address) as client:
        assert (await client.get(f"/alerts/{alert}")).status_code == 200
    theirs, audit = await caring(practice, DOCTOR), await practice.pool.fetchval("select count(*) from audit")
    assert practice.world.ruth in theirs

    assert await disable(practice, heir=UNREGISTERED) == Left(people=len(theirs), without_doctor=())

    assert (await caring(practice, DOCTOR), await caring(practice, UNREGISTERED)) == (set(), theirs)
    addresses = "select count(*) from contact_addresses join doctors using (doctor_no) where email = $1"
    assert [await practice.pool.fetchval(addresses, one) for one in (DOCTOR, UNREGISTERED)] == [0, 1]
    async with browsing(practice.address, UNREGISTERED) as client:
        assert (await client.get(f"/alerts/{alert}")).status_code == 200
    assert await practice.pool.fetchval("select count(*) from audit") >= audit
    past = (
        "select count(*) from care_relations join doctors using (doctor_no) where email = $1 and not upper_inf(valid)"
    )
    assert await practice.pool.fetchval(past, DOCTOR) >= len(theirs)
    line = await practice.pool.fetchrow(
        "select changed_by, subject, details from register_changes where command = 'doctor disable'"
        " order by change_no desc limit 1"
    )
    assert line is not None
    assert tuple(line) == ("the administrator", DOCTOR, {"heir": UNREGISTERED})


async def test_nobody_is_left_without_a_recipient_unless_that_is_meant(practice: Practice) -> None:
    async with browsing(practice.address) as client:
        with pytest.raises(RegisterError, match=str(practice.world.ruth)):
            await disable(practice)
        assert (await client.get("/api/v1/session")).status_code == 200
        left = await disable(practice, no_recipient=True)
        assert (await client.get("/api/v1/session")).status_code == 401
    world = practice.world
    assert {world.ruth, world.karl, world.hostile} <= set(left.without_doctor)


async def test_a_doctor_who_comes_back_has_a_new_password_and_nobody_in_their_care(practice: Practice) -> None:
    async with browsing(practice.address) as before:
        await disable(practice, heir=UNREGISTERED)
        with pytest.raises(RefusedError, match="already"):
            await disable(practice, heir=UNREGISTERED)
        await enable(practice)
        assert (await before.get("/api/v1/session")).status_code == 401
    assert [await status_of_sign_in(practice, one) for one in (PASSWORD, ANOTHER)] == [401, 303]
    assert await caring(practice, DOCTOR) == set()
    with pytest.raises(RefusedError, match="not disabled"):
        await enable(practice)


async def test_a_session_opened_while_the_account_is_disabled_is_good_neither_then_nor_later(
    practice: Practice,
) -> None:
    async with browsing(practice.address) as client:
        held = await practice.pool.fetch("select * from sessions")
        await disable(practice, heir=UNREGISTERED)
        # As a sign-in leaves it that had looked at the password before.
        await practice.pool.copy_records_to_table("sessions", records=[tuple(row) for row in held])
        assert (await client.get("/api/v1/session")).status_code == 401
        await enable(practice)
        assert (await client.get("/api/v1/session")).status_code == 401


async def test_nothing_but_enabling_lets_a_disabled_doctor_work_again(practice: Practice) -> None:
    await disable(practice, heir=UNREGISTERED)
    with pytest.raises(DisabledAccountError):
        await set_password(practice.pool, DOCTOR, ANOTHER)
    with pytest.raises(asyncpg.CheckViolationError):
        await practice.pool.execute("update doctors set password_hash = 'x' where email = $1", DOCTOR)
    listed = Register(doctors=(Doctor(email=DOCTOR, name="Dr. Amira Haddad", people=(practice.world.ruth,)),))
    with pytest.raises(RegisterError, match="disabled"):
        await register(practice.pool, listed, NOW + timedelta(minutes=1))
    session = Session(pool=practice.pool, clock=practice.clock, by="the administrator")
    with pytest.raises(RegisterError, match="disabled"):
        await begin_care(session, DOCTOR, practice.world.ruth)
    assert await caring(practice, DOCTOR) == set()


async def test_people_are_not_handed_over_to_oneself_nor_to_one_who_left(practice: Practice) -> None:
    with pytest.raises(RefusedError, match="themselves"):
        await disable(practice, heir=f" {DOCTOR.upper()}")
    session = Session(pool=practice.pool, clock=practice.clock, by="the administrator")
    await disable_doctor(session, UNREGISTERED, heir=None, no_recipient=False)
    with pytest.raises(RegisterError, match="disabled"):
        await disable(practice, heir=UNREGISTERED)
