"""Doses of every kind on Ruth's plans, weeks of them, a pause and a stock: for tests and pictures of plans."""

from datetime import timedelta
from itertools import count
from typing import NamedTuple
from uuid import UUID

from services.runtime.database import Pool
from tests.integration.console_world import DOCTOR, NOW, World, write_dose, write_evidence


class KeptPlans(NamedTuple):
    """Two plans: one that goes on and was counted, one that is paused."""

    metformin: UUID
    levodopa: UUID


async def plan_with(pool: Pool, person: UUID, drug: str) -> UUID:
    """The plan of a person whose drug begins so."""
    found: UUID = await pool.fetchval(
        "select plan_id from dose_plan_versions join dose_plans using (plan_id) join people using (person_no)"
        " where person_id = $1 and starts_with(drug, $2)",
        person, drug,
    )  # fmt: skip
    return found


async def strange_doses(pool: Pool, plan: UUID) -> None:
    """A double, an unknown, one that was reported late and one that was held, of the last two days."""
    due = NOW - timedelta(days=1, hours=7)
    double = await write_dose(pool, plan, due, "double", listed=True)
    await write_evidence(pool, double, "decided", due + timedelta(minutes=3), seq=1)
    await write_evidence(pool, double, "double", due + timedelta(minutes=95), seq=2)
    late = await write_dose(pool, plan, due + timedelta(hours=12), "taken")
    came = due + timedelta(hours=16)
    await write_evidence(pool, late, "decided", due + timedelta(hours=12), received_at=came, seq=3)
    await write_dose(pool, plan, due - timedelta(hours=12), "unknown", unknown_since=due - timedelta(hours=13))
    await write_dose(pool, plan, due - timedelta(days=1), "held")


async def kept_plans(pool: Pool, world: World) -> KeptPlans:
    """Strange doses after four weeks of usual ones; Metformin runs out soon, Levodopa is paused."""
    metformin = await plan_with(pool, world.ruth, "Metformin")
    levodopa = await plan_with(pool, world.ruth, "Levodopa")
    await strange_doses(pool, metformin)
    numbers = count(100)
    for plan, newest in ((metformin, 3), (levodopa, 1)):
        for days in range(newest, 27):
            for half, hours in enumerate((7, 19)):
                due = NOW - timedelta(days=days, hours=hours)
                state = "missed" if (days * 2 + half) % 9 == 0 else "unknown" if days == 12 else "taken"
                dose = await write_dose(pool, plan, due, state)
                if state == "taken":
                    seq = next(numbers)
                    await write_evidence(pool, dose, "decided", due + timedelta(minutes=(seq * 7) % 50 - 10), seq=seq)
    doctor_no = await pool.fetchval("select doctor_no from doctors where email = $1", DOCTOR)
    await pool.execute(
        "insert into plan_pauses (plan_id, valid, doctor_no, why, made_at)"
        " values ($1, tstzrange($2, $3), $4, 'In hospital until Wednesday', $2)",
        levodopa, NOW - timedelta(hours=2), NOW + timedelta(days=3), doctor_no,
    )  # fmt: skip
    for days, what, number in ((20, "counted", 30), (6, "refilled", 28)):
        await pool.execute(
            "insert into plan_stock (plan_id, at, count, what, author_no) values ($1, $2, $3, $4, $5)",
            metformin, NOW - timedelta(days=days), number, what, doctor_no if what == "refilled" else None,
        )  # fmt: skip
    await pool.execute(
        "insert into plan_supplies (plan_id, as_of, left_count, runs_out_at, refill_due, state_key)"
        " values ($1, $2, 9, $3, true, 'test')",
        metformin, NOW, NOW + timedelta(days=5),
    )  # fmt: skip
    return KeptPlans(metformin, levodopa)
