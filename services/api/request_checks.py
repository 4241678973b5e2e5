"""What holds for every request: headers that browsers obey, a limit on bodies, no writes sent by other sites."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from secrets import compare_digest
from traceback import extract_tb
from typing import Final

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.console import Doctor
from services.api.core import is_own_request
from services.runtime.errors import HearthBeatError
from services.runtime.logs import logger

MOST_BYTES: Final = 64 * 1024
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = (
    ("Content-Security-Policy", _CONTENT_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"),
)


class ForeignRequestError(HearthBeatError):
    """This did not come from a page of this console; open the page again and repeat."""


class BodyTooLargeError(HearthBeatError):
    """That is more than this page takes."""


class RequestChecks:
    """Wraps the whole application; plain ASGI, so that streams pass through untouched."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._headers: tuple[tuple[str, str], ...] = _HEADERS
        if secure:
            self._headers += (("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        guarded_send = self._with_headers(scope, send)
        headers = Headers(scope=scope)
        if scope["method"] not in _SAFE and not is_own_request(
            headers.get("sec-fetch-site"), headers.get("origin"), headers.get("host", "")
        ):
            await PlainTextResponse(str(ForeignRequestError()), 403)(scope, receive, guarded_send)
        # Refused before it is read. A body without a length is counted by ``_limited`` as it comes.
        elif int(headers.get("content-length") or 0) > MOST_BYTES:
            await PlainTextResponse(str(BodyTooLargeError()), 413)(scope, receive, guarded_send)
        else:
            await self._serve(scope, _limited(receive), guarded_send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Logs an error that was answered, by kind and place: messages may hold personal data."""
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - one request must not end the console
            frame = extract_tb(error.__traceback__)[-1]
            place = f"{Path(frame.filename).name}:{frame.lineno}"
            logger("api").error("request failed", error=type(error).__name__, place=place)

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers:
                    headers.setdefault(name, value)
                headers["Cache-Control"] = "no-cache" if scope["path"].startswith("/static/") else "no-store"
            await send(message)

        return guarded


def _limited(receive: Receive) -> Callable[[], Awaitable[Message]]:
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MOST_BYTES:
            # FastAPI turns any other error that comes from reading a body into a 400.
            raise HTTPException(413, str(BodyTooLargeError()))
        return message

    return limited


def check_token(doctor: Doctor, token: str | None) -> None:
    """Refuses a write without the session's own token. Raises ForeignRequestError."""
    if token is None or not compare_digest(token.encode(), doctor.csrf_token.encode()):
        raise ForeignRequestError
