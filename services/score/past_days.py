"""Counts people's days from stored readings, as if each had been scored when it was received; finds nothing.

For readings that came by no log: their days are closed, and count as usual, without a word about any of them.
"""

from collections.abc import Iterable
from typing import Any, Final

from schemas.codec import write_json
from schemas.reasons import NOT_SCORED, Flag
from schemas.vitals import STEPS
from services.runtime.clock import to_datetime
from services.runtime.database import Pool, Queries, load_queries, transaction
from services.score.days import STEPS_A_UNIT, Days
from services.score.recent_values import RecentValues

_LEFT_OUT: Final = int(NOT_SCORED)
_MOVING: Final = int(Flag.MOVING)
PAST_SQL: Final = "past.sql"


def days_of(person_no: int, readings: Iterable[Any], until: int) -> Days:
    """Of ``(vital, value, observed_ms, received_ms, flags)`` in the order of reception, as they stand at ``until``."""
    recent = RecentValues(person_no)
    for vital, value, at, received_at, flags in readings:
        recent.pass_time(received_at)
        if vital in STEPS_A_UNIT and not flags & _LEFT_OUT and (not flags & _MOVING or vital == STEPS.number):
            recent.add(vital, value, at, received_at)
    recent.pass_time(until)
    return recent.counted()


async def count_days(pool: Pool, epoch: int, until: int) -> int:
    """Writes the days of everybody who has readings of ``epoch``, received before ``until``; says how many people.

    What score has counted since stays, and what it counts meanwhile is put behind these days when it writes its own.
    Somebody whose days reach back already is left alone. Raises what ``LOST_CONNECTION`` lists.
    """
    past, sql = load_queries("services.score", PAST_SQL), load_queries("services.score")
    people = await pool.fetch(past["people_of_past"])
    counted = 0
    for row in people:
        readings = await pool.fetch(past["readings_of_past"], row["person_no"], epoch, to_datetime(until))
        if readings:
            counted += await _write(pool, sql, (row["person_no"], row["home_no"]), (readings, until))
    return counted


async def _write(pool: Pool, sql: Queries, whose: tuple[int, int], what: tuple[list[Any], int]) -> bool:
    (person_no, home_no), (readings, until) = whose, what
    days = days_of(person_no, readings, until)
    async with transaction(pool) as connection:
        row = await connection.fetchrow(sql["days_of_person"], person_no)
        revision = 0 if row is None else row["revision"]
        if row is not None:
            before = Days.from_plain(row["state"]).first_closed
            if before is not None and days.first_closed is not None and before <= days.first_closed:
                return False
            days.go_on(row["state"])
        plain = write_json(days.to_plain()).decode()
        written = await connection.fetch(sql["save_days"], [person_no], [home_no], [revision], [plain])
    # False where score has written its first days at this very moment: whoever asks again counts them.
    return bool(written)
