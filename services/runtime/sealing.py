"""Secrets that lie in the database: sealed by keys from a file, so that the database alone gives none away."""

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from services.runtime.errors import HearthBeatError, SettingError
from services.runtime.secret_files import why_open

_KEY_BYTES: Final = 32
_LEAST_DIFFERENT_BYTES: Final = 16
"""Of 32 random bytes 30 differ; a key of fewer was typed by somebody, or stands in an example."""


class KeyFileError(SettingError):
    """A file of keys can't be used."""


class UnknownKeyError(HearthBeatError):
    """None of the keys opens what was sealed."""


class Keys:
    """Seals with the first key and opens with any, so that a new one can be put before the old one."""

    def __init__(self, keys: Sequence[str]) -> None:
        """``keys``: 32 bytes each, in URL-safe base64. Raises KeyFileError, which repeats nothing of them."""
        if not keys:
            raise KeyFileError("It holds no key.")
        for number, key in enumerate(keys, start=1):
            _check(number, key)
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    @classmethod
    def from_file(cls, path: Path) -> "Keys":
        """One key a line, the newest first; empty lines and those that begin with # are passed over."""
        try:
            if why := why_open(path):
                raise KeyFileError(f"{path.name}: {why}.")
            lines = [line.strip() for line in path.read_text("ascii").splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise KeyFileError(f"{path.name}: {why}.") from error
        return cls([line for line in lines if line and not line.startswith("#")])

    def seal(self, secret: str) -> bytes:
        """What may lie in the database."""
        return self._fernet.encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """The secret. Raises UnknownKeyError."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise UnknownKeyError from error


def new_key() -> str:
    """A line for a file of keys."""
    return Fernet.generate_key().decode()


def _check(number: int, key: str) -> None:
    try:
        plain = urlsafe_b64decode(key)
    except (ValueError, binascii.Error) as error:
        raise KeyFileError(f"Key {number} is not base64.") from error
    if len(plain) != _KEY_BYTES:
        raise KeyFileError(f"Key {number} has {len(plain)} bytes, not {_KEY_BYTES}.")
    if len(set(plain)) < _LEAST_DIFFERENT_BYTES:
        raise KeyFileError(f"Key {number} is not random. hearthbeat receiver key makes one.")
