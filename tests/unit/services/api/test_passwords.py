"""Passwords: argon2id, hashed as what is kept without seeing that, and no hint whether an account exists."""

from typing import Any

import pytest
from argon2 import PasswordHasher
from argon2.low_level import hash_secret

from services.api import passwords as module
from services.api.password_strength import PasswordRefusedError
from services.api.passwords import Passwords

quick = PasswordHasher(time_cost=1, memory_cost=64)


def beginning(stored: str) -> str:
    return stored.rpartition("$")[0] + "$"


@pytest.mark.parametrize(
    "hasher", [quick, PasswordHasher(time_cost=2, memory_cost=128, parallelism=2), PasswordHasher(1, 64, salt_len=9)]
)
async def test_a_password_is_hashed_as_it_was_from_salt_and_costs_alone(hasher: PasswordHasher) -> None:
    stored = Passwords(hasher).hash("correct horse battery")
    assert stored.startswith("$argon2id$")

    for later in (Passwords(quick), Passwords(hasher)):
        assert await later.hashed_as(beginning(stored), "correct horse battery") == stored
        assert await later.hashed_as(beginning(stored), "correct horse batterz") != stored


async def test_nobody_costs_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    worked: list[tuple[Any, ...]] = []

    def counting(*secret: Any, **costs: Any) -> bytes:
        worked.append(tuple(costs.items()))
        return bytes(hash_secret(*secret, **costs))

    monkeypatch.setattr(module, "hash_secret", counting)
    passwords = Passwords(quick)
    stored = passwords.hash("correct horse battery")

    await passwords.hashed_as(beginning(stored), "correct horse battery")
    await passwords.hashed_as(None, "correct horse battery")
    assert len(worked) == 2
    assert worked[0] == worked[1]


@pytest.mark.parametrize(
    "begins", ["not a hash", "$", "$argon2id$v=19$m=64,t=1,p=4$", "$argon2id$v=19$m=64,t=1,p=4$?$"]
)
async def test_a_damaged_hash_gives_nobodys(begins: str) -> None:
    passwords = Passwords(quick)
    assert await passwords.hashed_as(begins, "a password of mine") == await passwords.hashed_as(
        None, "a password of mine"
    )


def test_what_can_be_guessed_is_not_hashed() -> None:
    with pytest.raises(PasswordRefusedError):
        Passwords(quick).hash("Dr. Amira Haddad", ("Dr. Amira Haddad",))
