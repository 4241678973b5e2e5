"""The passwords of readers' logins: which will do, and what the server is given of them."""

from typing import Final

from grafana.errors import WeakPasswordError
from schemas import scram

SHORTEST: Final = 15


def check_password(password: str) -> None:
    """ASCII only, so that client and server need not agree on how to normalise. Raises WeakPasswordError."""
    if len(password) < SHORTEST or not (password.isascii() and password.isprintable()) or len(set(password)) == 1:
        raise WeakPasswordError


def scram_verifier(password: str, *, salt: bytes | None = None) -> str:
    """What the server keeps of it. Raises WeakPasswordError."""
    check_password(password)
    return scram.scram_verifier(password, salt=salt)
