"""A doctor's own browser stays open to them whatever others try, and helps nobody else."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from services.api.core import MOST_OF_ACCOUNT, MOST_OF_ADDRESS, MOST_TOGETHER
from services.api.passwords import set_password
from tests.integration.console_world import (
    DOCTOR,
    FORMER,
    PASSWORD,
    UNREGISTERED,
    Practice,
    browsing,
    open_practice,
    serving,
    token_in,
)

HERE = "192.0.2.7"
ELSEWHERE = "198.51.100.9"


@pytest.fixture
async def practice(dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Practice]:
    """Behind a proxy, so that a request can come from any address."""
    monkeypatch.setenv("HB_API_TRUSTED_PROXY", "127.0.0.1")
    async with open_practice(dsn) as opened:
        await opened.pool.execute("delete from device_cookies")
        yield opened


async def attempt(
    client: httpx.AsyncClient, email: str = DOCTOR, *, password: str = PASSWORD, address: str = HERE
) -> int:
    """The status of one attempt from an address; 303 signs in."""
    token = token_in((await client.get("/sign-in")).text)
    form = {"csrf": token, "email": email, "password": password}
    return (await client.post("/sign-in", data=form, headers={"X-Forwarded-For": address})).status_code


async def fail(practice: Practice, times: int, email: str = DOCTOR, *, address: str = HERE) -> list[int]:
    """Somebody without any cookie tries a wrong password so often."""
    async with browsing(practice.address, None) as client:
        return [await attempt(client, email, password="wrong wrong", address=address) for _ in range(times)]


async def age(practice: Practice, column: str, by: timedelta) -> None:
    """Lets real time pass for a row that holds it."""
    table = {"ends_at": "device_cookies", "attempted_at": "sign_in_attempts"}[column]
    await practice.pool.execute(f"update {table} set {column} = {column} - $1::interval", by)  # noqa: S608 - a test's own


async def test_a_browser_that_a_doctor_uses_is_open_to_them_whatever_others_try_from_its_address(
    practice: Practice,
) -> None:
    async with browsing(practice.address, None) as own, browsing(practice.address, None) as new:
        assert await attempt(own) == 303
        assert 429 in await fail(practice, MOST_TOGETHER + 1)
        for number in range(MOST_OF_ADDRESS):
            await fail(practice, 1, f"somebody{number}@example.org")
        assert await attempt(new) == 429
        assert await attempt(own) == 303
        assert await attempt(own, address=ELSEWHERE) == 303


async def test_guessing_with_a_browsers_cookie_is_limited_by_its_own_failures(practice: Practice) -> None:
    async with browsing(practice.address, None) as own:
        assert await attempt(own) == 303
        tried = [await attempt(own, password="wrong wrong", address=f"203.0.113.{n}") for n in range(MOST_TOGETHER + 2)]
        assert tried == [401] * MOST_TOGETHER + [429] * 2
        assert await attempt(own) == 429
        await age(practice, "attempted_at", timedelta(minutes=16))
        assert await attempt(own) == 303


async def test_an_address_is_believed_from_the_proxy_alone(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HB_API_TRUSTED_PROXY", "192.0.2.1")
    async with open_practice(dsn) as practice:
        tried = [await fail(practice, 1, address=f"203.0.113.{n}") for n in range(MOST_TOGETHER + 2)]

    # All of them are ours, whatever they say.
    assert tried == [[401]] * MOST_TOGETHER + [[429]] * 2


async def test_another_accounts_cookie_helps_nothing(practice: Practice) -> None:
    async with browsing(practice.address, None) as foreign:
        assert await attempt(foreign, UNREGISTERED) == 303
        await fail(practice, MOST_TOGETHER)
        assert await attempt(foreign) == 429
        for number in range(MOST_OF_ACCOUNT):
            await fail(practice, 1, FORMER, address=f"203.0.113.{number}")
        assert await attempt(foreign, FORMER, address=ELSEWHERE) == 429


async def test_a_cookie_that_nobody_was_given_is_none_and_is_replaced(practice: Practice) -> None:
    async with browsing(practice.address, None) as client:
        client.cookies.set("hb_device", "of-my-own-making")
        await fail(practice, MOST_TOGETHER)
        assert await attempt(client) == 429
        assert await attempt(client, address=ELSEWHERE) == 303
        given = [cookie.value for cookie in client.cookies.jar if cookie.name == "hb_device" and cookie.domain != ""]

    assert given
    assert "of-my-own-making" not in given


async def test_a_browser_that_nobody_signed_in_from_for_half_a_year_is_forgotten(practice: Practice) -> None:
    async with browsing(practice.address, None) as own:
        assert await attempt(own) == 303
        await age(practice, "ends_at", timedelta(days=179))
        await fail(practice, MOST_TOGETHER)
        assert await attempt(own) == 303, "signing in begins the time anew"
        await age(practice, "ends_at", timedelta(days=179))
        assert await attempt(own) == 303
        await age(practice, "ends_at", timedelta(days=181))
        assert await attempt(own) == 429
        assert await attempt(own, UNREGISTERED) == 303
    assert await practice.pool.fetchval("select count(*) from device_cookies") == 1


async def test_doctors_who_share_a_computer_are_each_known_on_it(practice: Practice) -> None:
    async with browsing(practice.address, None) as shared:
        assert [await attempt(shared, email) for email in (DOCTOR, UNREGISTERED)] == [303, 303]
        for email in (DOCTOR, UNREGISTERED):
            await fail(practice, MOST_TOGETHER, email)
        assert [await attempt(shared, email) for email in (DOCTOR, UNREGISTERED)] == [303, 303]


async def test_one_doctors_failures_on_a_shared_computer_are_not_anothers(practice: Practice) -> None:
    async with browsing(practice.address, None) as shared:
        assert [await attempt(shared, email) for email in (DOCTOR, UNREGISTERED)] == [303, 303]
        for _ in range(MOST_TOGETHER + 1):
            await attempt(shared, UNREGISTERED, password="wrong wrong")
        assert await attempt(shared, UNREGISTERED) == 429
        assert await attempt(shared) == 303


async def test_a_new_password_leaves_the_browser_known(practice: Practice) -> None:
    async with browsing(practice.address, None) as own:
        assert await attempt(own) == 303
        await set_password(practice.pool, DOCTOR, PASSWORD)
        await fail(practice, MOST_TOGETHER)
        assert await attempt(own) == 303


async def test_the_browsers_cookie_is_long_out_of_reach_and_stored_hashed(dsn: str, practice: Practice) -> None:
    async with (
        serving(dsn, practice.clock, plain_http=False) as address,
        httpx.AsyncClient(base_url=address) as client,
    ):
        page = await client.get("/sign-in")
        name, value = page.headers["set-cookie"].split(";")[0].split("=", 1)
        form = {"csrf": token_in(page.text), "email": DOCTOR, "password": PASSWORD}
        answer = await client.post("/sign-in", data=form, headers={"Cookie": f"{name}={value}"})

    session, device = answer.headers.get_list("set-cookie")
    parts = {part.strip() for part in device.split(";")}
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax", f"Max-Age={180 * 86_400}"} <= parts
    assert "Max-Age" not in session
    name, value = device.split(";")[0].split("=", 1)
    assert name == "__Host-hb_device"
    assert len(value) == 43
    hashes = [bytes(row[0]) for row in await practice.pool.fetch("select cookie_hash from device_cookies")]
    assert [len(one) for one in hashes] == [32]
    assert value.encode() not in hashes


async def test_neighbours_in_one_ipv6_network_count_as_one_address(practice: Practice) -> None:
    for number in range(MOST_TOGETHER):
        await fail(practice, 1, address=f"2001:db8:1:2::{number}")
    async with browsing(practice.address, None) as client:
        assert await attempt(client, address="2001:db8:1:2:ffff::1") == 429
        assert await attempt(client, address="2001:db8:1:3::1") == 303
        assert await attempt(client, address="::ffff:192.0.2.7") == 303

    stored = {row["address"] for row in await practice.pool.fetch("select address from sign_in_attempts")}
    assert stored == {"2001:db8:1:2::/64", "2001:db8:1:3::/64", "192.0.2.7"}


async def test_old_attempts_are_forgotten_on_failures_too_some_at_a_time(practice: Practice) -> None:
    await practice.pool.execute(
        "insert into sign_in_attempts (account, address, attempted_at, outcome)"
        " select '\\x00', 'old', $1, 'failed' from generate_series(1, 250)",
        datetime.now(UTC) - timedelta(days=31),
    )
    left = []
    for code in (401, 401, 401):
        assert await fail(practice, 1) == [code]
        left.append(await practice.pool.fetchval("select count(*) from sign_in_attempts where address = 'old'"))

    assert left == [150, 50, 0]
