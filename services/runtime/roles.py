"""The services' roles at the database: what ``schemas/sql/roles`` lists is given to them, anything else taken back."""

from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

from schemas.database_access import DATABASE_SERVICES, role_of
from schemas.scram import scram_verifier
from services.runtime.database import Pool, Queries, load_queries, transaction
from services.runtime.errors import SettingError
from services.runtime.migrate import LOCK

SHARE_OF_CONNECTIONS: Final = 40
"""Of a hundred connections that the server has: one service that runs wild leaves the others room."""
STATEMENT_TIMEOUT_MS: Final = 30_000
"""A service gives its commands up after ten seconds; what the server did not hear of ends by this."""
_SHORTEST: Final = 15


class WeakSecretError(SettingError):
    """A service's secret at the database is short, or holds more than printable ASCII."""


class UnknownServiceError(SettingError):
    """A secret was given to a service that there is not."""


def rights_of(name: str) -> str:
    """The grants of a service, or those of everybody who uses the ``bus`` of tables, as plain SQL."""
    return resources.files("schemas.sql.roles").joinpath(f"{name}.sql").read_text("utf-8")


async def grant_roles(pool: Pool, passwords: Mapping[str, str], *, bus_of_tables: bool) -> None:
    """Makes the roles and gives each its rights; as often as you like. ``passwords`` by service.

    All at once, under the lock of migrations: a service at work has what it had, or what is listed now. A role of which
    no password is given keeps the one it has; a new one without can't sign in.
    Raises WeakSecretError, UnknownServiceError.
    """
    if unknown := set(passwords) - set(DATABASE_SERVICES):
        raise UnknownServiceError("HB_DB_PASSWORDS: " + ", ".join(sorted(unknown)))
    verifiers = {service: _verifier(service, password) for service, password in passwords.items()}
    sql = load_queries("services.runtime", "roles.sql")
    async with transaction(pool) as connection:
        await connection.execute("select pg_advisory_xact_lock($1)", LOCK)
        for service in DATABASE_SERVICES:
            await _renew(connection, sql, role_of(service))
            if service in verifiers:
                said = await connection.fetchval(sql["password_statement"], role_of(service), verifiers[service])
                await connection.execute(said)
            await connection.execute(rights_of(service))
        if bus_of_tables:
            await connection.execute(rights_of("bus"))


async def _renew(connection: Any, sql: Queries, role: str) -> None:
    """The role as if it had just been made, but for its password."""
    made = await connection.fetchval(sql["role_statements"], role, SHARE_OF_CONNECTIONS, STATEMENT_TIMEOUT_MS)
    await connection.execute(";".join(made))
    taken_back = await connection.fetchval(sql["take_back_statements"], role)
    let_in = await connection.fetchval(sql["entry_statement"], role)
    await connection.execute(";".join([*taken_back, let_in]))


def _verifier(service: str, password: str) -> str:
    if len(password) < _SHORTEST or not (password.isascii() and password.isprintable()):
        raise WeakSecretError(f"HB_DB_PASSWORDS: of {service}; it takes {_SHORTEST} characters")
    return scram_verifier(password)
