"""How long a note may be and what is kept of its lines: by the form as browsers count, by programs as JSON counts."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest

from tests.integration.console_world import Practice, browsing, open_practice, raise_alert

ROCKET = "\N{ROCKET}"
"""One character, two UTF-16 code units."""


@pytest.fixture
async def practice(dsn: str) -> AsyncIterator[Practice]:
    async with open_practice(dsn) as opened:
        yield opened


async def new_alert(practice: Practice) -> UUID:
    """One of a rule of its own, because a person has one alert of a rule at a time."""
    return await raise_alert(practice.pool, practice.world.ruth, rule=f"rule_{uuid4().hex}")


async def write(practice: Practice, note: str) -> tuple[int, str | None]:
    """The status that a form with this note gets, and the note that is kept."""
    alert = await new_alert(practice)
    async with browsing(practice.address) as client:
        token = (await client.get("/api/v1/session")).json()["csrf_token"]
        form = urlencode({"csrf": token, "version": "0", "note": note})  # as it is: a client would mend line ends
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await client.post(f"/alerts/{alert}/acknowledge", content=form, headers=kind)
    return answer.status_code, await kept(practice, alert)


async def send(practice: Practice, note: str) -> tuple[int, str | None]:
    """The same by a program."""
    alert = await new_alert(practice)
    async with browsing(practice.address) as client:
        token = (await client.get("/api/v1/session")).json()["csrf_token"]
        body: dict[str, Any] = {"version": 0, "note": note}
        headers = {"X-CSRF-Token": token}
        answer = await client.post(f"/api/v1/alerts/{alert}/acknowledge", json=body, headers=headers)
    return answer.status_code, await kept(practice, alert)


async def kept(practice: Practice, alert: UUID) -> str | None:
    note: str | None = await practice.pool.fetchval("select acknowledged_note from alerts where alert_id = $1", alert)
    return note


async def test_a_typed_line_end_counts_once_and_is_kept_as_one_letter(practice: Practice) -> None:
    assert await write(practice, "a\r\n" * 999 + "zz") == (303, "a\n" * 999 + "zz")
    assert await write(practice, "old\rand\nnew\r\nends") == (303, "old\nand\nnew\nends")


async def test_a_typed_note_is_as_long_as_its_field_takes_and_no_longer(practice: Practice) -> None:
    assert await write(practice, ROCKET * 1000) == (303, ROCKET * 1000)
    assert await write(practice, ROCKET * 999 + "\r\n!") == (303, ROCKET * 999 + "\n!")
    assert await write(practice, ROCKET * 1000 + "!") == (422, None)
    assert await write(practice, "a\r\n" * 1000 + "z") == (422, None)
    assert await write(practice, "a" * 2001) == (422, None)


async def test_a_sent_note_is_counted_in_characters_and_kept_with_the_same_line_ends(practice: Practice) -> None:
    assert await send(practice, ROCKET * 2000) == (200, ROCKET * 2000)
    assert await send(practice, "one\r\ntwo\rthree") == (200, "one\ntwo\nthree")
    assert await send(practice, ROCKET * 2001) == (422, None)
    async with browsing(practice.address, None) as client:
        document = (await client.get("/api/v1/openapi.json")).json()
    assert document["components"]["schemas"]["AcknowledgeIn"]["properties"]["note"]["maxLength"] == 2000
