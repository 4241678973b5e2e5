"""Writes versions of dose plans; unchanged content makes none. Register files and doctors go through here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from schemas.devices import DEVICE_TYPES
from schemas.events import EventKind
from schemas.plan_terms import WEEKDAYS, AsNeeded, PlanTerms
from services.runtime.database import Connection, Queries, load_queries
from services.runtime.errors import HearthBeatError

DISPENSERS: Final = tuple(one.code for one in DEVICE_TYPES if EventKind.DOSE_CONFIRMED in one.events)
"""Types of device that can report that a dose was taken; a plan in any other would be missed each time."""
_COLUMNS: Final = (
    *("drug", "strength", "count", "kind", "at_times", "weekdays", "every_days", "anchor", "from_day", "until_day"),
    *("least_interval_min", "most_per_day", "time_critical", "listed"),
)
_PLACE: Final = ("device", "compartment")
_AS_ARRAYS: Final = ("at_times", "weekdays")


class PlanRefusedError(HearthBeatError):
    """A dose plan that can't be as it is said; the reason names the field."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What a version of a plan says, and in which compartment of which dispenser its drug lies."""

    plan_id: UUID
    device: str
    compartment: int
    terms: PlanTerms

    def says(self) -> dict[str, Any]:
        """All that makes a new version when it changes."""
        return self.terms.content() | {"device": self.device, "compartment": self.compartment}


def queries() -> Queries:
    """The statements of this module's file."""
    return load_queries("services.api", "plan_versions.sql")


def says_the_same(wanted: Placed, standing: Mapping[str, Any]) -> bool:
    """Whether the open version of ``standing`` (a row of ``standing_plans``) is what is wanted."""
    return standing["version_no"] is not None and wanted.says() == content_of(standing)


def content_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """As ``Placed.says``, of a row of a version."""
    content = {name: row[name] for name in (*_COLUMNS, *_PLACE)}
    return content | {name: None if row[name] is None else tuple(sorted(row[name])) for name in _AS_ARRAYS}


def terms_of(row: Mapping[str, Any]) -> PlanTerms:
    """What a row of a version says, as a doctor would say it."""
    same = ("drug", "strength", "every_days", "anchor", "from_day", "until_day", "time_critical", "listed")
    days, at_will = row["weekdays"], row["kind"] == "as_needed"
    return PlanTerms(
        **{name: row[name] for name in same},
        count=float(row["count"]),
        at=tuple(sorted(row["at_times"])),
        weekdays=None if days is None else tuple(WEEKDAYS[number - 1] for number in sorted(days)),
        as_needed=AsNeeded(least_interval_min=row["least_interval_min"], most_per_day=row["most_per_day"])
        if at_will
        else None,
    )


async def write_versions(
    connection: Connection,
    plans: Sequence[Placed],
    now: datetime,
    *,
    author_no: int | None = None,
    reason: str = "",
) -> None:
    """Ends the open versions of the plans at ``now`` (platform time) and begins these. ``author_no`` None: a file.

    Nothing that was due before ``now`` is touched; medication plans what is due from then on.
    """
    sql, ids = queries(), [plan.plan_id for plan in plans]
    await connection.execute(sql["close_versions"], ids, now)
    says = [plan.says() for plan in plans]
    columns = {name: [one[name] for one in says] for name in (*_COLUMNS, *_PLACE)}
    columns |= {name: [_array(one[name]) for one in says] for name in _AS_ARRAYS}
    in_order = [columns[name] for name in (*_PLACE, *_COLUMNS)]
    await connection.execute(sql["open_versions"], ids, *in_order, now, author_no, reason)


def _array(values: tuple[Any, ...] | None) -> str | None:
    """An array as text: a column of arrays of several lengths can't be sent."""
    return None if values is None else "{" + ",".join(str(one) for one in values) + "}"


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
