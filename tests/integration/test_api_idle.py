"""What keeps a session alive: what a doctor does, and not a page that was left open."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.api.sessions import IDLE
from tests.integration.console_world import Practice, browsing, open_practice, raise_alert, token_in
from tests.integration.streams import read_events

HALF_AN_HOUR_AGO = timedelta(minutes=30)


@pytest.fixture
async def practice(dsn: str) -> AsyncIterator[Practice]:
    async with open_practice(dsn) as opened:
        yield opened


async def grow_idle(practice: Practice, since: timedelta) -> datetime:
    """Makes the last action of every session that old."""
    seen_at = datetime.now(UTC) - since
    await practice.pool.execute("update sessions set seen_at = $1", seen_at)
    return seen_at


async def last_action(practice: Practice) -> datetime:
    seen_at: datetime = await practice.pool.fetchval("select seen_at from sessions")
    return seen_at


async def test_an_open_worklist_is_no_action(practice: Practice) -> None:
    async with browsing(practice.address) as client:
        seen_at = await grow_idle(practice, HALF_AN_HOUR_AGO)
        async with client.stream("GET", "/live") as stream:
            lines = stream.aiter_lines()
            await read_events(lines, "now")
            await raise_alert(practice.pool, practice.world.ruth)
            assert "Ruth" in await read_events(lines, "worklist")
            assert await last_action(practice) == seen_at


async def test_an_open_worklist_signs_off_after_an_hour_without_an_action(practice: Practice) -> None:
    async with browsing(practice.address) as client, client.stream("GET", "/live") as stream:
        lines = stream.aiter_lines()
        await read_events(lines, "now")
        await grow_idle(practice, IDLE)
        assert await read_events(lines, "signed_out", within_s=3.5) == ""
        assert (await client.get("/live")).status_code == 401


async def test_a_worklist_that_loads_itself_again_without_javascript_is_no_action(practice: Practice) -> None:
    async with browsing(practice.address) as client:
        html = (await client.get("/")).text
        again = html.split('http-equiv="refresh" content="15; url=', 1)[1].split('"', 1)[0]
        seen_at = await grow_idle(practice, HALF_AN_HOUR_AGO)
        assert "Nobody is waiting." in (await client.get(again)).text
        assert await last_action(practice) == seen_at
        await grow_idle(practice, IDLE)
        assert (await client.get(again)).headers["location"] == "/sign-in?next=/"


@pytest.mark.parametrize("what", ["page", "form", "call"])
async def test_pages_forms_and_calls_are_actions(practice: Practice, what: str) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth)
    async with browsing(practice.address) as client:
        token = token_in((await client.get("/")).text)
        seen_at = await grow_idle(practice, HALF_AN_HOUR_AGO)
        if what == "page":
            await client.get("/")
        elif what == "form":
            await client.post(f"/alerts/{alert}/acknowledge", data={"csrf": token, "version": "0"})
        else:
            await client.get("/api/v1/session")
        assert await last_action(practice) > seen_at
