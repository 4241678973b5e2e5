"""Codes of half a minute (RFC 6238, as every authenticator app makes them) and codes for a lost phone. Pure."""

import hmac
import secrets
import struct
from base64 import b32decode, b32encode
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from urllib.parse import quote, urlencode

STEP_S: Final = 30
DIGITS: Final = 6
BESIDE: Final = 1
"""So many steps before and after are taken as well, since clocks of phones go wrong."""
SECRET_BYTES: Final = 20
"""What RFC 4226 recommends: as long as the hash."""
RECOVERY_CODES: Final = 10
_RECOVERY_BYTES: Final = 10
_GROUP: Final = 4
ISSUER: Final = "HearthBeat"

FREE_FAILURES: Final = 5
"""So many wrong codes in a row cost no time."""
LONGEST_WAIT: Final = timedelta(hours=1)
_FIRST_WAIT: Final = timedelta(minutes=1)
_MOST_DOUBLINGS: Final = 6


def new_secret(random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """Twenty random bytes in base32, as apps take them: 32 letters and digits."""
    return b32encode(random_bytes(SECRET_BYTES)).decode()


def step_of(now: datetime) -> int:
    """The number of the half minute since 1970 in which ``now`` lies."""
    return int(now.timestamp()) // STEP_S


def code_of(secret: str, step: int) -> str:
    """The six digits of a step: HMAC-SHA-1, cut as RFC 4226 says."""
    digest = hmac.digest(b32decode(secret), struct.pack(">Q", step), "sha1")
    begin = digest[-1] & 0xF
    number = struct.unpack(">I", digest[begin : begin + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_that_fits(secret: str, code: str, now: datetime, last_step: int) -> int | None:
    """The step whose code it is, near ``now`` and newer than ``last_step``; None of any other code.

    All steps are compared in any case, so that the time taken does not say which one nearly fitted.
    """
    this = step_of(now)
    near = range(max(this - BESIDE, 0), this + BESIDE + 1)
    fits = [step for step in near if hmac.compare_digest(code_of(secret, step).encode(), code.encode())]
    return next((step for step in fits if step > last_step), None)


def typed_code(text: str) -> str:
    """What somebody typed without spaces and dashes, in capitals."""
    return "".join(text.split()).replace("-", "").upper()


def is_app_code(code: str) -> bool:
    """Whether it has the form of a code from an app, not of one for a lost phone. ``code``: as ``typed_code`` gives."""
    return len(code) == DIGITS and code.isascii() and code.isdigit()


def new_recovery_codes(random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> list[str]:
    """Ten codes of 80 random bits, written in groups of four."""
    return [spelled(b32encode(random_bytes(_RECOVERY_BYTES)).decode(), "-") for _ in range(RECOVERY_CODES)]


def recovery_hash(code: str) -> bytes:
    """As what a code for a lost phone is kept. 80 random bits need no slow hash."""
    return sha256(typed_code(code).encode()).digest()


def spelled(text: str, between: str = " ") -> str:
    """In groups of four, to be read and typed."""
    return between.join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def app_address(secret: str, account: str) -> str:
    """What the picture holds: an ``otpauth`` address, which apps read and no server is sent."""
    query = urlencode({"secret": secret, "issuer": ISSUER, "algorithm": "SHA1", "digits": DIGITS, "period": STEP_S})
    return f"otpauth://totp/{quote(f'{ISSUER}:{account}')}?{query}"


def wait_after(failures: int) -> timedelta:
    """How long after so many wrong codes in a row no code of an app is looked at: at most an hour.

    At one code an hour somebody who has the password needs years for an even chance of guessing one.
    """
    if failures < FREE_FAILURES:
        return timedelta(0)
    return min(LONGEST_WAIT, _FIRST_WAIT * (1 << min(failures - FREE_FAILURES, _MOST_DOUBLINGS)))
