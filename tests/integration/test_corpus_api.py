"""Every abuse of the console in the bad-input corpus gets its answer, and the console goes on."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
import pytest_asyncio

from services.runtime.database import Pool
from tests.integration.console_world import browsing, open_practice, raise_alert, token_in
from tests.integration.raw_http import Sender, ask, request_of
from tests.proving.fuzz.corpus import Case, played_by

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Abused(NamedTuple):
    """A console, and who asks it."""

    pool: Pool
    address: str
    senders: dict[str, Sender]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def abused(embedded_dsn: str) -> AsyncIterator[Abused]:
    async with open_practice(embedded_dsn) as practice, browsing(practice.address) as doctor:
        alert = await raise_alert(practice.pool, practice.world.ruth)
        words = {"ruth": str(practice.world.ruth), "alert": str(alert)}
        csrf = (await doctor.get("/api/v1/session")).json()["csrf_token"]
        async with browsing(practice.address, None) as visitor:
            form = token_in((await visitor.get("/sign-in")).text)
            senders = {
                "doctor": Sender(cookie=cookie_of(doctor.cookies), words=words | {"csrf": csrf}),
                "visitor": Sender(cookie=cookie_of(visitor.cookies), words=words | {"form": form}),
                "nobody": Sender(words=words | {"csrf": csrf}),
            }
            yield Abused(practice.pool, practice.address, senders)


def cookie_of(cookies: object) -> str:
    return "; ".join(f"{name}={value}" for name, value in dict(cookies).items())  # type: ignore[call-overload]


@pytest.mark.parametrize("case", played_by("http"), ids=lambda case: case.id)
async def test_an_abuse_gets_its_answer_and_the_console_goes_on(abused: Abused, case: Case) -> None:
    await abused.pool.execute("delete from sign_in_attempts")
    sender = abused.senders[case.sent["as"]]
    status, answer = await ask(abused.address, request_of(case.sent, sender, abused.address.partition("//")[2]))
    expected = case.fate["status"]
    assert status in (expected if isinstance(expected, list) else [expected]), answer[:2000]
    assert b"Traceback" not in answer
    health = b"GET /healthz HTTP/1.1\r\nHost: console\r\nConnection: close\r\n\r\n"
    assert (await ask(abused.address, health))[0] == 200


async def test_a_hostile_search_comes_back_as_text(abused: Abused) -> None:
    case = next(one for one in played_by("http") if one.id == "api_abuse-search-html")
    _, answer = await ask(abused.address, request_of(case.sent, abused.senders["doctor"], "console"))
    assert b"<script>alert(1)" not in answer
    assert b"&lt;script&gt;alert(1)" in answer
