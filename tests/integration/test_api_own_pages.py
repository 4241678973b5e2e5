"""A doctor's own pages: the morning's list, and quiet hours; over real HTTP, on the real database."""

from collections.abc import AsyncIterator
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

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
)
from tests.integration.doubted_measurement import doubt

TODAY = date(2026, 11, 22)
NIGHT = {"begins": "22:00", "ends": "07:00", "zone": "Europe/Berlin"}


@pytest.fixture
async def practice(dsn: str) -> AsyncIterator[Practice]:
    async with open_practice(dsn) as opened:
        await opened.pool.execute("truncate morning_lists, morning_list_entries, morning_list_sendings")
        yield opened


async def write(client: httpx.AsyncClient, method: str, body: Any = None) -> httpx.Response:
    token = (await client.get("/api/v1/session")).json()["csrf_token"]
    return await client.request(method, "/api/v1/quiet-hours", json=body, headers={"X-CSRF-Token": token})


async def make_list(pool: Pool, day: date, entries: dict[UUID, str]) -> None:
    """A list of DOCTOR with alerts in it, handed over by e-mail."""
    made_at = NOW - timedelta(hours=8, minutes=30) + (day - TODAY)
    number = await pool.fetchval(
        "insert into morning_lists (doctor_no, day, zone, since, made_at)"
        " select doctor_no, $2, 'Europe/Berlin', $3, $4 from doctors where email = $1 returning list_no",
        DOCTOR, day, made_at - timedelta(days=1), made_at,
    )  # fmt: skip
    for place, (alert, kind) in enumerate(entries.items()):
        await pool.execute(
            "insert into morning_list_entries (list_no, place, kind, person_no, home_no, rule, severity, alert_id)"
            " select $1, $2, $3, person_no, home_no, rule, severity, alert_id from alerts where alert_id = $4",
            number, place, kind, alert,
        )  # fmt: skip
    await pool.execute(
        "insert into morning_list_sendings (list_no, channel, state, retry_at, sent_at)"
        " values ($1, 'email', 'sent', $2, $2)",
        number,
        made_at,
    )


async def test_what_is_held_stands_on_the_list_with_what_has_become_of_it(practice: Practice) -> None:
    world, pool = practice.world, practice.pool
    await make_list(pool, TODAY, {})
    held = await doubt(pool, world.ruth, None, at=NOW - timedelta(days=2))
    await pool.execute(
        "insert into morning_list_entries (list_no, place, kind, person_no, home_no, severity, held_id, waiting)"
        " select l.list_no, 1, 'held', h.person_no, h.home_no, 1, h.held_id, 3 from morning_lists l, held_readings h"
        " where h.held_id = $1",
        held,
    )
    async with browsing(practice.address) as client:
        (entry,) = (await client.get("/api/v1/morning")).json()["entries"]
        before = (await client.get("/morning")).text
        await pool.execute(
            "update held_readings set state = 'dismissed', decided_at = $1,"
            " decided_by = (select min(doctor_no) from doctors)",
            NOW,
        )
        after = (await client.get("/morning")).text

    assert (entry["kind"], entry["subject"], entry["rule"], entry["alert_id"]) == ("held", "Ruth Sommer", None, None)
    assert entry["text"] == "Weight is held: fits pounds; 3 measurements that no rule has seen."
    assert entry["text"] in before
    assert ("Decided now" in before, "Decided now" in after) == (False, True)


