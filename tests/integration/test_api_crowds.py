"""Many requests at once: each is answered, whatever the number of connections to the database."""

import asyncio
import time

import httpx
import pytest

from services.runtime.settings import DatabaseSettings
from tests.integration.console_world import UNREGISTERED, browsing, build_world, open_world, raise_alert, serving

DEFAULT_POOL = DatabaseSettings.model_fields["pool_size"].default
ANSWERED_S = DatabaseSettings.model_fields["acquire_timeout_s"].default
"""Not a measurement, which is no matter of a test: whoever waits longer for a connection is given up, and that is what
a console that hangs looks like."""


@pytest.mark.parametrize(("crowd", "pool_size"), [(200, DEFAULT_POOL), (16, 1)])
async def test_a_crowd_of_refused_acknowledgements_is_answered_and_written_down_and_the_console_goes_on(
    dsn: str, crowd: int, pool_size: int
) -> None:
    """Eight of them had hung the console for good: each held a connection and waited for a second one."""
    async with open_world(dsn) as pool:
        await pool.execute("delete from sign_in_attempts")
        world = await build_world(pool)
        alert_id = await raise_alert(pool, world.ruth)
        limits = httpx.Limits(max_connections=crowd)
        async with serving(dsn, pool_size=pool_size) as address, browsing(address, UNREGISTERED) as unregistered:
            token = (await unregistered.get("/api/v1/session")).json()["csrf_token"]
            async with httpx.AsyncClient(base_url=address, cookies=unregistered.cookies, limits=limits) as many:

                async def acknowledge() -> tuple[int, float]:
                    began = time.monotonic()
                    answer = await many.post(
                        f"/api/v1/alerts/{alert_id}/acknowledge",
                        json={"version": 0},
                        headers={"X-CSRF-Token": token},
                        timeout=30,
                    )
                    return answer.status_code, time.monotonic() - began

                answers = await asyncio.gather(*(acknowledge() for _ in range(crowd)))
            began = time.monotonic()
            page = await unregistered.get("/")
            page_s = time.monotonic() - began
        written = await pool.fetchval(
            "select count(*) from audit where alert_id = $1 and action = 'acknowledge' and not allowed", alert_id
        )
    assert [status for status, _ in answers] == [404] * crowd
    assert max(seconds for _, seconds in answers) < ANSWERED_S
    assert (written, page.status_code) == (crowd, 200)
    assert page_s < ANSWERED_S
