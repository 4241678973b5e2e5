"""A doctor of a scenario at the console's REST interface."""

import re
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import httpx

from services.api.passwords import set_password
from services.runtime.database import Pool

_TOKEN: Final = re.compile(r'name="csrf" value="([^"]+)"')
_MOST: Final = 200


class ConsoleRefusedError(RuntimeError):
    """The console did not do what the story says."""


class DoctorAtConsole:
    """Signs in by the form, as a browser does, when something is to be done."""

    def __init__(self, address: str, email: str) -> None:
        self._client = httpx.AsyncClient(base_url=address, timeout=20)
        self._email = email
        self._password = secrets.token_urlsafe(12)
        self._token = ""

    async def get_password(self, pool: Pool) -> None:
        """Gives the doctor a password."""
        await set_password(pool, self._email, self._password)

    async def acknowledge(self, rule: str, person_id: str, said: Mapping[str, str]) -> bool:
        """Takes on every open alert of a rule about a person; False where there is none. Raises ConsoleRefusedError."""
        if not self._token:
            await self._sign_in()
        listed = await self._client.get(f"/api/v1/alerts?state=open&limit={_MOST}")
        self._insist(listed)
        wanted = [one for one in listed.json() if one["rule"] == rule and one["person_id"] == person_id]
        for alert in wanted:
            done = await self._client.post(
                f"/api/v1/alerts/{alert['alert_id']}/acknowledge",
                json={"version": alert["version"], "note": "", **said},
                headers={"X-CSRF-Token": self._token},
            )
            self._insist(done)
        return bool(wanted)

    async def close(self) -> None:
        """Leaves."""
        await self._client.aclose()

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
