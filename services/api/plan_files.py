"""Dose plans of a register file: which of them become versions, and what ends because it is left out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from schemas.plan_versions import Edit, PlanContent, Registered, edited, registered
from schemas.registry import DosePlan, Home, Register
from services.api.plan_versions import (
    PlanRefusedError,
    content_of,
    queries,
    refuse_deaf_devices,
    version_of,
    write_edits,
)
from services.runtime.database import Connection

_REZONED = "The home has another time zone."


class PlanOfFile(NamedTuple):
    """A plan, whose it is, and what it says in the zone of their home."""

    person_id: UUID
    plan: DosePlan
    content: PlanContent


def plans_of(register: Register) -> list[PlanOfFile]:
    """All plans that a file lists."""
    return [
        PlanOfFile(
            person.person_id,
            plan,
            plan.content(device=plan.device, compartment=plan.compartment, zone=home.time_zone),
        )
        for home in register.homes
        for person in home.people
        for plan in person.plans
    ]


class Edits(NamedTuple):
    """What a file changes, and which plans only follow their home to another time zone."""

    of_file: list[Edit]
    rezoned: list[Edit]


def edits_of(
    plans: Sequence[PlanOfFile], known: Mapping[UUID, Mapping[str, Any]], homes: Iterable[Home], now: datetime
) -> Edits:
    """What becomes of the plans of a file and of its people, by the rows of ``known_plans``.

    Plans that doctors began end by no file. Raises PlanRefusedError for a plan of another person: its past would change
    hands.
    """
    for one in plans:
        row = known.get(one.plan.plan_id)
        if row is not None and row["person_id"] != one.person_id:
            raise PlanRefusedError("plan_id", f"{one.plan.plan_id} is of somebody else; take a new id")
    wanted = {one.plan.plan_id: one.content for one in plans}
    zones = {person.person_id: home.time_zone for home in homes for person in home.people}
    of_people = {plan_id: row for plan_id, row in known.items() if row["person_id"] in zones}
    of_file = registered(
        wanted,
        {plan_id: _registered(row, wanted.get(plan_id)) for plan_id, row in known.items()},
        [plan_id for plan_id, row in of_people.items() if _is_of_file(row)],
        now,
    )
    done = {edit.plan_id for edit in of_file}
    left = {plan_id: row for plan_id, row in of_people.items() if plan_id not in done}
    rezoned = [_rezoned(plan_id, row, zones[row["person_id"]], now) for plan_id, row in left.items()]
    return Edits(of_file, [edit for edit in rezoned if edit is not None])


def _is_of_file(row: Mapping[str, Any]) -> bool:
    """Whether a file that leaves the plan out ends it: one named it last, or nobody but files ever wrote it."""
    return row["register_key"] is not None or (row["of_file"] and row["author_no"] is None)


def _rezoned(plan_id: UUID, row: Mapping[str, Any], zone: str, now: datetime) -> Edit | None:
    newest = version_of(row, by_doctor=True)
    if newest is None or newest.ends is not None:
        return None
    return edited(plan_id, newest, replace(newest.content, zone=zone), now)


def _registered(row: Mapping[str, Any], wanted: PlanContent | None) -> Registered:
    """Whether the newest version is a doctor's: no file has said it last. Another zone of the home is no other word."""
    if row["version_no"] is None:
        return Registered()
    said, key = content_of(row), row["register_key"]
    if wanted is not None and key == replace(wanted, zone=row["zone"]).key:
        key = wanted.key
    by_doctor = key is not None and row["register_key"] != said.key
    return Registered(newest=version_of(row, by_doctor=by_doctor), register_key=key)


async def write_plans(connection: Connection, register: Register, now: datetime) -> None:
    """Makes the plans of the people of the file those that it lists, in a registration. Raises PlanRefusedError."""
    sql, plans = queries(), plans_of(register)
    ids, people = [one.plan.plan_id for one in plans], [one.person_id for one in plans]
    everybody = [person.person_id for home in register.homes for person in home.people]
    await refuse_deaf_devices(connection, [(one.plan.device, one.person_id) for one in plans])
    await connection.execute(sql["write_plan_ids"], ids, people)
    known = {row["plan_id"]: dict(row) for row in await connection.fetch(sql["known_plans"], ids, everybody)}
    edits = edits_of(plans, known, register.homes, now)
    await write_edits(connection, edits.of_file, now)
    await write_edits(connection, edits.rezoned, now, reason=_REZONED)
    await _count_stock(connection, [one.plan for one in plans], now)
    await connection.execute(sql["write_register_keys"], ids, [one.content.key for one in plans])
    ended = [edit.plan_id for edit in edits.of_file if edit.begins is None]
    await connection.execute(sql["write_register_keys"], ended, [None for _ in ended])


async def _count_stock(connection: Connection, plans: Sequence[DosePlan], now: datetime) -> None:
    """What a file says is in the house counts from when it first says so, and not again with each import."""
    sql = queries()
    rows = await connection.fetch(sql["counted_by_file"], [plan.plan_id for plan in plans])
    said = {row["plan_id"]: row["count"] for row in rows}
    counted = [plan for plan in plans if plan.stock is not None and plan.stock != said.get(plan.plan_id)]
    stocks = [plan.stock for plan in counted]
    await connection.execute(sql["count_stock"], [plan.plan_id for plan in counted], stocks, "counted", None, now)
