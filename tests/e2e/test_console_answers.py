"""A doctor says what came of an alert, in a real browser: on a desk, on a phone, without JavaScript; for everybody."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import pytest
from playwright.async_api import Browser, Page, expect

from schemas.alerts import Severity
from tests.e2e.accessibility import problems_of
from tests.e2e.browser import DESK, PHONE, chromium, sign_in, window
from tests.integration.console_world import NOW, Practice, low_glucose, open_practice, raise_alert

pytestmark = [pytest.mark.browser, pytest.mark.slow]


class Surgery(NamedTuple):
    practice: Practice
    browser: Browser


@pytest.fixture
async def surgery(dsn: str) -> AsyncIterator[Surgery]:
    async with open_practice(dsn) as practice, chromium() as browser:
        yield Surgery(practice, browser)


async def said_of(practice: Practice, alert: UUID) -> list[tuple[str, str | None, str | None, str]]:
    rows = await practice.pool.fetch(
        "select what, verdict, action, note from alert_outcomes where alert_id = $1 order by outcome_no", alert
    )
    return [tuple(row) for row in rows]


async def overflow(page: Page) -> int:
    """Pixels by which the page is wider than the window."""
    await page.wait_for_load_state("load")
    width: int = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


@pytest.mark.parametrize(("size", "javascript"), [(DESK, True), (PHONE, True), (DESK, False), (PHONE, False)])
async def test_an_alert_is_taken_on_with_an_outcome_corrected_and_finished(
    surgery: Surgery, *, size: tuple[int, int], javascript: bool
) -> None:
    practice, browser = surgery
    alert = await raise_alert(practice.pool, practice.world.ruth, evidence=low_glucose())
    async with window(browser, size=size, javascript=javascript) as context:
        page = await sign_in(context, practice.address)
        await page.goto(f"{practice.address}/alerts/{alert}")
        await page.get_by_label("Note").fill("Rang her: she eats.")
        await page.get_by_role("radio", name="It was real").check()
        await page.get_by_label("What did you do?").select_option("Called")
        await page.get_by_role("button", name="I take this on").click()
        await expect(page.get_by_text("It was real", exact=True).first).to_be_visible()
        assert await problems_of(page, javascript=javascript) == []

        await page.get_by_text("Correct or add to what was said").click()
        late = page.locator("form[action$='/outcome']")
        await late.get_by_role("radio", name="It is unclear").check()
        await late.get_by_label("Note on what came of it").fill("The sensor was cold.")
        await late.get_by_role("button", name="Write it down").click()
        await expect(page.get_by_text("“The sensor was cold.”").first).to_be_visible()
        assert await overflow(page) <= 0

        await page.get_by_label("Note on the end").fill("Seen at home.")
        button = page.get_by_role("button", name="Finish this alert")
        box = await button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        await button.click()
        await expect(page.get_by_text("Closed", exact=True)).to_be_visible()
        await expect(page.get_by_role("button", name="Finish this alert")).to_have_count(0)
        assert await problems_of(page, javascript=javascript) == []

    assert await said_of(practice, alert) == [
        ("acknowledged", "real", "called", "Rang her: she eats."),
        ("outcome", "unclear", None, "The sensor was cold."),
        ("finished", None, None, "Seen at home."),
    ]


async def test_an_outcome_is_reached_by_keyboard_alone(surgery: Surgery) -> None:
    practice, browser = surgery
    alert = await raise_alert(practice.pool, practice.world.ruth)
    async with window(browser) as context:
        page = await sign_in(context, practice.address)
        await page.goto(f"{practice.address}/alerts/{alert}")
        await page.get_by_label("Note").focus()
        await page.keyboard.type("Called.")
        await page.keyboard.press("Tab")  # the choice that is made: nothing said
        await page.keyboard.press("ArrowDown")  # around to the first
        await page.keyboard.press("Tab")
        await page.keyboard.type("Visited")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Taken on", exact=True).first).to_be_visible()

    assert await said_of(practice, alert) == [("acknowledged", "real", "visited", "Called.")]


@pytest.mark.parametrize("javascript", [True, False])
async def test_quiet_hours_are_set_and_ended_on_a_phone(surgery: Surgery, *, javascript: bool) -> None:
    practice, browser = surgery
    async with window(browser, size=PHONE, javascript=javascript) as context:
        page = await sign_in(context, practice.address)
        await page.get_by_role("link", name="Quiet hours").click()
        await page.get_by_label("From").fill("21:30")
        await page.get_by_label("Your time zone").fill("Europe/Nowhere")
        await page.get_by_role("button", name="Set quiet hours").click()
        await expect(page.get_by_role("alert")).to_contain_text("not changed")
        await expect(page.get_by_label("From")).to_have_value("21:30")
        assert await problems_of(page, javascript=javascript) == []
        await page.get_by_label("Your time zone").fill("Europe/Vienna")
        await page.get_by_role("button", name="Set quiet hours").click()
        await expect(page.get_by_text("From 21:30 to 07:00")).to_be_visible()
        await page.get_by_role("button", name="End quiet hours").click()
        await expect(page.get_by_text("You have none")).to_be_visible()


async def test_a_mild_alert_that_was_high_looks_mild_and_says_so(surgery: Surgery) -> None:
    practice, browser = surgery
    alert = await raise_alert(practice.pool, practice.world.ruth, at=NOW - timedelta(hours=2))
    await practice.pool.execute(
        "update alerts set active_severity = $2, episodes = 3, episodes_since_open = 3 where alert_id = $1",
        alert,
        Severity.MEDIUM,
    )
    async with window(browser, size=PHONE) as context:
        page = await sign_in(context, practice.address)
        row = page.get_by_role("listitem").filter(has_text="Ruth Sommer")
        await expect(row.get_by_text("Medium", exact=True)).to_be_visible()
        await expect(row.get_by_text("was high", exact=True)).to_be_visible()
        await expect(row.get_by_text("3 times since 22 Nov, 13:30")).to_be_visible()
