"""Takes the pictures of the console: python -m tests.e2e.pictures FOLDER (docs/pictures when left out)."""

import asyncio
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID, uuid4

from playwright.async_api import Browser

from deploy.embedded.embedded import Embedded
from schemas.alerts import Severity
from schemas.vitals import HEART_RATE, RESPIRATORY_RATE, SPO2
from services.runtime.clock import FakeClock, to_datetime, to_ms
from services.runtime.database import Pool
from services.runtime.migrate import load_migrations, migrate
from tests.conftest import create_database
from tests.e2e.browser import DESK, PHONE, chromium, sign_in, window
from tests.integration.care_world import acknowledge
from tests.integration.console_world import (
    DOCTOR,
    NOW,
    World,
    build_world,
    low_glucose,
    open_world,
    raise_alert,
    serving,
    write_delivery,
)

_PLACE: Final = Path(__file__).resolve().parents[2] / "docs" / "pictures"


async def busy_day(pool: Pool, world: World) -> UUID:
    """Alerts of every kind; gives the one that the pictures open."""
    low = await raise_alert(pool, world.ruth, evidence=low_glucose())
    await write_delivery(pool, low, at=NOW - timedelta(minutes=6))
    await raise_alert(
        pool,
        world.karl,
        rule="fall",
        text="Suspected fall in the bathroom, and no answer within 60 seconds.",
        at=NOW - timedelta(minutes=2),
    )
    await raise_alert(
        pool,
        world.ruth,
        rule="missed_dose",
        severity=Severity.MEDIUM,
        level=1,
        text="Levodopa 100 mg, due at 08:00, was not taken.",
        at=NOW - timedelta(hours=6),
    )
    await raise_alert(
        pool,
        world.karl,
        rule="silent_device",
        severity=Severity.TECHNICAL,
        level=1,
        text="The wearable band has not been heard for 3 hours.",
        at=NOW - timedelta(hours=3),
    )
    taken = await raise_alert(
        pool,
        world.karl,
        rule="spo2",
        severity=Severity.MEDIUM,
        level=1,
        text="Oxygen saturation at or below 92 % for 5 minutes: 91 %.",
        at=NOW - timedelta(hours=1),
    )
    await acknowledge(
        pool,
        taken,
        await pool.fetchval("select doctor_no from doctors where email = $1", DOCTOR),
        version=0,
        at=NOW - timedelta(minutes=40),
        note="Called: slept on his hand. Rechecking at 16:00.",
    )
    await _what_was_watched(pool, world.ruth)
    return low


class AnsweredDay(NamedTuple):
    """Alerts of a day on which doctors said what came of them."""

    waiting: UUID
    taken: UUID
    over: UUID


async def answered_day(pool: Pool, world: World) -> AnsweredDay:
    """A busy day after others: nights in a row, every state of a notification, verdicts, a list, quiet hours."""
    doctor_no = await pool.fetchval("select doctor_no from doctors where email = $1", DOCTOR)
    for days, verdict in ((1, "real"), (2, "real"), (3, "false"), (5, "unclear")):
        at = NOW - timedelta(days=days, minutes=9)
        earlier = await raise_alert(pool, world.ruth, at=at, evidence=low_glucose(at), closed_at=at)
        await pool.execute(
            "insert into alert_outcomes (alert_id, at, doctor_no, what, verdict, action, note, version, opened_at,"
            " severity) values ($1, $2, $3, 'acknowledged', $4, 'called', 'Rang.', 0, $5, 3)",
            earlier, at + timedelta(minutes=7 * days), doctor_no, verdict, at,
        )  # fmt: skip
    waiting = await busy_day(pool, world)
    await pool.execute("update alerts set active_severity = 2, episodes_since_open = 3, episodes = 3, opened_at = $2"
                       " where alert_id = $1", waiting, NOW - timedelta(hours=2))  # fmt: skip
    for step, (reason, state, why) in enumerate(
        [("repeat", "failed", "refused_by_receiver"), ("worse", "held", None), ("again", "withdrawn", None)], 2
    ):
        await pool.execute(
            "insert into escalation_steps (alert_id, step, due_at, state, reason) values ($1, $2, $3, 'done', $4)",
            waiting, step, NOW - timedelta(minutes=6 - step), reason,
        )  # fmt: skip
        await pool.execute(
            "insert into notifications (alert_id, step, doctor_no, channel, state, attempts, created_at, retry_at,"
            " held_until) values ($1, $2, $3, 'email', $4, 1, $5, $5, $6)",
            waiting, step, doctor_no, state, NOW - timedelta(minutes=6 - step), NOW + timedelta(hours=16),
        )  # fmt: skip
        if why:
            await pool.execute(
                "insert into notification_attempts values ($1, $2, $3, 'email', 1, $4, $4, 'failed', $5)",
                waiting, step, doctor_no, NOW, why,
            )  # fmt: skip
    taken = await raise_alert(pool, world.hostile, rule="fall", text="Suspected fall, and no answer.",
                              at=NOW - timedelta(hours=3))  # fmt: skip
    await acknowledge(pool, taken, doctor_no, version=0, at=NOW - timedelta(hours=2), note="I drive there.")
    over = await raise_alert(pool, world.hostile, rule="spo2", severity=Severity.MEDIUM, level=1,
                             text="Oxygen saturation at or below 92 % for 5 minutes: 91 %.",
                             at=NOW - timedelta(hours=9))  # fmt: skip
    await pool.execute("update alerts set ended_at = $2, active_episodes = '{}' where alert_id = $1", over,
                       NOW - timedelta(hours=8))  # fmt: skip
    await _morning_and_night(pool, doctor_no, {waiting: "open", over: "recovered"})
    return AnsweredDay(waiting, taken, over)


