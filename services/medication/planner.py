"""Writes doses three days ahead, and again when a plan or a zone has changed."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import asyncpg

from services.medication.planning import Plan, plan_doses
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Pool, Queries, transaction

AHEAD: Final = timedelta(hours=72)
BEHIND: Final = timedelta(hours=24)
"""After an outage, doses of that time are planned all the same, and judged by what is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Each plan in a transaction of its own; the same again changes nothing."""

    pool: Pool
    sql: Queries
    clock: Clock

    async def plan(self) -> int:
        """Plans what is not planned yet. Says nothing was left. Raises LOST_CONNECTION."""
        now = to_datetime(self.clock.now_ms())
        for row in await self.pool.fetch(self.sql["plans"], now):
            plan = _plan_of(row)
            zone = ZoneInfo(plan.zone)
            first, last = (now - BEHIND).astimezone(zone).date(), (now + AHEAD).astimezone(zone).date()
            # Everything that the doses depend on, as text: another text, and they are planned anew.
            key = f"{plan}|{first}|{last}"
            if row["planned_key"] != key:
                await self._save(plan, first, last, key, now)
        return 0

    async def _save(self, plan: Plan, first: date, last: date, key: str, now: datetime) -> None:
        doses = [
            (
                dose.dose_id,
                plan.plan_id,
                plan.person_no,
                plan.home_no,
                plan.device_no,
                plan.compartment,
                dose.local_date,
                dose.time_index,
                dose.early_after,
                dose.opens_at,
                dose.due_at,
                dose.closes_at,
                dose.missed_at,
                now,
            )
            for dose in plan_doses(plan, first, last)
        ]
        async with transaction(self.pool) as connection:
            # The ledger's lock: it must not settle a dose that is being moved.
            await connection.execute(self.sql["take_turn"])
            await connection.execute(self.sql["drop_doses"], plan.plan_id, now, len(set(plan.at_times)))
            await connection.executemany(self.sql["save_dose"], doses)
            await connection.execute(self.sql["planned"], plan.plan_id, key)


def _plan_of(row: asyncpg.Record) -> Plan:
    fields = {name: value for name, value in row.items() if name != "planned_key"}
    return Plan(**(fields | {"at_times": tuple(fields["at_times"])}))
