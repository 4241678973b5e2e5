"""Doctors change dose plans: over HTTP, for their own people alone, against what they saw, and once."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import httpx
import pytest

from schemas.registry import Binding, Device, Home, Register
from services.api.registration import register
from tests.integration.console_world import (
    FORMER,
    NOW,
    UNREGISTERED,
    Practice,
    browsing,
    open_practice,
    token_in,
    write_dose,
    write_evidence,
)

API = "/api/v1"


class Desk(NamedTuple):
    """A practice, a doctor who is signed in there, Ruth's plan of Metformin, and her dispenser."""

    practice: Practice
    client: httpx.AsyncClient
    plan: UUID
    device: str
    token: str

    async def send(self, method: str, path: str, **body: Any) -> httpx.Response:
        return await self.client.request(method, f"{API}{path}", json=body, headers={"X-CSRF-Token": self.token})

    async def read(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.client.get(f"{API}/plans/{self.plan}")).json()
        return found

    async def edit(self, **more: Any) -> httpx.Response:
        """What the plan says now, but for ``more``."""
        now = await self.read()
        same = ("drug", "strength", "count", "at", "weekdays", "every_days", "as_needed", "time_critical", "listed")
        said = {name: now[name] for name in (*same, "device", "compartment", "version_no")}
        return await self.send("PUT", f"/plans/{self.plan}", **(said | more))

    async def versions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.client.get(f"{API}/plans/{self.plan}/versions")).json()
        return found


@pytest.fixture
async def desk(dsn: str) -> AsyncIterator[Desk]:
    async with open_practice(dsn) as practice, browsing(practice.address) as client:
        ruth = practice.world.ruth
        (plan,) = (one for one in (await client.get(f"{API}/people/{ruth}/plans")).json() if "Metformin" in one["drug"])
        token = (await client.get(f"{API}/session")).json()["csrf_token"]
        yield Desk(practice, client, UUID(plan["plan_id"]), plan["device"], token)


async def audited(practice: Practice) -> list[tuple[str, bool]]:
    rows = await practice.pool.fetch("select action, allowed from audit order by audit_no desc limit 12")
    return [(row["action"], row["allowed"]) for row in rows]


async def test_an_edit_ends_the_version_that_was_read_and_begins_the_next(desk: Desk) -> None:
    before = await desk.read()
    desk.practice.clock.at_ms += 60_000
    answer = await desk.edit(at=["09:00"], strength="850 mg", weekdays=["mon", "fri"], reason="fewer")

    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert (after["at"], after["strength"], after["weekdays"]) == (["09:00:00"], "850 mg", ["mon", "fri"])
    assert (after["author"], after["reason"]) == ("Dr. Amira Haddad", "fewer")
    newest, oldest = await desk.versions()
    assert (newest["version_no"], newest["valid_to"]) == (after["version_no"], None)
    assert (oldest["version_no"], oldest["author"]) == (before["version_no"], None)
    assert oldest["valid_to"] == newest["valid_from"] == "2026-11-22T14:31:00Z"
    assert await desk.practice.pool.fetchval("select changed from dose_plans where plan_id = $1", desk.plan)
    assert ("edit_plan", True) in await audited(desk.practice)
    page = (await desk.client.get(f"/plans/{desk.plan}")).text
    assert "When: each day at 08:00 and 20:00 → on Monday and Friday at 09:00" in page
    assert "“fewer”" in page


async def test_the_same_content_and_the_same_edit_again_change_nothing(desk: Desk) -> None:
    assert (await desk.edit()).status_code == 200
    assert len(await desk.versions()) == 1
    seen = (await desk.read())["version_no"]
    for _ in range(2):
        answer = await desk.edit(drug="Metformin XR", version_no=seen)
        assert answer.status_code == 200, answer.text
    assert len(await desk.versions()) == 2


