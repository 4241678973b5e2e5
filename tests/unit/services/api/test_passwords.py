"""Passwords: argon2id, and no hint whether an account exists."""

import pytest
from argon2 import PasswordHasher

from services.api.password_strength import PasswordRefusedError
from services.api.passwords import Passwords

quick = PasswordHasher(time_cost=1, memory_cost=64)


async def test_a_password_fits_its_own_hash_only() -> None:
    passwords = Passwords(quick)
    stored = passwords.hash("correct horse battery")

    assert stored.startswith("$argon2id$")
    assert await passwords.fits(stored, "correct horse battery")
    assert not await passwords.fits(stored, "correct horse batterz")


async def test_nobody_costs_the_same_work_and_never_fits() -> None:
    verified = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002
            verified.append(hash)
            return super().verify(hash, password)

    passwords = Passwords(Counting(time_cost=1, memory_cost=64))

    assert not await passwords.fits(None, "nobody's password")
    assert len(verified) == 1


async def test_a_damaged_hash_fits_nothing() -> None:
    assert not await Passwords(quick).fits("not a hash", "correct horse battery")


def test_what_can_be_guessed_is_not_hashed() -> None:
    with pytest.raises(PasswordRefusedError):
        Passwords(quick).hash("Dr. Amira Haddad", ("Dr. Amira Haddad",))
