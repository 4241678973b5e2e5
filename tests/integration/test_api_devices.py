"""What the console shows of somebody's devices: when each was heard, and what it said of itself."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.integration.console_world import NOW, Practice, browsing, open_practice


@pytest.fixture
async def practice(dsn: str) -> AsyncIterator[Practice]:
    async with open_practice(dsn) as opened:
        yield opened


async def devices_on_the_page(practice: Practice) -> list[str]:
    """The words of each device's row."""
    async with browsing(practice.address) as client:
        html = (await client.get(f"/people/{practice.world.ruth}")).text
    part = html[html.index('id="devices"') : html.index('id="noticed"')]
    rows = re.findall(r"<tr>(.*?)</tr>", part, re.DOTALL)[1:]
    return [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in rows]


async def numbers(practice: Practice) -> list[int]:
    """Ruth's dispenser and her band."""
    rows = await practice.pool.fetch(
        "select d.device_no from devices d join bindings using (device_no) join people using (person_no)"
        " where person_id = $1 order by device_type",
        practice.world.ruth,
    )
    return [row["device_no"] for row in rows]


async def test_a_device_of_which_nothing_is_known_is_shown_as_such(practice: Practice) -> None:
    pills, band = await devices_on_the_page(practice)
    assert pills.startswith("Pill dispenser")
    assert band.startswith("Wearable band")
    assert pills.endswith("never not known not known")


async def test_a_device_is_shown_with_when_it_was_heard_and_what_it_said(practice: Practice) -> None:
    pills, band = await numbers(practice)
    for statement in (
        "insert into device_cursor values ($1, 1, '{}', 0, '[]', $2::timestamptz - interval '4 hours')",
        "insert into device_status values ($1, 'offline', false, $2, $2, 12, $2)",
        "insert into silences select home_no, 0, 900, device_no, $2, $2 from devices where device_no = $1",
    ):
        await practice.pool.execute(statement, band, NOW)
    await practice.pool.execute(
        "insert into device_status values ($1, 'offline', true, $2, $2)", pills, NOW - timedelta(hours=3)
    )
    shown_pills, shown_band = await devices_on_the_page(practice)
    assert "never offline: switched off" in shown_pills
    assert "4 h 00 min ago silent offline: connection lost" in shown_band
    assert shown_band.endswith("12 %")

    await practice.pool.execute("update device_status set state = 'online', since = $1", NOW - timedelta(hours=2))
    assert all("online since" in row for row in await devices_on_the_page(practice))


async def test_each_device_of_a_silent_home_is_silent(practice: Practice) -> None:
    pills, _ = await numbers(practice)
    await practice.pool.execute(
        "insert into silences select home_no, 0, 901, null, $2, $2 from devices where device_no = $1", pills, NOW
    )
    assert all(" silent " in row for row in await devices_on_the_page(practice))
