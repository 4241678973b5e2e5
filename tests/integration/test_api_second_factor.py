"""Signing in with a second factor: the code after the password, once, and never without it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.api.confirmation import PROOF_LASTS
from services.api.core import MOST_TOGETHER
from services.api.one_time_codes import FREE_FAILURES, RECOVERY_CODES
from services.api.passwords import set_password
from services.api.second_factors import OFFER_LASTS
from services.api.sessions import PENDING_LASTS
from tests.integration.authenticator import (
    KEY_FILE,
    Phone,
    csrf_of,
    give_code,
    give_password,
    key_file,
    let_time_pass,
    offered,
    recovery_codes_in,
    set_up,
)
from tests.integration.console_world import DOCTOR, FORMER, PASSWORD, Practice, browsing, open_practice, serving

SIGNED_IN = 303


@pytest.fixture
async def practice(embedded_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Practice]:
    monkeypatch.setenv(KEY_FILE, str(key_file(tmp_path)))
    async with open_practice(embedded_dsn) as opened:
        for table in ("second_factors", "pending_sign_ins", "device_cookies"):
            await opened.pool.execute(f"delete from {table}")  # noqa: S608 - a test's own
        yield opened


async def is_in(client: httpx.AsyncClient) -> bool:
    return (await client.get("/api/v1/session")).status_code == 200


async def doctor_with_phone(practice: Practice) -> Phone:
    async with browsing(practice.address) as client:
        phone = await set_up(client)
    await let_time_pass(practice)
    return phone


async def said(practice: Practice) -> list[tuple[str, bool]]:
    """What the audit has of the doctor, reading apart."""
    rows = await practice.pool.fetch(
        "select action, allowed from audit join doctors using (doctor_no)"
        " where email = $1 and action not like 'read%' order by audit_no",
        DOCTOR,
    )
    return [tuple(row) for row in rows]


async def test_a_password_alone_opens_nothing_and_the_code_opens_the_page_that_was_asked_for(
    practice: Practice,
) -> None:
    phone = await doctor_with_phone(practice)
    path = f"/people/{practice.world.ruth}"
    async with browsing(practice.address, None) as client:
        asked = await give_password(client, to=path)
        assert (asked.status_code, asked.headers["location"]) == (303, f"/sign-in/code?next={path}")
        assert "hb_session" not in asked.headers.get("set-cookie", "")
        assert not await is_in(client)
        shown = (await client.get(asked.headers["location"])).text
        assert f'value="{path}"' in shown
        assert DOCTOR not in shown
        wrong = await give_code(client, phone.wrong(), path)
        assert (wrong.status_code, "wrong, or was used" in wrong.text) == (401, True)
        assert not await is_in(client)
        done = await give_code(client, f"{phone.code()[:3]} {phone.code()[3:]}", path)
        assert (done.status_code, done.headers["location"]) == (SIGNED_IN, path)
        assert await is_in(client)
    assert (await said(practice))[-2:] == [("give_code", False), ("sign_in", True)]


async def test_no_code_is_taken_twice_nor_one_before_it_even_at_once(practice: Practice) -> None:
    phone = await doctor_with_phone(practice)
    async with browsing(practice.address, None) as one, browsing(practice.address, None) as other:
        for client in (one, other):
            await give_password(client)
        code = phone.code()
        answers = await asyncio.gather(give_code(one, code), give_code(other, code))
        assert sorted(answer.status_code for answer in answers) == [SIGNED_IN, 401]
        late = one if await is_in(other) else other
        assert (await give_code(late, code)).status_code == 401
        assert (await give_code(late, phone.code(-1))).status_code == 401
        assert (await give_code(late, phone.code(1))).status_code == SIGNED_IN


async def test_a_recovery_code_signs_in_once_in_the_place_of_a_code(practice: Practice) -> None:
    phone = await doctor_with_phone(practice)
    assert len(phone.recovery) == RECOVERY_CODES
    async with browsing(practice.address, None) as client:
        await give_password(client)
        assert (await give_code(client, phone.recovery[3].lower().replace("-", " "))).status_code == SIGNED_IN
        assert "9 recovery codes are left" in (await client.get("/second-factor")).text
    async with browsing(practice.address, None) as client:
        await give_password(client)
        assert (await give_code(client, phone.recovery[3])).status_code == 401
    assert ("use_recovery_code", True) in await said(practice)


async def test_codes_are_guessed_no_faster_than_passwords_and_slower_each_time(practice: Practice) -> None:
    phone = await doctor_with_phone(practice)
    async with browsing(practice.address, None) as client:
        await give_password(client)
        tried = [(await give_code(client, phone.wrong())).status_code for _ in range(MOST_TOGETHER)]
        # The password counts as a failure, too, until its code is given.
        assert tried == [401] * (MOST_TOGETHER - 1) + [429]
        assert (await give_code(client, phone.code())).status_code == 429
        await practice.pool.execute("delete from sign_in_attempts")
        for _ in range(FREE_FAILURES - MOST_TOGETHER + 1):
            assert (await give_code(client, phone.wrong())).status_code == 401
        # Wherever the next try comes from: it waits, and is not looked at.
        await practice.pool.execute("delete from sign_in_attempts")
        waits = await give_code(client, phone.code())
        assert (waits.status_code, "wrong codes in a row" in waits.text) == (429, True)
        assert (await give_code(client, phone.recovery[0])).status_code == SIGNED_IN, "which nobody guesses"
    await let_time_pass(practice)
    async with browsing(practice.address, None) as client:
        await give_password(client)
        assert (await give_code(client, phone.code())).status_code == SIGNED_IN
    assert await practice.pool.fetchval("select max(failures) from second_factors") == 0


async def test_a_given_password_waits_five_minutes_for_its_code_and_no_longer_than_the_password_is_good(
    practice: Practice,
) -> None:
    phone = await doctor_with_phone(practice)
    async with browsing(practice.address, None) as client:
        assert (await client.get("/sign-in/code")).headers["location"] == "/sign-in"
        await give_password(client)
        await practice.pool.execute("update pending_sign_ins set ends_at = ends_at - $1::interval", PENDING_LASTS)
        over = await give_code(client, phone.code())
        assert (over.status_code, "That took too long" in over.text) == (401, True)
        await give_password(client)
        await set_password(practice.pool, DOCTOR, PASSWORD, by="Kim")
        assert (await give_code(client, phone.code())).status_code == 401
        await give_password(client)
        assert (await give_code(client, phone.code())).status_code == SIGNED_IN
        client.cookies.delete("hb_session")
        assert (await give_code(client, phone.code(1))).status_code == 401, "each password takes one code"
    kept = await practice.pool.fetch("select * from pending_sign_ins")
    assert kept == []


async def test_what_was_offered_counts_only_once_a_code_of_it_was_given(practice: Practice) -> None:
    async with browsing(practice.address) as client, browsing(practice.address) as elsewhere:
        phone = await offered(client)
        page = (await client.get("/second-factor")).text
        assert " ".join(phone.secret[start : start + 4] for start in range(0, 32, 4)) in page
        assert "<svg" in page
        form = {"csrf": await csrf_of(client), "code": phone.wrong()}
        assert (await client.post("/second-factor/confirm", data=form)).status_code == 422
        async with browsing(practice.address) as another:
            assert await is_in(another), "the password is still enough"
        again = await offered(client)
        assert again.secret != phone.secret
        confirmed = await client.post("/second-factor/confirm", data=form | {"code": again.code()})
        assert len(recovery_codes_in(confirmed.text)) == RECOVERY_CODES
        assert confirmed.headers["cache-control"] == "no-store"
        assert [await is_in(one) for one in (client, elsewhere)] == [True, False]
        after = (await client.get("/second-factor")).text
        assert (again.secret[:4] in after, "otpauth" in after) == (False, False)
        twice = await client.post("/second-factor/confirm", data=form | {"code": again.code(1)})
        assert recovery_codes_in(twice.text) == ()


async def test_what_is_offered_is_shown_for_a_quarter_of_an_hour(practice: Practice) -> None:
    async with browsing(practice.address) as client:
        phone = await offered(client)
        await practice.pool.execute("update second_factors set begun_at = begun_at - $1::interval", OFFER_LASTS)
        assert "otpauth" not in (await client.get("/second-factor")).text
        form = {"csrf": await csrf_of(client), "code": phone.code()}
        assert (await client.post("/second-factor/confirm", data=form)).status_code == 422


async def test_whoever_finds_an_open_browser_sets_up_renews_and_ends_nothing(practice: Practice) -> None:
    async with browsing(practice.address) as client:
        phone = await set_up(client)
        await let_time_pass(practice)
        token = await csrf_of(client)
        await practice.pool.execute("update sessions set proved_at = opened_at - $1::interval", PROOF_LASTS)
        for what in ("begin", "recovery-codes", "end"):
            asked = await client.post(f"/second-factor/{what}", data={"csrf": token, "code": phone.code()})
            assert (asked.status_code, "Is it you?" in asked.text, 'href="/second-factor"' in asked.text) == (
                403, True, True,
            )  # fmt: skip
        proof = {"csrf": token, "proof": PASSWORD}
        for what in ("recovery-codes", "end"):
            refused = await client.post(f"/second-factor/{what}", data=proof | {"code": phone.wrong()})
            assert (refused.status_code, recovery_codes_in(refused.text)) == (422, ())
        renewed = await client.post("/second-factor/recovery-codes", data=proof | {"code": phone.code()})
        fresh = recovery_codes_in(renewed.text)
        assert (len(fresh), set(fresh) & set(phone.recovery)) == (RECOVERY_CODES, set())
        replaced = await client.post("/second-factor/end", data=proof | {"code": phone.recovery[0]})
        assert replaced.status_code == 422
        ended = await client.post("/second-factor/end", data=proof | {"code": fresh[0]})
        assert ended.headers["location"] == "/second-factor?outcome=ended"
    async with browsing(practice.address) as client:
        assert await is_in(client)
    trail = [action for action, allowed in await said(practice) if allowed]
    assert trail[-4:] == ["renew_recovery_codes", "use_recovery_code", "end_second_factor", "sign_in"]


async def test_guessing_at_the_doctors_own_page_is_slowed_as_at_the_door(practice: Practice) -> None:
    async with browsing(practice.address) as client:
        phone = await set_up(client)
        await let_time_pass(practice)
        form = {"csrf": await csrf_of(client), "code": phone.wrong()}
        tried = [(await client.post("/second-factor/end", data=form)).status_code for _ in range(MOST_TOGETHER + 1)]
        assert tried == [422] * MOST_TOGETHER + [429]
        assert (await client.post("/second-factor/end", data=form | {"code": phone.code()})).status_code == 429


async def test_the_database_alone_gives_no_code_and_takes_no_secret_from_another_row(practice: Practice) -> None:
    phone = await doctor_with_phone(practice)
    row = await practice.pool.fetchrow("select * from second_factors")
    assert row is not None
    assert phone.secret.encode() not in bytes(row["sealed"])
    hashes = b"".join(one["code_hash"] for one in await practice.pool.fetch("select code_hash from recovery_codes"))
    assert all(code.replace("-", "").encode() not in hashes for code in phone.recovery)
    number = await practice.pool.fetchval("select doctor_no from doctors where email = $1", FORMER)
    await practice.pool.execute(
        "insert into second_factors (doctor_no, sealed, begun_at, confirmed_at) values ($1, $2, $3, $3)",
        number, row["sealed"], row["begun_at"],
    )  # fmt: skip
    async with browsing(practice.address, None) as client:
        await give_password(client, FORMER)
        assert (await give_code(client, phone.code())).status_code == 503
        assert not await is_in(client)


async def test_without_its_keys_a_console_sets_nothing_up_and_lets_nobody_past(
    practice: Practice, embedded_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = await doctor_with_phone(practice)
    monkeypatch.delenv(KEY_FILE)
    async with serving(embedded_dsn, practice.clock) as without:
        async with browsing(without, None) as client:
            await give_password(client)
            refused = await give_code(client, phone.code())
            assert (refused.status_code, phone.code() in refused.text) == (503, False)
            assert not await is_in(client)
            assert (await give_code(client, phone.recovery[0])).status_code == SIGNED_IN
        async with browsing(without, FORMER) as client:
            assert "can't be set up here yet" in (await client.get("/second-factor")).text
            answer = await client.post("/second-factor/begin", data={"csrf": await csrf_of(client)})
            assert answer.status_code == 503
    monkeypatch.setenv(KEY_FILE, str(key_file(tmp_path)))
    async with serving(embedded_dsn, practice.clock) as others, browsing(others, None) as client:
        await give_password(client)
        assert (await give_code(client, phone.code())).status_code == 503
