"""The page that a reset link leads to. What makes the link good follows its #, which browsers send to nobody."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.api.console import address_of, console_of
from services.api.inputs import Text
from services.api.password_resets import LinkOverError, use_link
from services.api.password_strength import LONGEST, SHORTEST, PasswordRefusedError
from services.api.request_checks import ForeignRequestError
from services.api.sign_in_pages import form_page, is_own_form

router = APIRouter(include_in_schema=False)
_NOT_THE_SAME = "The two passwords are not the same."


def _page(request: Request, problem: str = "", *, code: str = "", status: int = 200) -> HTMLResponse:
    return form_page(request, "reset.html", problem, status=status, code=code, shortest=SHORTEST, longest=LONGEST)


@router.get("/reset")
async def reset_page(request: Request) -> HTMLResponse:
    """Asks for a new password."""
    return _page(request)


@router.post("/reset", response_model=None)
async def reset_form(
    request: Request,
    code: Annotated[Text, Form(max_length=128)] = "",
    password: Annotated[str, Form(max_length=1024)] = "",
    again: Annotated[str, Form(max_length=1024)] = "",
    csrf: Annotated[str, Form()] = "",
) -> Response:
    """Sets it, and leads to the way in. What is refused leaves the link good."""
    if not is_own_form(request, csrf):
        return _page(request, str(ForeignRequestError()), code=code, status=403)
    if password != again:
        return _page(request, _NOT_THE_SAME, code=code, status=422)
    try:
        await use_link(console_of(request), code, password, address_of(request))
    except LinkOverError as error:
        return _page(request, str(error), status=404)
    except PasswordRefusedError as error:
        return _page(request, str(error), code=code, status=422)
    return RedirectResponse("/sign-in?outcome=reset", 303)
