"""The password once more before limits change: in a real browser, on desk and phone, and without scripts."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Page, expect

from services.api.confirmation import PROOF_LASTS
from tests.e2e.accessibility import problems_of
from tests.e2e.browser import DESK, PHONE, chromium, sign_in, window
from tests.integration.console_world import PASSWORD, Practice, open_practice

pytestmark = [pytest.mark.browser, pytest.mark.slow]
_PICTURES: Final = os.environ.get("HB_PICTURES", "")
_WIDER: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def confirm_and_save(page: Page, practice: Practice, name: str, *, javascript: bool) -> None:
    """A limit is typed, the proof has grown old meanwhile; what was typed is saved after a wrong and a right one."""
    await page.goto(f"{practice.address}/people/{practice.world.ruth}/limits")
    await page.get_by_label("Limit", exact=True).select_option(value="heart_rate.fast/0")
    await page.get_by_label("New value").fill("128")
    await page.get_by_label("Why (colleagues").fill(f"Trains, says {name}")
    await practice.pool.execute("update sessions set proved_at = opened_at - $1::interval", PROOF_LASTS)
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    password = page.get_by_label("Password")
    await expect(password).to_be_focused()
    assert await problems_of(page, javascript=javascript) == []
    assert await page.evaluate(_WIDER) <= 0
    await page.keyboard.type("not the password")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("That is not your password.")
    assert await problems_of(page, javascript=javascript) == []
    if _PICTURES:
        await page.screenshot(path=Path(_PICTURES) / f"confirm-{name}.png", full_page=True)
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Confirm and save")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("Saved")
    practice.clock.advance(seconds=timedelta(minutes=1).total_seconds())
    await page.reload()
    await expect(page.locator("section[aria-labelledby='history'] li").first).to_contain_text(name)
    await practice.pool.execute("delete from limits where person_no <> 0")


async def test_what_was_typed_is_kept_while_the_password_is_asked_for(embedded_dsn: str) -> None:
    async with open_practice(embedded_dsn) as practice, chromium() as browser:
        for name, size in (("desk", DESK), ("phone", PHONE)):
            async with window(browser, size=size) as context:
                await confirm_and_save(await sign_in(context, practice.address), practice, name, javascript=True)


async def test_it_goes_without_scripts(embedded_dsn: str) -> None:
    async with (
        open_practice(embedded_dsn) as practice,
        chromium() as browser,
        window(browser, size=PHONE, javascript=False) as context,
    ):
        await confirm_and_save(await sign_in(context, practice.address), practice, "plain", javascript=False)
