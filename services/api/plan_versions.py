"""Writes versions of dose plans, as ``schemas.plan_versions`` decides on them: for register files and for doctors."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from schemas.devices import DEVICE_TYPES
from schemas.doses import PlanKind
from schemas.events import EventKind
from schemas.plan_versions import Edit, PlanContent, PlanVersion
from services.runtime.database import Connection, Queries, load_queries
from services.runtime.errors import HearthBeatError

DISPENSERS: Final = tuple(one.code for one in DEVICE_TYPES if EventKind.DOSE_CONFIRMED in one.events)
"""Types of device that can report that a dose was taken; a plan in any other would be missed each time."""
_COLUMNS: Final = (
    *("device", "compartment", "zone", "drug", "strength", "count", "kind", "at_times", "weekdays", "every_days"),
    *("anchor", "from_day", "until_day", "least_interval_min", "most_per_day", "time_critical", "listed"),
)


class PlanRefusedError(HearthBeatError):
    """A dose plan that can't be as it is said; the reason names the field."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


def queries() -> Queries:
    """The statements of this module's file."""
    return load_queries("services.api", "plan_versions.sql")


def content_of(row: Mapping[str, Any]) -> PlanContent:
    """What a row of a version says."""
    said = {name: row[name] for name in _COLUMNS} | {
        "count": float(row["count"]),
        "kind": PlanKind(row["kind"]),
        "at_times": tuple(sorted(row["at_times"])),
        "weekdays": tuple(sorted(row["weekdays"] or ())),
    }
    return PlanContent(**said)


def version_of(row: Mapping[str, Any], *, by_doctor: bool) -> PlanVersion | None:
    """The newest version of a plan; None where it has none."""
    if row["version_no"] is None:
        return None
    return PlanVersion(
        version_no=row["version_no"],
        content=content_of(row),
        begins=row["valid_from"],
        ends=row["ended_at"],
        by_doctor=by_doctor,
    )


async def write_edits(
    connection: Connection, edits: Sequence[Edit], now: datetime, *, author_no: int | None = None, reason: str = ""
) -> None:
    """Ends and begins versions. ``now`` is platform time, ``author_no`` None: no doctor but a register file.

    What was due before is not touched; medication plans what is due from then on.
    """
    sql = queries()
    ended = [edit for edit in edits if edit.ends_version is not None]
    begun = [(edit, edit.begins) for edit in edits if edit.begins is not None]
    await connection.execute(sql["end_versions"], [edit.ends_version for edit in ended], [edit.at for edit in ended])
    columns = [[_sent(getattr(content, name)) for _, content in begun] for name in _COLUMNS]
    ids, moments = [edit.plan_id for edit, _ in begun], [edit.at for edit, _ in begun]
    await connection.execute(sql["begin_versions"], ids, moments, *columns, now, author_no, reason)
    await connection.execute(sql["plans_changed"], [edit.plan_id for edit in edits])


def _sent(value: Any) -> Any:
    """An array as text, since a column of arrays of several lengths can't be sent."""
    if not isinstance(value, tuple):
        return value
    return "{" + ",".join(str(one) for one in value) + "}"


async def refuse_deaf_devices(connection: Connection, pairs: Sequence[tuple[str, UUID]]) -> None:
    """Refuses plans whose device could never report a taking: (device, person). Raises PlanRefusedError."""
    sql, devices = queries(), [device for device, _ in pairs]
    row = await connection.fetchrow(sql["no_dispensers"], devices, list(DISPENSERS))
    if row is not None:
        raise PlanRefusedError(
            "device", f"{row['device']} is a {row['device_type']} and can't report that a dose was taken"
        )
    row = await connection.fetchrow(sql["never_reported"], devices, [person for _, person in pairs])
    if row is not None:
        raise PlanRefusedError(
            "device",
            f"no slot of {row['device']} belongs to the plan's person, so what is taken there would never be theirs",
        )
