"""Passwords of doctors: argon2id, the same work for a known and an unknown account."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from services.api.password_strength import LONGEST, check_password
from services.api.register_changes import write_change
from services.runtime.database import Pool, load_queries, transaction
from services.runtime.errors import HearthBeatError


class DisabledAccountError(HearthBeatError):
    """That account is disabled; hearthbeat doctor enable lets its doctor work again."""


class UnknownDoctorError(HearthBeatError):
    """No doctor is registered under this address."""


_NOBODYS: Final = "nobody's password"


@cache
def _nobodys_hash() -> str:
    """What the password of an unknown account is compared with, hashed as those of known ones; once a process."""
    return PasswordHasher().hash(_NOBODYS)


def account_hash(email: str) -> bytes:
    """Under which attempts and browsers of an account are kept: people type passwords into the wrong field."""
    return sha256(email.strip().lower().encode()).digest()


class Passwords:
    """Hashes and verifies, two at a time, off the event loop: each takes 64 MiB and some tens of milliseconds."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = asyncio.Semaphore(2)
        self._nobodys = self._hasher.hash(_NOBODYS) if hasher else _nobodys_hash()

    def hash(self, password: str, about: Sequence[str] = ()) -> str:
        """``about`` as in ``check_password``. Raises PasswordRefusedError."""
        check_password(password, about)
        return self._hasher.hash(password)

    async def fits(self, password_hash: str | None, password: str) -> bool:
        """Whether ``password`` belongs to ``password_hash``; None never fits, and takes as long."""
        async with self._turn:
            # Cut, so that a huge password costs no more than a long one; none of that length can be
            # set.
            fits = await asyncio.to_thread(self._verify, password_hash or self._nobodys, password[:LONGEST])
        return fits and password_hash is not None

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (Argon2Error, InvalidHashError):
            return False


async def set_password(pool: Pool, email: str, password: str, *, by: str = "", now: datetime | None = None) -> None:
    """Sets a doctor's password, ends all their sessions, and writes down who did so; ``now`` is platform time.

    Raises PasswordRefusedError, UnknownDoctorError, DisabledAccountError.
    """
    account = email.strip().lower()
    sql = load_queries("services.api", "sign_in.sql")
    password_hash = await asyncio.to_thread(Passwords().hash, password, (account,))
    async with transaction(pool) as connection:
        disabled = await connection.fetchval(sql["disabled"], account)
        if disabled is None:
            raise UnknownDoctorError
        if disabled:
            raise DisabledAccountError
        doctor_no = await connection.fetchval(sql["set_password"], account, password_hash)
        await connection.execute(sql["end_sessions_of"], doctor_no)
        await write_change(connection, now or datetime.now(UTC), by, "doctor password", account, {})
