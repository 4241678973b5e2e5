"""A doctor's phone, as tests have it: what is read from the console's page, and the codes that come of it."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx

from services.api.one_time_codes import code_of, step_of
from services.runtime.sealing import new_key
from tests.integration.console_world import DOCTOR, PASSWORD, Practice, token_in

KEY_FILE = "HB_API_SECOND_FACTOR_KEY_FILE"


def key_file(directory: Path) -> Path:
    """A file of one new key, for the console's setting."""
    path = directory / "second-factor.keys"
    path.touch(mode=0o600)
    path.write_text(f"{new_key()}\n")
    return path


class Phone(NamedTuple):
    """An authenticator app, and the recovery codes that were written down."""

    secret: str
    recovery: tuple[str, ...] = ()

    def code(self, later: int = 0) -> str:
        """What it shows now, or so many half minutes later. What it shows now is good half a minute longer."""
        return code_of(self.secret, step_of(datetime.now(UTC)) + later)

    def wrong(self) -> str:
        """A code of none of the half minutes around."""
        near = {self.code(later) for later in range(-4, 5)}
        return next(f"{number:06}" for number in range(20) if f"{number:06}" not in near)


async def csrf_of(client: httpx.AsyncClient) -> str:
    """The token of the session."""
    token: str = (await client.get("/api/v1/session")).json()["csrf_token"]
    return token


def secret_in(html: str) -> str:
    """The key that a page offers, as its link for apps has it."""
    address = re.search(r'href="(otpauth:[^"]+)"', html)
    assert address is not None
    return parse_qs(urlsplit(address[1].replace("&amp;", "&")).query)["secret"][0]


def recovery_codes_in(html: str) -> tuple[str, ...]:
    """The recovery codes that a page shows."""
    return tuple(re.findall(r"<code>([A-Z2-7]{4}(?:-[A-Z2-7]{4}){3})</code>", html))


async def offered(client: httpx.AsyncClient) -> Phone:
    """A phone that has read the page; nothing asks for its codes yet."""
    answer = await client.post("/second-factor/begin", data={"csrf": await csrf_of(client)})
    assert answer.status_code == 303, answer.text
    return Phone(secret_in((await client.get("/second-factor")).text))


async def set_up(client: httpx.AsyncClient) -> Phone:
    """A phone whose codes are asked for from now on. The code that it shows now was given."""
    phone = await offered(client)
    answer = await client.post("/second-factor/confirm", data={"csrf": await csrf_of(client), "code": phone.code()})
    assert answer.status_code == 200, answer.text
    return phone._replace(recovery=recovery_codes_in(answer.text))


async def give_password(client: httpx.AsyncClient, email: str = DOCTOR, to: str = "/") -> httpx.Response:
    """The first half of signing in."""
    token = token_in((await client.get("/sign-in")).text)
    return await client.post("/sign-in", data={"csrf": token, "email": email, "password": PASSWORD, "next": to})


async def give_code(client: httpx.AsyncClient, code: str, to: str = "/") -> httpx.Response:
    """The second half."""
    token = token_in((await client.get("/sign-in")).text)
    return await client.post("/sign-in/code", data={"csrf": token, "code": code, "next": to})


async def let_time_pass(practice: Practice) -> None:
    """As if the code that was taken last, and what was wrong before, lay some minutes back."""
    await practice.pool.execute(
        "update second_factors set last_step = last_step - 20, failed_at = failed_at - interval '2 hours'"
    )
    await practice.pool.execute("update sign_in_attempts set attempted_at = attempted_at - interval '16 minutes'")
