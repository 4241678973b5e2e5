"""Doctors who sit at the console while everything is struck: they read what is open and take some of it on."""

import asyncio
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from random import Random
from threading import Event
from typing import Any, Final

import httpx

from deploy.platform.platform import Platform
from deploy.reconcile.answers import Answer
from schemas.registry import Doctor, Register

FIRST: Final = "doctor@example.org"
"""The fleet's own."""
SECOND: Final = "second@example.org"
_SHARE: Final = 0.5
"""Of what they see each takes on so much; the rest is left to be notified again."""
_THINKS_S: Final = (0.5, 15.0)
_LOOKS_EVERY_S: Final = 0.5
_TRIES_AGAIN_S: Final = 0.3
_PATIENCE_S: Final = 60.0
_PAGE: Final = 200
_TOKEN: Final = re.compile(r'name="csrf" value="([^"]+)"')


class ConsoleError(RuntimeError):
    """The console said something that it has no reason to say, or nothing at all for too long."""


@dataclass(slots=True)
class Practice:
    """Who works there, and what they have sent so far."""

    address: str
    seed: int
    passwords: Mapping[str, str]
    sent: dict[str, Answer] = field(default_factory=dict)
    """By note."""
    sent_again: int = 0
    wrong: list[str] = field(default_factory=list)
    """What the console had no reason to say."""

    async def work(self, stop: Event) -> None:
        """Everybody, until ``stop``."""
        async with asyncio.TaskGroup() as tasks:
            for email in self.passwords:
                tasks.create_task(AtConsole(self, email).work(stop))

    async def listed(self) -> dict[str, list[str]]:
        """What each doctor's console lists now as not closed, page after page."""
        return {email: await AtConsole(self, email).list_all() for email in self.passwords}


class AtConsole:
    """One doctor: signed in by the form, reading and writing as a program of the page does."""

    def __init__(self, practice: Practice, email: str) -> None:
        self._practice, self._email = practice, email
        self._token = ""
        self._due: dict[str, tuple[int, float]] = {}
        """When to take on which version of an alert: the newest that was seen, never two of one alert."""

    async def work(self, stop: Event) -> None:
        """Looks, thinks, acknowledges; begins nothing new after ``stop``."""
        async with self._client() as client:
            while not stop.is_set():
                try:
                    await self._look(client)
                except ConsoleError as error:
                    self._practice.wrong.append(str(error))
                await asyncio.sleep(_LOOKS_EVERY_S)

    async def _look(self, client: httpx.AsyncClient) -> None:
        for alert in await self._ask(client, "GET", f"/api/v1/alerts?state=open&limit={_PAGE}"):
            self._consider(alert["alert_id"], alert["version"])
        now = time.monotonic()
        for alert_id, version in [(alert_id, version) for alert_id, (version, at) in self._due.items() if at <= now]:
            self._due[alert_id] = version, float("inf")
            await self._take_on(client, alert_id, version)

    async def list_all(self) -> list[str]:
        """The alerts of all pages, in the console's order."""
        found: list[str] = []
        before = ""
        async with self._client() as client:
            while rows := await self._ask(
                client, "GET", f"/api/v1/alerts?state=open&state=acknowledged&limit={_PAGE}{before}"
            ):
                found += [row["alert_id"] for row in rows]
                last = {"before": rows[-1]["opened_at"], "before_id": rows[-1]["alert_id"]}
                before = f"&{httpx.QueryParams(last)}"
        return found

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self._practice.address, timeout=5)

    def _consider(self, alert_id: str, version: int) -> None:
        """Whether and when to take it on: the same for the same seed, alert and version."""
        if self._due.get(alert_id, (None, 0.0))[0] != version:
            draw = Random(f"{self._practice.seed}|{self._email}|{alert_id}|{version}")
            takes = draw.random() < _SHARE
            self._due[alert_id] = version, time.monotonic() + draw.uniform(*_THINKS_S) if takes else float("inf")

    async def _take_on(self, client: httpx.AsyncClient, alert_id: str, version: int) -> None:
        """Says so until the console answers; a no means that it has changed since or is somebody else's."""
        note = secrets.token_hex(8)
        answer = Answer(alert_id=alert_id, email=self._email, note=note)
        self._practice.sent[note] = answer
        body = {"version": version, "note": note}
        said = await self._ask(client, "POST", f"/api/v1/alerts/{alert_id}/acknowledge", body)
        self._practice.sent[note] = replace(answer, said_yes=said is not None)

    async def _ask(self, client: httpx.AsyncClient, method: str, path: str, body: Any = None) -> Any:
        """The same request until it is answered: the JSON, or None for a conflict. Raises ConsoleError."""
        deadline = time.monotonic() + _PATIENCE_S
        tries = 0
        while time.monotonic() < deadline:
            tries += 1
            self._practice.sent_again += tries > 1 and method == "POST"
            answer = await self._try(client, method, path, body)
            if answer is None or answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                await asyncio.sleep(_TRIES_AGAIN_S)
            elif answer.status_code == HTTPStatus.UNAUTHORIZED:
                await self._sign_in(client)
            elif answer.status_code == HTTPStatus.CONFLICT:
                return None
            elif answer.is_success:
                return answer.json()
            else:
                raise ConsoleError(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        raise ConsoleError(f"{method} {path}: no answer in {_PATIENCE_S:.0f} s")

    async def _try(self, client: httpx.AsyncClient, method: str, path: str, body: Any = None) -> httpx.Response | None:
        try:
            return await client.request(method, path, json=body, headers={"X-CSRF-Token": self._token})
        except httpx.TransportError:
            return None

    async def _sign_in(self, client: httpx.AsyncClient) -> None:
        """By the form, as a person does; what fails is tried again by whoever asked."""
        try:
            page = await client.get("/sign-in")
            token = _TOKEN.search(page.text)
            if token:
                form = {"csrf": token[1], "email": self._email, "password": self._practice.passwords[self._email]}
                await client.post("/sign-in", data=form)
                session = await client.get("/api/v1/session")
                if session.is_success:
                    self._token = session.json()["csrf_token"]
                    return
        except httpx.TransportError:
            pass
        await asyncio.sleep(_TRIES_AGAIN_S)


def register_doctors(platform: Platform, register: Path) -> Mapping[str, str]:
    """Registers the second doctor for everybody of the fleet's ``register``; both get passwords, which it gives."""
    homes = Register.model_validate_json(register.read_bytes()).homes
    people = tuple(person.person_id for home in homes for person in home.people)
    second = Register(doctors=(Doctor(email=SECOND, name="Dr. Second", people=people),))
    file = register.with_name("doctors.json")
    file.write_text(second.model_dump_json())
    platform.command("services.cli", "register", str(file), earlier=True)
    passwords = {email: secrets.token_urlsafe(12) for email in (FIRST, SECOND)}
    for email, password in passwords.items():
        platform.command("services.cli", "doctor", "password", email, given=password)
    return passwords


@contextmanager
def at_work(practice: Practice) -> Iterator[None]:
    """They work in a thread of their own."""
    stop = Event()
    with ThreadPoolExecutor(1, thread_name_prefix="doctors") as thread:
        working = thread.submit(lambda: asyncio.run(practice.work(stop)))
        try:
            yield
        finally:
            stop.set()
    working.result()
