"""A proof before grave changes: whoever gave their password some time ago gives it again. The one place for that."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import Depends, Request

from services.api.access import Action, record
from services.api.console import Console, Doctor, console_of
from services.api.sessions import (
    SignedIn,
    TooManyAttemptsError,
    WrongPasswordError,
    device_cookie_name,
    try_password,
)
from services.runtime.database import transaction
from services.runtime.errors import HearthBeatError

PROOF_LASTS: Final = timedelta(minutes=5)
"""For so long after a doctor has given their password, signing in included, nobody asks again; real time."""
PROOF: Final = "proof"
"""The field of a form in which the password comes."""


class NotConfirmedError(HearthBeatError):
    """This changes what others rely on. Give your password to confirm that it is you."""

    status = 403


class WrongProofError(NotConfirmedError):
    """That is not your password."""


class TooManyProofsError(NotConfirmedError):
    """Too many attempts; wait a quarter of an hour."""

    status = 429


async def confirm(console: Console, doctor: Doctor, password: str, device: str) -> None:
    """Takes ``password`` as a proof; ``device`` is the browser's cookie. It counts and is throttled as a sign-in is.

    Raises WrongProofError, TooManyProofsError.
    """
    try:
        tried = await try_password(console, doctor.email, password, doctor.address, device, action=Action.CONFIRM)
    except WrongPasswordError as error:
        raise WrongProofError from error
    except TooManyAttemptsError as error:
        raise TooManyProofsError from error
    async with transaction(console.pool) as connection:
        await connection.execute(console.sql["end_attempt"], tried.attempt, "succeeded")
        await connection.execute(console.sql["prove_session"], doctor.session_hash, datetime.now(UTC))
        await record(console, doctor, Action.CONFIRM, on=connection)


def device_of(request: Request) -> str:
    """The cookie by which a browser is known; "" for none."""
    return request.cookies.get(device_cookie_name(console_of(request)), "")


async def confirmed(request: Request, doctor: SignedIn) -> Doctor:
    """The doctor who sent this request, and has given their password just now. Raises NotConfirmedError."""
    if doctor.proved_at is not None and datetime.now(UTC) - doctor.proved_at < PROOF_LASTS:
        return doctor
    proof = (await request.form()).get(PROOF)
    if not isinstance(proof, str) or not proof:
        raise NotConfirmedError
    await confirm(console_of(request), doctor, proof, device_of(request))
    return doctor


Confirmed = Annotated[Doctor, Depends(confirmed)]
