"""What the console shows and takes: acknowledging, the live stream, old values, paging; over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from schemas.alerts import Severity
from schemas.reasons import Flag
from schemas.vitals import GLUCOSE, HEART_RATE
from services.runtime.clock import FakeClock, to_datetime, to_ms
from services.runtime.database import Pool
from tests.integration.console_world import (
    DOCTOR,
    FORMER,
    NOW,
    PASSWORD,
    Practice,
    browsing,
    low_glucose,
    open_practice,
    raise_alert,
    serving,
    token_in,
    write_delivery,
)
from tests.integration.streams import read_events


@pytest.fixture
async def practice(dsn: str) -> AsyncIterator[Practice]:
    async with open_practice(dsn) as opened:
        yield opened


async def acknowledge(client: httpx.AsyncClient, alert: Any, *, note: str = "", version: int = 0) -> httpx.Response:
    token = (await client.get("/api/v1/session")).json()["csrf_token"]
    body = {"version": version, "note": note}
    return await client.post(f"/api/v1/alerts/{alert}/acknowledge", json=body, headers={"X-CSRF-Token": token})


async def readmit(pool: Pool, email: str) -> None:
    await pool.execute(
        "insert into care_relations select (select doctor_no from doctors where email = $1), person_no,"
        " tstzrange($3::timestamptz, null) from care_relations join doctors using (doctor_no)"
        " where email = $2 and upper_inf(valid)",
        email,
        DOCTOR,
        NOW,
    )


async def test_a_doctor_acknowledges_with_name_and_note_through_the_form(practice: Practice) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth, evidence=low_glucose())
    await write_delivery(practice.pool, alert, at=NOW)
    async with browsing(practice.address) as client:
        html = (await client.get(f"/alerts/{alert}")).text
        form = {"csrf": token_in(html), "version": "0", "note": "  I call her now. "}
        answer = await client.post(f"/alerts/{alert}/acknowledge", data=form)
        after = (await client.get(answer.headers["location"])).text
        worklist = (await client.get("/")).text

    row = await practice.pool.fetchrow("select * from alerts where alert_id = $1", alert)
    assert row is not None
    assert (row["state"], row["acknowledged_note"], row["acknowledged_at"]) == ("acknowledged", "I call her now.", NOW)
    assert "I take this on" not in after
    assert "Dr. Amira Haddad" in after
    assert "I call her now." in worklist
    assert "Nobody is waiting." in worklist
    assert await practice.pool.fetchval("select count(*) from escalation_steps where state = 'pending'") == 0


async def test_acknowledging_again_changes_nothing(practice: Practice) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth)
    async with browsing(practice.address) as client:
        first = await acknowledge(client, alert, note="first")
        again = await acknowledge(client, alert, note="again")

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert again.json()["acknowledged_note"] == "first"


async def test_an_alert_that_has_not_changed_since_it_was_opened_is_acknowledged_by_a_program(
    practice: Practice,
) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth)
    await practice.pool.execute("update alerts set version = 0 where alert_id = $1", alert)  # as the alert service does
    async with browsing(practice.address) as client:
        listed = (await client.get("/api/v1/alerts?state=open")).json()
        answer = await acknowledge(client, alert, version=listed[0]["version"])

    assert answer.status_code == 200
    assert answer.json()["state"] == "acknowledged"


async def test_of_two_doctors_one_is_first_and_the_other_is_notified(practice: Practice) -> None:
    await readmit(practice.pool, FORMER)
    alert = await raise_alert(practice.pool, practice.world.ruth)
    async with browsing(practice.address) as one, browsing(practice.address, FORMER) as other:
        answers = await asyncio.gather(*(acknowledge(client, alert) for client in (one, other, one, other)))

    assert sorted(answer.status_code for answer in answers) == [200, 200, 409, 409]


async def test_what_changed_since_it_was_read_is_not_acknowledged(practice: Practice) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth)
    await practice.pool.execute("update alerts set version = 2, level = 2 where alert_id = $1", alert)
    async with browsing(practice.address) as client:
        assert (await acknowledge(client, alert)).status_code == 409
        token = (await client.get("/api/v1/session")).json()["csrf_token"]
        answer = await client.post(f"/alerts/{alert}/acknowledge", data={"csrf": token, "version": "1"})
        assert "Not acknowledged" in (await client.get(answer.headers["location"])).text

    assert await practice.pool.fetchval("select state from alerts where alert_id = $1", alert) == "open"


async def test_an_alert_shows_its_reason_rule_readings_and_deliveries(practice: Practice) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth, evidence=low_glucose())
    await write_delivery(practice.pool, alert, at=NOW - timedelta(minutes=6))
    async with browsing(practice.address) as client:
        html = (await client.get(f"/alerts/{alert}")).text

    for words in (
        "Glucose has been below 54 mg/dL",
        "Level 2 hypoglycaemia",
        "rule glucose_low, version 1",
        "Glucose 48 mg/dL",
        "22 Nov 2026, 15:24:00 +01:00",
        "Handed over 22 Nov 2026, 15:24:00 +01:00",
        "Doctors are notified again",
        "<svg",
    ):
        assert words in html


async def test_what_a_sensor_cannot_measure_is_a_bound_wherever_a_doctor_looks(practice: Practice) -> None:
    """Page, chart, evidence, REST: nobody reads the number that the sensor wrote."""
    ruth, evidence = practice.world.ruth, low_glucose()
    newest = {**evidence[-1], "value": 38.0}
    await practice.pool.execute(
        "insert into readings (person_no, vital, observed_at, device_no, epoch, seq, item, value, flags, received_at)"
        " select person_no, $2, $3, $4, $5, $6, $7, $8, $9, $3 from people where person_id = $1",
        *(ruth, GLUCOSE.number, to_datetime(newest["observed_at"]), newest["device_no"], newest["epoch"]),
        *(newest["seq"], newest["item"], newest["value"], int(Flag.CLIPPED)),
    )
    await practice.pool.execute(
        "delete from readings where vital = $1 and observed_at > $2", GLUCOSE.number, to_datetime(newest["observed_at"])
    )
    alert = await raise_alert(practice.pool, ruth, evidence=(*evidence[:-1], newest))
    around = {"vital": "glucose", "from": (NOW - timedelta(hours=1)).isoformat(), "to": NOW.isoformat()}
    async with browsing(practice.address) as client:
        page = (await client.get(f"/people/{ruth}")).text
        reasons = (await client.get(f"/alerts/{alert}")).text
        latest = (await client.get(f"/api/v1/people/{ruth}")).json()["latest"]
        (*_, reading) = (await client.get(f"/api/v1/people/{ruth}/readings", params=around)).json()["readings"]
        (finding,) = (await client.get(f"/api/v1/alerts/{alert}")).json()["findings"]

    assert 'below 40 <span class="unit">mg/dL</span>' in page
    assert "lowest below 40, " in page
    assert "Glucose below 40 mg/dL" in reasons
    assert "Glucose 53 mg/dL" in reasons
    assert "38 mg/dL" not in page + reasons
    bounds = {one["vital"]: (one["value"], one["bound"]) for one in latest}
    assert (bounds["glucose"], bounds["spo2"][1]) == ((40, "below"), "")
    assert (reading["value"], reading["bound"], reading["flags"]) == (40, "below", Flag.CLIPPED)
    assert [piece["clipped"] for piece in finding["evidence"]] == [False, False, True]


async def test_technical_alerts_stand_apart_from_clinical_ones(practice: Practice) -> None:
    await raise_alert(
        practice.pool, practice.world.karl, rule="silent_device", severity=Severity.TECHNICAL, text="Band is silent."
    )
    await raise_alert(practice.pool, practice.world.ruth, severity=Severity.MEDIUM, text="Medium one.")
    await raise_alert(practice.pool, practice.world.karl, severity=Severity.HIGH, text="High one.")
    async with browsing(practice.address) as client:
        html = (await client.get("/")).text

    places = [html.index(words) for words in ("High one.", "Medium one.", "They say nothing about", "Band is silent.")]
    assert places == sorted(places)


async def test_a_platform_that_stands_still_says_so_on_the_worklist_and_on_the_open_page(practice: Practice) -> None:
    await practice.pool.execute(
        "insert into watermarks select consumer, '0', number, $1"
        " from unnest(array['store', 'score']) as consumer,"
        " generate_series(0, (select bus_partitions from platform) - 1) as number",
        to_datetime(practice.clock.at_ms),
    )
    async with browsing(practice.address) as client:
        assert "Nothing is coming through" not in (await client.get("/")).text
        practice.clock.advance(seconds=180)
        html = (await client.get("/")).text
        assert "Nothing is coming through from people's devices; the last came 3 min ago." in html
        async with client.stream("GET", "/live") as stream:
            async for line in stream.aiter_lines():
                if "Nothing is coming through" in line:
                    break


async def test_an_old_value_is_never_shown_as_current(practice: Practice) -> None:
    practice.clock.advance(seconds=3600)
    async with browsing(practice.address) as client:
        latest = (await client.get(f"/api/v1/people/{practice.world.ruth}")).json()["latest"]
        html = (await client.get(f"/people/{practice.world.ruth}")).text

    current = {row["vital"] for row in latest if row["is_current"]}
    assert current == {"systolic", "diastolic"}
    assert html.count("<strong>Old:</strong>") == len(latest) - len(current)


async def test_a_patient_page_shows_doses_charts_and_what_was_noticed(practice: Practice) -> None:
    await raise_alert(
        practice.pool, practice.world.ruth, rule="late_dose", severity=Severity.LOW, text="Dose was late."
    )
    async with browsing(practice.address) as client:
        html = (await client.get(f"/people/{practice.world.ruth}")).text
        earlier = (await client.get(f"/people/{practice.world.ruth}?until=2026-11-21T14:00:00Z")).text

    assert html.count("<svg") == 5
    for words in ("Levodopa 100 mg", "Missed", "Taken", "Dose was late.", "Steps in 24 h"):
        assert words in html
    assert "No readings in this time." in earlier


async def test_a_patient_page_says_how_much_of_the_day_was_watched_and_why_the_rest_was_not(practice: Practice) -> None:
    await practice.pool.execute(
        "insert into coverage select person_no, $1, hour, case when off then 0 else $4::bigint end, 0,"
        " case when off then $4::bigint else 0 end, 0, 0, 0, 0"
        " from people cross join generate_series($2::timestamptz, $3, interval '1 hour') as hour"
        " cross join lateral (select hour < $2 + interval '9 hours' as off) taken where person_id = $5",
        HEART_RATE.number, NOW - timedelta(hours=23, minutes=30), NOW - timedelta(hours=1, minutes=30), (1 << 60) - 1,
        practice.world.ruth,
    )  # fmt: skip
    async with browsing(practice.address) as client:
        html = (await client.get(f"/people/{practice.world.ruth}")).text

    assert "watched 14 of 24 h" in html
    assert "Not watched: not worn 9 h" in html
    assert 'class="strip"' in html


async def test_what_became_known_long_after_it_was_measured_is_on_the_patient_page_and_marked(
    practice: Practice,
) -> None:
    text = "Heart rate at or above 131 /min at rest for 10 min; 140 /min at last."
    await practice.pool.execute(
        "insert into findings (finding_id, person_no, home_no, rule, rule_version, episode, level, severity,"
        " observed_at, raised_at, evidence, doctor_text, caregiver_text, rationale, retrospective)"
        " select $1, person_no, home_no, 'heart_rate', 2, 7, 2, $2, $3, $4, '[]', $5, 'caregiver', 'Because.', true"
        " from people where person_id = $6",
        uuid4(), Severity.HIGH, NOW - timedelta(days=20), NOW - timedelta(hours=2), text, practice.world.ruth,
    )  # fmt: skip
    async with browsing(practice.address) as client:
        html = (await client.get(f"/people/{practice.world.ruth}")).text
        worklist = (await client.get("/")).text

    noticed = html[html.index("Noticed in the last 7 days") :]
    assert text in noticed
    assert "2 Nov 2026" in noticed
    assert "Became known only on 22 Nov 2026, 13:30:00 +01:00; nobody was notified." in noticed
    assert text not in worklist


async def test_a_new_alert_reaches_an_open_worklist_at_once(practice: Practice) -> None:
    async with browsing(practice.address) as client, client.stream("GET", "/live") as stream:
        lines = stream.aiter_lines()
        assert "Nobody is waiting." in await read_events(lines, "worklist")
        assert await read_events(lines, "now") == "22 Nov 2026, 15:30:00 +01:00"
        await raise_alert(practice.pool, practice.world.ruth)
        assert "Glucose has been below" in await read_events(lines, "worklist", within_s=1.9)


async def test_an_alert_without_notification_is_found_by_the_poll(practice: Practice) -> None:
    async with browsing(practice.address) as client, client.stream("GET", "/live") as stream:
        lines = stream.aiter_lines()
        await read_events(lines, "worklist")
        await practice.pool.execute(
            "insert into alerts (alert_id, home_no, person_no, rule, concern, severity, level, active_severity,"
            " active_level, state, episode, active_episodes, first_at, opened_at, condition_at, doctor_text,"
            " caregiver_text, rationale)"
            " select gen_random_uuid(), home_no, person_no, 'fall', 'fall', 3, 2, 3, 2, 'open', 1, '{1}', $2, $2, $2,"
            " 'Fell.', '', ''"
            " from people where person_id = $1",
            practice.world.karl,
            NOW,
        )
        assert "Fell." in await read_events(lines, "worklist")


async def test_an_open_stream_ends_within_seconds_of_the_session(practice: Practice) -> None:
    async with browsing(practice.address) as client, client.stream("GET", "/live") as stream:
        lines = stream.aiter_lines()
        await read_events(lines, "now")
        await practice.pool.execute("delete from sessions")
        assert await read_events(lines, "signed_out", within_s=3.5) == ""


async def test_an_open_stream_forgets_people_whose_care_ended(practice: Practice) -> None:
    await raise_alert(practice.pool, practice.world.ruth)
    async with browsing(practice.address) as client, client.stream("GET", "/live") as stream:
        lines = stream.aiter_lines()
        assert "Ruth" in await read_events(lines, "worklist")
        await practice.pool.execute(
            "update care_relations set valid = tstzrange(lower(valid), $1) where upper_inf(valid)", NOW
        )
        assert "Ruth" not in await read_events(lines, "worklist")


async def test_streams_end_when_the_console_stops(dsn: str, practice: Practice) -> None:
    async with browsing(practice.address) as client:
        async with serving(dsn, practice.clock) as second:
            client.base_url = httpx.URL(second)
            stream = await client.send(client.build_request("GET", "/live"), stream=True)
            lines = stream.aiter_lines()
            await read_events(lines, "now")
        async with asyncio.timeout(5):
            assert not [line async for line in lines if line.startswith("event: away")]
        await stream.aclose()


async def test_simulated_time_says_so(dsn: str, practice: Practice) -> None:
    async with serving(dsn, FakeClock(at_ms=to_ms(NOW), rate=60)) as fast, browsing(fast) as client:
        assert "simulated time \N{MULTIPLICATION SIGN}60" in (await client.get("/")).text
    async with browsing(practice.address) as client:
        assert "simulated" not in (await client.get("/")).text


@pytest.mark.parametrize(
    "query",
    [
        "vital=glucose&from=2026-11-22T00:00:00Z&to=2026-11-21T00:00:00Z",
        "vital=glucose&from=2026-01-01T00:00:00Z&to=2026-11-21T00:00:00Z",
        "vital=mood&from=2026-11-20T00:00:00Z&to=2026-11-21T00:00:00Z",
        "vital=glucose&from=2026-11-20T00:00:00&to=2026-11-21T00:00:00",
        "vital=glucose&from=2026-11-20T00:00:00Z&to=2026-11-21T00:00:00Z&limit=100000",
    ],
)
async def test_a_range_that_makes_no_sense_or_asks_too_much_is_refused(practice: Practice, query: str) -> None:
    async with browsing(practice.address) as client:
        answer = await client.get(f"/api/v1/people/{practice.world.ruth}/readings?{query}")

    assert answer.status_code == 422


async def test_every_operation_of_the_interface_is_documented(practice: Practice) -> None:
    async with browsing(practice.address, None) as client:
        document = (await client.get("/api/v1/openapi.json")).json()

    assert set(document["paths"]) == {
        *(f"/api/v1/session{more}" for more in ("", "/confirm")),
        "/api/v1/people",
        "/api/v1/people/{person_id}",
        "/api/v1/people/{person_id}/readings",
        "/api/v1/alerts",
        "/api/v1/alerts/{alert_id}",
        "/api/v1/alerts/{alert_id}/acknowledge",
        "/api/v1/alerts/{alert_id}/outcome",
        "/api/v1/alerts/{alert_id}/finish",
        "/api/v1/alerts/{alert_id}/notifications",
        "/api/v1/alerts/{alert_id}/history",
        "/api/v1/outcomes",
        "/api/v1/morning",
        "/api/v1/quiet-hours",
        "/api/v1/people/{person_id}/held-readings",
        "/api/v1/held-readings",
        "/api/v1/held-readings/{measurement_id}",
        "/api/v1/people/{person_id}/adherence",
        "/api/v1/people/{person_id}/doses",
        "/api/v1/people/{person_id}/plans",
        "/api/v1/plans/{plan_id}",
        "/api/v1/plans/{plan_id}/pause",
        "/api/v1/plans/{plan_id}/resume",
        "/api/v1/plans/{plan_id}/stock",
        "/api/v1/plans/{plan_id}/versions",
        "/api/v1/people/{person_id}/limits",
        "/api/v1/people/{person_id}/limits/versions",
        "/api/v1/people/{person_id}/limits/{concern}",
        "/api/v1/people/{person_id}/limits/{concern}/give-back",
        "/api/v1/people/{person_id}/back-tests",
        "/api/v1/people/{person_id}/back-tests/{back_test_id}",
        "/api/v1/models",
        "/api/v1/models/{rule}/promote",
        "/api/v1/models/{rule}/roll-back",
    }
    assert all(operation["description"] for path in document["paths"].values() for operation in path.values())


async def test_signing_in_leads_back_to_the_alert_that_was_linked(practice: Practice) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth)
    async with browsing(practice.address, None) as client:
        first = await client.get(f"/alerts/{alert}")
        page = await client.get(first.headers["location"])
        form = {"csrf": token_in(page.text), "email": DOCTOR, "password": PASSWORD, "next": f"/alerts/{alert}"}
        assert f'value="/alerts/{alert}"' in page.text
        assert (await client.post("/sign-in", data=form)).headers["location"] == f"/alerts/{alert}"
