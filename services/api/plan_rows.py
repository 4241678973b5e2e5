"""Dose plans as rows: the versions in force are read, and what an edit ends and begins is written."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from schemas.doses import PlanKind
from schemas.plan_versions import Edit, PlanContent, PlanVersion, Registered, registered
from schemas.registry import DosePlan, Register
from services.runtime.database import Connection, Queries, load_queries


async def write_plans(connection: Connection, register: Register, now: datetime) -> None:
    """What the file says of the plans of the people whom it lists, as versions from ``now`` on."""
    sql = _queries()
    people = [(home, person) for home in register.homes for person in home.people]
    wanted = {
        plan.plan_id: (person.person_id, content_of(plan, home.time_zone))
        for home, person in people
        for plan in person.plans
    }
    await connection.execute(sql["write_plans"], list(wanted), [person for person, _ in wanted.values()])
    listed = [person.person_id for _, person in people]
    rows = await connection.fetch(sql["newest_versions"], list(wanted), listed)
    known = {row["plan_id"]: _registered_of(row) for row in rows}
    contents = {plan_id: content for plan_id, (_, content) in wanted.items()}
    edits = registered(contents, known, (row["plan_id"] for row in rows if row["is_listed"]), now)
    await write_edits(connection, edits, now)
    keys = [content.key for content in contents.values()]
    await connection.execute(sql["register_keys"], list(contents), keys)


async def write_edits(
    connection: Connection, edits: Sequence[Edit], now: datetime, *, author_no: int | None = None, reason: str = ""
) -> None:
    """Ends versions and begins the next. ``author_no``: the doctor who edits; None: the register file."""
    sql = _queries()
    ended = [(edit.ends_version, edit.at) for edit in edits if edit.ends_version is not None]
    await connection.executemany(sql["end_version"], ended)
    begun = [(edit, edit.begins) for edit in edits if edit.begins is not None]
    await connection.executemany(
        sql["begin_version"],
        [_row(edit, content, now, author_no=author_no, reason=reason) for edit, content in begun],
    )


async def newest_version(connection: Connection, plan_id: UUID) -> PlanVersion | None:
    """Of one plan, in force or ended. None: nobody knows the plan."""
    row = await connection.fetchrow(_queries()["newest_versions"], [plan_id], [])
    return None if row is None else _registered_of(row).newest


def content_of(plan: DosePlan, zone: str) -> PlanContent:
    """A plan of the register file in the time zone of its person's home."""
    return PlanContent(
        device=plan.device,
        compartment=plan.compartment,
        drug=plan.drug,
        zone=zone,
        at_times=plan.at,
        time_critical=plan.time_critical,
    )


def _queries() -> Queries:
    return load_queries("services.api", "plan_rows.sql")


def _registered_of(row: asyncpg.Record) -> Registered:
    if row["version_no"] is None:
        return Registered(register_key=row["register_key"])
    newest = PlanVersion(
        version_no=row["version_no"],
        content=_content_of_row(row),
        begins=row["begins"],
        ends=row["ends"],
        by_doctor=row["author_no"] is not None,
    )
    return Registered(newest=newest, register_key=row["register_key"])


def _content_of_row(row: Mapping[str, object] | asyncpg.Record) -> PlanContent:
    fields = {name: row[name] for name in PlanContent.__dataclass_fields__}
    tuples: dict[str, Iterable[object]] = {
        "at_times": tuple(row["at_times"]),  # type: ignore[arg-type]
        "weekdays": tuple(row["weekdays"] or ()),  # type: ignore[arg-type]
    }
    return PlanContent(**(fields | tuples | {"kind": PlanKind(str(row["kind"]))}))  # type: ignore[arg-type]


def _row(edit: Edit, content: PlanContent, now: datetime, *, author_no: int | None, reason: str) -> tuple[object, ...]:
    return (
        edit.plan_id,
        edit.at,
        content.device,
        content.compartment,
        content.drug,
        content.strength,
        content.count,
        str(content.kind),
        sorted(set(content.at_times)),
        sorted(set(content.weekdays)) or None,
        content.every_days,
        content.anchor,
        content.from_day,
        content.until_day,
        content.least_interval_min,
        content.most_per_day,
        content.time_critical,
        content.listed,
        content.zone,
        author_no,
        reason,
        now,
    )
