"""Puts the application together: sign-in, pages, REST, static files, and what is shown when something goes wrong."""

import re
import secrets
from collections.abc import Callable, Coroutine
from datetime import timedelta
from secrets import compare_digest
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Form, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from services.api import (
    adherence,
    alert_pages,
    alert_rest,
    held_rest,
    limit_pages,
    limit_rest,
    live,
    model_pages,
    model_rest,
    own_pages,
    own_rest,
    pages,
    plan_pages,
    plan_rest,
    rest,
)
from services.api.access import NotInCareError
from services.api.confirmation import PROOF, NotConfirmedError
from services.api.console import Console, address_of, console_of
from services.api.inputs import Text
from services.api.rendering import page
from services.api.request_checks import ForeignRequestError, check_token
from services.api.sessions import (
    DEVICE_LASTS,
    NotSignedInError,
    SignedIn,
    TooManyAttemptsError,
    WrongPasswordError,
    cookie_name,
    device_cookie_name,
    sign_in,
    sign_out,
    signed_in,
)
from services.runtime.database import LOST_CONNECTION

_HERE: Final = re.compile(r"/[A-Za-z0-9/_-]*")
# What follows the page that a form stands on.
_DOES: Final = re.compile(r"/(give-back|promote|roll-back)$")
_NOT_FOUND: Final = "There is nothing here, or it is not about anybody in your care."
_AWAY: Final = "The database can't be reached. Alerts may be waiting that you can't see here. Try again in a moment."
_BROKEN: Final = "Something went wrong here. It has been written down."
router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz(request: Request) -> JSONResponse:
    """Whether the console can serve: it can ask the database."""
    await console_of(request).pool.fetchval("select 1")
    return JSONResponse({"status": "ready"})


@router.get("/sign-in")
async def sign_in_page(request: Request) -> HTMLResponse:
    """The way in."""
    return _sign_in_page(request, "", next_page=request.query_params.get("next", "/"))


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


def _sign_in_page(request: Request, problem: str, *, next_page: str, status: int = 200) -> HTMLResponse:
    console = console_of(request)
    token = request.cookies.get(_form_cookie(console)) or secrets.token_urlsafe(32)
    response = page(request, "sign_in.html", None, status=status, problem=problem, next_page=next_page, csrf=token)
    _set_cookie(console, response, _form_cookie(console), token)
    return response


@router.post("/sign-in", response_model=None)
async def sign_in_form(
    request: Request,
    email: Annotated[Text, Form(max_length=254)],
    password: Annotated[str, Form(max_length=1024)],
    csrf: Annotated[str, Form()] = "",
    next_page: Annotated[str, Form(alias="next")] = "/",
) -> Response:
    """Opens a session and goes to the page that was asked for."""
    console = console_of(request)
    cookie = request.cookies.get(_form_cookie(console), "")
    if not cookie or not compare_digest(cookie.encode(), csrf.encode()):
        return _sign_in_page(request, str(ForeignRequestError()), next_page=next_page, status=403)
    try:
        device = request.cookies.get(device_cookie_name(console), "")
        cookies = await sign_in(console, email, password, address_of(request), device)
    except (WrongPasswordError, TooManyAttemptsError) as error:
        status = 401 if isinstance(error, WrongPasswordError) else 429
        return _sign_in_page(request, str(error), next_page=next_page, status=status)
    # Browsers take "//host" for another site.
    safe = next_page if _HERE.fullmatch(next_page) and not next_page.startswith("//") else "/"
    response = RedirectResponse(safe, 303)
    _set_cookie(console, response, cookie_name(console), cookies.session)
    _set_cookie(console, response, device_cookie_name(console), cookies.device, lasts=DEVICE_LASTS)
    return response


@router.post("/sign-out")
async def sign_out_form(request: Request, doctor: SignedIn, csrf: Annotated[str, Form()] = "") -> RedirectResponse:
    """Ends the session."""
    check_token(doctor, csrf)
    console = console_of(request)
    await sign_out(console, doctor)
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(
        cookie_name(console), path="/", secure=not console.settings.plain_http, httponly=True, samesite="lax"
    )
    return response


def _problem(request: Request, status: int, text: str) -> Response:
    headers = {"Retry-After": "2"} if status == 503 else {}  # noqa: PLR2004
    if request.url.path.startswith("/api/") or request.url.path == "/healthz":
        return JSONResponse({"detail": text}, status, headers=headers)
    response = page(request, "problem.html", None, status=status, problem=text)
    response.headers.update(headers)
    return response


def _answer(status: int, text: str = "") -> Callable[[Request, Exception], Coroutine[Any, Any, Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        return _problem(request, status, text or str(error))

    return answer


async def _not_signed_in(request: Request, error: Exception) -> Response:
    if request.url.path.startswith("/api/") or request.url.path == "/live":
        return JSONResponse({"detail": str(error)}, 401)
    came_from = request.url.path if request.method == "GET" else "/"
    return RedirectResponse("/sign-in" + (f"?next={came_from}" if _HERE.fullmatch(came_from) else ""), 303)


async def _not_confirmed(request: Request, error: Exception) -> Response:
    """A page asks for the password, and sends what was typed once more."""
    assert isinstance(error, NotConfirmedError)  # noqa: S101 - registered for these alone
    path = request.url.path
    if path.startswith("/api/"):
        return JSONResponse({"detail": str(error)}, error.status)
    kept = [
        (name, value)
        for name, value in (await request.form()).multi_items()
        if name != PROOF and isinstance(value, str)
    ]
    problem = "" if type(error) is NotConfirmedError else str(error)
    doctor, back = await signed_in(request), _DOES.sub("", path)
    return page(request, "confirm.html", doctor, status=error.status, problem=problem, kept=kept, back=back)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for these alone
    return _problem(request, error.status_code, _NOT_FOUND if error.status_code == 404 else str(error.detail))  # noqa: PLR2004


async def _not_understood(request: Request, error: Exception) -> Response:
    """What a person typed is not repeated; a program hears which field."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for these alone
    if request.url.path.startswith("/api/"):
        problems = [{"loc": one["loc"], "msg": one["msg"], "type": one["type"]} for one in error.errors()]
        return JSONResponse({"detail": problems}, 422)
    if any(one["loc"][0] == "path" for one in error.errors()):
        return _problem(request, 404, _NOT_FOUND)
    return _problem(request, 422, "The form was not filled in as it should be.")


def build_app(console: Console) -> FastAPI:
    """The application around ``console``."""
    app = FastAPI(
        title="HearthBeat",
        version="1",
        summary="People in your care, their readings and alerts. Not a medical device.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.console = console
    pieces = (
        pages,
        alert_pages,
        own_pages,
        live,
        rest,
        alert_rest,
        own_rest,
        plan_pages,
        plan_rest,
        adherence,
        held_rest,
        limit_pages,
        limit_rest,
        model_pages,
        model_rest,
    )
    for part in (router, held_rest.form, *(piece.router for piece in pieces)):
        app.include_router(part)
    app.mount("/static", StaticFiles(packages=[("services.api", "static")]))
    app.add_exception_handler(NotSignedInError, _not_signed_in)
    app.add_exception_handler(NotConfirmedError, _not_confirmed)
    app.add_exception_handler(NotInCareError, _answer(404, _NOT_FOUND))
    app.add_exception_handler(ForeignRequestError, _answer(403))
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _not_understood)
    for lost in LOST_CONNECTION:
        app.add_exception_handler(lost, _answer(503, _AWAY))
    app.add_exception_handler(Exception, _answer(500, _BROKEN))
    return app
