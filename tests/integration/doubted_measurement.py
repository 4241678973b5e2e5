"""A measurement that waits for somebody to say whose it is, for tests of the console."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from schemas.vitals import WEIGHT
from services.runtime.database import Pool
from tests.integration.console_world import NOW


async def doubt(pool: Pool, person: UUID, fits: UUID | None, *, at: datetime = NOW - timedelta(hours=1)) -> UUID:
    """A weight of ``person`` of ``at`` that fits another one, or is in pounds; gives the measurement's id."""
    measurement = uuid4()
    await pool.execute(
        "insert into held_readings (held_id, measurement_id, home_no, person_no, device_no, epoch, seq, item, vital,"
        " value, observed_at, received_at, reason, unit, meant, fits_person_no, times_better, is_held)"
        " select $1, $1, home_no, person_no, (select min(device_no) from devices d where d.home_no = people.home_no),"
        " 1, 1, 0, $2, 62.4, $3, $3, case when $5::uuid is null then 'unit' else 'person' end,"
        " case when $5::uuid is null then '[lb_av]' else '' end, 62.4,"
        " (select person_no from people mate where mate.person_id = $5), 1e6, true"
        " from people where person_id = $4",
        measurement,
        WEIGHT.number,
        at,
        person,
        fits,
    )
    return measurement
