"""Signing in and out: throttled, audited, with a session on the server that can be ended at any moment."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from services.api.access import Action, record
from services.api.console import Console, Doctor, address_of, console_of
from services.api.core import ATTEMPTS_WINDOW, PastAttempts, admits, counted_address
from services.api.passwords import account_hash
from services.runtime.database import Connection, transaction
from services.runtime.errors import HearthBeatError

LASTS: Final = timedelta(hours=12)
"""A session ends after a working day, in real time."""
IDLE: Final = timedelta(hours=1)
"""It ends earlier when the doctor does nothing for so long: opens no page, sends no form, makes no
call to the REST interface. What a page asks for by itself, such as the live worklist, does not
count."""
DEVICE_LASTS: Final = timedelta(days=180)
"""For so long after signing in a browser is known; real time."""
# Not at every request: each touch is a write.
_TOUCH_EVERY: Final = timedelta(minutes=1)
_ATTEMPTS_KEPT: Final = timedelta(days=30)


class NotSignedInError(HearthBeatError):
    """Sign in first."""


class WrongPasswordError(HearthBeatError):
    """That address and password don't belong together."""


class TooManyAttemptsError(HearthBeatError):
    """Too many attempts; wait a quarter of an hour."""


def cookie_name(console: Console) -> str:
    """The session cookie; the prefix makes browsers insist on Secure, on the whole site and on this host."""
    return "hb_session" if console.settings.plain_http else "__Host-hb_session"


def device_cookie_name(console: Console) -> str:
    """The cookie by which a browser is known that somebody has signed in from. It opens nothing."""
    return cookie_name(console).replace("session", "device")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookies:
    """What a browser gets that has signed in."""

    session: str
    device: str