async def test_an_edit_of_what_has_changed_since_is_a_conflict(desk: Desk) -> None:
    stale = (await desk.read())["version_no"]
    assert (await desk.edit(drug="Metformin XR")).status_code == 200
    answer = await desk.edit(drug="Gliclazide", version_no=stale)

    assert (answer.status_code, answer.json()["detail"]) == (409, "the plan has changed since; read it again")
    assert [one["drug"] for one in await desk.versions()] == ["Metformin XR", "Metformin 500 mg"]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"device": "nowhere"}, "device: no slot of nowhere belongs to the plan's person"),
        ({"device": "band"}, "can't report that a dose was taken"),
        ({"device": "karls"}, "belongs to the plan's person"),
        ({"count": 0}, "count"),
        ({"compartment": 64}, "compartment"),
        ({"at": []}, "at: a plan has times"),
        ({"weekdays": []}, "weekdays"),
        ({"at": [], "as_needed": {"most_per_day": 2}}, "least_interval_min"),
        ({"every_days": 2}, "anchor: "),
    ],
)
async def test_what_can_not_be_is_refused_with_the_field_and_the_reason(
    desk: Desk, more: dict[str, Any], why: str
) -> None:
    world = desk.practice.world
    tag = desk.device.removeprefix("pills-")
    karls = Device(device=f"karls-{tag}", type="pill_dispenser", bindings=(Binding(person_id=world.karl),))
    home = await desk.practice.pool.fetchval(
        "select home_id from homes join people using (home_no) where person_id = $1", world.karl
    )
    file = Register(homes=(Home(home_id=home, label="L", time_zone="Europe/Berlin", devices=(karls,)),))
    await register(desk.practice.pool, file, NOW - timedelta(days=1))
    if more.get("device") in {"band", "karls"}:
        more = more | {"device": f"{more['device']}-{tag}"}

    answer = await desk.edit(**more)

    assert answer.status_code == 422, answer.text
    assert why in answer.text
    assert len(await desk.versions()) == 1


async def test_a_new_plan_begins_once_however_often_it_is_sent(desk: Desk) -> None:
    ruth, plan_id = desk.practice.world.ruth, str(uuid4())
    said = {"plan_id": plan_id, "drug": "Ibuprofen", "device": desk.device, "compartment": 3}
    said |= {"as_needed": {"least_interval_min": 360, "most_per_day": 4}}
    for _ in range(2):
        answer = await desk.send("POST", f"/people/{ruth}/plans", **said)
        assert answer.status_code == 201, answer.text
    other = await desk.send("POST", f"/people/{ruth}/plans", **(said | {"drug": "Aspirin"}))
    assert other.status_code == 409
    plans = (await desk.client.get(f"{API}/people/{ruth}/plans")).json()
    assert [one["drug"] for one in plans] == ["Ibuprofen", "Levodopa 100 mg", "Metformin 500 mg"]
    assert plans[0]["as_needed"] == {"least_interval_min": 360, "most_per_day": 4}


async def test_a_plan_is_paused_with_a_reason_and_resumed(desk: Desk) -> None:
    until = "2026-11-24T07:00:00Z"
    for _ in range(2):
        answer = await desk.send("POST", f"/plans/{desk.plan}/pause", why="contrast agent", until=until)
        assert answer.status_code == 200, answer.text
    pause = answer.json()["pause"]
    assert (pause["why"], pause["until"], pause["doctor"]) == ("contrast agent", until, "Dr. Amira Haddad")
    other = await desk.send("POST", f"/plans/{desk.plan}/pause", why="another")
    assert other.status_code == 409
    desk.practice.clock.at_ms += 3_600_000
    for _ in range(2):
        assert (await desk.send("POST", f"/plans/{desk.plan}/resume")).json()["pause"] is None
    row = await desk.practice.pool.fetchrow(
        "select upper(valid) as until, ended_by is not null as ended from plan_pauses where plan_id = $1", desk.plan
    )
    assert row is not None
    assert tuple(row) == (NOW + timedelta(hours=1), True)
    assert {("pause_plan", True), ("resume_plan", True)} <= set(await audited(desk.practice))


@pytest.mark.parametrize(
    ("body", "why"),
    [({"why": "x", "until": "2026-11-22T14:30:00Z"}, "until: it has passed"), ({"why": "  "}, "why"), ({}, "why")],
)
async def test_a_pause_needs_a_reason_and_an_end_to_come(desk: Desk, body: dict[str, str], why: str) -> None:
    answer = await desk.send("POST", f"/plans/{desk.plan}/pause", **body)
    assert answer.status_code == 422
    assert why in answer.text


