"""Whoever changes what others rely on gives the password again, once it was given some minutes ago."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.api.confirmation import PROOF_LASTS
from services.api.core import MOST_TOGETHER
from tests.integration.console_world import DOCTOR, PASSWORD, Practice, browsing, open_practice, token_in

CONCERN = "heart_rate.fast"


@pytest.fixture
async def practice(embedded_dsn: str) -> AsyncIterator[Practice]:
    async with open_practice(embedded_dsn) as opened:
        yield opened


async def age(practice: Practice, by: timedelta = PROOF_LASTS) -> None:
    """Lets real time pass since the last proof of every session."""
    await practice.pool.execute("update sessions set proved_at = coalesce(proved_at, opened_at) - $1::interval", by)


async def limits_written(practice: Practice) -> int:
    number: int = await practice.pool.fetchval(
        "select count(*) from limits join people using (person_no) where person_id = $1", practice.world.ruth
    )
    return number


async def put(client: httpx.AsyncClient, practice: Practice) -> httpx.Response:
    path = f"/api/v1/people/{practice.world.ruth}/limits"
    held: Any = next(one for one in (await client.get(path)).json() if one["concern"] == CONCERN)
    first, *others = held["levels"]
    said = {name: held[name] for name in ("clear_min", "worse_by", "off")}
    said |= {"levels": [first | {"on": 125}, *others], "reason": "an athlete", "seen": held["version"]}
    return await client.put(f"{path}/{CONCERN}", json=said, headers={"X-CSRF-Token": await token_of(client)})


async def token_of(client: httpx.AsyncClient) -> str:
    token: str = (await client.get("/api/v1/session")).json()["csrf_token"]
    return token


async def prove(client: httpx.AsyncClient, password: str) -> int:
    headers = {"X-CSRF-Token": await token_of(client)}
    return (await client.post("/api/v1/session/confirm", json={"password": password}, headers=headers)).status_code


async def test_a_program_proves_who_it_is_and_then_changes_limits(practice: Practice) -> None:
    async with browsing(practice.address) as client:
        await age(practice)
        refused = await put(client, practice)
        assert (refused.status_code, "password" in refused.json()["detail"]) == (403, True)
        assert await prove(client, "not the password") == 403
        assert (await put(client, practice)).status_code == 403
        assert await limits_written(practice) == 0
        assert await prove(client, PASSWORD) == 204
        assert (await put(client, practice)).status_code == 200
    said = await practice.pool.fetch(
        "select allowed from audit join doctors using (doctor_no) where action = 'confirm' and email = $1"
        " order by audit_no desc limit 2",
        DOCTOR,
    )
    assert [row["allowed"] for row in said] == [True, False]


async def test_a_form_asks_for_the_password_keeps_what_was_typed_and_then_saves_it(practice: Practice) -> None:
    path = f"/people/{practice.world.ruth}/limits"
    async with browsing(practice.address) as client:
        form = {"csrf": token_in((await client.get(path)).text), "seen": "0", "limit": f"{CONCERN}/0", "value": "125",
                "reason": 'an "athlete" <b>'}  # fmt: skip
        await age(practice)
        asked = await client.post(path, data=form)
        assert (asked.status_code, 'value="an &#34;athlete&#34; &lt;b&gt;"' in asked.text) == (403, True)
        wrong = await client.post(path, data=form | {"proof": "not the password"})
        assert (wrong.status_code, "That is not your password." in wrong.text) == (403, True)
        assert "not the password" not in wrong.text
        assert await limits_written(practice) == 0
        assert (await client.post(path, data=form | {"proof": PASSWORD})).status_code == 303
    assert await limits_written(practice) > 0


async def test_a_proof_is_good_for_five_minutes_and_for_its_own_session_alone(practice: Practice) -> None:
    async with browsing(practice.address) as client, browsing(practice.address) as elsewhere:
        assert (await put(client, practice)).status_code == 200, "signing in is a proof"
        await age(practice)
        assert await prove(elsewhere, PASSWORD) == 204
        assert [(await put(one, practice)).status_code for one in (client, elsewhere)] == [403, 200]
        await age(practice)
        assert (await put(elsewhere, practice)).status_code == 403
        assert (await elsewhere.get(f"/people/{practice.world.ruth}/limits")).status_code == 200


async def test_whoever_finds_an_open_browser_can_not_guess_the_password(practice: Practice) -> None:
    async with browsing(practice.address) as client:
        await age(practice)
        tried = [await prove(client, f"guess number {number}") for number in range(MOST_TOGETHER + 1)]
        assert tried == [403] * MOST_TOGETHER + [429]
        assert await prove(client, PASSWORD) == 429
        assert (await put(client, practice)).status_code == 403
