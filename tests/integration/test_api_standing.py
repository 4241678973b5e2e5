"""What pages say of how it stands with an episode, of the limits in force, and which readings they leave out."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from schemas.alerts import EndReason, Severity
from schemas.default_limits import DEFAULT_BY_CONDITION
from schemas.limit_levels import rows_of
from schemas.limits import Condition
from schemas.reasons import Flag
from schemas.vitals import GLUCOSE, HEART_RATE, SPO2, STEPS
from services.api.limit_rows import write_defaults
from services.runtime.clock import to_ms
from services.runtime.database import Pool
from tests.integration.console_world import NOW, Practice, browsing, open_practice, raise_alert


@pytest.fixture
async def practice(dsn: str) -> AsyncIterator[Practice]:
    async with open_practice(dsn) as opened:
        yield opened


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


async def end(
    pool: Pool,
    alert: UUID | None,
    person: UUID,
    reason: EndReason | None,
    *,
    rule: str = "glucose_low",
    last_min: float = 4,
    still_open: bool = False,
) -> None:
    """The finding that ends an episode, or says that it pauses, as score writes it and alert notes it."""
    finding = uuid4()
    piece = {"what": "glucose", "value": 80.0, "observed_at": to_ms(ago(last_min))}
    evidence = [{**piece, "device_no": 1, "epoch": 1, "seq": 1, "item": 0}]
    await pool.execute(
        "insert into findings (finding_id, person_no, home_no, rule, rule_version, episode, level, severity,"
        " observed_at, raised_at, evidence, doctor_text, caregiver_text, rationale, end_reason)"
        " select $1, person_no, home_no, $2, 1, $3, 0, $4, $5, $6, $7, 'Said at the end.', 'caregiver', 'Because.', $8"
        " from people where person_id = $9",
        *(finding, rule, 1, Severity.LOW, ago(3), ago(2), evidence, reason, person),
    )
    if alert is None:
        return
    await pool.execute("insert into alert_findings values ($1, $2)", finding, alert)
    over = ago(3) if reason in {EndReason.RECOVERED, None} else None
    if not still_open:
        await pool.execute("update alerts set ended_at = $2, active_episodes = '{}' where alert_id = $1", alert, over)


@pytest.mark.parametrize(
    ("reason", "rule", "still_open", "sentence", "badge"),
    [
        (
            EndReason.RECOVERED, "glucose_low", False, "Recovered 22 Nov 2026, 15:27:00 +01:00",
            "Recovered 22 Nov, 15:27",
        ),
        (
            EndReason.TURNED, "glucose_low", False, "Turned to the opposite 22 Nov 2026, 15:27:00 +01:00",
            "Turned to the opposite 22 Nov, 15:27",
        ),
        (
            EndReason.DISPROVED, "glucose_low", False,
            "Disproved by readings that came late, 22 Nov 2026, 15:28:00 +01:00", "Disproved 22 Nov, 15:28",
        ),
        (
            EndReason.NO_DATA, "glucose_low", True,
            "Paused: nothing is known since 22 Nov 2026, 15:26:00 +01:00. That does not mean that it is better",
            "Paused: nothing known since 22 Nov, 15:26",
        ),
        (
            EndReason.NO_DATA, "fall", True,
            "Nothing more was heard by 22 Nov 2026, 15:27:00 +01:00. That does not mean that it is better",
            "Nothing more heard by 22 Nov, 15:27",
        ),
        (None, "glucose_low", False, "Ended 22 Nov 2026, 15:27:00 +01:00", "Ended 22 Nov, 15:27"),
    ],
)  # fmt: skip
async def test_every_page_says_why_an_episode_ended_and_when(
    practice: Practice,
    reason: EndReason | None,
    rule: str,
    still_open: bool,  # noqa: FBT001 - a table
    sentence: str,
    badge: str,
) -> None:
    ruth = practice.world.ruth
    # Nothing has come since, so that a pause is one.
    await practice.pool.execute("delete from readings where vital = $1 and observed_at > $2", GLUCOSE.number, ago(4))
    alert = await raise_alert(practice.pool, ruth, rule=rule)
    await end(practice.pool, alert, ruth, reason, rule=rule, still_open=still_open)
    async with browsing(practice.address) as client:
        page = (await client.get(f"/alerts/{alert}")).text
        person = (await client.get(f"/people/{ruth}")).text
        worklist = (await client.get("/")).text

    assert f"<dd>{sentence}" in page
    assert ("It is over, and nobody has answered." in page) == (reason in {EndReason.RECOVERED, None})
    assert badge in page[page.index("Why this alert") :]
    assert f'<span class="badge">{badge}</span>' in person
    assert f'<span class="badge">{badge}</span>' in worklist
    assert ("Recovered" in page + person + worklist) == (reason is EndReason.RECOVERED)
    assert "Still so" not in page


async def test_what_goes_on_says_so_and_what_came_after_a_pause_is_no_end(practice: Practice) -> None:
    ruth, pool = practice.world.ruth, practice.pool
    alert = await raise_alert(pool, ruth)
    async with browsing(practice.address) as client:
        goes_on = (await client.get(f"/alerts/{alert}")).text
        await end(pool, alert, ruth, EndReason.NO_DATA, last_min=40, still_open=True)
        resumed = (await client.get(f"/alerts/{alert}")).text
        # What is poor says nothing.
        await pool.execute(
            "update readings set flags = $3 where vital = $1 and observed_at > $2",
            *(GLUCOSE.number, ago(40), int(Flag.POOR_QUALITY)),
        )
        paused = (await client.get(f"/alerts/{alert}")).text

    assert "<dd>Still so, as far as readings have come</dd>" in goes_on
    assert "<dd>Not over: after a pause readings have come again, the last 22 Nov 2026, 15:25:00 +01:00</dd>" in resumed
    assert "<dd>Paused: nothing is known since 22 Nov 2026, 14:50:00 +01:00." in paused


async def test_the_end_of_one_of_two_episodes_is_not_the_end(practice: Practice) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth)
    await practice.pool.execute(
        "update alerts set active_episodes = '{2}', episode = 2, episodes = 2 where alert_id = $1", alert
    )
    await end(practice.pool, alert, practice.world.ruth, EndReason.RECOVERED, still_open=True)
    async with browsing(practice.address) as client:
        page = (await client.get(f"/alerts/{alert}")).text
        worklist = (await client.get("/")).text

    assert "<dd>Still so, as far as readings have come</dd>" in page
    assert "Recovered" not in worklist


async def test_what_was_noticed_says_how_it_ended(practice: Practice) -> None:
    ruth = practice.world.ruth
    await raise_alert(practice.pool, ruth, rule="glucose_high", severity=Severity.LOW, level=1, text="Above 250.")
    await practice.pool.execute("delete from alert_findings")
    async with browsing(practice.address) as client:
        before = (await client.get(f"/people/{ruth}")).text
        await end(practice.pool, None, ruth, EndReason.RECOVERED, rule="glucose_high")
        after = (await client.get(f"/people/{ruth}")).text

    noticed = after[after.index("Noticed in the last 7 days") : after.index("Limits in force")]
    assert "Above 250." in before
    assert "Recovered" not in before[before.index("Noticed in") :]
    assert 'Above 250. <em class="soft">Recovered 22 Nov, 15:27.</em>' in noticed


async def test_the_limits_in_force_stand_on_the_persons_page_with_their_source(practice: Practice) -> None:
    ruth, karl, pool = practice.world.ruth, practice.world.karl, practice.pool
    await pool.execute("truncate limits, person_conditions")
    await write_defaults(pool, NOW - timedelta(days=300))
    async with browsing(practice.address) as client:
        usual = (await client.get(f"/people/{ruth}")).text
        await pool.execute(
            "insert into person_conditions (person_no, condition, valid, source, author)"
            " select person_no, $2, tstzrange($3, null), 'a', 'b' from people where person_id = $1",
            *(ruth, Condition.SPO2_88_92, NOW - timedelta(days=2)),
        )
        limits = DEFAULT_BY_CONDITION[None, "heart_rate.fast"]
        await pool.execute(
            "insert into limits (person_no, concern, levels, off, clear_min, worse_by, source, signed_off_by, author,"
            " valid_from, written_at) select person_no, $2, $3, 100, 10, 20, 'Dr. Haddad, letter', 'Dr. Haddad',"
            " 'register file', $4, $4 from people where person_id = $1",
            *(ruth, limits.concern, rows_of(limits.levels), NOW - timedelta(days=1)),
        )
        changed = (await client.get(f"/people/{ruth}")).text
        other = (await client.get(f"/people/{karl}")).text.replace(str(karl), str(ruth))

    def table(html: str) -> str:
        return " ".join(html[html.index("Limits in force") :].split())

    oxygen = 'Oxygen saturation <span class="soft">for everybody, by default</span>'
    assert oxygen in table(usual)
    assert "<td>92 % or less</td><td>for 5 min, at rest</td>" in table(usual)
    assert "Over: 94 % or more for 5 min. Version 1, from the beginning. Not yet confirmed by a clinician [K]." in (
        table(usual)
    )
    assert oxygen not in table(changed)
    assert 'Oxygen saturation <span class="soft">for people with a prescribed oxygen target of 88 to 92 %' in (
        table(changed)
    )
    assert "Version 1, since 20 Nov 2026, 15:30:00 +01:00." in table(changed)
    assert 'Heart rate, fast <span class="soft">for this person, as a doctor has said</span>' in table(changed)
    assert "Confirmed by Dr. Haddad. Source: Dr. Haddad, letter" in table(changed)
    assert table(other) == table(usual)


@pytest.mark.parametrize("flag", [Flag.JUMPED, Flag.POOR_QUALITY, Flag.OTHER_HOME])
async def test_what_cannot_be_relied_on_is_no_newest_value(practice: Practice, flag: Flag) -> None:
    ruth, pool = practice.world.ruth, practice.pool
    rows: list[tuple[Any, ...]] = [(SPO2.number, 71.0), (HEART_RATE.number, 201.0), (STEPS.number, 90_000.0)]
    for number, (vital, value) in enumerate(rows):
        await pool.execute(
            "insert into readings (person_no, vital, observed_at, device_no, epoch, seq, item, value, flags,"
            " received_at) select person_no, $2, $3, 1, 9, $4, 0, $5, $6, $3 from people where person_id = $1",
            *(ruth, vital, ago(0), number, value, int(flag)),
        )
    async with browsing(practice.address) as client:
        page = (await client.get(f"/people/{ruth}")).text
        latest = {one["vital"]: one for one in (await client.get(f"/api/v1/people/{ruth}")).json()["latest"]}
        people = (await client.get("/people")).text

    assert latest["spo2"]["value"] > 90
    assert latest["heart_rate"]["value"] < 120
    assert latest["steps"]["value"] < 10_000
    assert "highest 201" not in page
    assert "newest reading 1 min ago" in people


async def test_what_was_sent_again_is_not_summed(practice: Practice) -> None:
    ruth, pool = practice.world.ruth, practice.pool
    async with browsing(practice.address) as client:
        before = (await client.get(f"/api/v1/people/{ruth}")).json()["latest"]
        await pool.execute(
            "insert into readings (person_no, vital, observed_at, device_no, epoch, seq, item, value, flags,"
            " received_at) select person_no, vital, observed_at, device_no, 77, seq, item, value, flags | $2,"
            " received_at from readings join people using (person_no) where person_id = $1 and vital = $3",
            *(ruth, int(Flag.REPEATED), STEPS.number),
        )
        after = (await client.get(f"/api/v1/people/{ruth}")).json()["latest"]

    assert after == before
