"""The way in and out: address and password, the code where there is a second factor, signing out."""

import re
import secrets
from datetime import timedelta
from secrets import compare_digest
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.api.console import Console, address_of, console_of
from services.api.inputs import Text
from services.api.rendering import page
from services.api.request_checks import ForeignRequestError, check_token
from services.api.second_factors import (
    NoSecondFactorsError,
    SignInOverError,
    WrongCodeError,
    is_pending,
    sign_in_by_code,
)
from services.api.sessions import (
    DEVICE_LASTS,
    PENDING_LASTS,
    CodeOwed,
    Cookies,
    SignedIn,
    TooManyAttemptsError,
    WrongPasswordError,
    cookie_name,
    device_cookie_name,
    pending_cookie_name,
    sign_in,
    sign_out,
)

router = APIRouter(include_in_schema=False)
_HERE: Final = re.compile(r"/[A-Za-z0-9/_-]*")
LONGEST_CODE: Final = 64


def is_here(path: str) -> bool:
    """Whether a page may be gone to after signing in; browsers take "//host" for another site."""
    return _HERE.fullmatch(path) is not None and not path.startswith("//")


def _form_cookie(console: Console) -> str:
    return cookie_name(console).replace("session", "form")


def _set_cookie(console: Console, response: Response, name: str, value: str, *, lasts: timedelta | None = None) -> None:
    """``lasts`` None: until the browser is closed."""
    response.set_cookie(
        name,
        value,
        max_age=int(lasts.total_seconds()) if lasts else None,
        path="/",
        secure=not console.settings.plain_http,
        httponly=True,
        samesite="lax",
    )


def _forget_cookie(console: Console, response: Response, name: str) -> None:
    response.delete_cookie(name, path="/", secure=not console.settings.plain_http, httponly=True, samesite="lax")


def form_page(request: Request, name: str, problem: str, *, status: int, **values: Any) -> HTMLResponse:
    """A page with a form for somebody who is not signed in; its token is in a cookie, too."""
    console = console_of(request)
    token = request.cookies.get(_form_cookie(console)) or secrets.token_urlsafe(32)
    response = page(request, name, None, status=status, problem=problem, csrf=token, **values)
    _set_cookie(console, response, _form_cookie(console), token)
    return response


def is_own_form(request: Request, csrf: str) -> bool:
    """Whether the token of such a form is the one in the cookie."""
    cookie = request.cookies.get(_form_cookie(console_of(request)), "")
    return bool(cookie) and compare_digest(cookie.encode(), csrf.encode())


def _sign_in_page(
    request: Request, problem: str, *, next_page: str, status: int = 200, outcome: str = ""
) -> HTMLResponse:
    return form_page(request, "sign_in.html", problem, next_page=next_page, status=status, outcome=outcome)


def _code_page(request: Request, problem: str, *, next_page: str, status: int = 200) -> HTMLResponse:
    return form_page(request, "sign_in_code.html", problem, next_page=next_page, status=status)


@router.get("/sign-in")
async def sign_in_page(request: Request, outcome: str = "") -> HTMLResponse:
    """The way in."""
    return _sign_in_page(request, "", next_page=request.query_params.get("next", "/"), outcome=outcome)


@router.post("/sign-in", response_model=None)
async def sign_in_form(
    request: Request,
    email: Annotated[Text, Form(max_length=254)],
    password: Annotated[str, Form(max_length=1024)],
    csrf: Annotated[str, Form()] = "",
    next_page: Annotated[str, Form(alias="next")] = "/",
) -> Response:
    """Opens a session and goes to the page that was asked for, or asks for the code first."""
    console = console_of(request)
    if not is_own_form(request, csrf):
        return _sign_in_page(request, str(ForeignRequestError()), next_page=next_page, status=403)
    try:
        device = request.cookies.get(device_cookie_name(console), "")
        done = await sign_in(console, email, password, address_of(request), device)
    except (WrongPasswordError, TooManyAttemptsError) as error:
        status = 401 if isinstance(error, WrongPasswordError) else 429
        return _sign_in_page(request, str(error), next_page=next_page, status=status)
    safe = next_page if is_here(next_page) else "/"
    if isinstance(done, CodeOwed):
        response = RedirectResponse(f"/sign-in/code?next={safe}", 303)
        _set_cookie(console, response, pending_cookie_name(console), done.pending, lasts=PENDING_LASTS)
        return response
    return _let_in(console, done, safe)


def _let_in(console: Console, cookies: Cookies, to: str) -> Response:
    response = RedirectResponse(to, 303)
    _set_cookie(console, response, cookie_name(console), cookies.session)
    _set_cookie(console, response, device_cookie_name(console), cookies.device, lasts=DEVICE_LASTS)
    return response


@router.get("/sign-in/code", response_model=None)
async def code_page(request: Request, next_page: Annotated[str, Query(alias="next")] = "/") -> Response:
    """Asks for the code, of whoever has given the password; of everybody else for that first."""
    console = console_of(request)
    if not await is_pending(console, request.cookies.get(pending_cookie_name(console), "")):
        return RedirectResponse("/sign-in", 303)
    return _code_page(request, "", next_page=next_page)


@router.post("/sign-in/code", response_model=None)
async def code_form(
    request: Request,
    code: Annotated[Text, Form(max_length=LONGEST_CODE)] = "",
    csrf: Annotated[str, Form()] = "",
    next_page: Annotated[str, Form(alias="next")] = "/",
) -> Response:
    """Opens a session and goes to the page that was asked for."""
    console = console_of(request)
    if not is_own_form(request, csrf):
        return _code_page(request, str(ForeignRequestError()), next_page=next_page, status=403)
    pending, device = (
        request.cookies.get(name, "") for name in (pending_cookie_name(console), device_cookie_name(console))
    )
    try:
        cookies = await sign_in_by_code(console, pending, code, address_of(request), device)
    except SignInOverError as error:
        return _sign_in_page(request, str(error), next_page=next_page, status=401)
    except (WrongCodeError, TooManyAttemptsError, NoSecondFactorsError) as error:
        status = {WrongCodeError: 401, NoSecondFactorsError: 503}.get(type(error), 429)
        return _code_page(request, str(error), next_page=next_page, status=status)
    response = _let_in(console, cookies, next_page if is_here(next_page) else "/")
    _forget_cookie(console, response, pending_cookie_name(console))
    return response


@router.post("/sign-out")
async def sign_out_form(request: Request, doctor: SignedIn, csrf: Annotated[str, Form()] = "") -> RedirectResponse:
    """Ends the session."""
    check_token(doctor, csrf)
    console = console_of(request)
    await sign_out(console, doctor)
    response = RedirectResponse("/sign-in", 303)
    _forget_cookie(console, response, cookie_name(console))
    return response
