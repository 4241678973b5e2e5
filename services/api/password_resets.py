"""A lost password is set anew: an operator makes a link that is good once, and its doctor uses it."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from services.api.access import Action, record
from services.api.console import Console
from services.api.register_changes import write_change
from services.api.sessions import nobody_yet
from services.runtime.database import Pool, load_queries, transaction
from services.runtime.errors import HearthBeatError

RESET_LASTS: Final = timedelta(minutes=30)
"""For so long a link is good; real time."""


class NoAccountError(HearthBeatError):
    """No doctor whose account is enabled is registered under this address."""


class LinkOverError(HearthBeatError):
    """This link is not good, or no longer: each is good once, for half an hour. Ask your operators for another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetLink:
    """``code`` is shown once and kept nowhere. ``ends_at``: real time."""

    code: str
    ends_at: datetime


def link_hash(code: str) -> bytes:
    """As what a link is kept. 32 random bytes need no slow hash."""
    return sha256(code.strip().encode()).digest()


async def make_link(pool: Pool, email: str, *, by: str, now: datetime) -> ResetLink:
    """A link in the place of any before; who made it is written down. ``now`` is platform time.

    Raises NoAccountError.
    """
    account, sql = email.strip().lower(), load_queries("services.api", "password_resets.sql")
    link = ResetLink(code=secrets.token_urlsafe(32), ends_at=datetime.now(UTC) + RESET_LASTS)
    async with transaction(pool) as connection:
        if await connection.fetchval(sql["make_reset"], account, link_hash(link.code), link.ends_at) is None:
            raise NoAccountError
        await write_change(connection, now, by, "doctor reset", account, {})
    return link


async def use_link(console: Console, code: str, password: str, address: str) -> None:
    """Sets the password of whose link it is and signs them out everywhere; a second factor stays.

    Raises LinkOverError, PasswordRefusedError; the link is then as good as before.
    """
    held = link_hash(code)
    row = await console.pool.fetchrow(console.sql["reset_of"], held, datetime.now(UTC))
    # First, so that nobody without a link has us estimate and hash.
    if row is None:
        raise LinkOverError
    hashed = await console.passwords.hashed_anew(password, (row["email"], row["display_name"]))
    async with transaction(console.pool) as connection:
        number = await connection.fetchval(console.sql["use_reset"], held, hashed, datetime.now(UTC))
        if number is None:
            raise LinkOverError
        await record(console, nobody_yet(number, address), Action.USE_RESET_LINK, on=connection)
