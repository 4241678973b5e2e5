"""What doctors read of dose plans and do with them: admission, decision and what is written, in one transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from asyncpg import Record

from schemas.plan_terms import PlanWish
from schemas.plan_versions import edited
from services.api.access import Action, AuditSubject, NotInCareError, admit, admit_within, record_refusal
from services.api.console import Console, Doctor
from services.api.dose_words import ShownDose, shown_doses
from services.api.plan_versions import (
    DISPENSERS,
    PlanRefusedError,
    content_of,
    queries,
    refuse_deaf_devices,
    version_of,
    write_edits,
)
from services.runtime.database import Connection, transaction


class Stock(NamedTuple):
    """What was ``counted`` or ``refilled`` of a plan's drug. ``seen``: the entry that stood last; None: any."""

    amount: float
    what: str
    seen: int | None = None


async def plan_of(console: Console, doctor: Doctor, plan_id: UUID) -> Record:
    """A plan of somebody in the doctor's care. Raises NotInCareError."""
    row = await console.pool.fetchrow(console.sql["plans"], plan_id, None, console.now())
    await admit(console, doctor, Action.READ_PLANS, _subject(row))
    assert row is not None  # noqa: S101 - where there is none, admit has raised
    return row


async def plans_of(console: Console, person_no: int) -> list[Record]:
    """All plans of a person to whom the doctor was admitted, those that have ended last."""
    return list(await console.pool.fetch(console.sql["plans"], None, person_no, console.now()))


async def dispensers_of(console: Console, person_no: int) -> list[str]:
    """The devices in which a person's doses can be."""
    return [
        row["device"] for row in await console.pool.fetch(console.sql["dispensers_of"], person_no, list(DISPENSERS))
    ]


async def doses_of(console: Console, person_no: int, start: datetime, end: datetime) -> list[ShownDose]:
    """The doses due from ``start`` and before ``end`` of a person to whom the doctor was admitted."""
    sql, pool = console.sql, console.pool
    doses = await pool.fetch(sql["calendar"], person_no, start, end)
    evidence = await pool.fetch(sql["evidence_of"], [row["dose_id"] for row in doses])
    pauses = await pool.fetch(sql["pauses_between"], person_no, start, end)
    return shown_doses([dict(row) for row in doses], [dict(row) for row in evidence], [dict(row) for row in pauses])


async def create_plan(console: Console, doctor: Doctor, person_id: UUID, plan_id: UUID, wish: PlanWish) -> bool:
    """Begins a plan; True again where the doctor has begun just this one. False: the id is taken.

    Raises NotInCareError, and PlanRefusedError for a device that could never report a taking.
    """
    person = await console.pool.fetchrow(console.sql["find_person"], person_id)
    subject = AuditSubject(person_no=person["person_no"], home_no=person["home_no"]) if person else None
    try:
        async with transaction(console.pool) as connection:
            await admit_within(connection, console, doctor, Action.EDIT_PLAN, subject)
            sql, now = queries(), console.now()
            await connection.execute(sql["one_at_a_time"])
            written = await connection.execute(sql["write_plan_ids"], [plan_id], [person_id])
            if written.endswith(" 0"):
                row = await connection.fetchrow(console.sql["plans"], plan_id, None, now)
                return row is not None and row["person_id"] == person_id and _is_done(wish, doctor, row)
            assert person is not None  # noqa: S101 - admit_within refuses nothing
            await refuse_deaf_devices(connection, [(wish.device, person_id)])
            edit = edited(plan_id, None, wish.content(person["time_zone"]), now)
            assert edit is not None  # noqa: S101 - a plan without a version says nothing yet
            await write_edits(connection, [edit], now, author_no=doctor.doctor_no, reason=wish.reason)
            return True
    except NotInCareError:
        await record_refusal(console, doctor, Action.EDIT_PLAN, subject)
        raise


