"""Alerts of before there were concerns, brought up to date: what they are about, and what goes on."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from deploy.embedded.embedded import Embedded
from services.runtime.migrate import load_migrations, migrate
from tests.conftest import create_database, drop_database

FILES = load_migrations("schemas.sql.migrations")
AT = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
async def old(embedded: Embedded) -> AsyncIterator[str]:
    """A database of the version before, with one home."""
    dsn = await create_database(embedded.dsn)
    await migrate(dsn, [one for one in FILES if one.name < "0040"])
    yield dsn
    await drop_database(embedded.dsn, dsn)


async def raise_alert(
    connection: asyncpg.Connection,
    rule: str,
    said: list[tuple[str | None, int, int, str | None]],
    *,
    ended: bool = False,
) -> UUID:
    """An open alert of one rule, of findings (concern, episode, level, reason of its end)."""
    alert = uuid4()
    await connection.execute(
        "insert into alerts (alert_id, home_no, person_no, rule, severity, level, state, episode, active_episodes,"
        " opened_at, condition_at, doctor_text, caregiver_text, rationale, ended_at)"
        " values ($1, 1, 1, $2, 3, 1, 'open', 1, $3, $5, $5, '', '', '', case when $4 then $5::timestamptz end)",
        alert,
        rule,
        [] if ended else sorted({episode for _, episode, level, _ in said if level}),
        ended,
        AT,
    )
    for number, (concern, episode, level, reason) in enumerate(said):
        finding = uuid4()
        await connection.execute(
            "insert into findings (finding_id, person_no, home_no, rule, rule_version, episode, level, severity,"
            " observed_at, raised_at, evidence, doctor_text, caregiver_text, rationale, concern, end_reason)"
            " values ($1, 1, 1, $2, 1, $3, $4, 3, $5, $5, $6, '', '', '', $7, $8)",
            finding,
            rule,
            episode,
            level,
            AT + timedelta(seconds=number),
            '[{"device_no": 7}]',
            concern,
            reason,
        )
        await connection.execute("insert into alert_findings values ($1, $2)", finding, alert)
    await connection.execute("insert into escalation_steps values ($1, 1, 0, now(), 'done')", alert)
    await connection.execute("insert into escalation_steps values ($1, 2, 1, now(), 'pending')", alert)
    return alert


async def test_alerts_of_before_keep_what_they_are_about_and_repeat_what_goes_on(old: str) -> None:
    connection = await asyncpg.connect(old)
    try:
        await connection.execute("insert into homes (home_id, label, time_zone) values (gen_random_uuid(), 'x', 'UTC')")
        fast = await raise_alert(connection, "heart_rate", [("heart_rate_fast", 1, 1, None)])
        both = await raise_alert(
            connection, "temperature", [("temperature_high", 1, 1, None), ("temperature_low", 2, 1, None)]
        )
        silent = await raise_alert(connection, "silent_device", [(None, 1, 1, None)])
        pressed = await raise_alert(connection, "sos", [(None, 1, 1, None), (None, 1, 0, "no_data")], ended=True)
        over = await raise_alert(connection, "spo2", [("", 1, 1, None), ("", 1, 0, "recovered")], ended=True)

        await migrate(old, [one for one in FILES if one.name < "0041"])

        rows = await connection.fetch(
            "select a.*, s.state as step from alerts a join escalation_steps s using (alert_id) where step = 2"
        )
        found = {
            row["alert_id"]: (row["concern"], row["active_episodes"], row["ended_at"] is None, row["step"])
            for row in rows
        }
        assert found == {
            fast: ("heart_rate_fast", [1], True, "pending"),
            both: ("temperature", [1, 2], True, "pending"),
            silent: ("silent_device.7", [1], True, "pending"),
            pressed: ("sos", [1], True, "pending"),
            over: ("spo2", [], False, "cancelled"),
        }
        first = await connection.fetch("select reason from escalation_steps where alert_id = $1 order by step", fast)
        assert [row["reason"] for row in first] == ["first", "repeat"]
    finally:
        await connection.close()