async def test_stock_is_counted_and_refilled_once(desk: Desk) -> None:
    for _ in range(2):
        answer = await desk.send("POST", f"/plans/{desk.plan}/stock", count=10, what="counted", seen=0)
        assert answer.status_code == 200, answer.text
    seen = answer.json()["stock"]["stock_no"]
    for _ in range(2):
        assert (await desk.send("POST", f"/plans/{desk.plan}/stock", count=28, what="refilled", seen=seen)).is_success
    assert (await desk.send("POST", f"/plans/{desk.plan}/stock", count=5, what="counted", seen=0)).status_code == 409
    rows = await desk.practice.pool.fetch(
        "select count, what, author_no is not null as by_doctor from plan_stock where plan_id = $1 order by stock_no",
        desk.plan,
    )
    assert [tuple(row) for row in rows] == [(10, "counted", True), (28, "refilled", True)]


async def test_doses_are_shown_with_what_they_rest_on(desk: Desk) -> None:
    pool, due = desk.practice.pool, NOW - timedelta(days=1)
    twice = await write_dose(pool, desk.plan, due, "double")
    await write_evidence(
        pool, twice, "decided", due + timedelta(minutes=3), received_at=due + timedelta(hours=5), seq=1
    )
    await write_evidence(pool, twice, "double", due + timedelta(minutes=90), seq=2)
    await write_dose(pool, desk.plan, due + timedelta(hours=5), "unknown", unknown_since=due + timedelta(hours=4))
    ruth = desk.practice.world.ruth

    answer = await desk.client.get(
        f"{API}/people/{ruth}/doses", params={"from": due.isoformat(), "to": (due + timedelta(hours=6)).isoformat()}
    )

    double, unknown = answer.json()
    assert [one["role"] for one in double["evidence"]] == ["decided", "double"]
    assert (double["state"], double["reported_late"]) == ("double", True)
    assert "again at 21 Nov, 17:00" in double["explanation"]
    assert unknown["explanation"].startswith(
        "Nobody knows whether it was taken: the dispenser has not been heard since"
    )
    page = (await desk.client.get(f"/people/{ruth}/plans")).text
    for said in ("Taken twice", "Reported late", "one taking too many", "Not known", "Nobody knows whether"):
        assert said in page
    assert ("read_doses", True) in await audited(desk.practice)


async def test_whoever_does_not_care_for_the_person_sees_and_changes_nothing(desk: Desk) -> None:
    ruth, plan = desk.practice.world.ruth, desk.plan
    day = {"from": "2026-11-22T00:00:00Z", "to": "2026-11-23T00:00:00Z"}
    said = {"drug": "X", "at": ["08:00"], "device": desk.device, "compartment": 1, "version_no": 1}
    for email in (UNREGISTERED, FORMER):
        async with browsing(desk.practice.address, email) as client:
            headers = {"X-CSRF-Token": (await client.get(f"{API}/session")).json()["csrf_token"]}
            form = {"csrf": headers["X-CSRF-Token"], "why": "x", "count": "1"}
            answers = [
                *[await client.get(f"{API}{path}") for path in (f"/plans/{plan}", f"/plans/{plan}/versions")],
                *[await client.get(f"{API}/people/{ruth}/{what}", params=day) for what in ("plans", "doses")],
                *[await client.get(path) for path in (f"/people/{ruth}/plans", f"/people/{ruth}/plans/new")],
                *[await client.get(path) for path in (f"/plans/{plan}", f"/plans/{plan}/edit")],
                await client.put(f"{API}/plans/{plan}", json=said, headers=headers),
                await client.post(f"{API}/people/{ruth}/plans", json=said | {"version_no": None}, headers=headers),
                await client.post(f"{API}/plans/{plan}/pause", json={"why": "x"}, headers=headers),
                await client.post(f"{API}/plans/{plan}/resume", headers=headers),
                await client.post(f"{API}/plans/{plan}/stock", json={"count": 1, "what": "counted"}, headers=headers),
                *[
                    await client.post(f"/plans/{plan}/{what}", data=form)
                    for what in ("pause", "resume", "stock", "edit")
                ],
            ]
            # Extra fields of a new plan are refused before anybody looks who asks.
            statuses = {answer.status_code for answer in answers}
            assert statuses <= {404, 422}
            assert sum(answer.status_code == 404 for answer in answers) >= len(answers) - 1
            assert not any("Metformin" in answer.text for answer in answers)
    assert len(await desk.versions()) == 1
    refused = await desk.practice.pool.fetchval("select count(*) from audit where not allowed")
    assert refused >= 2 * 14


