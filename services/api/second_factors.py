"""Second factors of doctors: offered, confirmed, asked for after the password, renewed, ended."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any, Final

from services.api.access import Action, record
from services.api.console import Console, Doctor
from services.api.one_time_codes import (
    is_app_code,
    new_recovery_codes,
    new_secret,
    recovery_hash,
    step_that_fits,
    typed_code,
    wait_after,
)
from services.api.sessions import (
    Cookies,
    TooManyAttemptsError,
    Tried,
    begin_attempt,
    cookie_hash,
    nobody_yet,
    open_session,
    refuse,
)
from services.runtime.database import Connection, transaction
from services.runtime.errors import HearthBeatError
from services.runtime.sealing import UnknownKeyError

OFFER_LASTS: Final = timedelta(minutes=15)
"""A secret that was shown and not confirmed by then is shown no more; real time."""


class WrongCodeError(HearthBeatError):
    """That code is wrong, or was used already. The app shows a new one every half minute."""


class CodesRestError(TooManyAttemptsError):
    """Too many wrong codes in a row. Use a recovery code, or wait up to an hour for the next try."""


class SignInOverError(HearthBeatError):
    """That took too long. Sign in once more."""


class NoSecondFactorsError(HearthBeatError):
    """Codes can't be checked here now. Use a recovery code, or ask your operators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """What a doctor sees of their own. ``secret``: while it is offered; "" once it is in force, and never again.

    ``since``: None while it is only offered. ``codes_left``: recovery codes that are good.
    """

    secret: str
    since: datetime | None
    codes_left: int


class _Verdict(Enum):
    TAKEN = auto()
    WRONG = auto()
    WAIT = auto()


async def second_factor_of(console: Console, doctor: Doctor) -> SecondFactor | None:
    """The doctor's own; None where there is none, or what was offered is too old. Raises NoSecondFactorsError."""
    await record(console, doctor, Action.READ_SECOND_FACTOR)
    row = await console.pool.fetchrow(console.sql["second_factor"], doctor.doctor_no)
    if row is None:
        return None
    if row["confirmed_at"] is not None:
        return SecondFactor(secret="", since=row["confirmed_at"], codes_left=row["codes_left"])
    if datetime.now(UTC) - row["begun_at"] >= OFFER_LASTS:
        return None
    return SecondFactor(secret=_unsealed(console, doctor.doctor_no, row["sealed"]), since=None, codes_left=0)


async def begin_second_factor(console: Console, doctor: Doctor) -> None:
    """Offers a secret; one in force stays as it is. Raises NoSecondFactorsError."""
    if console.keys is None:
        raise NoSecondFactorsError
    # With the number, so that nobody who can write rows moves a secret of their own to somebody else.
    sealed = console.keys.seal(f"{doctor.doctor_no}:{new_secret()}")
    async with transaction(console.pool) as connection:
        await connection.execute(console.sql["begin_second_factor"], doctor.doctor_no, sealed, datetime.now(UTC))
        await record(console, doctor, Action.BEGIN_SECOND_FACTOR, on=connection)


async def confirm_second_factor(console: Console, doctor: Doctor, code: str) -> list[str]:
    """Whoever has the phone shows it: from now on a code is asked for. Gives recovery codes, shown this once.

    Every other session of the doctor ends. Raises WrongCodeError, NoSecondFactorsError.
    """
    now, number = datetime.now(UTC), doctor.doctor_no
    async with transaction(console.pool) as connection:
        row = await connection.fetchrow(console.sql["lock_second_factor"], number)
        if row is None or row["confirmed_at"] is not None or now - row["begun_at"] >= OFFER_LASTS:
            raise WrongCodeError
        step = step_that_fits(_unsealed(console, number, row["sealed"]), typed_code(code), now, row["last_step"])
        if step is None:
            raise WrongCodeError
        await connection.execute(console.sql["confirm_second_factor"], number, now, step)
        await connection.execute(console.sql["end_other_sessions_of"], number, doctor.session_hash)
        await record(console, doctor, Action.CONFIRM_SECOND_FACTOR, on=connection)
        return await _new_codes(console, number, connection)


async def renew_recovery_codes(console: Console, doctor: Doctor, code: str, device: str) -> list[str]:
    """New recovery codes in the place of all the old ones; ``device`` is the browser's cookie.

    Raises WrongCodeError, TooManyAttemptsError, NoSecondFactorsError.
    """
    attempt = await _begin(console, doctor.doctor_no, doctor.email, doctor.address, device)
    async with transaction(console.pool) as connection:
        verdict = await _look_at(console, doctor, code, connection)
        if verdict is _Verdict.TAKEN:
            await connection.execute(console.sql["end_attempt"], attempt, "succeeded")
            await record(console, doctor, Action.RENEW_RECOVERY_CODES, on=connection)
            return await _new_codes(console, doctor.doctor_no, connection)
    raise await _refused(console, verdict, attempt, doctor)