async def edit_plan(console: Console, doctor: Doctor, plan_id: UUID, wish: PlanWish, *, seen: int) -> bool:
    """Ends the version ``seen`` now and begins another; content that is the same changes nothing.

    True as well where the doctor has made just this edit already. False: it has changed since it was read. Raises
    NotInCareError and PlanRefusedError.
    """
    async with _changing(console, doctor, Action.EDIT_PLAN, plan_id) as (connection, row):
        if row["version_no"] != seen:
            return _is_done(wish, doctor, row)
        now = console.now()
        edit = edited(plan_id, version_of(dict(row), by_doctor=True), wish.content(row["time_zone"]), now)
        if edit is not None:
            await refuse_deaf_devices(connection, [(wish.device, row["person_id"])])
            await write_edits(connection, [edit], now, author_no=doctor.doctor_no, reason=wish.reason)
        return True


async def pause_plan(
    console: Console, doctor: Doctor, plan_id: UUID, *, why: str, until: datetime | None = None
) -> bool:
    """Holds every dose from now on; ``until`` None: until somebody resumes the plan.

    True as well where just this pause goes on already. False: another one does. Raises NotInCareError, and
    PlanRefusedError where ``until`` is over or nothing is left to pause.
    """
    async with _changing(console, doctor, Action.PAUSE_PLAN, plan_id) as (connection, row):
        if row["pause_no"] is not None:
            said = (row["paused_by_no"], row["why"], row["paused_until"])
            return said == (doctor.doctor_no, why, until)
        now = console.now()
        if until is not None and until <= now:
            raise PlanRefusedError("until", "it has passed already")
        if row["ended_at"] is not None:
            raise PlanRefusedError("plan", "it has ended, so no dose is due")
        await connection.execute(console.sql["pause_plan"], plan_id, now, until, doctor.doctor_no, why)
        await connection.execute(queries()["plans_changed"], [plan_id])
        return True


async def resume_plan(console: Console, doctor: Doctor, plan_id: UUID) -> None:
    """Ends the pause that goes on, if there is one. Raises NotInCareError."""
    async with _changing(console, doctor, Action.RESUME_PLAN, plan_id) as (connection, _):
        await connection.execute(console.sql["resume_plan"], plan_id, console.now(), doctor.doctor_no)
        await connection.execute(queries()["plans_changed"], [plan_id])


async def count_stock(console: Console, doctor: Doctor, plan_id: UUID, stock: Stock) -> bool:
    """Writes down what is in the house, or what was brought. Raises NotInCareError.

    True as well where the entry after ``seen`` is just this one. False: somebody else counted since.
    """
    async with _changing(console, doctor, Action.COUNT_STOCK, plan_id) as (connection, _):
        entries = await connection.fetch(console.sql["stock_of_plan"], plan_id)
        newest = entries[0]["stock_no"] if entries else 0
        if stock.seen is not None and newest != stock.seen:
            before = entries[1]["stock_no"] if len(entries) > 1 else 0
            said = tuple(entries[0][name] for name in ("count", "what", "author_no")) if entries else ()
            return before == stock.seen and said == (stock.amount, stock.what, doctor.doctor_no)
        await connection.execute(
            queries()["count_stock"], [plan_id], [stock.amount], stock.what, doctor.doctor_no, console.now()
        )
        return True


@asynccontextmanager
async def _changing(
    console: Console, doctor: Doctor, action: Action, plan_id: UUID
) -> AsyncIterator[tuple[Connection, Record]]:
    """A transaction in which nobody else changes plans, with the plan as it stands then."""
    seen = await console.pool.fetchrow(console.sql["plans"], plan_id, None, console.now())
    try:
        async with transaction(console.pool) as connection:
            await admit_within(connection, console, doctor, action, _subject(seen))
            await connection.execute(queries()["one_at_a_time"])
            row = await connection.fetchrow(console.sql["plans"], plan_id, None, console.now())
            assert row is not None  # noqa: S101 - plans are never deleted
            yield connection, row
    except NotInCareError:
        await record_refusal(console, doctor, action, _subject(seen))
        raise


def _subject(row: Record | None) -> AuditSubject | None:
    return AuditSubject(person_no=row["person_no"], home_no=row["home_no"]) if row else None


def _is_done(wish: PlanWish, doctor: Doctor, row: Record) -> bool:
    """Whether the newest version is what this doctor wants, by this doctor: a form that was sent twice."""
    return row["author_no"] == doctor.doctor_no and wish.content(row["time_zone"]).key == content_of(dict(row)).key
