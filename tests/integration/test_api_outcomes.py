"""What doctors say came of alerts, and the figures of it: over real HTTP, on the real database."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from schemas.alerts import Severity
from services.runtime.clock import to_ms
from services.runtime.database import Pool
from tests.integration.console_world import (
    DOCTOR,
    FORMER,
    NOW,
    UNREGISTERED,
    Practice,
    browsing,
    open_practice,
    raise_alert,
    token_in,
)


@pytest.fixture
async def practice(dsn: str) -> AsyncIterator[Practice]:
    async with open_practice(dsn) as opened:
        yield opened


async def send(client: httpx.AsyncClient, path: str, **body: Any) -> httpx.Response:
    token = (await client.get("/api/v1/session")).json()["csrf_token"]
    return await client.post(f"/api/v1/alerts/{path}", json=body, headers={"X-CSRF-Token": token})


async def said_of(pool: Pool, alert: UUID) -> list[tuple[Any, ...]]:
    rows = await pool.fetch(
        "select what, verdict, action, note from alert_outcomes where alert_id = $1 order by outcome_no", alert
    )
    return [tuple(row) for row in rows]


async def care_again(pool: Pool, email: str) -> None:
    await pool.execute(
        "insert into care_relations select (select doctor_no from doctors where email = $1), person_no,"
        " tstzrange($3::timestamptz, null) from care_relations join doctors using (doctor_no)"
        " where email = $2 and upper_inf(valid)",
        email,
        DOCTOR,
        NOW,
    )


async def test_taking_an_alert_on_with_verdict_and_action(practice: Practice) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth)
    async with browsing(practice.address) as client:
        answer = await send(
            client, f"{alert}/acknowledge", version=0, note="Rang her.", verdict="real", action="handled already"
        )
        again = await send(
            client, f"{alert}/acknowledge", version=0, note="Rang her.", verdict="real", action="handled_already"
        )
        seen = (await client.get(f"/api/v1/alerts/{alert}")).json()

    assert (answer.status_code, again.status_code) == (200, 200)
    assert answer.json()["state"] == "acknowledged"
    assert await said_of(practice.pool, alert) == [("acknowledged", "real", "handled_already", "Rang her.")]
    assert [(one["doctor"], one["verdict"], one["action"]) for one in seen["outcomes"]] == [
        ("Dr. Amira Haddad", "real", "handled_already")
    ]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("acknowledge", {"version": 0, "verdict": "maybe"}, "verdict"),
        ("acknowledge", {"version": 0, "action": "prayed"}, "action"),
        ("acknowledge", {"version": -1}, "version"),
        ("outcome", {"verdict": ""}, "verdict"),
        ("finish", {"note": "over"}, "version"),
    ],
)
async def test_what_can_not_be_read_is_refused_with_its_field(
    practice: Practice, path: str, body: dict[str, Any], field: str
) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth)
    async with browsing(practice.address) as client:
        answer = await send(client, f"{alert}/{path}", **body)

    assert answer.status_code == 422
    assert [problem["loc"] for problem in answer.json()["detail"]] == [["body", field]]
    assert await said_of(practice.pool, alert) == []


async def test_an_outcome_is_said_later_corrected_and_said_once_when_sent_twice(practice: Practice) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth)
    async with browsing(practice.address) as client:
        early = await send(client, f"{alert}/outcome", verdict="real")
        await send(client, f"{alert}/acknowledge", version=0)
        empty = await send(client, f"{alert}/outcome", note="  ")
        answers = [
            await send(client, f"{alert}/outcome", verdict="unclear", note="Nobody at home."),
            await send(client, f"{alert}/outcome", verdict="unclear", note="Nobody at home."),
            await send(client, f"{alert}/outcome", verdict="false", action="visited"),
        ]

    assert (early.status_code, empty.status_code) == (409, 422)
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert await said_of(practice.pool, alert) == [
        ("acknowledged", None, None, ""),
        ("outcome", "unclear", None, "Nobody at home."),
        ("outcome", "false", "visited", ""),
    ]


async def test_finishing_closes_what_was_taken_on_as_it_was_seen(practice: Practice) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth, rule="fall", text="She fell.")
    async with browsing(practice.address) as client:
        open_still = await send(client, f"{alert}/finish", version=0)
        version = (await send(client, f"{alert}/acknowledge", version=0)).json()["version"]
        stale = await send(client, f"{alert}/finish", version=version + 7)
        done = await send(client, f"{alert}/finish", version=version, note="She is up.", verdict="real")
        again = await send(client, f"{alert}/finish", version=version, note="She is up.", verdict="real")
        listed = (await client.get("/api/v1/alerts?state=closed")).json()

    assert [one.status_code for one in (open_still, stale, done, again)] == [409, 409, 200, 200]
    assert done.json()["state"] == "closed"
    assert done.json()["ended_at"] is None  # nobody has seen it recover
    assert [one["alert_id"] for one in listed] == [str(alert)]
    assert (await said_of(practice.pool, alert))[1:] == [("finished", "real", None, "She is up.")]


async def test_the_forms_do_the_same_and_say_what_was_not_done(practice: Practice) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth)
    async with browsing(practice.address) as client:
        token = token_in((await client.get(f"/alerts/{alert}")).text)
        form = {"csrf": token, "version": "0", "note": " A\r\nB ", "verdict": "real", "action": "called"}
        await client.post(f"/alerts/{alert}/acknowledge", data=form)
        empty = await client.post(f"/alerts/{alert}/outcome", data={"csrf": token, "verdict": "", "action": ""})
        await client.post(f"/alerts/{alert}/outcome", data={"csrf": token, "verdict": "false", "note": "Cold hands."})
        stale = await client.post(f"/alerts/{alert}/finish", data={"csrf": token, "version": "0"})
        forged = await client.post(f"/alerts/{alert}/finish", data={"csrf": "no", "version": "1"})
        wrong = await client.post(f"/alerts/{alert}/outcome", data={"csrf": token, "verdict": "perhaps"})
        page = (await client.get(f"/alerts/{alert}")).text
        refused = [(await client.get(one.headers["location"])).text for one in (empty, stale)]

    assert await said_of(practice.pool, alert) == [
        ("acknowledged", "real", "called", "A\nB"),
        ("outcome", "false", None, "Cold hands."),
    ]
    assert "Nothing was chosen" in refused[0]
    assert "Not finished" in refused[1]
    assert (forged.status_code, wrong.status_code) == (403, 422)
    assert "It was a false alert" in page
    assert "Cold hands." in page


@pytest.mark.parametrize("email", [UNREGISTERED, FORMER])
async def test_who_does_not_care_for_the_person_can_say_nothing_and_that_is_in_the_audit(
    practice: Practice, email: str
) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth)
    async with browsing(practice.address, email) as client:
        answers = [
            await send(client, f"{alert}/outcome", verdict="real"),
            await send(client, f"{alert}/finish", version=0),
            await client.get(f"/api/v1/alerts/{alert}/notifications"),
            await client.get(f"/api/v1/alerts/{alert}/history"),
        ]
        seen = (await client.get("/api/v1/outcomes")).json()

    assert [answer.status_code for answer in answers] == [404, 404, 404, 404]
    assert seen == {"days": 30, "rules": [], "doctors": []}
    refused = await practice.pool.fetch(
        "select action from audit where alert_id = $1 and not allowed order by audit_no", alert
    )
    assert [row["action"] for row in refused] == ["say_outcome", "finish", "read_alert", "read_alert"]


async def taken_on(practice: Practice, client: httpx.AsyncClient, *, after_s: int, verdict: str, **some: Any) -> UUID:
    alert = await raise_alert(practice.pool, practice.world.ruth, **some)
    opened = await practice.pool.fetchval("select opened_at from alerts where alert_id = $1", alert)
    practice.clock.at_ms = to_ms(opened + timedelta(seconds=after_s))
    answer = await send(client, f"{alert}/acknowledge", version=0, verdict=verdict or None)
    assert answer.status_code == 200
    await practice.pool.execute("update alerts set state = 'closed', closed_at = $2 where alert_id = $1", alert, NOW)
    return alert


async def test_figures_by_rule_and_doctor_follow_what_was_said_last(practice: Practice) -> None:
    day = timedelta(days=1)
    async with browsing(practice.address) as client:
        for number, (after_s, verdict) in enumerate([(60, "real"), (120, "false"), (600, "unclear"), (30, "real")]):
            alert = await taken_on(practice, client, after_s=after_s, verdict=verdict, at=NOW - (5 - number) * day)
        await send(client, f"{alert}/outcome", verdict="false", note="On second thoughts.")
        await taken_on(practice, client, after_s=5, verdict="real", at=NOW - 20 * day, rule="spo2")
        practice.clock.at_ms = to_ms(NOW)
        await raise_alert(practice.pool, practice.world.ruth)
        await raise_alert(
            practice.pool, practice.world.ruth, rule="silent_device", severity=Severity.TECHNICAL, level=1
        )
        await care_again(practice.pool, FORMER)
        found = (await client.get("/api/v1/outcomes?days=7")).json()
        longer = (await client.get("/api/v1/outcomes")).json()
        pages = [(await client.get(path)).text for path in ("/outcomes?days=7", "/outcomes")]

    rules = {(one["rule"], one["technical"]): one for one in found["rules"]}
    low = rules["glucose_low", False]
    assert (low["openings"], low["acknowledged"], low["share_handled"]) == (5, 4, 0.8)
    assert (low["real"], low["false"], low["unclear"]) == (1, 2, 1)
    assert low["precision"] == pytest.approx(1 / 3)
    assert low["median_s"] == 90
    assert rules[None, False] == low | {"rule": None}
    device = rules["silent_device", True]
    assert (device["openings"], device["precision"], device["median_s"]) == (1, None, None)
    assert {one["rule"]: one["openings"] for one in longer["rules"] if one["rule"]} == {
        "glucose_low": 5, "spo2": 1, "silent_device": 1,
    }  # fmt: skip
    doctors = {one["doctor"]: one for one in found["doctors"]}
    assert found["doctors"][0]["doctor"] == "Dr. Amira Haddad"
    assert (doctors["Dr. Amira Haddad"]["openings"], doctors["Dr. Amira Haddad"]["acknowledged"]) == (5, 4)
    eva = doctors["Dr. Eva Blum"]
    assert (eva["openings"], eva["acknowledged"], eva["share_handled"], eva["median_s"]) == (5, 0, 0.0, None)
    assert "33 % (1 of 3)" in pages[0]
    assert "80 % (4 of 5)" in pages[0]
    assert "not known" in pages[0]
    assert ["Oxygen" in page for page in pages] == [False, True]


async def test_an_alert_that_opened_again_counts_each_time_with_its_own_answer(practice: Practice) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth, at=NOW - timedelta(hours=5))
    doctor_no = await practice.pool.fetchval("select doctor_no from doctors where email = $1", DOCTOR)
    for hours, verdict in ((4, "false"), (1, "real")):
        at = NOW - timedelta(hours=hours)
        await practice.pool.execute(
            "insert into alert_outcomes (alert_id, at, doctor_no, what, verdict, version, opened_at, severity)"
            " values ($1, $2, $3, 'acknowledged', $4, 1, $5, 3)",
            alert, at, doctor_no, verdict, at,
        )  # fmt: skip
        if hours == 4:
            await practice.pool.execute(
                "insert into alert_audit (alert_id, at, what, from_state, to_state, level)"
                " values ($1, $2, 'reopened', 'acknowledged', 'open', 2)",
                alert, NOW - timedelta(hours=3),
            )  # fmt: skip
    rows = await practice.pool.fetch(
        "select opened_at, acknowledged_at, verdict from alert_openings($1, $2) where alert_id = $3 order by opened_at",
        NOW - timedelta(days=1), NOW, alert,
    )  # fmt: skip

    hours_ago = [
        ((NOW - row["opened_at"]).seconds // 3600, (NOW - row["acknowledged_at"]).seconds // 3600) for row in rows
    ]
    assert hours_ago == [(5, 4), (3, 1)]
    assert [row["verdict"] for row in rows] == ["false", "real"]


@pytest.mark.parametrize("days", ["0", "366", "a week"])
async def test_a_period_that_is_none_is_refused(practice: Practice, days: str) -> None:
    async with browsing(practice.address) as client:
        answer = await client.get(f"/api/v1/outcomes?days={days}")
        page = await client.get(f"/outcomes?days={days}")

    assert (answer.status_code, page.status_code) == (422, 422)
    assert answer.json()["detail"][0]["loc"] == ["query", "days"]


async def test_what_was_said_stays_as_it_was_said(practice: Practice) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth)
    async with browsing(practice.address) as client:
        await send(client, f"{alert}/acknowledge", version=0, verdict="real")
    for statement in ("update alert_outcomes set verdict = 'false'", "delete from alert_outcomes"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await practice.pool.execute(statement)
