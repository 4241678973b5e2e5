"""A doctor's account: closed at once when they leave, opened again with another password."""

from datetime import datetime
from typing import Final

from services.api.passwords import account_hash
from services.api.register_changes import write_change
from services.runtime.database import Connection, Pool, Queries, load_queries, transaction
from services.runtime.errors import HearthBeatError

_SQL: Final[Queries] = load_queries("services.api", "sign_in.sql")


class NoSecondFactorError(HearthBeatError):
    """No doctor with a second factor is registered under this address."""


async def is_disabled(connection: Connection, email: str) -> bool:
    """Whether the account is disabled; locked until the transaction ends. False where there is none."""
    return bool(await connection.fetchval(_SQL["disabled"], email))


async def close_account(connection: Connection, email: str, now: datetime) -> None:
    """Ends sessions, password and known browsers; ``now`` is platform time."""
    number = await connection.fetchval(_SQL["disable"], email, now)
    await connection.execute(_SQL["end_sessions_of"], number)
    await connection.execute(_SQL["forget_reset_of"], number)
    await connection.execute(_SQL["forget_browsers_of"], account_hash(email))


async def open_account(connection: Connection, email: str, password_hash: str) -> None:
    """The account is enabled and has this password."""
    await connection.execute(_SQL["enable"], email)
    number = await connection.fetchval(_SQL["set_password"], email, password_hash)
    # One that was being opened while the account was closed has a row, though it was never good.
    await connection.execute(_SQL["end_sessions_of"], number)


async def remove_second_factor(pool: Pool, email: str, *, by: str, now: datetime) -> None:
    """From now on the doctor's password is all that is asked for; ends their sessions, and writes down who did so.

    ``now`` is platform time. Raises NoSecondFactorError.
    """
    account = email.strip().lower()
    async with transaction(pool) as connection:
        number = await connection.fetchval(_SQL["remove_second_factor"], account)
        if number is None:
            raise NoSecondFactorError
        await connection.execute(_SQL["end_sessions_of"], number)
        await write_change(connection, now, by, "doctor remove-second-factor", account, {})
