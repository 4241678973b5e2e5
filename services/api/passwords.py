"""Passwords of doctors: argon2id, the same work for a known and an unknown account."""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Final

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.low_level import hash_secret

from services.api.password_strength import LONGEST, check_password
from services.api.register_changes import write_change
from services.runtime.database import Pool, load_queries, transaction
from services.runtime.errors import HearthBeatError


class DisabledAccountError(HearthBeatError):
    """That account is disabled; hearthbeat doctor enable lets its doctor work again."""


class UnknownDoctorError(HearthBeatError):
    """No doctor is registered under this address."""


_NOBODYS: Final = "nobody's password"


_DIGEST_BYTES: Final = 32
_ANY_DIGEST: Final = b64encode(bytes(_DIGEST_BYTES)).decode().rstrip("=")


def _beginning(password_hash: str) -> str:
    return password_hash.rpartition("$")[0] + "$"


@cache
def _nobodys_hash() -> str:
    """What a password of an unknown account is hashed as, with the costs of known ones; once a process."""
    return PasswordHasher().hash(_NOBODYS)


def account_hash(email: str) -> bytes:
    """Under which attempts and browsers of an account are kept: people type passwords into the wrong field."""
    return sha256(email.strip().lower().encode()).digest()


class Passwords:
    """Hashes, two at a time, off the event loop: each takes 64 MiB and some tens of milliseconds."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher(hash_len=_DIGEST_BYTES)
        self._turn = asyncio.Semaphore(2)
        self._nobodys = _beginning(self._hasher.hash(_NOBODYS) if hasher else _nobodys_hash())

    def hash(self, password: str, about: Sequence[str] = ()) -> str:
        """``about`` as in ``check_password``. Raises PasswordRefusedError."""
        check_password(password, about)
        return self._hasher.hash(password)

    async def hashed_anew(self, password: str, about: Sequence[str] = ()) -> str:
        """As ``hash``, beside whatever else goes on. Raises PasswordRefusedError."""
        async with self._turn:
            return await asyncio.to_thread(self.hash, password, about)

    async def hashed_as(self, begins: str | None, password: str) -> str:
        """The hash of ``password`` with the salt and the costs of another, of which ``begins`` is all but the digest.

        Where there is no such hash, or it is damaged, that takes as long and gives nobody's.
        """
        async with self._turn:
            # Cut, so that a huge password costs no more than a long one; none of that length can be
            # set.
            return await asyncio.to_thread(self._hashed_as, begins or self._nobodys, password[:LONGEST])

    def _hashed_as(self, begins: str, password: str) -> str:
        try:
            costs = extract_parameters(begins + _ANY_DIGEST)
            salt = begins.split("$")[-2]
            plain = b64decode(salt + "=" * (-len(salt) % 4), validate=True)
        except (Argon2Error, InvalidHashError, ValueError, IndexError):
            return self._hashed_as(self._nobodys, password)
        hashed = hash_secret(
            password.encode(),
            plain,
            time_cost=costs.time_cost,
            memory_cost=costs.memory_cost,
            parallelism=costs.parallelism,
            hash_len=costs.hash_len,
            type=costs.type,
            version=costs.version,
        )
        return hashed.decode("ascii")


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
        await connection.execute(sql["forget_reset_of"], doctor_no)
        await write_change(connection, now or datetime.now(UTC), by, "doctor password", account, {})
