"""Every statement that each service runs, and the rights that PostgreSQL says it takes."""

import asyncio
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import asyncpg

from schemas.database_access import DATABASE_SERVICES
from schemas.named_sql import named_queries
from tests.repo.tree import ROOT

BUS: Final = "bus"
FOLLOW: Final = "follow"
FOLLOW_FILE: Final = "services/cli/follow.sql"
FOR_ALL: Final = ("services/runtime/wakeups.sql",)
BUS_FILE: Final = "services/runtime/bus/postgres.sql"

BY_COMMAND: Final[Mapping[str, tuple[str, ...]]] = {
    # The register, first limits and passwords.
    "services/api/registration.sql": (),
    "services/api/limit_rows.sql": (),
    "services/api/sign_in.sql": (
        "set_password", "end_sessions_of", "disabled", "disable", "enable", "forget_browsers_of",
        "remove_second_factor", "forget_reset_of",
    ),
    "services/api/password_resets.sql": ("make_reset",),
    "services/api/audit_commands.sql": (),
    "services/api/register_changes.sql": (),
    "services/api/plan_versions.sql": ("write_register_keys", "counted_by_file"),
    # An instance that was taken away.
    "services/ingest/queries.sql": ("shards_of", "forget_markers"),
    # The past of a demo, and the explanation of a finding.
    "services/medication/past.sql": (),
    "services/store/past.sql": (),
    "services/score/past.sql": (),
    "services/score/explain.sql": (),
    "services/score/queries.sql": (
        "all_positions", "all_states", "all_days", "findings_of_readings", "score_watermarks", "unsaved_partitions",
    ),
    BUS_FILE: ("create_topic", "create_offset"),
}  # fmt: skip
"""What only an administrator's commands run, as the database's owner: the whole file where no statement is named."""

_READ: Final = re.compile(
    r"\{RTEPERMISSIONINFO :relid (\d+) :inh \w+ :requiredPerms (\d+) :checkAsUser (\d+)"
    r" :selectedCols \(b([ \d]*)\) :insertedCols \(b([ \d]*)\) :updatedCols \(b([ \d]*)\)\}"
)
_CALLED: Final = re.compile(r":(?:funcid|opfuncid|aggfnoid|winfnoid) (\d+)")
_INSERT, _SELECT, _UPDATE, _DELETE = 1, 2, 4, 8
_BEFORE_COLUMNS: Final = 7
"""FirstLowInvalidHeapAttributeNumber: column 1 is bit 8, the whole row bit 7, system columns lie below."""


class Right(NamedTuple):
    """What may be done with what. ``column`` is "" for what columns don't divide, "*" for any column at all."""

    what: str
    of: str
    column: str = ""


def statements_of(service: str) -> dict[str, str]:
    """The statements of a service, or of the ``bus`` of tables, by file and name."""
    if service == BUS:
        return _of_file(BUS_FILE)
    own = [ROOT / FOLLOW_FILE] if service == FOLLOW else sorted((ROOT / "services" / service).glob("*.sql"))
    files = [*own, *(ROOT / file for file in FOR_ALL)]
    return {name: sql for file in files for name, sql in _of_file(str(file.relative_to(ROOT))).items()}


def _of_file(file: str) -> dict[str, str]:
    by_command = BY_COMMAND.get(file)
    if by_command == ():
        return {}
    queries = named_queries((ROOT / file).read_text("utf-8"))
    assert set(by_command or ()) <= set(queries), f"{file} has no longer what is listed here"
    return {f"{file}: {name}": sql for name, sql in queries.items() if name not in (by_command or ())}


