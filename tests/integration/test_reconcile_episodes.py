"""The events that a report counts in the readings that the platform has."""

from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from deploy.reconcile.episodes import found_episodes
from schemas.reasons import Flag
from schemas.vitals import GLUCOSE
from services.runtime.clock import to_ms
from services.runtime.database import open_pool
from services.runtime.settings import DatabaseSettings
from tests.integration.care_world import settle_in

FIRST = datetime(2026, 11, 23, 12, tzinfo=UTC)


async def test_the_events_of_a_report_are_those_of_usable_readings_in_the_order_of_time(dsn: str) -> None:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as pool:
        world = await settle_in(pool)
        person = str(await pool.fetchval("select person_id from people where person_no = $1", world.person_no))
        readings = [(15, 52.0, 0), (0, 60.0, 0), (10, 53.0, 0), (5, 60.0, 0), (20, 50.0, 0), (25, 51.0, 0)]
        # A reading that was not usable would end it, and one of another vital counts for nothing.
        readings.append((12, 120.0, int(Flag.POOR_QUALITY)))
        for seq, (minute, value, flags) in enumerate(readings):
            at = FIRST + timedelta(minutes=minute)
            await pool.execute(
                "insert into readings values ($1, $2, $3, $4, 1, $5, 0, $6, $7, $3)",
                world.person_no, GLUCOSE.number, at, world.device_no, seq, value, flags,
            )  # fmt: skip
    assert await found_episodes(dsn) == {
        (person, 1, to_ms(FIRST)),
        (person, 2, to_ms(FIRST + timedelta(minutes=10))),
    }
