"""Passwords leave the command line only as verifiers."""

import hashlib
import hmac
from base64 import b64decode

import pytest

from grafana.errors import WeakPasswordError
from grafana.scram import scram_verifier


def test_the_verifier_is_that_of_rfc_5802() -> None:
    password, salt = "correct horse battery", b"0123456789abcdef"
    scheme, rounds_and_salt, keys = scram_verifier(password, salt=salt).split("$")
    rounds, written_salt = rounds_and_salt.split(":")
    stored, server = (b64decode(key) for key in keys.split(":"))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), b64decode(written_salt), int(rounds))

    assert (scheme, b64decode(written_salt)) == ("SCRAM-SHA-256", salt)
    assert int(rounds) >= 4096
    assert stored == hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    assert server == hmac.digest(salted, b"Server Key", "sha256")


def test_two_verifiers_of_one_password_differ() -> None:
    assert scram_verifier("correct horse battery") != scram_verifier("correct horse battery")


def test_the_password_is_not_in_the_verifier() -> None:
    assert "correct" not in scram_verifier("correct horse battery")


@pytest.mark.parametrize(
    "password", ["", "short", "fourteen chars", "a" * 20, "grüße aus der Küche", "with a\nnew line..."]
)
def test_a_password_that_is_short_or_dull_or_not_ascii_is_refused(password: str) -> None:
    with pytest.raises(WeakPasswordError):
        scram_verifier(password)
