"""A limit of one person, tried on their past, saved, muted: in a real browser, on a desk and on a phone."""

import os
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Page, expect

from schemas.alerts import Severity
from schemas.default_limits import usual_of
from tests.e2e.accessibility import problems_of
from tests.e2e.browser import DESK, PHONE, chromium, sign_in, window
from tests.integration.console_world import Practice, open_practice
from tests.integration.limits_past import score_of, write_past

pytestmark = [pytest.mark.browser, pytest.mark.slow]
_PICTURES: Final = os.environ.get("HB_PICTURES", "")
SLOW: Final = usual_of("heart_rate.slow")
_URGENT: Final = [number for number, one in enumerate(SLOW.levels) if one.severity is Severity.HIGH and not one.moving]
_WIDER: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def look(page: Page, name: str) -> None:
    """Whether everybody can use the page, and, where it is asked for, a picture of it."""
    if _PICTURES:
        await page.screenshot(path=Path(_PICTURES) / f"limits-{name}.png", full_page=True)
    assert await problems_of(page, javascript=True) == []
    assert await page.evaluate(_WIDER) <= 0


async def type_in(page: Page, limit: str, value: str, why: str) -> None:
    await page.get_by_label("Limit", exact=True).select_option(value=limit)
    await page.get_by_label("New value").fill(value)
    await page.get_by_label("Why (colleagues").fill(why)


async def try_and_save(page: Page, practice: Practice, name: str) -> None:
    """From the person's page to a saved limit."""
    await page.goto(f"{practice.address}/people/{practice.world.ruth}")
    await page.get_by_role("link", name="Change limits").click()
    await type_in(page, "heart_rate.fast/0", "128", "Trains three times a week")
    await page.get_by_role("button", name="Try on the last 30 days").click()
    await expect(page.get_by_role("progressbar", name="How much is done")).to_be_visible()
    await look(page, f"waiting-{name}")
    assert await score_of(practice.pool, practice.clock).answer() == 1
    await expect(page.locator(".came")).to_contain_text("would have given 4 alerts instead of 11")
    await expect(page.get_by_role("heading", name="These 7 vanish")).to_be_visible()
    await expect(page.get_by_role("heading", name="Save it, or try another")).to_be_visible()
    await look(page, f"tried-{name}")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text("Saved")
    practice.clock.advance(seconds=60)
    await page.reload()
    await expect(page.locator("section[aria-labelledby='history'] li").first).to_contain_text("Trains three times")
    await look(page, f"saved-{name}")
    back = page.get_by_label("Why as for everybody again")
    await back.fill("Trains no more")
    await page.get_by_role("button", name="As for everybody again").click()
    await expect(page.locator("section[aria-labelledby='history'] li").first).to_contain_text("Trains no more")
    practice.clock.advance(seconds=60)


async def mute(page: Page, practice: Practice, name: str) -> None:
    """Both urgent limits of a slow pulse are moved out of reach: the second asks for an end, and once more."""
    await page.goto(f"{practice.address}/people/{practice.world.ruth}/limits")
    await type_in(page, f"{SLOW.concern}/{_URGENT[-1]}", "26", "Pacemaker is being set")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text("Saved")
    practice.clock.advance(seconds=60)
    await type_in(page, f"{SLOW.concern}/{_URGENT[0]}", "28", "Pacemaker is being set")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("This mutes what is urgent.")).to_be_visible()
    await look(page, f"mute-{name}")
    await page.get_by_label("For how long").select_option(value="4")
    await page.get_by_role("button", name="Mute, and save").click()
    await expect(page.get_by_text("Confirm that nobody will be called")).to_be_visible()
    await page.get_by_label("I know that nobody will be called").check()
    await page.get_by_role("button", name="Mute, and save").click()
    await expect(page.get_by_role("status")).to_contain_text("Saved")
    practice.clock.advance(seconds=60)
    await page.reload()
    await expect(page.get_by_text("what is urgent for everybody else (30 /min or less")).to_be_visible()
    await look(page, f"muted-{name}")
    await page.goto(f"{practice.address}/people/{practice.world.ruth}")
    await expect(page.get_by_text("Heart rate, slow. Muted until")).to_be_visible()


async def test_a_doctor_tries_a_limit_on_the_past_and_saves_it(embedded_dsn: str) -> None:
    async with open_practice(embedded_dsn) as practice, chromium() as browser:
        await write_past(practice.pool, practice.world.ruth)
        for name, size in (("desk", DESK), ("phone", PHONE)):
            async with window(browser, size=size) as context:
                page = await sign_in(context, practice.address)
                await try_and_save(page, practice, name)
                if name == "phone":
                    await mute(page, practice, name)
