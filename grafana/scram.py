"""Turns a password into what PostgreSQL keeps of it, here, so that the password itself never reaches a server's log."""

import hashlib
import hmac
import secrets
from base64 import b64encode
from typing import Final

from grafana.errors import WeakPasswordError

SHORTEST: Final = 15
_ITERATIONS: Final = 15_000


def check_password(password: str) -> None:
    """ASCII only, so that client and server need not agree on how to normalise. Raises WeakPasswordError."""
    if len(password) < SHORTEST or not (password.isascii() and password.isprintable()) or len(set(password)) == 1:
        raise WeakPasswordError


def scram_verifier(password: str, *, salt: bytes | None = None) -> str:
    """The SCRAM-SHA-256 verifier (RFC 5803 in PostgreSQL's spelling). Raises WeakPasswordError."""
    check_password(password)
    grains = secrets.token_bytes(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), grains, _ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = (b64encode(part).decode() for part in (grains, stored, server))
    return "SCRAM-SHA-256${}:{}${}:{}".format(_ITERATIONS, *encoded)
