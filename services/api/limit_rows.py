"""Writes limits and conditions as versions of rows: the defaults of this code, and what a register file says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from schemas.codec import write_json
from schemas.default_limits import DEFAULT_LIMITS
from schemas.limit_levels import rows_of
from schemas.limits import Condition, Limits
from schemas.registry import Register
from services.runtime.database import Connection, Pool, Queries, load_queries, transaction

LIMITS_LEAD_S: Final = 10.0
"""A version begins so long after its commit, so that score, which looks every 2 s, is never wrong about it."""
_SINCE_EVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
_HEARTHBEAT, _REGISTER_FILE = "hearthbeat", "register file"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    limits: Limits
    person_id: UUID | None = None
    region: bool = False
    condition: Condition | None = None


def _queries() -> Queries:
    return load_queries("services.api", "limit_rows.sql")


async def write_defaults(pool: Pool, now: datetime) -> int:
    """Makes the platform's limits those of this code; gives how many rows were new."""
    rows = [_Row(limits=one.limits, condition=one.condition) for one in DEFAULT_LIMITS]
    async with transaction(pool) as connection:
        return await _write(
            connection,
            rows,
            first=_SINCE_EVER,
            starts=now + timedelta(seconds=LIMITS_LEAD_S),
            author=_HEARTHBEAT,
            now=now,
        )


async def write_limits(connection: Connection, register: Register, now: datetime, starts: datetime) -> int:
    """Limits as the file has them, from ``starts`` on; of whom it says nothing, all stays. Gives how many changed."""
    people = [person for home in register.homes for person in home.people if person.limits is not None]
    rows = [_Row(limits=one.limits(), person_id=person.person_id) for person in people for one in person.limits or ()]
    rows += [_Row(limits=one.limits(), region=True, condition=one.condition) for one in register.region_limits or ()]
    withdrawn = await connection.execute(
        _queries()["withdraw_limits"],
        [person.person_id for person in people],
        register.region_limits is not None,
        [row.person_id for row in rows],
        [row.condition for row in rows],
        [row.limits.concern for row in rows],
        starts,
        _REGISTER_FILE,
        now,
    )
    written = await _write(connection, rows, first=starts, starts=starts, author=_REGISTER_FILE, now=now)
    return written + _affected(withdrawn)


async def write_conditions(connection: Connection, register: Register, starts: datetime) -> int:
    """Conditions as the file has them, from ``starts`` on, where it says any. Gives how many changed."""
    sql = _queries()
    people = [person for home in register.homes for person in home.people if person.conditions is not None]
    ids = [person.person_id for person in people]
    pairs = [(person.person_id, one) for person in people for one in person.conditions or ()]
    wanted = [person for person, _ in pairs], [condition for _, condition in pairs]
    dropped = await connection.execute(sql["drop_unborn_conditions"], ids, *wanted, starts)
    ended = await connection.execute(sql["end_conditions"], ids, *wanted, starts)
    begun = await connection.execute(sql["begin_conditions"], *wanted, starts, _REGISTER_FILE)
    return _affected(dropped) + _affected(ended) + _affected(begun)


async def _write(
    connection: Connection, rows: Sequence[_Row], *, first: datetime, starts: datetime, author: str, now: datetime
) -> int:
    columns = (
        [row.person_id for row in rows],
        [row.region for row in rows],
        [row.condition for row in rows],
        [row.limits.concern for row in rows],
        [write_json(rows_of(row.limits.levels)).decode() for row in rows],
        [row.limits.off for row in rows],
        [row.limits.clear_min for row in rows],
        [row.limits.worse_by for row in rows],
        [row.limits.source for row in rows],
        [row.limits.signed_off_by for row in rows],
    )
    return _affected(await connection.execute(_queries()["write_limits"], *columns, first, starts, author, now))


def _affected(status: str) -> int:
    return int(status.rsplit(" ", 1)[1])
