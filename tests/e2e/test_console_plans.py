"""A doctor at a real browser changes dose plans and reads the calendar: on a phone, without JavaScript, by labels."""

from collections.abc import AsyncIterator
from typing import Final, NamedTuple
from uuid import UUID

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.accessibility import problems_of
from tests.e2e.browser import DESK, PHONE, chromium, sign_in, window
from tests.e2e.kept_plans import plan_with, strange_doses
from tests.integration.console_world import Practice, open_practice

pytestmark = [pytest.mark.browser, pytest.mark.slow]
EVERYWHERE: Final = [(DESK, True), (PHONE, True), (DESK, False), (PHONE, False)]


class Surgery(NamedTuple):
    """A practice, a browser, and Ruth's plan of Metformin with a double, an unknown and a late report."""

    practice: Practice
    browser: Browser
    plan: UUID


@pytest.fixture
async def surgery(dsn: str) -> AsyncIterator[Surgery]:
    async with open_practice(dsn) as practice, chromium() as browser:
        plan = await plan_with(practice.pool, practice.world.ruth, "Metformin")
        await strange_doses(practice.pool, plan)
        yield Surgery(practice, browser, plan)


@pytest.mark.parametrize(("size", "javascript"), EVERYWHERE)
async def test_a_plan_is_edited_and_paused(surgery: Surgery, *, size: tuple[int, int], javascript: bool) -> None:
    practice, browser, plan = surgery
    async with window(browser, size=size, javascript=javascript) as context:
        page = await sign_in(context, practice.address)
        await page.goto(f"{practice.address}/people/{practice.world.ruth}")
        await page.get_by_role("link", name="Dose plans and calendar").click()
        await page.get_by_role("link", name="Metformin 500 mg").first.click()
        await page.get_by_role("link", name="Edit").click()
        await page.get_by_label("Times of the day").fill("half past seven")
        await page.get_by_role("button", name="Change from now on").click()
        await expect(page.get_by_text("Nothing was written.")).to_be_visible()
        await expect(page.get_by_text("Times of the day, such as 08:00, 20:00; at most 12.")).to_be_visible()
        assert await problems_of(page, javascript=javascript) == []
        await expect(page.get_by_label("Times of the day")).to_have_value("half past seven")
        await page.get_by_label("Times of the day").fill("07:30")
        await page.get_by_label("Mon", exact=True).check()
        await page.get_by_label("Thu", exact=True).check()
        await page.get_by_label("Why it changes").fill("stomach ache")
        await page.get_by_role("button", name="Change from now on").click()
        await expect(page.get_by_role("heading", name="Metformin 500 mg")).to_be_visible()
        await expect(page.get_by_text("on Monday and Thursday at 07:30").first).to_be_visible()
        await expect(page.get_by_text("“stomach ache”").first).to_be_visible()

        await page.get_by_label("Why (colleagues read it)").fill("contrast agent")
        await page.get_by_label("Until").fill("2026-11-24T08:00")
        await page.get_by_role("button", name="Pause now").click()
        await expect(page.get_by_role("heading", name="Paused")).to_be_visible()
        await expect(page.get_by_text("until 24 Nov 2026, 08:00:00 +01:00").first).to_be_visible()
        assert await problems_of(page, javascript=javascript) == []
        await page.get_by_role("button", name="Resume now").click()
        await expect(page.get_by_role("button", name="Pause now")).to_be_visible()
        await page.get_by_label("How many").fill("28")
        await page.get_by_role("button", name="Write down").click()
        await expect(page.get_by_role("cell", name="Refilled")).to_be_visible()
        assert await problems_of(page, javascript=javascript) == []
    count = await practice.pool.fetchval("select count(*) from dose_plan_versions where plan_id = $1", plan)
    assert count == 2


@pytest.mark.parametrize(("size", "javascript"), EVERYWHERE)
async def test_the_calendar_explains_a_double_and_an_unknown(
    surgery: Surgery, *, size: tuple[int, int], javascript: bool
) -> None:
    async with window(surgery.browser, size=size, javascript=javascript) as context:
        page = await sign_in(context, surgery.practice.address)
        await page.goto(f"{surgery.practice.address}/people/{surgery.practice.world.ruth}/plans")
        for said in (
            "Taken at 21 Nov, 08:33 and again at 21 Nov, 10:05: more than one dose may have been swallowed.",
            "Taking this drug twice is dangerous.",
            "Cup lifted at 21 Nov, 10:05: one taking too many",
            "Nobody knows whether it was taken: the dispenser has not been heard since 20 Nov, 19:30",
            "Reported late: the dispenser's message came only at 22 Nov, 00:30.",
            "Held: the plan was paused.",
        ):
            await expect(page.get_by_text(said)).to_be_visible()
        assert await problems_of(page, javascript=javascript) == []
        await page.get_by_role("link", name="Week before").click()
        await expect(page.get_by_text("Taken twice")).to_have_count(0)


async def test_a_form_that_was_refused_names_what_is_wrong_at_its_field(surgery: Surgery) -> None:
    async with window(surgery.browser) as context:
        page = await sign_in(context, surgery.practice.address)
        await page.goto(f"{surgery.practice.address}/people/{surgery.practice.world.ruth}/plans/new")
        await page.get_by_label("Drug").fill("Ibuprofen")
        await page.get_by_label("Compartment", exact=True).fill("99")
        await page.get_by_role("button", name="Begin this plan").click()
        field = page.get_by_label("Compartment", exact=True)
        await expect(field).to_have_attribute("aria-invalid", "true")
        await expect(page.locator("#compartment-problem")).to_have_text("A whole number from 0 to 63.")
        assert await problems_of(page) == []
