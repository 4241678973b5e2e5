"""Dose plans of a register file: which of them become versions, and what ends because it is left out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from schemas.registry import DosePlan, Person, Register
from services.api.plan_versions import (
    Placed,
    PlanRefusedError,
    queries,
    refuse_deaf_devices,
    says_the_same,
    write_versions,
)
from services.runtime.database import Connection

_REZONED = "The time zone of the home is another one now."


class PlanOfFile(NamedTuple):
    """A plan and whose it is."""

    person_id: UUID
    plan: DosePlan

    def placed(self) -> Placed:
        """What its version has to say."""
        return Placed(
            plan_id=self.plan.plan_id, device=self.plan.device, compartment=self.plan.compartment, terms=self.plan
        )


def plans_of(register: Register) -> list[PlanOfFile]:
    """All plans that a file lists."""
    return [PlanOfFile(person.person_id, plan) for person in _people(register) for plan in person.plans]


def to_write(plans: Iterable[PlanOfFile], standing: Mapping[UUID, Mapping[str, Any]]) -> list[Placed]:
    """Those that get a new version, by the rows of ``standing_plans``.

    A file that says what it said at its last import changes nothing: a doctor's edit stays. One that says something
    else wins. Raises PlanRefusedError for a plan of another person: its past would change hands.
    """
    wanted = []
    for one in plans:
        row, placed = standing.get(one.plan.plan_id), one.placed()
        if row is not None and row["person_id"] != one.person_id:
            raise PlanRefusedError("plan_id", f"{one.plan.plan_id} is a plan of somebody else; give this one a new id")
        is_open = row is not None and row["version_no"] is not None
        if (
            row is None
            or not is_open
            or (row["register_key"] != one.plan.register_key() and not says_the_same(placed, row))
        ):
            wanted.append(placed)
    return wanted


async def write_plans(connection: Connection, register: Register, now: datetime) -> None:
    """Makes the plans of the people of the file those that it lists. Raises PlanRefusedError."""
    sql, plans = queries(), plans_of(register)
    ids, people = [one.plan.plan_id for one in plans], [one.person_id for one in plans]
    await refuse_deaf_devices(connection, [(one.plan.device, one.person_id) for one in plans])
    await connection.execute(sql["write_plan_ids"], ids, people)
    await connection.execute(sql["lock_plans"], ids)
    standing = {row["plan_id"]: dict(row) for row in await connection.fetch(sql["standing_plans"], ids)}
    await write_versions(connection, to_write(plans, standing), now)
    changed = [one for one in plans if standing[one.plan.plan_id]["register_key"] != one.plan.register_key()]
    await _count_stock(connection, [one.plan for one in changed], now)
    keys = [one.plan.register_key() for one in plans]
    await connection.execute(sql["write_register_keys"], ids, keys)
    await connection.execute(sql["end_plans"], [person.person_id for person in _people(register)], ids, now)
    await connection.execute(sql["rezone_plans"], now, _REZONED, [home.home_id for home in register.homes])


async def _count_stock(connection: Connection, plans: Sequence[DosePlan], now: datetime) -> None:
    """What a file says is in the house counts from when it first says so, and not again with each import."""
    sql = queries()
    rows = await connection.fetch(sql["counted_by_file"], [plan.plan_id for plan in plans])
    said = {row["plan_id"]: row["count"] for row in rows}
    counted = [plan for plan in plans if plan.stock is not None and plan.stock != said.get(plan.plan_id)]
    stocks = [plan.stock for plan in counted]
    await connection.execute(sql["count_stock"], [plan.plan_id for plan in counted], stocks, "counted", None, now)


def _people(register: Register) -> Iterable[Person]:
    return (person for home in register.homes for person in home.people)
