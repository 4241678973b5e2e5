"""A doctor's account: closed at once when they leave, opened again with another password."""

from datetime import datetime
from typing import Final

from services.api.passwords import account_hash
from services.runtime.database import Connection, Queries, load_queries

_SQL: Final[Queries] = load_queries("services.api", "sign_in.sql")


async def is_disabled(connection: Connection, email: str) -> bool:
    """Whether the account is disabled; locked until the transaction ends. False where there is none."""
    return bool(await connection.fetchval(_SQL["disabled"], email))


async def close_account(connection: Connection, email: str, now: datetime) -> None:
    """Ends sessions, password and known browsers; ``now`` is platform time."""
    number = await connection.fetchval(_SQL["disable"], email, now)
    await connection.execute(_SQL["end_sessions_of"], number)
    await connection.execute(_SQL["forget_browsers_of"], account_hash(email))


async def open_account(connection: Connection, email: str, password_hash: str) -> None:
    """The account is enabled and has this password."""
    await connection.execute(_SQL["enable"], email)
    number = await connection.fetchval(_SQL["set_password"], email, password_hash)
    # One that was being opened while the account was closed has a row, though it was never good.
    await connection.execute(_SQL["end_sessions_of"], number)