def _hash(cookie: str) -> bytes:
    return sha256(cookie.encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """An attempt whose password fits; it counts as failed until somebody ends it."""

    attempt: int
    doctor_no: int


async def try_password(
    console: Console, email: str, password: str, address: str, device: str, *, action: Action = Action.SIGN_IN
) -> Tried:
    """Whose password it is; ``device`` is the browser's cookie. Raises WrongPasswordError, TooManyAttemptsError."""
    now = datetime.now(UTC)
    account, counted = account_hash(email), counted_address(address)
    cookie_hash = _hash(device) if device else None
    # Counted as failed before anything is looked at, so that attempts sent all at once count, too.
    begun = await console.pool.fetchrow(console.sql["begin_attempt"], account, counted, now, cookie_hash)
    assert begun is not None  # noqa: S101 - an insert gives what it inserted
    attempt, since = begun["attempt_no"], now - ATTEMPTS_WINDOW
    # Looked up in any case, so that the audit can say whose account was tried, and no answer takes longer for that.
    row = await console.pool.fetchrow(console.sql["account"], email.strip().lower())
    tried = row["doctor_no"] if row else None
    past = await console.pool.fetchrow(
        console.sql["recent_failures"], account, counted, attempt, since, begun["cookie_no"]
    )
    if past is None or not admits(PastAttempts(**past), now):
        await _refuse(console, attempt, "refused", tried, address, action)
        raise TooManyAttemptsError
    # Also without an account: the answer then takes as long, and does not say that there is none.
    if not await _fits(console, row, password) or row is None:
        await _refuse(console, attempt, "failed", tried, address, action)
        raise WrongPasswordError
    return Tried(attempt=attempt, doctor_no=row["doctor_no"])


async def sign_in(console: Console, email: str, password: str, address: str, device: str = "") -> Cookies:
    """A new session; ``device`` is the browser's cookie. Raises WrongPasswordError, TooManyAttemptsError."""
    tried = await try_password(console, email, password, address, device)
    now = datetime.now(UTC)
    async with transaction(console.pool) as connection:
        # First, so that two who sign in at once wait for the rows in one order.
        await _forget_the_old(console, now, connection)
        await connection.execute(console.sql["end_attempt"], tried.attempt, "succeeded")
        session = await _open(console, tried.doctor_no, address, now, connection)
        device = await _remember_device(console, device, account_hash(email), now, connection)
    console.metrics.count("hb_api_sign_ins_total", outcome="succeeded")
    return Cookies(session=session, device=device)


async def _fits(console: Console, row: Any, password: str) -> bool:
    """Whether it is the password of an ``account``; without one that takes as long. The hash itself we never see."""
    hashed = await console.passwords.hashed_as(row["hash_begins"] if row else None, password)
    return bool(await console.pool.fetchval(console.sql["fits"], row["doctor_no"] if row else None, hashed))


async def _refuse(
    console: Console, attempt: int, outcome: str, doctor_no: int | None, address: str, action: Action
) -> None:
    """Of an account that there is not the audit keeps nothing: people type passwords into the wrong field."""
    console.metrics.count("hb_api_sign_ins_total", outcome=outcome)
    await console.pool.execute(console.sql["end_attempt"], attempt, outcome)
    await console.pool.execute(console.sql["forget_attempts"], datetime.now(UTC) - _ATTEMPTS_KEPT)
    tried = None if doctor_no is None else _nobody_yet(doctor_no, address)
    await record(console, tried, action, allowed=False, address=address)


def _nobody_yet(doctor_no: int, address: str, *, csrf_token: str = "", session_hash: bytes = b"") -> Doctor:
    """An account before anybody has signed in with it."""
    return Doctor(
        doctor_no=doctor_no, email="", name="", csrf_token=csrf_token, session_hash=session_hash, address=address
    )


async def _open(console: Console, doctor_no: int, address: str, now: datetime, on: Connection) -> str:
    """The cookie of a new session."""
    cookie, csrf_token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    doctor = _nobody_yet(doctor_no, address, csrf_token=csrf_token, session_hash=_hash(cookie))
    await on.execute(console.sql["open_session"], doctor.session_hash, doctor_no, csrf_token, now, now + LASTS)
    await record(console, doctor, Action.SIGN_IN, on=on)
    return cookie


async def _remember_device(console: Console, device: str, account: bytes, now: datetime, on: Connection) -> str:
    """The browser's cookie, known to be this account's from now on.

    A cookie that we gave is kept, and becomes known for this account too: doctors share computers.
    Any other value is replaced by a new cookie, so that nobody can bring one of their own choice.
    """
    known = bool(device) and await on.fetchval(console.sql["is_device"], _hash(device), now)
    cookie = device if known else secrets.token_urlsafe(32)
    await on.execute(console.sql["remember_device"], _hash(cookie), account, now + DEVICE_LASTS)
    return cookie


async def _forget_the_old(console: Console, now: datetime, on: Connection) -> None:
    await on.execute(console.sql["forget_attempts"], now - _ATTEMPTS_KEPT)
    await on.execute(console.sql["forget_sessions"], now)
    await on.execute(console.sql["forget_devices"], now)


async def sign_out(console: Console, doctor: Doctor) -> None:
    """Ends the session at once."""
    await console.pool.execute(console.sql["close_session"], doctor.session_hash)
    await record(console, doctor, Action.SIGN_OUT)


async def find_doctor(console: Console, session_hash: bytes, address: str, *, acts: bool) -> Doctor:
    """Whose session it is, asked of the database each time. Raises NotSignedInError.

    ``acts``: the doctor does something, so that the time without an action begins anew.
    """
    now = datetime.now(UTC)
    row = await console.pool.fetchrow(console.sql["find_session"], session_hash, now, now - IDLE)
    if row is None:
        raise NotSignedInError
    if acts and now - row["seen_at"] > _TOUCH_EVERY:
        await console.pool.execute(console.sql["touch_session"], session_hash, now)
    return Doctor(
        doctor_no=row["doctor_no"],
        email=row["email"],
        name=row["display_name"],
        csrf_token=row["csrf_token"],
        session_hash=session_hash,
        address=address,
        proved_at=row["proved_at"],
    )


async def _doctor_of(request: Request, *, acts: bool) -> Doctor:
    console = console_of(request)
    cookie = request.cookies.get(cookie_name(console))
    if not cookie:
        raise NotSignedInError
    return await find_doctor(console, _hash(cookie), address_of(request), acts=acts)


async def signed_in(request: Request) -> Doctor:
    """The doctor who sent this request. Raises NotSignedInError."""
    return await _doctor_of(request, acts=True)


async def looking_on(request: Request) -> Doctor:
    """The doctor whose page asks by itself, which keeps no session alive. Raises NotSignedInError."""
    return await _doctor_of(request, acts=False)


async def signed_in_unless_by_itself(request: Request) -> Doctor:
    """The doctor who opened the worklist, or left it open where it loads itself again. Raises NotSignedInError."""
    return await _doctor_of(request, acts=BY_ITSELF not in request.query_params)


BY_ITSELF: Final = "again"
"""In the query of a page that loads itself again, for want of JavaScript."""
SignedIn = Annotated[Doctor, Depends(signed_in)]
LookingOn = Annotated[Doctor, Depends(looking_on)]
SignedInUnlessByItself = Annotated[Doctor, Depends(signed_in_unless_by_itself)]
