"""Turns a password into what PostgreSQL keeps of it, here, so that the password itself never reaches a server's log."""

import hashlib
import hmac
import secrets
from base64 import b64encode
from typing import Final

_ITERATIONS: Final = 15_000


def scram_verifier(password: str, *, salt: bytes | None = None) -> str:
    """The SCRAM-SHA-256 verifier (RFC 5803 in PostgreSQL's spelling) of a password of ASCII characters."""
    grains = secrets.token_bytes(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), grains, _ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = (b64encode(part).decode() for part in (grains, stored, server))
    return "SCRAM-SHA-256${}:{}${}:{}".format(_ITERATIONS, *encoded)