async def test_nothing_is_written_without_the_session_s_own_token(desk: Desk) -> None:
    for method, path, body in (
        (
            "PUT",
            f"/plans/{desk.plan}",
            {"drug": "X", "at": ["08:00"], "device": "x", "compartment": 1, "version_no": 1},
        ),
        ("POST", f"/plans/{desk.plan}/pause", {"why": "x"}),
        ("POST", f"/plans/{desk.plan}/resume", None),
        ("POST", f"/plans/{desk.plan}/stock", {"count": 1, "what": "counted"}),
    ):
        answer = await desk.client.request(method, f"{API}{path}", json=body)
        assert answer.status_code == 403, path
    for what in ("pause", "resume", "stock", "edit"):
        assert (
            await desk.client.post(f"/plans/{desk.plan}/{what}", data={"why": "x", "count": "1"})
        ).status_code == 403


async def test_the_pages_write_what_programs_write(desk: Desk) -> None:
    client, plan = desk.client, desk.plan
    edit = (await client.get(f"/plans/{plan}/edit")).text
    form = {"csrf": token_in(edit), "version_no": str((await desk.read())["version_no"]), "drug": "Metformin"}
    form |= {"count": "2", "device": desk.device, "compartment": "1", "at": "07:30", "reason": "earlier"}
    wrong = await client.post(f"/plans/{plan}/edit", data=form | {"at": "half past seven"})
    assert wrong.status_code == 422
    assert "half past seven" in wrong.text
    assert "Times of the day, such as" in wrong.text
    foreign = await client.post(f"/plans/{plan}/edit", data=form | {"device": "nowhere"})
    assert foreign.status_code == 422
    assert "no slot of nowhere belongs" in foreign.text

    assert (await client.post(f"/plans/{plan}/edit", data=form)).headers["location"] == f"/plans/{plan}"
    stale = await client.post(f"/plans/{plan}/edit", data=form | {"drug": "Gliclazide"})
    assert stale.headers["location"] == f"/plans/{plan}?outcome=changed"
    assert "somebody else changed this plan" in (await client.get(stale.headers["location"])).text
    now = await desk.read()
    assert (now["drug"], now["count"], now["at"], now["reason"]) == ("Metformin", 2, ["07:30:00"], "earlier")

    csrf = {"csrf": form["csrf"]}
    assert (await client.post(f"/plans/{plan}/pause", data=csrf | {"why": " "})).status_code == 422
    over = await client.post(f"/plans/{plan}/pause", data=csrf | {"why": "fasting", "until": "2026-11-22T08:00"})
    assert over.status_code == 422
    assert "It has passed already." in over.text
    await client.post(f"/plans/{plan}/pause", data=csrf | {"why": "fasting", "until": "2026-11-23T08:00"})
    assert (await desk.read())["pause"]["until"] == "2026-11-23T07:00:00Z"
    assert "“fasting”" in (await client.get(f"/people/{desk.practice.world.ruth}/plans")).text
    await client.post(f"/plans/{plan}/resume", data=csrf)
    assert (await desk.read())["pause"] is None
    assert (await client.post(f"/plans/{plan}/stock", data=csrf | {"count": "many"})).status_code == 422
    await client.post(f"/plans/{plan}/stock", data=csrf | {"count": "28", "what": "refilled", "seen": "0"})
    assert (await desk.read())["stock"]["count"] == 28


async def test_a_new_plan_by_its_form(desk: Desk) -> None:
    ruth = desk.practice.world.ruth
    page = (await desk.client.get(f"/people/{ruth}/plans/new")).text
    plan_id = page.split('name="plan_id" value="', 1)[1].split('"', 1)[0]
    form = {"csrf": token_in(page), "plan_id": plan_id, "drug": "Ibuprofen", "count": "1", "device": desk.device}
    form |= {"compartment": "5", "kind": "as_needed", "least_interval_h": "6", "most_per_day": "4"}
    for _ in range(2):
        answer = await desk.client.post(f"/people/{ruth}/plans", data=form)
        assert answer.headers["location"] == f"/plans/{plan_id}"
    page = (await desk.client.get(f"/plans/{plan_id}")).text
    assert "as needed, at least 6 h apart, at most 4 a day" in page
