"""Puts the application together: pages, REST, static files, and what is shown when something goes wrong."""

import re
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
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
    reset_pages,
    rest,
    second_factor_pages,
    sign_in_pages,
)
from services.api.access import NotInCareError
from services.api.confirmation import PROOF, NotConfirmedError
from services.api.console import Console, console_of
from services.api.rendering import page
from services.api.request_checks import ForeignRequestError
from services.api.second_factors import NoSecondFactorsError
from services.api.sessions import NotSignedInError, signed_in
from services.api.sign_in_pages import is_here
from services.runtime.database import LOST_CONNECTION

# What follows the page that a form stands on.
_DOES: Final = re.compile(r"/(give-back|promote|roll-back|begin|end|recovery-codes)$")
_NOT_FOUND: Final = "There is nothing here, or it is not about anybody in your care."
_AWAY: Final = "The database can't be reached. Alerts may be waiting that you can't see here. Try again in a moment."
_BROKEN: Final = "Something went wrong here. It has been written down."
router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz(request: Request) -> JSONResponse:
    """Whether the console can serve: it can ask the database."""
    await console_of(request).pool.fetchval("select 1")
    return JSONResponse({"status": "ready"})


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
    return RedirectResponse("/sign-in" + (f"?next={came_from}" if is_here(came_from) else ""), 303)


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
        sign_in_pages,
        second_factor_pages,
        reset_pages,
    )
    for part in (router, held_rest.form, *(piece.router for piece in pieces)):
        app.include_router(part)
    app.mount("/static", StaticFiles(packages=[("services.api", "static")]))
    app.add_exception_handler(NotSignedInError, _not_signed_in)
    app.add_exception_handler(NotConfirmedError, _not_confirmed)
    app.add_exception_handler(NotInCareError, _answer(404, _NOT_FOUND))
    app.add_exception_handler(ForeignRequestError, _answer(403))
    app.add_exception_handler(NoSecondFactorsError, _answer(503))
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _not_understood)
    for lost in LOST_CONNECTION:
        app.add_exception_handler(lost, _answer(503, _AWAY))
    app.add_exception_handler(Exception, _answer(500, _BROKEN))
    return app