async def test_the_newest_list_is_shown_and_the_earlier_ones_are_found(practice: Practice) -> None:
    world, pool = practice.world, practice.pool
    still = await raise_alert(pool, world.ruth)
    over = await raise_alert(pool, world.karl, rule="spo2", severity=Severity.MEDIUM, level=1, text="Oxygen was low.")
    await make_list(pool, TODAY - timedelta(days=1), {still: "open"})
    await make_list(pool, TODAY, {still: "open", over: "recovered"})
    async with browsing(practice.address) as client:
        newest = (await client.get("/api/v1/morning")).json()
        earlier = (await client.get("/api/v1/morning?day=2026-11-21")).json()
        pages = [(await client.get(path)).text for path in ("/morning", "/morning?day=2026-11-21")]

    assert (newest["day"], newest["earlier"], newest["hidden"]) == ("2026-11-22", ["2026-11-21"], 0)
    assert [(one["kind"], one["subject"], one["alert_id"], one["state"]) for one in newest["entries"]] == [
        ("open", "Ruth Sommer", str(still), "open"),
        ("recovered", "Karl Sommer", str(over), "open"),
    ]
    assert newest["sendings"][0]["state"] == "sent"
    assert [one["alert_id"] for one in earlier["entries"]] == [str(still)]
    assert "Over, and nobody has answered" in pages[0]
    assert "Oxygen was low." in pages[0]
    assert "Handed over by email." in pages[0]
    assert 'href="/morning?day=2026-11-21"' in pages[0]
    assert "Oxygen was low." not in pages[1]
    audited = await pool.fetchval(
        "select people from audit where action = 'read_morning' order by audit_no desc limit 1"
    )
    assert audited == [await pool.fetchval("select person_no from people where person_id = $1", world.ruth)]


async def test_a_list_names_nobody_who_has_left_the_doctors_care_and_is_nobody_elses(practice: Practice) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth)
    await make_list(practice.pool, TODAY, {alert: "open"})
    async with browsing(practice.address, FORMER) as client:
        others = [await client.get(path) for path in ("/api/v1/morning", "/api/v1/morning?day=2026-11-22")]
        page = await client.get("/morning")
    await practice.pool.execute(
        "update care_relations set valid = tstzrange(lower(valid), $1) where upper_inf(valid)", NOW
    )
    async with browsing(practice.address) as client:
        left = (await client.get("/api/v1/morning")).json()
        own_page = (await client.get("/morning")).text

    assert [answer.status_code for answer in others] == [404, 404]
    assert "There is no list yet" in page.text
    assert (left["entries"], left["hidden"]) == ([], 1)
    assert "Ruth" not in own_page
    assert "1 entry is about people who are not in your care any more" in own_page


@pytest.mark.parametrize("day", ["2026-13-01", "yesterday", "0"])
async def test_a_day_that_is_none_is_refused(practice: Practice, day: str) -> None:
    async with browsing(practice.address) as client:
        answer = await client.get(f"/api/v1/morning?day={day}")
        missing = await client.get("/morning?day=2020-01-01")

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "day"]
    assert missing.status_code == 404


async def test_quiet_hours_are_set_changed_and_ended_and_nothing_is_forgotten(practice: Practice) -> None:
    async with browsing(practice.address) as client:
        none = await client.get("/api/v1/quiet-hours")
        first = await write(client, "PUT", NIGHT)
        practice.clock.at_ms += 3_600_000
        again = await write(client, "PUT", NIGHT)
        changed = await write(client, "PUT", NIGHT | {"ends": "06:30", "zone": "Asia/Shanghai"})
        practice.clock.at_ms += 3_600_000
        ended = [await write(client, "DELETE") for _ in range(2)]
        after = await client.get("/api/v1/quiet-hours")

    assert none.json() is None
    assert first.json() == again.json() == NIGHT | {"since": NOW.isoformat().replace("+00:00", "Z"), "held": 0}
    assert changed.json()["ends"] == "06:30"
    assert [one.status_code for one in ended] == [204, 204]
    assert after.json() is None
    rows = await practice.pool.fetch("select begins, ends, zone, valid from quiet_hours order by quiet_no")
    assert [(row["ends"], row["zone"]) for row in rows[-2:]] == [
        (time(7), "Europe/Berlin"),
        (time(6, 30), "Asia/Shanghai"),
    ]
    hour = timedelta(hours=1)
    assert [(row["valid"].lower, row["valid"].upper) for row in rows[-2:]] == [
        (NOW, NOW + hour),
        (NOW + hour, NOW + 2 * hour),
    ]
    assert await practice.pool.fetchval("select time_zone from doctors where email = $1", DOCTOR) == "Asia/Shanghai"
    audited = await practice.pool.fetch("select action from audit where action like '%quiet_hours' order by audit_no")
    assert [row["action"] for row in audited][-5:] == [
        "read_quiet_hours", "set_quiet_hours", "set_quiet_hours", "end_quiet_hours", "read_quiet_hours",
    ]  # fmt: skip


