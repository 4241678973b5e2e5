"""mosquitto's password file, written without mosquitto_passwd so that thousands of devices take a second."""

import base64
import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from deploy.local.errors import BadUserNameError

#: mosquitto's own default. Few, because a device secret is a long random string that no dictionary holds: stretching
#: it buys nothing, and the broker pays it at every connect. Never use this for passwords that people choose.
ITERATIONS = 101
SALT_BYTES = 12
FORBIDDEN = frozenset("+#/:$\n\r\0")


def write_device_passwords(path: Path, passwords: Mapping[str, str]) -> None:
    """Replace the password file in one step; the broker reads it again on SIGHUP."""
    lines = [password_line(user, password) for user, password in passwords.items()]
    fresh = path.with_name(f"{path.name}.new")
    fresh.touch(mode=0o600)
    fresh.write_text("".join(lines))
    if path.parent.stat().st_uid != fresh.stat().st_uid:
        os.chown(fresh, path.parent.stat().st_uid, path.parent.stat().st_gid)
    fresh.replace(path)


def password_line(user: str, password: str) -> str:
    """One line, `user:$7$iterations$salt$hash` (PBKDF2, SHA-512)."""
    if not user or FORBIDDEN.intersection(user):
        message = f"{user!r} can't be a broker user name: it is empty or holds one of + # / : $ or a line break"
        raise BadUserNameError(message)
    salt = secrets.token_bytes(SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"{user}:$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}\n"
