"""A doctor's own second factor: set up with an app, shown once, confirmed by a code; new recovery codes; its end."""

from typing import Annotated

import segno
from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup

from services.api.confirmation import Confirmed, device_of
from services.api.console import Doctor, console_of
from services.api.inputs import Text
from services.api.one_time_codes import app_address, spelled
from services.api.rendering import page
from services.api.request_checks import check_token
from services.api.second_factors import (
    WrongCodeError,
    begin_second_factor,
    confirm_second_factor,
    end_second_factor,
    renew_recovery_codes,
    second_factor_of,
)
from services.api.sessions import SignedIn, TooManyAttemptsError
from services.api.sign_in_pages import LONGEST_CODE

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Code = Annotated[Text, Form(max_length=LONGEST_CODE)]


def picture_of(address: str) -> Markup:
    """A QR code as SVG, black on white whatever the page's colours, as cameras want it."""
    code = segno.make(address, error="m", micro=False)
    # The library writes numbers and its own words alone; nothing of ``address`` stands there as text.
    return Markup(code.svg_inline(omitsize=True, dark="#000", light="#fff", svgclass=None, lineclass=None))  # noqa: S704


async def _show(
    request: Request, doctor: Doctor, *, status: int = 200, problem: str = "", outcome: str = "", at: str = ""
) -> HTMLResponse:
    """``at``: which form the problem is about."""
    console = console_of(request)
    factor = await second_factor_of(console, doctor)
    address = app_address(factor.secret, doctor.email) if factor and factor.secret else ""
    return page(
        request,
        "second_factor.html",
        doctor,
        status=status,
        factor=factor,
        can_begin=console.keys is not None,
        address=address,
        picture=picture_of(address) if address else "",
        spelled=spelled(factor.secret) if factor else "",
        problem=problem,
        at=at,
        outcome=outcome,
    )


@router.get("/second-factor")
async def second_factor(request: Request, doctor: SignedIn, outcome: str = "") -> HTMLResponse:
    """Whether a code is asked for, and what is needed to have it so."""
    return await _show(request, doctor, outcome=outcome)


@router.post("/second-factor/begin")
async def begin(request: Request, doctor: Confirmed, csrf: Annotated[str, Form()] = "") -> RedirectResponse:
    """Offers a secret; nothing asks for a code yet."""
    check_token(doctor, csrf)
    await begin_second_factor(console_of(request), doctor)
    return RedirectResponse("/second-factor", 303)


@router.post("/second-factor/confirm", response_model=None)
async def confirm(
    request: Request, doctor: SignedIn, csrf: Annotated[str, Form()] = "", code: Code = ""
) -> HTMLResponse:
    """The app has the secret: from now on codes are asked for. Shows the recovery codes, this once."""
    check_token(doctor, csrf)
    try:
        codes = await confirm_second_factor(console_of(request), doctor, code)
    except WrongCodeError as error:
        return await _show(request, doctor, status=422, problem=str(error), at="confirm")
    return page(request, "recovery_codes.html", doctor, codes=codes, is_new=True)


@router.post("/second-factor/recovery-codes", response_model=None)
async def renew(
    request: Request, doctor: Confirmed, csrf: Annotated[str, Form()] = "", code: Code = ""
) -> HTMLResponse:
    """New recovery codes, shown this once; the old ones are no longer good."""
    check_token(doctor, csrf)
    try:
        codes = await renew_recovery_codes(console_of(request), doctor, code, device_of(request))
    except (WrongCodeError, TooManyAttemptsError) as error:
        return await _refused(request, doctor, error, "renew")
    return page(request, "recovery_codes.html", doctor, codes=codes, is_new=False)


@router.post("/second-factor/end", response_model=None)
async def end(
    request: Request, doctor: Confirmed, csrf: Annotated[str, Form()] = "", code: Code = ""
) -> HTMLResponse | RedirectResponse:
    """From now on the password is all that is asked for."""
    check_token(doctor, csrf)
    try:
        await end_second_factor(console_of(request), doctor, code, device_of(request))
    except (WrongCodeError, TooManyAttemptsError) as error:
        return await _refused(request, doctor, error, "end")
    return RedirectResponse("/second-factor?outcome=ended", 303)


async def _refused(
    request: Request, doctor: Doctor, error: WrongCodeError | TooManyAttemptsError, at: str
) -> HTMLResponse:
    status = 422 if isinstance(error, WrongCodeError) else 429
    return await _show(request, doctor, status=status, problem=str(error), at=at)