async def test_quiet_hours_of_the_same_moment_replace_each_other(practice: Practice) -> None:
    async with browsing(practice.address) as client:
        for ends in ("05:00", "06:00"):
            assert (await write(client, "PUT", NIGHT | {"ends": ends})).status_code == 200
        found = (await client.get("/api/v1/quiet-hours")).json()
        await write(client, "DELETE")

    assert found["ends"] == "06:00"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"begins": "25:00"}, "begins"),
        ({"ends": "7 o'clock"}, "ends"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"ends": "22:00"}, None),
    ],
)
async def test_quiet_hours_that_can_not_be_read_are_refused_with_the_field(
    practice: Practice, change: dict[str, str], field: str | None
) -> None:
    async with browsing(practice.address) as client:
        answer = await write(client, "PUT", NIGHT | change)
        token = (await client.get("/api/v1/session")).json()["csrf_token"]
        page = await client.post("/quiet-hours", data={"csrf": token} | NIGHT | change)

    assert (answer.status_code, page.status_code) == (422, 422)
    if field:
        assert answer.json()["detail"][0]["loc"] == ["body", field]
    assert f'aria-describedby="{field or "ends"}-problem"' in page.text
    assert "Your quiet hours were not changed" in page.text
    doctor = "(select doctor_no from doctors where email = $1)"
    assert await practice.pool.fetchval(f"select count(*) from quiet_hours where doctor_no = {doctor}", DOCTOR) == 0  # noqa: S608 - a test's own text


async def test_the_form_sets_and_ends_them_with_the_sessions_token_alone(practice: Practice) -> None:
    async with browsing(practice.address) as client, browsing(practice.address, UNREGISTERED) as other:
        token = (await client.get("/api/v1/session")).json()["csrf_token"]
        forged = [
            await client.post("/quiet-hours", data={"csrf": "no"} | NIGHT),
            await client.post("/quiet-hours/end", data={"csrf": "no"}),
            await client.put("/api/v1/quiet-hours", json=NIGHT),
            await client.delete("/api/v1/quiet-hours"),
        ]
        empty = (await client.get("/quiet-hours")).text
        answer = await client.post("/quiet-hours", data={"csrf": token} | NIGHT | {"begins": "22:00:00"})
        shown = (await client.get(answer.headers["location"])).text
        theirs = (await other.get("/quiet-hours")).text
        await practice.pool.execute("update doctors set time_zone = 'Asia/Tokyo' where email = $1", DOCTOR)
        ended = await client.post("/quiet-hours/end", data={"csrf": token})
        over = (await client.get(ended.headers["location"])).text

    assert [one.status_code for one in forged] == [403, 403, 403, 403]
    assert "You have none" in empty
    assert 'value="Europe/Berlin"' in empty  # that of all homes in care
    assert "From 22:00 to 07:00" in shown
    assert "You have none" in theirs
    assert "Ended." in over
    assert 'value="Asia/Tokyo"' in over


async def test_what_is_held_is_counted(practice: Practice) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth, severity=Severity.MEDIUM, level=1)
    await practice.pool.execute("insert into escalation_steps values ($1, 0, 0, $2, 'done')", alert, NOW)
    await practice.pool.execute(
        "insert into notifications (alert_id, step, doctor_no, channel, state, created_at, retry_at, held_until)"
        " select $1, 0, doctor_no, 'email', 'held', $2, $2, $3 from doctors where email = $4",
        alert, NOW, NOW + timedelta(hours=15, minutes=30), DOCTOR,
    )  # fmt: skip
    async with browsing(practice.address) as client:
        held = (await write(client, "PUT", NIGHT)).json()["held"]
        page = (await client.get("/quiet-hours")).text
        await write(client, "DELETE")

    assert held == 1
    assert "1 notification is held, the first until 23 Nov 2026, 07:00:00 +01:00" in page
    assert practice.clock.now_ms() == to_ms(NOW)
