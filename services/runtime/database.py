"""The database pool, and SQL kept in ``.sql`` files as named queries."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import asyncpg
from pydantic_core import from_json, to_json

from schemas.database_access import DATABASE_SERVICES, role_of
from schemas.named_sql import named_queries
from services.runtime.logs import logger
from services.runtime.settings import DatabaseSettings

if TYPE_CHECKING:
    _Pool = asyncpg.Pool[asyncpg.Record]
    OwnConnection = asyncpg.Connection[asyncpg.Record]
    Connection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:
    _Pool, OwnConnection = asyncpg.Pool, asyncpg.Connection
    Connection = asyncpg.pool.PoolConnectionProxy
Queries = Mapping[str, str]

LOST_CONNECTION: Final = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,  # no connection left, no memory, or the disk is full
    asyncpg.PostgresSystemError,  # it could not read or write a file
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.QueryCanceledError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # "is not currently accepting connections"
    TimeoutError,
)
"""What a caller sees while the database is away or has no room: nothing was committed, try again later."""

_FAREWELL_S: Final = 1.0


def load_queries(package: str, file: str = "queries.sql") -> Queries:
    """The queries of a file that lies in ``package``, by name. Raises BrokenQueriesError."""
    return named_queries(resources.files(package).joinpath(file).read_text("utf-8"))


async def _set_codecs(connection: Any) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=lambda value: to_json(value).decode(), decoder=from_json
        )


async def _keep(_connection: Any) -> None:
    """Resets nothing: no session of ours sets anything, and a reset costs a round trip."""


class Pool(_Pool):
    """asyncpg's pool, with a limit for how long ``fetch`` and the like wait for a connection.

    A listener or a lock keeps its connection for good, so it opens one outside of the pool.
    """

    def __init__(self, settings: DatabaseSettings, *, application: str) -> None:
        self._settings, self._application = settings, application
        self._has_warned = False
        # asyncpg.create_pool makes no subclass, so the defaults that it would fill in stand here.
        super().__init__(
            settings.dsn.get_secret_value(),
            min_size=0,
            max_size=settings.pool_size,
            max_queries=50_000,
            max_inactive_connection_lifetime=300.0,
            loop=None,
            connection_class=asyncpg.Connection,
            record_class=asyncpg.Record,
            init=self._begin,
            reset=_keep,
            **self._how(),
        )

    async def _begin(self, connection: Any) -> None:
        await _set_codecs(connection)
        service = self._application.removeprefix("hb-")
        # The server says it by itself when a session begins. Commands are given by administrators.
        may_all = getattr(connection.get_settings(), "is_superuser", "off") == "on"
        if may_all and service in DATABASE_SERVICES and not self._has_warned:
            self._has_warned = True
            logger(service).warning(
                "signs in at the database as a superuser, not as its own role", role=role_of(service)
            )

    def _how(self) -> dict[str, Any]:
        return {
            "command_timeout": self._settings.command_timeout_s,
            "timeout": self._settings.connect_timeout_s,
            # Without a context of ours, what the DSN says: ``sslmode=verify-full`` or none on this machine.
            "ssl": self._settings.tls.context(),
            "server_settings": {"application_name": self._application, "timezone": "UTC", "jit": "off"},
        }

    def acquire(self, *, timeout: float | None = None) -> Any:
        """A connection, waited for as long as the settings say where ``timeout`` says nothing. Raises TimeoutError."""
        return super().acquire(timeout=self._settings.acquire_timeout_s if timeout is None else timeout)

    @asynccontextmanager
    async def standing(self) -> AsyncIterator[OwnConnection]:
        """A connection outside of the pool, to be kept. Raises what ``LOST_CONNECTION`` lists."""
        connection = await asyncpg.connect(self._settings.dsn.get_secret_value(), **self._how())
        try:
            yield connection
        finally:
            try:
                await connection.close(timeout=_FAREWELL_S)
            except LOST_CONNECTION:
                connection.terminate()


@asynccontextmanager
async def open_pool(settings: DatabaseSettings, *, application: str) -> AsyncIterator[Pool]:
    """A pool whose jsonb columns are plain Python values; sessions run in UTC and time out."""
    pool = await Pool(settings, application=application)
    try:
        yield pool
    finally:
        await _close(pool)


@asynccontextmanager
async def transaction(pool: Pool, *, snapshot: bool = False) -> AsyncIterator[Connection]:
    """A transaction on a connection of its own. Raises what the work in it raises, and what ``LOST_CONNECTION`` lists.

    With ``snapshot`` all that it reads is of one moment; it must not write.

    A connection that did not answer in time is cut: its rollback would wait as long again.
    """
    async with pool.acquire() as connection:
        try:
            work = connection.transaction(isolation="repeatable_read" if snapshot else None, readonly=snapshot)
            await work.start()
            try:
                yield connection
            # Not rolled back: the server does not answer, so that would wait as long again.
            except TimeoutError:
                raise
            except BaseException:
                await work.rollback()
                raise
            await work.commit()
        except TimeoutError:
            # It goes back to the pool closed, and the pool opens another one.
            connection.terminate()
            raise


async def _close(pool: Pool) -> None:
    try:
        async with asyncio.timeout(5):
            await pool.close()
    except LOST_CONNECTION:
        pool.terminate()
