"""The alert's page: who was notified and why not, how often it came before, what goes on now and what is over."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from schemas.alerts import Severity
from services.runtime.database import Pool
from tests.integration.console_world import DOCTOR, NOW, Practice, browsing, open_practice, raise_alert


@pytest.fixture
async def practice(dsn: str) -> AsyncIterator[Practice]:
    async with open_practice(dsn) as opened:
        yield opened


async def notify(pool: Pool, alert: UUID, step: int, reason: str, **some: object) -> None:
    """A step that is done, and a notification of DOCTOR where a state is said."""
    at = NOW - timedelta(minutes=60 - step)
    await pool.execute(
        "insert into escalation_steps (alert_id, step, repeat, due_at, state, reason, suppressed)"
        " values ($1, $2, 0, $3, 'done', $4, $5)",
        alert, step, at, reason, some.get("suppressed", False),
    )  # fmt: skip
    if "state" in some:
        await pool.execute(
            "insert into notifications (alert_id, step, doctor_no, channel, state, attempts, created_at, retry_at,"
            " sent_at, held_until) select $1, $2, doctor_no, 'email', $3, 1, $4, $4, $5, $6 from doctors"
            " where email = $7",
            alert, step, some["state"], at, some.get("sent_at"), some.get("held_until"), DOCTOR,
        )  # fmt: skip
    if "why" in some:
        await pool.execute(
            "insert into notification_attempts (alert_id, step, doctor_no, channel, attempt, started_at, ended_at,"
            " outcome, reason) select $1, $2, doctor_no, 'email', 1, $3, $3, 'failed', $4 from doctors"
            " where email = $5",
            alert, step, at, some["why"], DOCTOR,
        )  # fmt: skip


async def test_each_notification_is_shown_with_why_and_how_it_stands(practice: Practice) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth)
    await notify(practice.pool, alert, 0, "first", state="sent", sent_at=NOW - timedelta(minutes=59))
    await notify(practice.pool, alert, 1, "repeat", state="failed", why="refused_by_receiver")
    await notify(practice.pool, alert, 2, "worse", state="held", held_until=NOW + timedelta(hours=2))
    await notify(practice.pool, alert, 3, "again", state="withdrawn")
    await notify(practice.pool, alert, 4, "repeat", suppressed=True)
    await notify(practice.pool, alert, 5, "came_back")
    async with browsing(practice.address) as client:
        rows = (await client.get(f"/api/v1/alerts/{alert}/notifications")).json()
        page = (await client.get(f"/alerts/{alert}")).text

    assert [(one["step"], one["reason"], one["doctor"], one["state"]) for one in rows] == [
        (5, "came_back", None, None),
        (4, "repeat", None, None),
        (3, "again", "Dr. Amira Haddad", "withdrawn"),
        (2, "worse", "Dr. Amira Haddad", "held"),
        (1, "repeat", "Dr. Amira Haddad", "failed"),
        (0, "first", "Dr. Amira Haddad", "sent"),
    ]
    assert [one["suppressed"] for one in rows] == [False, True, False, False, False, False]
    for words in (
        "Handed over 22 Nov 2026, 14:31:00 +01:00",
        "Failed: the receiver refused it for good",
        "Held by quiet hours until 22 Nov 2026, 17:30:00 +01:00",
        "Withdrawn before it was sent",
        "Not sent: another alert says as much",
        "Nobody: there was no recipient",
        "It got worse",
        "It came back after somebody had taken it on",
    ):
        assert words in page, words


async def add_episode(pool: Pool, alert: UUID, episode: int, days_ago: int) -> None:
    finding = uuid4()
    await pool.execute(
        "insert into findings select $1, person_no, home_no, rule, rule_version, $2, level, severity, $3, $3, evidence,"
        " doctor_text, caregiver_text, rationale, unverified, $3 from findings join alert_findings using (finding_id)"
        " where alert_id = $4 limit 1",
        finding, episode, NOW - timedelta(days=days_ago, hours=12), alert,
    )  # fmt: skip
    await pool.execute("insert into alert_findings values ($1, $2)", finding, alert)


async def test_the_third_night_in_a_row_is_said_with_the_other_alerts_of_the_concern(practice: Practice) -> None:
    night = NOW - timedelta(hours=12)  # 03:30 at home
    before = await raise_alert(practice.pool, practice.world.ruth, at=night - timedelta(days=1), rule="spo2")
    await practice.pool.execute(
        "update alerts set state = 'closed', closed_at = $2, acknowledged_at = $2, ended_at = $2,"
        " active_episodes = '{}'"
        " where alert_id = $1",
        before,
        night,
    )
    await add_episode(practice.pool, before, 2, 2)
    alert = await raise_alert(practice.pool, practice.world.ruth, at=night, rule="spo2")
    await raise_alert(practice.pool, practice.world.karl, at=night - timedelta(days=3), rule="spo2")
    await add_episode(practice.pool, before, 3, 31)
    async with browsing(practice.address) as client:
        found = (await client.get(f"/api/v1/alerts/{alert}/history")).json()
        page = (await client.get(f"/alerts/{alert}")).text
        first = (await client.get(f"/api/v1/alerts/{before}/history")).json()

    assert (found["concern"], found["part"], found["in_a_row"], found["days"]) == ("spo2", "night", 3, 3)
    assert [one["alert_id"] for one in found["episodes"]] == [str(alert), str(before), str(before)]
    assert [(one["alert_id"], one["state"]) for one in found["earlier"]] == [(str(before), "closed")]
    assert "Third night in a row" in page
    assert "3 episodes on 3\n    days of the last 30" in page
    assert [one["alert_id"] for one in first["earlier"]] == [str(alert)]


async def test_what_comes_for_the_first_time_is_in_no_row(practice: Practice) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth)
    async with browsing(practice.address) as client:
        found = (await client.get(f"/api/v1/alerts/{alert}/history")).json()
        page = (await client.get(f"/alerts/{alert}")).text

    assert (len(found["episodes"]), found["in_a_row"], found["earlier"]) == (1, 1, [])
    assert "in a row" not in page
    assert "Not in the last 30 days." in page


async def test_the_worklist_shows_what_goes_on_beside_what_was_higher_and_how_often_since_when(
    practice: Practice,
) -> None:
    milder = await raise_alert(practice.pool, practice.world.ruth)
    await practice.pool.execute(
        "update alerts set active_severity = $2, active_level = 1, episodes = 9, episodes_since_open = 3"
        " where alert_id = $1",
        milder,
        Severity.MEDIUM,
    )
    async with browsing(practice.address) as client:
        pages = [(await client.get(path)).text for path in ("/", f"/alerts/{milder}", f"/people/{practice.world.ruth}")]
        listed = (await client.get("/api/v1/alerts")).json()[0]

    for page in pages:
        assert '<span class="badge s2">Medium</span>' in page
        assert '<span class="badge">was high</span>' in page
        assert '<span class="badge s3">' not in page.split("Limits in force")[0]
        assert "3 times since 22 Nov, 15:24" in page
    assert (listed["severity"], listed["active_severity"], listed["episodes_since_open"]) == ("high", "medium", 3)


async def test_what_has_recovered_unanswered_stays_on_the_list_and_is_marked_so(practice: Practice) -> None:
    over = await raise_alert(practice.pool, practice.world.ruth)
    waiting = await raise_alert(practice.pool, practice.world.karl)
    await practice.pool.execute(
        "update alerts set ended_at = $2, active_episodes = '{}' where alert_id = $1", over, NOW
    )
    async with browsing(practice.address) as client:
        worklist = (await client.get("/")).text
        pages = [(await client.get(f"/alerts/{alert}")).text for alert in (over, waiting)]

    assert worklist.count("Over, and nobody has answered") == 1
    assert "nobody has answered" in pages[0]
    assert "nobody has answered" not in pages[1]


async def test_of_a_long_trail_the_newest_is_shown(practice: Practice) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth)
    await practice.pool.execute(
        "insert into alert_audit (alert_id, at, what, from_state, to_state, level)"
        " select $1, $2, case n when 250 then 'reopened' else 'repeated' end, 'open', 'open', 2"
        " from generate_series(1, 250) n order by n",
        alert,
        NOW,
    )
    async with browsing(practice.address) as client:
        page = (await client.get(f"/alerts/{alert}")).text

    assert page.count("<strong>Repeated</strong>") == 199
    assert page.count("<strong>Reopened</strong>") == 1
