"""A doctor of a scenario at the console's REST interface: signing in, reading, and writing with the session's token."""

import re
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import httpx

from services.api.passwords import set_password
from services.runtime.database import Pool

_TOKEN: Final = re.compile(r'name="csrf" value="([^"]+)"')


class ConsoleRefusedError(RuntimeError):
    """The console did not do what the story says."""


class DoctorAtConsole:
    """Signs in by the form, as a browser does, when something is to be done."""

    def __init__(self, address: str, email: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(base_url=address, timeout=20, transport=transport)
        self._email = email
        self._password = secrets.token_urlsafe(12)
        self._token = ""

    async def get_password(self, pool: Pool) -> None:
        """Gives the doctor a password."""
        await set_password(pool, self._email, self._password)

    async def read(self, path: str) -> Any:
        """The answer to a GET below ``/api/v1/``. Raises ConsoleRefusedError."""
        return await self._ask("GET", path, None)

    async def write(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer to POST, PUT or DELETE; None where it has none. Raises ConsoleRefusedError."""
        return await self._ask(method, path, body)

    async def close(self) -> None:
        """Leaves."""
        await self._client.aclose()

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        if not self._token:
            await self._sign_in()
        headers = {} if method == "GET" else {"X-CSRF-Token": self._token}
        answer = await self._client.request(method, f"/api/v1/{path}", json=body, headers=headers)
        if answer.status_code == HTTPStatus.FORBIDDEN:
            # A while after signing in the console asks for the password once more before grave changes.
            proof = {"password": self._password}
            self._insist(await self._client.post("/api/v1/session/confirm", json=proof, headers=headers))
            answer = await self._client.request(method, f"/api/v1/{path}", json=body, headers=headers)
        self._insist(answer)
        return answer.json() if answer.content else None

    async def _sign_in(self) -> None:
        page = await self._client.get("/sign-in")
        found = _TOKEN.search(page.text)
        form = {"csrf": found[1] if found else "", "email": self._email, "password": self._password}
        await self._client.post("/sign-in", data=form)
        session = await self._client.get("/api/v1/session")
        self._insist(session)
        self._token = session.json()["csrf_token"]

    @staticmethod
    def _insist(answer: httpx.Response) -> None:
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            raise ConsoleRefusedError(f"the console answered {answer.status_code}: {answer.text[:200]}")
