"""A lost password set anew by a link: once, for half an hour, by the rules, and nobody else learns of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from services.api.password_resets import RESET_LASTS, NoAccountError, make_link
from services.api.passwords import set_password
from tests.integration.console_world import (
    DOCTOR,
    FORMER,
    NOW,
    PASSWORD,
    UNREGISTERED,
    Practice,
    browsing,
    open_practice,
    token_in,
)

NEW = "ochre lantern, seven quiet otters"


@pytest.fixture
async def practice(embedded_dsn: str) -> AsyncIterator[Practice]:
    async with open_practice(embedded_dsn) as opened:
        await opened.pool.execute("delete from password_resets")
        await opened.pool.execute("delete from second_factors")
        yield opened


async def link(practice: Practice, email: str = DOCTOR) -> str:
    return (await make_link(practice.pool, email, by="Kim", now=NOW)).code


async def use(client: httpx.AsyncClient, code: str, password: str = NEW, again: str | None = None) -> httpx.Response:
    token = token_in((await client.get("/reset")).text)
    form = {"csrf": token, "code": code, "password": password, "again": password if again is None else again}
    return await client.post("/reset", data=form)


async def may_sign_in(practice: Practice, password: str, email: str = DOCTOR) -> bool:
    async with browsing(practice.address, None) as client:
        token = token_in((await client.get("/sign-in")).text)
        form = {"csrf": token, "email": email, "password": password}
        return (await client.post("/sign-in", data=form)).status_code == 303


async def test_a_link_sets_a_password_once_and_signs_the_doctor_out_everywhere(practice: Practice) -> None:
    code = await link(practice)
    async with browsing(practice.address) as signed_in, browsing(practice.address, None) as client:
        done = await use(client, code)
        assert (done.status_code, done.headers["location"]) == (303, "/sign-in?outcome=reset")
        assert "Your new password is set" in (await client.get(done.headers["location"])).text
        assert (await signed_in.get("/api/v1/session")).status_code == 401
        twice = await use(client, code, "another lantern, eight loud otters")
        assert (twice.status_code, "each is good once" in twice.text) == (404, True)
    assert [await may_sign_in(practice, one) for one in (NEW, PASSWORD)] == [True, False]


async def test_of_two_who_use_a_link_at_once_one_sets_the_password(practice: Practice) -> None:
    code, others = await link(practice), "another lantern, eight loud otters"
    async with browsing(practice.address, None) as one, browsing(practice.address, None) as other:
        answers = await asyncio.gather(use(one, code), use(other, code, others))
    assert sorted(answer.status_code for answer in answers) == [303, 404]
    winner, loser = (NEW, others) if answers[0].status_code == 303 else (others, NEW)
    assert [await may_sign_in(practice, password) for password in (winner, loser)] == [True, False]


async def test_a_password_that_is_refused_leaves_the_link_good(practice: Practice) -> None:
    code = await link(practice)
    async with browsing(practice.address, None) as client:
        for password, again, why in (
            ("too short", None, "15 to 128 characters"),
            ("passwordpassword", None, "That password is known"),
            ("Dr. Amira Haddad", None, "That password is known"),
            (NEW, NEW + "!", "not the same"),
        ):
            refused = await use(client, code, password, again)
            assert (refused.status_code, why in refused.text) == (422, True)
            assert password not in refused.text
        assert (await use(client, code)).status_code == 303


def age(practice: Practice, _: str) -> Awaitable[Any]:
    return practice.pool.execute("update password_resets set ends_at = ends_at - $1::interval", RESET_LASTS)


def replace(practice: Practice, _: str) -> Awaitable[Any]:
    return link(practice)


def set_by_command(practice: Practice, _: str) -> Awaitable[Any]:
    return set_password(practice.pool, DOCTOR, PASSWORD, by="Kim")


def disable(practice: Practice, _: str) -> Awaitable[Any]:
    return practice.pool.execute(
        "update doctors set password_hash = null, disabled_at = $2 where email = $1", DOCTOR, NOW
    )


@pytest.mark.parametrize("what", [age, replace, set_by_command, disable])
async def test_a_link_is_good_no_longer(practice: Practice, what: Callable[[Practice, str], Awaitable[Any]]) -> None:
    code = await link(practice)
    await what(practice, code)
    async with browsing(practice.address, None) as client:
        assert (await use(client, code)).status_code == 404
    await practice.pool.execute("update doctors set disabled_at = null")
    assert not await may_sign_in(practice, NEW)


async def test_nobody_gets_a_link_to_an_account_that_there_is_not_or_that_is_disabled(practice: Practice) -> None:
    await disable(practice, "")
    for email in (DOCTOR, "nobody@example.org"):
        with pytest.raises(NoAccountError):
            await link(practice, email)
    await practice.pool.execute("update doctors set disabled_at = null")


async def test_a_guess_is_no_link_and_another_site_sends_none(practice: Practice) -> None:
    code = await link(practice, FORMER)
    async with browsing(practice.address, None) as client:
        for guess in ("", "guess", code[:-1], code + "x"):
            assert (await use(client, guess)).status_code == 404
        await client.get("/reset")
        form = {"csrf": "foreign", "code": code, "password": NEW, "again": NEW}
        assert (await client.post("/reset", data=form)).status_code == 403
        assert (await use(client, f" {code} ")).status_code == 303


async def test_a_second_factor_stays(practice: Practice) -> None:
    await practice.pool.execute(
        "insert into second_factors (doctor_no, sealed, begun_at, confirmed_at)"
        " select doctor_no, 'sealed', $2, $2 from doctors where email = $1",
        UNREGISTERED,
        NOW,
    )
    async with browsing(practice.address, None) as client:
        assert (await use(client, await link(practice, UNREGISTERED))).status_code == 303
        token = token_in((await client.get("/sign-in")).text)
        asked = await client.post("/sign-in", data={"csrf": token, "email": UNREGISTERED, "password": NEW})
        assert asked.headers["location"].startswith("/sign-in/code")
    await practice.pool.execute("delete from second_factors")


async def test_who_made_and_who_used_a_link_is_written_down_and_the_link_nowhere(practice: Practice) -> None:
    with capture_logs() as logs:
        code = await link(practice)
        async with browsing(practice.address, None) as client:
            page = await client.get("/reset")
            assert page.headers["referrer-policy"] == "same-origin"
            assert page.headers["cache-control"] == "no-store"
            assert (await use(client, code)).status_code == 303
    made = await practice.pool.fetchrow("select * from register_changes order by change_no desc limit 1")
    used = await practice.pool.fetchrow(
        "select action, allowed, email, address from audit join doctors using (doctor_no)"
        " where action = 'use_reset_link' order by audit_no desc limit 1"
    )
    assert made is not None
    assert (made["command"], made["subject"], made["changed_by"]) == ("doctor reset", DOCTOR, "Kim")
    assert used is not None
    assert tuple(used) == ("use_reset_link", True, DOCTOR, "127.0.0.1")
    for table in ("password_resets", "register_changes", "audit", "sessions", "sign_in_attempts"):
        kept = await practice.pool.fetchval(f"select string_agg(one::text, '') from {table} as one")  # noqa: S608
        assert code not in (kept or "")
    assert code not in repr(logs)