async def end_second_factor(console: Console, doctor: Doctor, code: str, device: str) -> None:
    """From now on the password is all that is asked for; ``device`` is the browser's cookie.

    Raises WrongCodeError, TooManyAttemptsError, NoSecondFactorsError.
    """
    attempt = await _begin(console, doctor.doctor_no, doctor.email, doctor.address, device)
    async with transaction(console.pool) as connection:
        verdict = await _look_at(console, doctor, code, connection)
        if verdict is _Verdict.TAKEN:
            await connection.execute(console.sql["end_attempt"], attempt, "succeeded")
            await connection.execute(console.sql["end_second_factor"], doctor.doctor_no)
            await record(console, doctor, Action.END_SECOND_FACTOR, on=connection)
            return
    raise await _refused(console, verdict, attempt, doctor)


async def sign_in_by_code(console: Console, pending: str, code: str, address: str, device: str) -> Cookies:
    """A new session of whoever has given the password, and now the code. ``pending``, ``device``: cookies.

    Raises SignInOverError, WrongCodeError, TooManyAttemptsError, NoSecondFactorsError.
    """
    held = cookie_hash(pending)
    row = await console.pool.fetchrow(console.sql["find_pending"], held, datetime.now(UTC))
    if row is None:
        raise SignInOverError
    doctor = nobody_yet(row["doctor_no"], address)
    attempt = await _begin(console, doctor.doctor_no, row["email"], address, device)
    async with transaction(console.pool) as connection:
        verdict = await _look_at(console, doctor, code, connection)
        if verdict is _Verdict.TAKEN:
            if await connection.fetchval(console.sql["close_pending"], held) is None:
                raise SignInOverError
            await connection.execute(console.sql["end_attempt"], row["attempt_no"], "succeeded")
            tried = Tried(attempt=attempt, doctor_no=doctor.doctor_no)
            cookies = await open_session(console, tried, row["email"], address, device, connection)
            console.metrics.count("hb_api_sign_ins_total", outcome="succeeded")
            return cookies
    raise await _refused(console, verdict, attempt, doctor)


async def is_pending(console: Console, pending: str) -> bool:
    """Whether somebody has given a password with whom the code is still missing."""
    found = await console.pool.fetchrow(console.sql["find_pending"], cookie_hash(pending), datetime.now(UTC))
    return found is not None


async def _begin(console: Console, doctor_no: int, email: str, address: str, device: str) -> int:
    """The number of an attempt at a code, counted as one at a password is. Raises TooManyAttemptsError."""
    begun = await begin_attempt(console, email, address, device)
    if not begun.admitted:
        await refuse(console, begun.attempt, "refused", doctor_no, address, Action.GIVE_CODE)
        raise TooManyAttemptsError
    return begun.attempt


async def _refused(console: Console, verdict: _Verdict, attempt: int, doctor: Doctor) -> HearthBeatError:
    """Writes down that a code was not taken; what to raise then."""
    outcome = "refused" if verdict is _Verdict.WAIT else "failed"
    await refuse(console, attempt, outcome, doctor.doctor_no, doctor.address, Action.GIVE_CODE)
    return CodesRestError() if verdict is _Verdict.WAIT else WrongCodeError()


async def _look_at(console: Console, doctor: Doctor, code: str, on: Connection) -> _Verdict:
    """Takes a code, of either kind, or counts it as wrong. Who looks at another one of the doctor's waits meanwhile."""
    now, typed, number = datetime.now(UTC), typed_code(code), doctor.doctor_no
    row = await on.fetchrow(console.sql["lock_second_factor"], number)
    if row is None or row["confirmed_at"] is None:
        return _Verdict.WRONG
    if not is_app_code(typed):
        # Nobody guesses one of these, so whoever tries codes of the app can't keep the doctor from using one.
        if await on.fetchval(console.sql["use_recovery_code"], number, recovery_hash(typed)) is None:
            return _Verdict.WRONG
        await record(console, doctor, Action.USE_RECOVERY_CODE, on=on)
        return _Verdict.TAKEN
    if _has_to_wait(row, now):
        return _Verdict.WAIT
    step = step_that_fits(_unsealed(console, number, row["sealed"]), typed, now, row["last_step"])
    if step is None:
        await on.execute(console.sql["count_wrong_code"], number, now)
        return _Verdict.WRONG
    await on.execute(console.sql["take_step"], number, step)
    return _Verdict.TAKEN


def _has_to_wait(row: Any, now: datetime) -> bool:
    return row["failed_at"] is not None and now - row["failed_at"] < wait_after(row["failures"])


async def _new_codes(console: Console, doctor_no: int, on: Connection) -> list[str]:
    codes = new_recovery_codes()
    await on.execute(console.sql["forget_recovery_codes"], doctor_no)
    await on.execute(console.sql["add_recovery_codes"], doctor_no, [recovery_hash(code) for code in codes])
    return codes


def _unsealed(console: Console, doctor_no: int, sealed: bytes) -> str:
    """The secret, where it was sealed for this doctor. Raises NoSecondFactorsError."""
    if console.keys is None:
        raise NoSecondFactorsError
    try:
        owner, _, secret = console.keys.open(sealed).partition(":")
    except UnknownKeyError as error:
        raise NoSecondFactorsError from error
    if owner != str(doctor_no):
        raise NoSecondFactorsError
    return secret
