"""What PostgreSQL keeps of a password: enough to know a client that has the password, and no more."""

import hashlib
import hmac
from base64 import b64decode, b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.scram import scram_verifier


@settings(max_examples=20)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40))
def test_a_client_that_knows_the_password_is_known_and_another_is_not(password: str) -> None:
    said = scram_verifier(password)
    _, count_and_salt, keys = said.split("$")
    count, salt = count_and_salt.split(":")
    stored = b64decode(keys.split(":")[0])

    def proves(tried: str) -> bool:
        salted = hashlib.pbkdf2_hmac("sha256", tried.encode(), b64decode(salt), int(count))
        return hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest() == stored

    assert proves(password)
    assert not proves(password + "x")


def test_two_roles_of_one_password_do_not_look_alike() -> None:
    assert scram_verifier("the same for both") != scram_verifier("the same for both")
    grains = b"0123456789abcdef"
    assert f":{b64encode(grains).decode()}$" in scram_verifier("the same for both", salt=grains)


def test_only_ascii_is_taken() -> None:
    with pytest.raises(UnicodeEncodeError):
        scram_verifier("Schlüssel der Praxis")
