"""Writes doses two to three days ahead, and drops those of a version that an edit has ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from services.medication.planning import Plan, PlannedDose, StandIn, TakenEarly, plan_doses, stand_ins
from services.medication.recurrence import Recurrence
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Connection, Pool, Queries, transaction

AHEAD: Final = timedelta(hours=72)
LEAST_AHEAD: Final = timedelta(hours=48)
BEHIND: Final = timedelta(hours=24)
"""Of a version never planned before, doses of that time are planned all the same, and judged by what is known."""
LONGEST_OUTAGE: Final = timedelta(days=30)
"""What fell due while nothing was planned is made up for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Each version in a transaction of its own; the same again changes nothing."""

    pool: Pool
    sql: Queries
    clock: Clock

    async def plan(self) -> int:
        """Plans what is not planned yet. Says nothing was left. Raises LOST_CONNECTION."""
        now = to_datetime(self.clock.now_ms())
        for row in await self.pool.fetch(self.sql["ended_versions"]):
            await self._end(row)
        due_by, since = now + LEAST_AHEAD, now - LONGEST_OUTAGE
        for row in await self.pool.fetch(self.sql["versions_to_plan"], due_by, since):
            await self._plan(row, now)
        return 0

    async def _end(self, row: asyncpg.Record) -> None:
        async with transaction(self.pool) as connection:
            # The ledger's lock: it must not settle a dose that is being dropped.
            await connection.execute(self.sql["take_turn"])
            await connection.execute(self.sql["drop_doses"], row["version_no"], row["valid_to"])
            await connection.execute(self.sql["planned"], row["version_no"], row["valid_to"])

    async def _plan(self, row: asyncpg.Record, now: datetime) -> None:
        plan, through = plan_of(row), row["planned_through"]
        since = now - BEHIND if through is None else max(through, now - LONGEST_OUTAGE)
        doses = list(plan_doses(plan, since, now + AHEAD))
        until = now + AHEAD if plan.valid_to is None else min(now + AHEAD, plan.valid_to)
        async with transaction(self.pool) as connection:
            await connection.execute(self.sql["take_turn"])
            if through is None:
                await self._let_stand_in(connection, plan, doses)
            await connection.executemany(self.sql["save_dose"], [_row(plan, dose) for dose in doses])
            await connection.execute(self.sql["planned"], plan.version_no, max(until, plan.valid_from))

    async def _let_stand_in(self, connection: Connection, plan: Plan, doses: list[PlannedDose]) -> None:
        rows = await connection.fetch(self.sql["taken_early"], plan.plan_id, plan.version_no, plan.valid_from)
        found = stand_ins([TakenEarly(**row) for row in rows], plan, doses)
        if found:
            await connection.executemany(self.sql["stand_in"], [_stand_in_row(plan, one) for one in found])
            await connection.execute(self.sql["look_again"], plan.plan_id)


def plan_of(row: asyncpg.Record) -> Plan:
    """A row of ``versions_to_plan``."""
    recurrence = Recurrence(
        zone=row["zone"],
        at_times=tuple(row["at_times"]),
        weekdays=tuple(row["weekdays"] or ()),
        every_days=row["every_days"],
        anchor=row["anchor"],
        from_day=row["from_day"],
        until_day=row["until_day"],
    )
    return Plan(
        version_no=row["version_no"],
        plan_id=row["plan_id"],
        person_no=row["person_no"],
        home_no=row["home_no"],
        device_no=row["device_no"],
        compartment=row["compartment"],
        drug=row["drug"],
        strength=row["strength"],
        count=row["count"],
        time_critical=row["time_critical"],
        listed=row["listed"],
        recurrence=recurrence,
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
    )


def _row(plan: Plan, dose: PlannedDose) -> tuple[object, ...]:
    return (
        dose.dose_id,
        plan.plan_id,
        plan.version_no,
        plan.person_no,
        plan.home_no,
        plan.device_no,
        plan.compartment,
        plan.drug,
        plan.strength,
        plan.count,
        plan.recurrence.zone,
        dose.local_date,
        plan.time_critical,
        plan.listed,
        False,
        dose.early_after,
        dose.opens_at,
        dose.due_at,
        dose.closes_at,
        dose.missed_at,
    )


def _stand_in_row(plan: Plan, one: StandIn) -> tuple[object, ...]:
    return (
        one.dose_id,
        plan.version_no,
        one.dose.local_date,
        one.dose.early_after,
        one.dose.opens_at,
        one.dose.due_at,
        one.dose.closes_at,
        one.dose.missed_at,
        plan.device_no,
        plan.compartment,
        plan.drug,
        plan.strength,
        plan.count,
        plan.time_critical,
        plan.listed,
        plan.recurrence.zone,
        plan.valid_from if one.elsewhere else None,
    )
