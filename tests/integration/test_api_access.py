"""Who gets in, who sees whom, and what is written down about it: the real console over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from schemas.alerts import Severity
from services.api.passwords import set_password
from tests.integration.console_world import (
    DOCTOR,
    FORMER,
    HOSTILE,
    NOW,
    PASSWORD,
    UNREGISTERED,
    Practice,
    World,
    browsing,
    open_practice,
    raise_alert,
    serving,
    token_in,
)


@pytest.fixture
async def practice(dsn: str) -> AsyncIterator[Practice]:
    async with open_practice(dsn) as opened:
        yield opened


def paths(world: World, alert: Any) -> Iterable[tuple[str, str]]:
    """Every operation on one object."""
    day = "vital=glucose&from=2026-11-22T00:00:00Z&to=2026-11-23T00:00:00Z"
    return (
        ("GET", f"/people/{world.ruth}"),
        ("GET", f"/alerts/{alert}"),
        ("POST", f"/alerts/{alert}/acknowledge"),
        ("POST", f"/alerts/{alert}/outcome"),
        ("POST", f"/alerts/{alert}/finish"),
        ("GET", f"/api/v1/people/{world.ruth}"),
        ("GET", f"/api/v1/people/{world.ruth}/readings?{day}"),
        ("GET", f"/api/v1/alerts/{alert}"),
        ("GET", f"/api/v1/alerts/{alert}/notifications"),
        ("GET", f"/api/v1/alerts/{alert}/history"),
        ("POST", f"/api/v1/alerts/{alert}/acknowledge"),
        ("POST", f"/api/v1/alerts/{alert}/outcome"),
    )


async def ask(client: httpx.AsyncClient, method: str, path: str) -> httpx.Response:
    """A request with a valid token where it writes."""
    if method == "GET":
        return await client.get(path)
    token = (await client.get("/api/v1/session")).json()["csrf_token"]
    if path.startswith("/api/"):
        return await client.post(path, json={"version": 0, "note": "Seen."}, headers={"X-CSRF-Token": token})
    return await client.post(path, data={"csrf": token, "version": "0", "note": "Seen."})


async def test_every_operation_on_a_person_is_for_doctors_whose_care_is_in_force(practice: Practice) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth)
    for email in (UNREGISTERED, FORMER):
        async with browsing(practice.address, email) as client:
            for method, path in paths(practice.world, alert):
                answer = await ask(client, method, path)
                assert answer.status_code == 404, (email, method, path)
                assert "Ruth" not in answer.text
    async with browsing(practice.address) as client:
        for method, path in paths(practice.world, alert):
            assert (await ask(client, method, path)).status_code in {200, 303}, (method, path)


async def test_what_is_missing_and_what_is_not_yours_look_alike(practice: Practice) -> None:
    async with browsing(practice.address, UNREGISTERED) as client:
        foreign = await client.get(f"/people/{practice.world.ruth}")
        missing = await client.get(f"/people/{uuid4()}")
        mistyped = await client.get("/people/nobody")

    assert foreign.text.replace(str(practice.world.ruth), "") == missing.text
    assert foreign.status_code == missing.status_code == mistyped.status_code == 404


async def test_lists_hold_only_those_in_care(practice: Practice) -> None:
    await raise_alert(practice.pool, practice.world.ruth)
    for email in (UNREGISTERED, FORMER):
        async with browsing(practice.address, email) as client:
            assert (await client.get("/api/v1/people")).json() == []
            assert (await client.get("/api/v1/alerts")).json() == []
            assert "Ruth" not in (await client.get("/")).text
    async with browsing(practice.address) as client:
        assert {row["name"] for row in (await client.get("/api/v1/people")).json()} >= {"Ruth Sommer", "Karl Sommer"}


async def test_an_alert_of_a_home_is_for_doctors_of_anybody_in_it(practice: Practice) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth, rule="sos", text="Somebody pressed for help.")
    await practice.pool.execute("update alerts set person_no = 0 where alert_id = $1", alert)

    async with browsing(practice.address) as client:
        assert (await client.get(f"/alerts/{alert}")).status_code == 200
        assert "Somebody pressed for help." in (await client.get("/")).text
    async with browsing(practice.address, UNREGISTERED) as client:
        assert (await client.get(f"/alerts/{alert}")).status_code == 404


@pytest.mark.parametrize(
    "path", ["/", "/people", "/outcomes", "/morning", "/quiet-hours", "/api/v1/people", "/api/v1/session", "/live"]
)
async def test_without_a_session_nothing_is_shown(practice: Practice, path: str) -> None:
    async with browsing(practice.address, None) as client:
        answer = await client.get(path)
        forged = await client.get(path, headers={"Cookie": "hb_session=" + "A" * 43})

    assert answer.status_code == forged.status_code == (401 if path.startswith(("/api", "/live")) else 303)


async def test_care_that_ends_is_gone_at_the_next_request(practice: Practice) -> None:
    async with browsing(practice.address) as client:
        assert (await client.get(f"/people/{practice.world.ruth}")).status_code == 200
        await practice.pool.execute(
            "update care_relations set valid = tstzrange(lower(valid), $1) where upper_inf(valid)", NOW
        )
        assert (await client.get(f"/people/{practice.world.ruth}")).status_code == 404


async def test_signing_out_and_a_new_password_end_sessions_at_once(practice: Practice) -> None:
    async with browsing(practice.address) as client, browsing(practice.address) as elsewhere:
        await client.post("/sign-out", data={"csrf": token_in((await client.get("/people")).text)})
        assert (await client.get("/api/v1/session")).status_code == 401
        assert (await elsewhere.get("/api/v1/session")).status_code == 200
        await set_password(practice.pool, DOCTOR, PASSWORD)
        assert (await elsewhere.get("/api/v1/session")).status_code == 401


@pytest.mark.parametrize("column", ["ends_at", "seen_at"])
async def test_sessions_end_after_a_working_day_and_when_idle(practice: Practice, column: str) -> None:
    async with browsing(practice.address) as client:
        long_ago = datetime.now(UTC) - timedelta(hours=2)
        await practice.pool.execute(f"update sessions set {column} = $1", long_ago)  # noqa: S608 - a test's own column
        assert (await client.get("/api/v1/session")).status_code == 401


async def test_the_session_cookie_is_out_of_reach_and_its_id_is_stored_hashed(practice: Practice) -> None:
    async with browsing(practice.address) as client:
        cookie = client.cookies["hb_session"]
    hashes = [bytes(row[0]) for row in await practice.pool.fetch("select session_hash from sessions")]

    assert len(cookie) >= 22
    assert cookie.encode() not in hashes


async def test_behind_tls_the_cookie_is_secure_and_bound_to_the_host(dsn: str, practice: Practice) -> None:
    async with serving(dsn, practice.clock, plain_http=False) as address, httpx.AsyncClient(base_url=address) as client:
        page = await client.get("/sign-in")
        form = {"csrf": token_in(page.text), "email": DOCTOR, "password": PASSWORD}
        name, value = page.headers["set-cookie"].split(";")[0].split("=", 1)
        answer = await client.post("/sign-in", data=form, headers={"Cookie": f"{name}={value}"})

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-hb_session=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
    assert "max-age=31536000" in page.headers["strict-transport-security"]


async def test_wrong_password_and_unknown_account_get_the_same_answer(practice: Practice) -> None:
    texts = set()
    async with browsing(practice.address, None) as client:
        for email in (DOCTOR, "nobody@example.org"):
            token = token_in((await client.get("/sign-in")).text)
            answer = await client.post("/sign-in", data={"csrf": token, "email": email, "password": "wrong" * 4})
            assert answer.status_code == 401
            texts.add(answer.text)

    assert len(texts) == 1


async def test_guessing_is_throttled_and_the_right_password_then_does_not_help(practice: Practice) -> None:
    async with browsing(practice.address, None) as client:
        token = token_in((await client.get("/sign-in")).text)
        form = {"csrf": token, "email": UNREGISTERED, "password": "wrong wrong wrong"}
        codes = [(await client.post("/sign-in", data=form)).status_code for _ in range(7)]
        right = await client.post("/sign-in", data=form | {"password": PASSWORD})
        other_account = await client.post("/sign-in", data=form | {"email": DOCTOR, "password": PASSWORD})

    assert codes == [401] * 5 + [429] * 2
    assert right.status_code == 429
    assert other_account.status_code == 303


async def test_a_form_without_its_token_or_from_another_site_changes_nothing(practice: Practice) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth)
    path = f"/alerts/{alert}/acknowledge"
    async with browsing(practice.address) as client:
        token = (await client.get("/api/v1/session")).json()["csrf_token"]
        form = {"csrf": token, "version": "0"}
        refused = [
            await client.post(path, data={"version": "0"}),
            await client.post(path, data={"csrf": "x" * 43, "version": "0"}),
            await client.post(path, data=form, headers={"Origin": "https://evil.example"}),
            await client.post(path, data=form, headers={"Sec-Fetch-Site": "cross-site"}),
            await client.post(f"/api/v1{path}", json={"version": 0}),
            await client.post("/sign-out"),
            await client.post("/sign-in", data={"email": DOCTOR, "password": PASSWORD}, headers={"Origin": "null"}),
        ]

    assert [answer.status_code for answer in refused] == [403] * 7
    assert await practice.pool.fetchval("select state from alerts where alert_id = $1", alert) == "open"


async def test_pages_forbid_inline_code_frames_and_caches(practice: Practice) -> None:
    async with browsing(practice.address) as client:
        for path in ("/", "/people", f"/people/{practice.world.ruth}", "/nothing", "/api/v1/people", "/healthz"):
            answer = await client.get(path)
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"
            if "html" in answer.headers["content-type"]:
                assert "<script>" not in answer.text
                assert " style=" not in answer.text
            assert "server" not in answer.headers


async def test_hostile_names_notes_and_reasons_stay_text_everywhere(practice: Practice) -> None:
    world, pool = practice.world, practice.pool
    alert = await raise_alert(pool, world.hostile, text=HOSTILE, severity=Severity.MEDIUM)
    async with browsing(practice.address) as client:
        token = (await client.get("/api/v1/session")).json()["csrf_token"]
        note = "</p><script>alert(3)</script>"
        await client.post(f"/alerts/{alert}/acknowledge", data={"csrf": token, "version": "0", "note": note})
        for path in ("/", f"/alerts/{alert}", "/people", f"/people/{world.hostile}"):
            html = (await client.get(path)).text
            assert "<script>" not in html
            assert "<img src=x" not in html
        assert "&lt;/p&gt;&lt;script&gt;alert(3)" in (await client.get(f"/alerts/{alert}")).text


async def test_signing_in_goes_only_to_pages_of_ours(practice: Practice) -> None:
    for wish in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        async with browsing(practice.address, None) as client:
            token = token_in((await client.get("/sign-in")).text)
            form = {"csrf": token, "email": DOCTOR, "password": PASSWORD, "next": wish}
            assert (await client.post("/sign-in", data=form)).headers["location"] == "/"


async def test_reads_refusals_and_sign_ins_are_in_the_audit_trail(practice: Practice) -> None:
    pool, world = practice.pool, practice.world
    alert = await raise_alert(pool, world.ruth)
    newest = await pool.fetchval("select coalesce(max(audit_no), 0) from audit")
    async with browsing(practice.address) as client:
        for method, path in paths(world, alert):
            await ask(client, method, path)
    async with browsing(practice.address, UNREGISTERED) as client:
        await client.get(f"/people/{world.ruth}")

    rows = await pool.fetch("select * from audit where audit_no > $1 order by audit_no", newest)
    done = [(row["action"], row["allowed"]) for row in rows]
    ruth = await pool.fetchval("select person_no from people where person_id = $1", world.ruth)
    assert done[0] == ("sign_in", True)
    assert done[-2:] == [("sign_in", True), ("read_person", False)]
    assert {action for action, allowed in done if allowed} == {
        *("sign_in", "read_person", "read_alerts", "read_alert", "acknowledge", "say_outcome", "finish"),
        "read_readings",
    }
    assert all(ruth in row["people"] for row in rows if row["action"] == "read_person")
    assert all(row["happened_at"] == NOW and row["address"] == "127.0.0.1" for row in rows)


@pytest.mark.parametrize("attack", ["update audit set allowed = true", "delete from audit", "truncate audit"])
async def test_the_audit_trail_only_grows(practice: Practice, attack: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await practice.pool.execute(attack)


async def test_a_large_body_is_refused(practice: Practice) -> None:
    async with browsing(practice.address) as client:
        whole = await client.post("/sign-out", content=b"x" * 100_000)

        async def endless() -> AsyncIterator[bytes]:
            for _ in range(40):
                yield b"x" * 4096
                await asyncio.sleep(0)

        streamed = await client.post("/api/v1/alerts/" + str(uuid4()) + "/acknowledge", content=endless())

    assert whole.status_code == 413
    assert streamed.status_code in {400, 413}
