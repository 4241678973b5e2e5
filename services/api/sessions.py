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
PENDING_LASTS: Final = timedelta(minutes=5)
"""Between a password and its code, in real time."""
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


def pending_cookie_name(console: Console) -> str:
    """The cookie of who has given a password and owes a code."""
    return cookie_name(console).replace("session", "pending")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookies:
    """What a browser gets that has signed in."""

    session: str
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeOwed:
    """What a browser gets whose doctor has given the password and has a second factor, too."""

    pending: str


def cookie_hash(cookie: str) -> bytes:
    """As what a cookie is kept."""
    return sha256(cookie.encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """An attempt; it counts as failed until somebody ends it. Unless ``admitted`` nothing of it is looked at."""

    attempt: int
    admitted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """An attempt whose password fits; it counts as failed until somebody ends it."""

    attempt: int
    doctor_no: int


async def begin_attempt(console: Console, email: str, address: str, device: str) -> Begun:
    """Counts an attempt at a password or a code before anything is looked at, so that those sent at once count, too."""
    now = datetime.now(UTC)
    account, counted = account_hash(email), counted_address(address)
    known = cookie_hash(device) if device else None
    begun = await console.pool.fetchrow(console.sql["begin_attempt"], account, counted, now, known)
    assert begun is not None  # noqa: S101 - an insert gives what it inserted
    attempt, since = begun["attempt_no"], now - ATTEMPTS_WINDOW
    past = await console.pool.fetchrow(
        console.sql["recent_failures"], account, counted, attempt, since, begun["cookie_no"]
    )
    return Begun(attempt=attempt, admitted=past is not None and admits(PastAttempts(**past), now))


async def try_password(
    console: Console, email: str, password: str, address: str, device: str, *, action: Action = Action.SIGN_IN
) -> Tried:
    """Whose password it is; ``device`` is the browser's cookie. Raises WrongPasswordError, TooManyAttemptsError."""
    begun = await begin_attempt(console, email, address, device)
    # Looked up in any case, so that the audit can say whose account was tried, and no answer takes longer for that.
    row = await console.pool.fetchrow(console.sql["account"], email.strip().lower())
    tried = row["doctor_no"] if row else None
    if not begun.admitted:
        await refuse(console, begun.attempt, "refused", tried, address, action)
        raise TooManyAttemptsError
    # Also without an account: the answer then takes as long, and does not say that there is none.
    if not await _fits(console, row, password) or row is None:
        await refuse(console, begun.attempt, "failed", tried, address, action)
        raise WrongPasswordError
    return Tried(attempt=begun.attempt, doctor_no=row["doctor_no"])


async def sign_in(console: Console, email: str, password: str, address: str, device: str = "") -> Cookies | CodeOwed:
    """A new session, or with a second factor the debt of its code; ``device`` is the browser's cookie.

    Raises WrongPasswordError, TooManyAttemptsError.
    """
    tried = await try_password(console, email, password, address, device)
    async with transaction(console.pool) as connection:
        if await connection.fetchval(console.sql["has_second_factor"], tried.doctor_no):
            return await _owe_code(console, tried, connection)
        cookies = await open_session(console, tried, email, address, device, connection)
    console.metrics.count("hb_api_sign_ins_total", outcome="succeeded")
    return cookies


async def open_session(
    console: Console, tried: Tried, email: str, address: str, device: str, on: Connection
) -> Cookies:
    """A new session of whoever has shown all that is asked for."""
    now = datetime.now(UTC)
    # First, so that two who sign in at once wait for the rows in one order.
    await _forget_the_old(console, now, on)
    await on.execute(console.sql["end_attempt"], tried.attempt, "succeeded")
    session = await _open(console, tried.doctor_no, address, now, on)
    return Cookies(session=session, device=await _remember_device(console, device, account_hash(email), now, on))


async def _owe_code(console: Console, tried: Tried, on: Connection) -> CodeOwed:
    """Until the code is given, the attempt counts as failed: a password alone makes no address familiar."""
    now, pending = datetime.now(UTC), secrets.token_urlsafe(32)
    await on.execute(console.sql["forget_pending"], now)
    row = (cookie_hash(pending), tried.doctor_no, tried.attempt, now + PENDING_LASTS)
    await on.execute(console.sql["open_pending"], *row)
    return CodeOwed(pending=pending)


async def _fits(console: Console, row: Any, password: str) -> bool:
    """Whether it is the password of an ``account``; without one that takes as long. The hash itself we never see."""
    hashed = await console.passwords.hashed_as(row["hash_begins"] if row else None, password)
    return bool(await console.pool.fetchval(console.sql["fits"], row["doctor_no"] if row else None, hashed))


async def refuse(
    console: Console, attempt: int, outcome: str, doctor_no: int | None, address: str, action: Action
) -> None:
    """Ends an attempt that came to nothing.

    Of an account that there is not the audit keeps nothing: people type passwords into the wrong field.
    """
    console.metrics.count("hb_api_sign_ins_total", outcome=outcome)
    await console.pool.execute(console.sql["end_attempt"], attempt, outcome)
    await console.pool.execute(console.sql["forget_attempts"], datetime.now(UTC) - _ATTEMPTS_KEPT)
    tried = None if doctor_no is None else nobody_yet(doctor_no, address)
    await record(console, tried, action, allowed=False, address=address)


def nobody_yet(doctor_no: int, address: str, *, csrf_token: str = "", session_hash: bytes = b"") -> Doctor:
    """An account before anybody has signed in with it."""
    return Doctor(
        doctor_no=doctor_no, email="", name="", csrf_token=csrf_token, session_hash=session_hash, address=address
    )


async def _open(console: Console, doctor_no: int, address: str, now: datetime, on: Connection) -> str:
    """The cookie of a new session."""
    cookie, csrf_token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    doctor = nobody_yet(doctor_no, address, csrf_token=csrf_token, session_hash=cookie_hash(cookie))
    await on.execute(console.sql["open_session"], doctor.session_hash, doctor_no, csrf_token, now, now + LASTS)
    await record(console, doctor, Action.SIGN_IN, on=on)
    return cookie


async def _remember_device(console: Console, device: str, account: bytes, now: datetime, on: Connection) -> str:
    """The browser's cookie, known to be this account's from now on.

    A cookie that we gave is kept, and becomes known for this account too: doctors share computers.
    Any other value is replaced by a new cookie, so that nobody can bring one of their own choice.
    """
    known = bool(device) and await on.fetchval(console.sql["is_device"], cookie_hash(device), now)
    cookie = device if known else secrets.token_urlsafe(32)
    await on.execute(console.sql["remember_device"], cookie_hash(cookie), account, now + DEVICE_LASTS)
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
    return await find_doctor(console, cookie_hash(cookie), address_of(request), acts=acts)


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