async def _morning_and_night(pool: Pool, doctor_no: int, entries: dict[UUID, str]) -> None:
    """Two lists of mornings, and quiet hours."""
    await pool.execute("truncate morning_lists, morning_list_entries, morning_list_sendings")
    for days in (0, 1):
        made_at = NOW - timedelta(days=days, hours=8, minutes=30)
        list_no = await pool.fetchval(
            "insert into morning_lists (doctor_no, day, zone, since, made_at) values ($1, $2, 'Europe/Berlin', $3, $4)"
            " returning list_no",
            doctor_no, made_at.date(), made_at - timedelta(days=1), made_at,
        )  # fmt: skip
        for place, (alert, kind) in enumerate(entries.items()):
            await pool.execute(
                "insert into morning_list_entries (list_no, place, kind, person_no, home_no, rule, severity, alert_id)"
                " select $1, $2, $3, person_no, home_no, rule, severity, alert_id from alerts where alert_id = $4",
                list_no, place, kind, alert,
            )  # fmt: skip
        await pool.execute(
            "insert into morning_list_sendings (list_no, channel, state, retry_at, sent_at)"
            " values ($1, 'email', 'sent', $2, $2)",
            list_no, made_at,
        )  # fmt: skip
    await pool.execute("delete from quiet_hours where doctor_no = $1", doctor_no)
    await pool.execute("insert into quiet_hours (doctor_no, begins, ends, zone, valid)"
                       " values ($1, '22:00', '07:00', 'Europe/Berlin', tstzrange($2, null))",
                       doctor_no, NOW - timedelta(days=9))  # fmt: skip


async def _what_was_watched(pool: Pool, person: UUID) -> None:
    """A band that was off at night, a trend of NEWS2, and something that became known three weeks late."""
    await pool.execute(
        "insert into coverage select person_no, vital, hour, case when off then 0 else $3::bigint end, 0,"
        " case when off then $3::bigint else 0 end, 0, 0, 0, 0 from people"
        " cross join unnest($1::smallint[]) as vital"
        " cross join generate_series($2::timestamptz, $4, interval '1 hour') as hour"
        " cross join lateral (select hour < $2 + interval '9 hours' as off) taken where person_id = $5",
        [HEART_RATE.number, SPO2.number, RESPIRATORY_RATE.number], NOW - timedelta(hours=23, minutes=30),
        (1 << 60) - 1, NOW - timedelta(minutes=30), person,
    )  # fmt: skip
    quarter = to_ms(NOW) // 900_000 * 900_000
    for number in range(60):
        pulse, total = (112, 5) if number < 3 else (84 + number % 5, 2 + number // 7 % 2)
        inputs = {"pulse": pulse, "spo2": 94, "respiratory_rate": 19, "systolic": 128, "temperature": 37.4}
        await pool.execute(
            "insert into news2_evaluations (person_no, at, total, pulse, spo2, respiratory_rate, systolic, temperature,"
            " spo2_scale, inputs) select person_no, $2, $3, $4, 1, 0, 0, 0, 1, $5::jsonb from people"
            " where person_id = $1",
            person, to_datetime(quarter - number * 900_000), total, total - 1,
            {name: {"value": value, "at": quarter - number * 900_000 - 60_000} for name, value in inputs.items()},
        )  # fmt: skip
    await pool.execute(
        "insert into findings (finding_id, person_no, home_no, rule, rule_version, episode, level, severity,"
        " observed_at, raised_at, evidence, doctor_text, caregiver_text, rationale, retrospective)"
        " select $1, person_no, home_no, 'heart_rate', 2, 7, 2, $2, $3, $4, '[]', $5, 'caregiver', 'Because.', true"
        " from people where person_id = $6",
        uuid4(), Severity.HIGH, NOW - timedelta(days=20), NOW - timedelta(hours=2),
        "Heart rate at or above 131 /min at rest for 10 min; 140 /min at last.", person,
    )  # fmt: skip


async def take_pictures(browser: Browser, address: str, world: World, alert: UUID, folder: Path) -> list[Path]:
    """Every page on a desk and on a phone, the worklist in the dark too."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    pages = {"worklist": "/", "alert": f"/alerts/{alert}", "people": "/people", "person": f"/people/{world.ruth}"}
    taken: list[Path] = []
    for name, size, dark in (("desk", DESK, False), ("phone", PHONE, False), ("dark", DESK, True)):
        async with window(browser, size=size, dark=dark) as context:
            page = await sign_in(context, address)
            for title, path in pages.items():
                await page.goto(f"{address}{path}")
                if title == "worklist":
                    await page.locator(".live.live", has_text="Live").wait_for()
                taken.append(folder / f"console-{title}-{name}.png")
                await page.screenshot(path=taken[-1], full_page=True)
    return taken


async def _main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as place, Embedded(Path(place)) as servers:
        dsn = await create_database(servers.dsn)
        await migrate(dsn, load_migrations("schemas.sql.migrations"))
        clock = FakeClock(at_ms=to_ms(NOW), rate=60)
        async with open_world(dsn) as pool, serving(dsn, clock) as address, chromium() as browser:
            world = await build_world(pool)
            await pool.execute("update people set display_name = 'Ilse Brandt' where person_id = $1", world.hostile)
            alert = await busy_day(pool, world)
            for picture in await take_pictures(browser, address, world, alert, folder):
                sys.stdout.write(f"{picture}\n")


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]) if len(sys.argv) > 1 else _PLACE))
