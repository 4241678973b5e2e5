"""The logins of readers: caregiver groups with what they may see of whom, and operators."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any, Final
from uuid import UUID

import asyncpg

from grafana.errors import (
    BadRoleNameError,
    ForeignRoleError,
    NoSuchPersonError,
    NoSuchReaderError,
    OverlappingGrantError,
    UnknownPlatformTimeError,
)
from grafana.scram import scram_verifier
from schemas.named_sql import named_queries
from schemas.vitals import VITAL_BY_CODE

CAREGIVERS: Final = "hearthbeat_caregiver"
OPERATORS: Final = "hearthbeat_operator"
MOST_CONNECTIONS: Final = 8
STATEMENT_TIMEOUT_MS: Final = 10_000

_ROLE: Final = re.compile(r"(?!pg_|postgres|hearthbeat)[a-z][a-z0-9_]{2,39}")
_QUERIES: Final = named_queries(resources.files("grafana").joinpath("readers.sql").read_text("utf-8"))
_BEFORE_ALL_TIME: Final = datetime(1, 1, 1, tzinfo=UTC)

Connection = asyncpg.Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a caregiver group may see of a person. None is everything of that kind.

    ``vitals`` are codes of ``schemas.vitals``, ``rules`` names of rules whose alerts are shown. ``since`` is the
    earliest moment whose data is shown (None: the platform's present), ``until`` ends the grant (None: never).
    """

    vitals: tuple[str, ...] | None = None
    rules: tuple[str, ...] | None = None
    doses: bool = True
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(
        cls, vitals: Sequence[str], rules: Sequence[str], *, doses: bool, since: datetime | None, until: datetime | None
    ) -> "Sight":
        """Everything where nothing is named; as soon as something is named, only what is named."""
        if not (vitals or rules or doses):
            return cls(since=since, until=until)
        return cls(vitals=tuple(vitals), rules=tuple(rules), doses=doses, since=since, until=until)


def check_role(role: str) -> None:
    """A group's name shows in the server's catalogue, so it names a group, never a person. Raises BadRoleNameError."""
    if _ROLE.fullmatch(role) is None:
        raise BadRoleNameError(role)


async def add_caregivers(
    connection: Connection, role: str, people: Sequence[UUID], sight: Sight, password: str | None, *, by: str = ""
) -> bool:
    """Gives a group sight of people, making its login where there is none; True where it was made.

    As everything that changes readers it is written down, with ``by`` as who did so ('': the database's own login).

    Raises BadRoleNameError, ForeignRoleError, WeakPasswordError, NoSuchPersonError, OverlappingGrantError,
    UnknownPlatformTimeError.
    """
    async with connection.transaction():
        made = await _make_login(connection, role, CAREGIVERS, password)
        numbers = await _numbers_of(connection, people)
        # Platform time, as the panels see it: on a fast clock the machine's would lie in the past.
        since = sight.since or await connection.fetchval(_QUERIES["platform_time"])
        if since is None:
            raise UnknownPlatformTimeError
        vitals = None if sight.vitals is None else [VITAL_BY_CODE[code].number for code in sight.vitals]
        granted = (role, numbers, since, sight.until, vitals, sight.rules, sight.doses)
        try:
            await connection.execute(_QUERIES["grant_sight"], *granted)
        except asyncpg.ExclusionViolationError as error:
            raise OverlappingGrantError(role) from error
        seen = {"people": [str(one) for one in people], "new_login": made, "until": sight.until and str(sight.until)}
        await _write_change(connection, by, "caregiver add", role, **seen)
    return made


async def is_known(connection: Connection, role: str) -> bool:
    """Whether there is such a role, of whatever kind."""
    return await connection.fetchval(_QUERIES["groups_of"], role) is not None


async def add_operator(connection: Connection, role: str, password: str, *, by: str = "") -> None:
    """Makes the login of an operator. Raises BadRoleNameError, ForeignRoleError, WeakPasswordError."""
    async with connection.transaction():
        made = await _make_login(connection, role, OPERATORS, password)
        await _write_change(connection, by, "operator add", role, new_login=made)


async def end_sight(connection: Connection, role: str, person: UUID | None, *, by: str = "") -> None:
    """Ends what a group sees of a person, or of everybody, at once. Raises NoSuchReaderError, NoSuchPersonError."""
    async with connection.transaction():
        await _known_groups(connection, role, CAREGIVERS)
        number = (await _numbers_of(connection, [person]))[0] if person else None
        # Without any marker yet, every grant begins later than this moment, and is taken back
        # whole.
        moment = await connection.fetchval(_QUERIES["platform_time"]) or _BEFORE_ALL_TIME
        # First those that have not begun: an end before the beginning is no range.
        await connection.execute(_QUERIES["forget_unborn_sight"], role, number, moment)
        await connection.execute(_QUERIES["end_sight"], role, number, moment)
        await _write_change(connection, by, "caregiver end", role, **({"person": str(person)} if person else {}))


async def set_password(connection: Connection, role: str, password: str, *, by: str = "") -> None:
    """Gives a reader another password. Raises NoSuchReaderError, ForeignRoleError, WeakPasswordError."""
    verifier = scram_verifier(password)
    async with connection.transaction():
        await _known_groups(connection, role, CAREGIVERS, OPERATORS)
        await connection.execute(await connection.fetchval(_QUERIES["password_statement"], role, verifier))
        await _write_change(connection, by, "reader password", role)


async def remove_reader(connection: Connection, role: str, *, by: str = "") -> None:
    """Removes a reader's login and all it might see. Raises NoSuchReaderError, ForeignRoleError."""
    async with connection.transaction():
        await _known_groups(connection, role, CAREGIVERS, OPERATORS)
        await connection.execute(_QUERIES["forget_role"], role)
        await connection.execute(await connection.fetchval(_QUERIES["drop_statement"], role))
        await _write_change(connection, by, "reader remove", role)


async def _write_change(connection: Connection, by: str, command: str, role: str, **details: Any) -> None:
    await connection.execute(_QUERIES["write_change"], by, command, role, json.dumps(details), datetime.now(UTC))


async def _make_login(connection: Connection, role: str, group: str, password: str | None) -> bool:
    check_role(role)
    groups = await connection.fetchval(_QUERIES["groups_of"], role)
    if groups is not None:
        if groups != [group]:
            raise ForeignRoleError(role)
        return False
    given: tuple[Any, ...] = (role, group, scram_verifier(password or ""), MOST_CONNECTIONS, STATEMENT_TIMEOUT_MS)
    for statement in await connection.fetchval(_QUERIES["login_statements"], *given):
        await connection.execute(statement)
    return True


async def _known_groups(connection: Connection, role: str, *expected: str) -> None:
    groups = await connection.fetchval(_QUERIES["groups_of"], role)
    if groups is None:
        raise NoSuchReaderError(role)
    if len(groups) != 1 or groups[0] not in expected:
        raise ForeignRoleError(role)


async def _numbers_of(connection: Connection, people: Sequence[UUID]) -> list[int]:
    rows = await connection.fetch(_QUERIES["person_numbers"], people)
    numbers = {row["person_id"]: row["person_no"] for row in rows}
    if missing := [str(person) for person in people if person not in numbers]:
        raise NoSuchPersonError(", ".join(missing))
    return list(numbers.values())
