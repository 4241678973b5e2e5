"""A doctor at a real browser: the alert arrives, is read, and is taken on; on a phone and without JavaScript too."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, expect

from tests.e2e.browser import PHONE, chromium, sign_in, window
from tests.e2e.pictures import busy_day, take_pictures
from tests.integration.console_world import Practice, low_glucose, open_practice, raise_alert

pytestmark = [pytest.mark.browser, pytest.mark.slow]


class Surgery(NamedTuple):
    practice: Practice
    browser: Browser


@pytest.fixture
async def surgery(dsn: str) -> AsyncIterator[Surgery]:
    async with open_practice(dsn) as practice, chromium() as browser:
        yield Surgery(practice, browser)


async def overflow(page: Page) -> int:
    """Pixels by which the page is wider than the window."""
    await page.wait_for_load_state("load")
    width: int = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


async def test_an_alert_arrives_without_reloading_and_the_doctor_takes_it_on(surgery: Surgery) -> None:
    practice, browser = surgery
    async with window(browser) as context:
        page = await sign_in(context, practice.address)
        complaints: list[str] = []

        def listen(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                complaints.append(message.text)

        page.on("console", listen)
        await expect(page.get_by_text("Nobody is waiting.")).to_be_visible()
        await expect(page.locator("#live")).to_have_text("Live")
        await page.evaluate("window.stillTheSamePage = true")

        await raise_alert(practice.pool, practice.world.ruth, evidence=low_glucose())
        await expect(page.get_by_text("Glucose has been below 54 mg/dL")).to_be_visible(timeout=4000)
        assert await page.evaluate("window.stillTheSamePage")
        assert (await page.title()).startswith("(1) ")

        await page.get_by_role("link", name="Review Low glucose of Ruth Sommer").click()
        await expect(page.get_by_text("Level 2 hypoglycaemia")).to_be_visible()
        await expect(page.get_by_role("img", name="Glucose")).to_be_visible()
        await page.get_by_label("Note").fill("Calling her <b>now</b>.")
        await page.get_by_role("button", name="I take this on").click()
        await expect(page.get_by_text("Calling her <b>now</b>.").first).to_be_visible()
        await expect(page.get_by_role("button", name="I take this on")).to_have_count(0)
        assert complaints == []


async def test_reading_and_acknowledging_work_without_javascript(surgery: Surgery) -> None:
    practice, browser = surgery
    await raise_alert(practice.pool, practice.world.ruth, evidence=low_glucose())
    async with window(browser, javascript=False) as context:
        page = await sign_in(context, practice.address)
        assert await page.locator("meta[http-equiv=refresh]").count() == 1
        await page.get_by_role("link", name="Review Low glucose of Ruth Sommer").click()
        await page.get_by_role("link", name="Ruth Sommer").first.click()
        await expect(page.get_by_role("heading", name="Ruth Sommer")).to_be_visible()
        await expect(page.get_by_role("img", name="Heart rate")).to_be_visible()
        await expect(page.get_by_text("131 /min or more")).to_be_hidden()
        await page.get_by_text("All as for everybody").click()
        await expect(page.get_by_text("131 /min or more")).to_be_visible()
        await page.get_by_role("link", name="Review Low glucose").click()
        await page.get_by_label("Note").fill("Seen.")
        await page.get_by_role("button", name="I take this on").click()
        await expect(page.get_by_text("Seen.").first).to_be_visible()
        await page.get_by_role("link", name="People").first.click()
        await page.get_by_label("Name").fill("RÚTH")
        await page.get_by_role("button", name="Find").click()
        await expect(page.get_by_role("link", name="Ruth Sommer")).to_be_visible()
        await expect(page.get_by_role("link", name="Karl Sommer")).to_have_count(0)
        assert page.url == f"{practice.address}/people"
        await page.get_by_role("button", name="Sign out").click()
        await page.goto(f"{practice.address}/people")
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_on_a_phone_no_page_is_wider_than_the_screen_and_an_alert_can_be_taken_on(surgery: Surgery) -> None:
    practice, browser = surgery
    alert = await busy_day(practice.pool, practice.world)
    world = practice.world
    async with window(browser, size=PHONE) as context:
        page = await sign_in(context, practice.address)
        for path in (
            "/",
            f"/alerts/{alert}",
            "/people",
            f"/people/{world.ruth}",
            f"/people/{world.hostile}",
            "/nothing",
        ):
            await page.goto(f"{practice.address}{path}")
            if limits := await page.locator(".limits summary").all():
                await limits[0].click()
                await expect(page.get_by_role("columnheader", name="Urgency")).to_be_visible()
                badge = await page.locator(".limits .badge", has_text="Medium").first.bounding_box()
                assert badge is not None
                assert badge["height"] < 32  # a word stays in one line
            assert await overflow(page) <= 0, path
        await page.goto(f"{practice.address}/alerts/{alert}")
        button = page.get_by_role("button", name="I take this on")
        box = await button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        await button.click()
        await expect(page.get_by_text("Taken on", exact=True)).to_be_visible()


async def test_a_note_that_fills_its_field_with_lines_and_pictures_is_taken(surgery: Surgery) -> None:
    practice, browser = surgery
    alert = await raise_alert(practice.pool, practice.world.ruth)
    async with window(browser) as context:
        page = await sign_in(context, practice.address)
        await page.goto(f"{practice.address}/alerts/{alert}")
        await page.get_by_label("Note").focus()
        await page.keyboard.insert_text("\N{ROCKET}\n" * 700)  # 2,100 code units: the browser cuts at its limit
        typed = await page.get_by_label("Note").input_value()
        await page.get_by_role("button", name="I take this on").click()
        await expect(page.get_by_text("Taken on", exact=True)).to_be_visible()

    assert len(typed.encode("utf-16-le")) // 2 == 2000
    kept = await practice.pool.fetchval("select acknowledged_note from alerts where alert_id = $1", alert)
    assert kept == typed.strip()


async def test_hostile_names_run_nothing(surgery: Surgery) -> None:
    practice, browser = surgery
    await raise_alert(practice.pool, practice.world.hostile, text="<img src=x onerror=alert(9)>")
    async with window(browser) as context:
        page = await sign_in(context, practice.address)
        dialogs: list[str] = []
        page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        for path in ("/", "/people", f"/people/{practice.world.hostile}"):
            await page.goto(f"{practice.address}{path}")
            await expect(page.get_by_text("<script>alert(1)</script>").first).to_be_visible()
        await page.goto(f"{practice.address}/")
        await expect(page.locator("#live")).to_have_text("Live")
        assert dialogs == []


async def test_a_worklist_that_is_cut_off_says_so(dsn: str) -> None:
    async with chromium() as browser, window(browser) as context:
        async with open_practice(dsn) as practice:
            page = await sign_in(context, practice.address)
            await expect(page.locator("#live")).to_have_text("Live")
        await expect(page.locator("#live")).to_have_text("Connection lost. What you see is old.", timeout=8000)
        assert "stale" in (await page.locator("#worklist").get_attribute("class") or "")


async def test_the_pictures_of_the_console_can_be_taken(surgery: Surgery, tmp_path: Path) -> None:
    practice, browser = surgery
    alert = await busy_day(practice.pool, practice.world)

    pictures = await take_pictures(browser, practice.address, practice.world, alert, tmp_path)

    assert len(pictures) == 12
    assert all(picture.stat().st_size > 10_000 for picture in pictures)
