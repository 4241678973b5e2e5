"""A doctor at a real browser changes dose plans and reads the calendar: on a phone, without JavaScript, by labels."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.browser import DESK, PHONE, chromium, sign_in, window
from tests.integration.console_world import NOW, Practice, open_practice, write_dose, write_evidence

pytestmark = [pytest.mark.browser, pytest.mark.slow]


class Surgery(NamedTuple):
    """A practice, a browser, and Ruth's plan of Metformin with a double, an unknown and a late report."""

    practice: Practice
    browser: Browser
    plan: UUID


@pytest.fixture
async def surgery(dsn: str) -> AsyncIterator[Surgery]:
    async with open_practice(dsn) as practice, chromium() as browser:
        pool = practice.pool
        plan = await pool.fetchval(
            "select plan_id from dose_plan_versions join dose_plans using (plan_id) join people using (person_no)"
            " where person_id = $1 and drug like 'Metformin%'",
            practice.world.ruth,
        )
        due = NOW - timedelta(days=1, hours=7)
        double = await write_dose(pool, plan, due, "double", listed=True)
        await write_evidence(pool, double, "decided", due + timedelta(minutes=3), seq=1)
        await write_evidence(pool, double, "double", due + timedelta(minutes=95), seq=2)
        late = await write_dose(pool, plan, due + timedelta(hours=12), "taken")
        came = due + timedelta(hours=16)
        await write_evidence(pool, late, "decided", due + timedelta(hours=12), received_at=came, seq=3)
        await write_dose(pool, plan, due - timedelta(hours=12), "unknown", unknown_since=due - timedelta(hours=13))
        await write_dose(pool, plan, due - timedelta(days=1), "held")
        yield Surgery(practice, browser, plan)


NAMELESS = """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a[href]')]
    .filter(one => !(one.labels && one.labels.length) && !one.textContent.trim() && !one.getAttribute('aria-label'))
    .map(one => one.outerHTML)"""
LOOSE_CHOICES = """() => [...document.querySelectorAll('input[type=radio], input[type=checkbox]')]
    .filter(one => !one.closest('fieldset')?.querySelector('legend')?.textContent.trim()).map(one => one.outerHTML)"""
TWICE_USED_IDS = """() => [...document.querySelectorAll('[id]')].map(one => one.id)
    .filter((id, at, all) => all.indexOf(id) !== at)"""
DANGLING = """() => [...document.querySelectorAll('[aria-describedby], [aria-labelledby]')]
    .flatMap(one => (one.getAttribute('aria-describedby') || one.getAttribute('aria-labelledby')).split(' '))
    .filter(id => !document.getElementById(id))"""
SKIPPED_LEVELS = """() => { const levels = [...document.querySelectorAll('h1, h2, h3, h4')].map(one => +one.tagName[1]);
    return levels.filter((level, at) => level > (at ? levels[at - 1] : 0) + 1) }"""
PALE = """() => {
    const channel = one => { one /= 255; return one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4 };
    const parts = text => text.match(/[\\d.]+/g).map(Number);
    const light = ([red, green, blue]) => 0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
    const ground = one => {
        for (; one; one = one.parentElement) {
            const found = parts(getComputedStyle(one).backgroundColor);
            if (found.length === 3 || found[3] > 0) return found;
        }
        return [255, 255, 255];
    };
    return [...document.querySelectorAll('main *')].filter(one => one.checkVisibility()
        && [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())).map(one => {
        const [above, below] = [light(parts(getComputedStyle(one).color)), light(ground(one))].sort((a, b) => b - a);
        return [(above + 0.05) / (below + 0.05), one.outerHTML.slice(0, 80)];
    }).filter(([contrast]) => contrast < 4.5) }"""


async def complaints_about(page: Page) -> dict[str, Any]:
    """What the usual checkers of accessibility call serious, as far as it can go wrong on these pages."""
    checks = {
        "without a name": NAMELESS,
        "choices without a legend": LOOSE_CHOICES,
        "ids used twice": TWICE_USED_IDS,
        "references to nothing": DANGLING,
        "levels of headings skipped": SKIPPED_LEVELS,
        "contrast below 4.5": PALE,
    }
    found = {name: await page.evaluate(check) for name, check in checks.items()}
    found["language"] = [] if await page.locator("html[lang]").count() == 1 else ["none"]
    return {name: what for name, what in found.items() if what}


def pages(surgery: Surgery) -> tuple[str, ...]:
    ruth = surgery.practice.world.ruth
    plan = f"/plans/{surgery.plan}"
    return (f"/people/{ruth}/plans", f"/people/{ruth}/plans/new", plan, f"{plan}/edit")


async def test_a_plan_is_edited_and_paused_without_javascript_on_a_phone(surgery: Surgery) -> None:
    practice, browser, plan = surgery
    async with window(browser, size=PHONE, javascript=False) as context:
        page = await sign_in(context, practice.address)
        await page.goto(f"{practice.address}/people/{practice.world.ruth}")
        await page.get_by_role("link", name="Dose plans and calendar").click()
        await page.get_by_role("link", name="Metformin 500 mg").first.click()
        await page.get_by_role("link", name="Edit").click()
        await page.get_by_label("Times of the day").fill("half past seven")
        await page.get_by_role("button", name="Change from now on").click()
        await expect(page.get_by_text("Nothing was written.")).to_be_visible()
        await expect(page.get_by_text("Times of the day, such as 08:00, 20:00; at most 12.")).to_be_visible()
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
        await page.get_by_role("button", name="Resume now").click()
        await expect(page.get_by_role("button", name="Pause now")).to_be_visible()
        await page.get_by_label("How many").fill("28")
        await page.get_by_role("button", name="Write down").click()
        await expect(page.get_by_role("cell", name="Refilled")).to_be_visible()
    count = await practice.pool.fetchval("select count(*) from dose_plan_versions where plan_id = $1", plan)
    assert count == 2


async def test_the_calendar_explains_a_double_and_an_unknown(surgery: Surgery) -> None:
    async with window(surgery.browser, size=PHONE, javascript=False) as context:
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
        await page.get_by_role("link", name="Week before").click()
        await expect(page.get_by_text("Taken twice")).to_have_count(0)


async def test_pages_fit_a_phone_and_can_be_used_by_their_names(surgery: Surgery, tmp_path: Path) -> None:
    for size, dark in ((PHONE, False), (DESK, True)):
        async with window(surgery.browser, size=size, dark=dark) as context:
            page = await sign_in(context, surgery.practice.address)
            for number, path in enumerate(pages(surgery)):
                await page.goto(f"{surgery.practice.address}{path}")
                wider = await page.evaluate(
                    "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                )
                assert wider <= 0, path
                assert await complaints_about(page) == {}, path
                picture = tmp_path / f"{number}-{size[0]}.png"
                await page.screenshot(path=picture, full_page=True)
                assert picture.stat().st_size > 10_000


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
        assert await complaints_about(page) == {}
