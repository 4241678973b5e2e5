"""Why an episode of a replay was missed: read from the rows around it."""

from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from deploy.reconcile.episodes import late_readings
from schemas.vitals import GLUCOSE
from services.runtime.clock import to_ms
from services.runtime.database import open_pool
from services.runtime.settings import DatabaseSettings
from tests.integration.care_world import settle_in

FIRST = datetime(2026, 11, 23, 12, tzinfo=UTC)


async def test_a_difference_is_explained_by_readings_that_came_late(dsn: str) -> None:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as pool:
        world = await settle_in(pool)
        person = str(await pool.fetchval("select person_id from people where person_no = $1", world.person_no))
        for seq, late_min in enumerate([1, 29, 31, 95]):
            at = FIRST + timedelta(minutes=5 * seq)
            await pool.execute(
                "insert into readings values ($1, $2, $3, $4, 1, $5, 0, 60, 0, $6)",
                world.person_no,
                GLUCOSE.number,
                at,
                world.device_no,
                seq,
                at + timedelta(minutes=late_min),
            )
        here, long_after = (person, 1, to_ms(FIRST)), (person, 1, to_ms(FIRST + timedelta(hours=9)))
        causes = await late_readings(dsn, [here, long_after])
    assert causes == {here: "2 readings within 3 h of it came late, by up to 95 min of platform time"}