class Parser:
    """Asks PostgreSQL what a statement, or the body of a function, reads and writes as whoever runs it."""

    def __init__(self, connection: Any, columns: Mapping[int, tuple[str, Mapping[int, str]]], calls: "Calls") -> None:
        self._connection, self._columns, self._calls = connection, columns, calls
        self._said: list[str] = []

    @classmethod
    async def open(cls, dsn: str) -> "Parser":
        """To be closed."""
        connection = await asyncpg.connect(dsn)
        columns: dict[int, tuple[str, dict[int, str]]] = {}
        for row in await connection.fetch(
            "select attrelid::bigint, attrelid::regclass::text as name, attnum, attname::text from pg_attribute"
            " join pg_class on pg_class.oid = attrelid where relkind in ('r', 'v', 'p') and not attisdropped"
            # What asyncpg asks the catalogue of types, everybody may read.
            " and relnamespace <> 'pg_catalog'::regnamespace"
        ):
            columns.setdefault(row["attrelid"], (row["name"], {}))[1][row["attnum"]] = row["attname"]
        parser = cls(connection, columns, await Calls.read(connection))
        connection.add_log_listener(lambda _, message: parser._said.append(message.detail or ""))
        await connection.execute(
            "set client_min_messages = log; set debug_print_parse = on; set debug_pretty_print = off"
        )
        return parser

    async def close(self) -> None:
        await self._connection.close()

    async def rights(self, sql: str) -> set[Right]:
        """What ``sql`` takes."""
        self._said.clear()
        await self._connection.prepare(sql)
        # What the server said meanwhile is handed on in a turn of its own.
        await asyncio.sleep(0)
        # It breaks its lines where they are long.
        return self._rights_in(" ".join(" ".join(self._said).split()))

    def _rights_in(self, tree: str) -> set[Right]:
        found: set[Right] = set()
        for number, needed, as_user, *columns in _READ.findall(tree):
            if as_user == "0" and int(number) in self._columns:
                found |= set(self._of_relation(int(number), int(needed), columns))
        for called in {int(number) for number in _CALLED.findall(tree)}:
            if called in self._calls.closed:
                found.add(Right("execute", self._calls.closed[called]))
            if called in self._calls.bodies:
                found |= self._rights_in(self._calls.bodies[called])
        return found

    def _of_relation(self, number: int, needed: int, columns: list[str]) -> Iterable[Right]:
        name, by_number = self._columns[number]
        for bit, what, bits in zip((_SELECT, _INSERT, _UPDATE), ("select", "insert", "update"), columns, strict=False):
            if not needed & bit:
                continue
            named = [int(one) - _BEFORE_COLUMNS for one in bits.split()]
            if 0 in named:
                named = sorted({*named, *(one for one in by_number if one > 0)} - {0})
            yield from (Right(what, name, by_number[one]) for one in named)
            if not named:
                yield Right(what, name, "*")
        if needed & _DELETE:
            yield Right("delete", name)


class Calls(NamedTuple):
    """Functions that not everybody may call, by number; and the bodies of those that run as whoever calls them."""

    closed: Mapping[int, str]
    bodies: Mapping[int, str]

    @classmethod
    async def read(cls, connection: Any) -> "Calls":
        """From the catalogue."""
        rows = await connection.fetch(
            "select oid::bigint, oid::regprocedure::text as name, prosecdef as as_owner, prosqlbody::text as body,"
            " proacl is not null"
            " and not exists (select from aclexplode(proacl) given where given.grantee = 0) as closed"
            " from pg_proc where proacl is not null or prosqlbody is not null"
        )
        return cls(
            closed={row["oid"]: row["name"] for row in rows if row["closed"]},
            bodies={row["oid"]: row["body"] for row in rows if row["body"] and not row["as_owner"]},
        )


async def rights_taken(dsn: str, service: str) -> dict[Right, str]:
    """Every right that the statements of a service take, each with one of those."""
    parser, taken = await Parser.open(dsn), dict[Right, str]()
    try:
        for name, sql in statements_of(service).items():
            for right in await parser.rights(sql):
                taken.setdefault(right, name)
    finally:
        await parser.close()
    return _without_any(taken)


def _without_any(taken: dict[Right, str]) -> dict[Right, str]:
    """Any column will do where some column has to be given anyway."""
    named = {(right.what, right.of) for right in taken if right.column not in {"", "*"}}
    return {right: name for right, name in taken.items() if right.column != "*" or (right.what, right.of) not in named}


_GIVEN: Final = """
select lower(given.privilege_type) as what, c.oid::regclass::text as of, '' as column
from pg_class c, aclexplode(c.relacl) given where given.grantee = $1::text::regrole
  and not exists (select from pg_inherits where inhrelid = c.oid)
union all
select lower(given.privilege_type), a.attrelid::regclass::text, a.attname::text
from pg_attribute a, aclexplode(a.attacl) given where given.grantee = $1::text::regrole
  and not exists (select from pg_inherits where inhrelid = a.attrelid)
union all
select lower(given.privilege_type), p.oid::regprocedure::text, ''
from pg_proc p, aclexplode(p.proacl) given where given.grantee = $1::text::regrole
"""


async def rights_given(dsn: str, role: str) -> set[Right]:
    """Every right that a role was given by name on relations, columns and functions of a database."""
    connection = await asyncpg.connect(dsn)
    try:
        return {Right(*row) for row in await connection.fetch(_GIVEN, role)}
    finally:
        await connection.close()


EVERYBODY: Final = (*DATABASE_SERVICES, BUS)
