"""Fills people's days from before score counted them, or counted all of them, out of the stored readings; once each.

Found by a round of its own, which takes no step; put before the days that are kept by the next checkpoint after it,
together with the position of that checkpoint. So a replay from there begins with the same days, and findings rest on
the days that the checkpoint before them had.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from schemas.codec import write_json
from schemas.reasons import NOT_SCORED, Flag
from schemas.vitals import STEPS, VITAL_BY_NUMBER
from services.runtime.clock import to_datetime, to_ms
from services.runtime.database import Connection, Pool, Queries, load_queries
from services.score.days import DAY_MS, KEPT_DAYS, STEPS_A_UNIT, ClosedDay, Days, day_of
from services.score.models.day_channels import day_of_vital
from services.score.recent_values import RecentValues

_SQL: Final = load_queries("services.score", "stored_days.sql")
_NOT_COUNTED: Final = int(NOT_SCORED)
_MOVING: Final = int(Flag.MOVING)
_AT_ONCE: Final = 500
_RESTS: Final = 3
"""After somebody's readings were gone through, so many times as long passes before the next: live work comes first."""
ClosedDays = Mapping[str, Sequence[Sequence[Any]]]
"""Days by the code of the vital, in order, each as ``ClosedDay``: plain values."""


def closed_days(rows: Iterable[Any]) -> ClosedDays:
    """Of ``(vital, day, step, values, hours)``, sorted, the day as the moment at which it begins."""
    found: dict[str, list[list[Any]]] = {}
    for (vital, begins), those in groupby(rows, key=itemgetter(0, 1)):
        counts, hours = [], 0
        for _, _, step, values, bits in those:
            counts.append((step, values))
            hours |= bits
        day = ClosedDay(day_of(to_ms(begins)), *day_of_vital(counts, STEPS_A_UNIT[vital], hours))
        found.setdefault(VITAL_BY_NUMBER[vital].code, []).append(list(day))
    return found


class StoredDays:
    """Looks one person up at a time; several scores may, each writes what none has written."""

    def __init__(self, *, pool: Pool, sql: Queries) -> None:
        """``sql``: score's own, for the watermark."""
        self._pool, self._sql = pool, sql

    async def look(self) -> int:
        """One round; says how many people were looked up. Raises LOST_CONNECTION.

        As far as the watermark: what was received until then is stored, and counted where it is counted.
        """
        passed = await self._pool.fetchval(self._sql["watermark"])
        people = [] if passed is None else [row[0] for row in await self._pool.fetch(_SQL["people_to_fill"], _AT_ONCE)]
        if not people:
            return 0
        until = to_ms(passed)
        between = to_datetime(until - (KEPT_DAYS + 3) * DAY_MS), to_datetime(until - DAY_MS)
        without = await self._pool.fetch(_SQL["nothing_to_fill"], people, list(STEPS_A_UNIT), *between)
        left = sorted(set(people) - {row[0] for row in without})
        if left:
            began = asyncio.get_running_loop().time()
            await self._fill(left[0], until)
            await asyncio.sleep(_RESTS * (asyncio.get_running_loop().time() - began))
        return len(without) + bool(left)

    async def _fill(self, person_no: int, until: int) -> None:
        closes_ms = RecentValues(person_no).closes_at(0)
        last = day_of(until - closes_ms)
        moments = [to_datetime(day * DAY_MS) for day in (last - KEPT_DAYS + 1, last + 1)]
        rows = await self._pool.fetch(
            _SQL["stored_values"], person_no, list(STEPS_A_UNIT), list(STEPS_A_UNIT.values()), *moments, _NOT_COUNTED,
            _MOVING, STEPS.number, to_datetime(closes_ms) - to_datetime(0),
        )  # fmt: skip
        days = closed_days(rows)
        await self._pool.execute(
            _SQL["save_stored_days"], person_no, write_json(days).decode() if days else None
        )  # fmt: skip


async def with_stored(connection: Connection, kept: Mapping[int, Days]) -> dict[int, Days]:
    """The days of people, by their number, behind those that were found of them; only of whom something was found."""
    rows = await connection.fetch(_SQL["stored_days_of_people"], list(kept)) if kept else []
    found = {row["person_no"]: kept[row["person_no"]].copied() for row in rows}
    for row in rows:
        found[row["person_no"]].fill(row["state"])
    return found


async def are_taken(connection: Connection, people: Sequence[int]) -> None:
    """What was found of ``people`` is written with their days, in this transaction."""
    if people:
        await connection.execute(_SQL["stored_days_are_taken"], people)


async def leave_to_others(connection: Connection) -> None:
    """Of nobody who is registered now days are looked up: who fills their past counts its days."""
    await connection.execute(_SQL["leave_to_others"])
