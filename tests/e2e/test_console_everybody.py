"""Every page of the console can be used by everybody: on a desk and a phone, light and dark, without JavaScript."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Final, NamedTuple

import pytest
from fastapi.routing import APIRoute
from playwright.async_api import Browser, BrowserContext, Page, expect

from services.api import (
    alert_pages,
    limit_pages,
    live,
    model_pages,
    own_pages,
    pages,
    plan_pages,
    reset_pages,
    second_factor_pages,
    sign_in_pages,
    web,
)
from tests.e2e.accessibility import axe_findings, problems_of
from tests.e2e.browser import DESK, PHONE, chromium, sign_in, window
from tests.e2e.kept_plans import kept_plans
from tests.e2e.pictures import answered_day
from tests.integration.console_world import NOW, Practice, open_practice
from tests.integration.doubted_measurement import doubt
from tests.integration.kept_limits import kept_limits
from tests.integration.tried_models import tried_models

pytestmark = [pytest.mark.browser, pytest.mark.slow]
# The page for a code is looked at in test_console_sign_in.py, by somebody who has a phone.
_NO_PAGES: Final = frozenset({"/healthz", "/live", "/sign-in/code"})


class Surgery(NamedTuple):
    """A practice with something on every page, and the addresses of those pages."""

    practice: Practice
    browser: Browser
    paths: tuple[str, ...]


# Either edition of the database has the same pages: one of them is enough here.
@pytest.fixture
async def surgery(embedded_dsn: str) -> AsyncIterator[Surgery]:
    async with open_practice(embedded_dsn) as practice, chromium() as browser:
        yield Surgery(practice, browser, await full_pages(practice))


async def full_pages(practice: Practice) -> tuple[str, ...]:
    """Fills every page; the first address is for who is not signed in."""
    world = practice.world
    day = await answered_day(practice.pool, world)
    plans = await kept_plans(practice.pool, world)
    await doubt(practice.pool, world.ruth, world.karl)
    await doubt(practice.pool, world.karl, None)
    await tried_models(practice.pool)
    back_test = await kept_limits(practice.pool, world.ruth)
    closed = await practice.pool.fetchval(
        "select alert_id from alerts join people using (person_no) where person_id = $1 and state = 'closed' limit 1",
        world.ruth,
    )
    return (
        "/sign-in",
        "/",
        *(f"/alerts/{alert}" for alert in (day.waiting, day.taken, day.over, closed)),
        f"/alerts/{day.waiting}?outcome=changed",
        "/people",
        *(f"/people/{person}" for person in (world.ruth, world.karl, world.hostile)),
        f"/people/{world.ruth}/plans",
        f"/people/{world.karl}/plans",
        f"/people/{world.ruth}/plans/new",
        f"/people/{world.ruth}/limits",
        f"/people/{world.ruth}/limits/tests/{back_test}",
        f"/plans/{plans.metformin}",
        f"/plans/{plans.levodopa}",
        f"/plans/{plans.metformin}/edit",
        "/outcomes",
        "/morning",
        f"/morning?day={(NOW - timedelta(days=1)).date()}",
        f"/morning?day={(NOW - timedelta(days=300)).date()}",
        "/quiet-hours",
        "/second-factor",
        "/reset",
        "/models",
        "/nothing-is-here",
    )


async def overflow(page: Page) -> int:
    """Pixels by which the page is wider than the window."""
    await page.wait_for_load_state("load")
    width: int = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


async def problems_at(page: Page, address: str, path: str, *, javascript: bool) -> list[str]:
    """Of one page, with all that can be opened on it open."""
    await page.goto(f"{address}{path}")
    for details in await page.locator("details").all():
        await details.evaluate("one => one.open = true")
    problems = await problems_of(page, javascript=javascript)
    wider = await overflow(page)
    return [*problems, f"wider than the window by {wider} px"] if wider > 0 else problems


async def problems_by_path(surgery: Surgery, context: BrowserContext, *, javascript: bool) -> Mapping[str, list[str]]:
    """The pages that have a problem."""
    address, (door, *rooms) = surgery.practice.address, surgery.paths
    found = {door: await problems_at(await context.new_page(), address, door, javascript=javascript)}
    page = await sign_in(context, address)
    found |= {path: await problems_at(page, address, path, javascript=javascript) for path in rooms}
    return {path: problems for path, problems in found.items() if problems}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("size", "dark", "javascript"),
    [(DESK, False, True), (DESK, True, True), (PHONE, False, True), (PHONE, True, True), (PHONE, False, False)],
    ids=["desk", "desk, dark", "phone", "phone, dark", "phone, without JavaScript"],
)
async def test_every_page_can_be_used_by_everybody_and_fits_the_screen(
    surgery: Surgery, *, size: tuple[int, int], dark: bool, javascript: bool
) -> None:
    async with window(surgery.browser, size=size, dark=dark, javascript=javascript) as context:
        assert await problems_by_path(surgery, context, javascript=javascript) == {}


async def test_no_page_of_the_console_was_forgotten(surgery: Surgery) -> None:
    parts = (
        web, sign_in_pages, second_factor_pages, reset_pages, pages, alert_pages, own_pages, plan_pages,
        limit_pages, model_pages, live,
    )  # fmt: skip
    routes = [route for part in parts for route in part.router.routes if isinstance(route, APIRoute)]
    shown = [path.split("?")[0] for path in surgery.paths]
    forgotten = {
        route.path
        for route in routes
        if "GET" in (route.methods or ()) and not any(route.path_regex.fullmatch(path) for path in shown)
    }

    assert forgotten == _NO_PAGES


async def test_who_is_not_let_in_hears_why(surgery: Surgery) -> None:
    async with window(surgery.browser, size=PHONE) as context:
        page = await context.new_page()
        await page.goto(f"{surgery.practice.address}/sign-in")
        await page.get_by_label("E-mail address").fill("nobody@example.org")
        await page.get_by_label("Password").fill("guessed")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_be_visible()
        assert await problems_of(page) == []


async def test_a_worklist_that_is_cut_off_can_still_be_read(embedded_dsn: str) -> None:
    async with chromium() as browser, window(browser) as context:
        async with open_practice(embedded_dsn) as practice:
            await answered_day(practice.pool, practice.world)
            page = await sign_in(context, practice.address)
            await expect(page.locator("#live")).to_have_text("Live")
        await expect(page.locator("#worklist.stale")).to_be_visible(timeout=8000)
        assert await problems_of(page) == []


async def test_a_page_that_shuts_somebody_out_is_noticed(surgery: Surgery) -> None:
    async with window(surgery.browser) as context:
        page = await sign_in(context, surgery.practice.address)
        await page.goto(f"{surgery.practice.address}/quiet-hours")
        await page.evaluate(
            "const main = document.querySelector('main');"
            "main.insertAdjacentHTML('beforeend', '<h4>Deep</h4><input name=a><p>soft</p><button></button>"
            "<input type=radio aria-label=b><img src=/static/icon.svg><table><tr><td>1</table><h1 id=set>Two</h1>"
            "<div id=box><div id=wide>wide</div></div>');"
            "main.querySelector('p:last-of-type').style.color = '#bbb';"
            "box.style.cssText = 'overflow-x: auto; width: 9rem'; wide.style.width = '90rem'"
        )
        ours = {one.split(":")[0] for one in await problems_of(page)}
        axes = {one.split()[0] for one in await axe_findings(page)}

    assert {
        "not one h1", "heading skips a level", "id twice", "no label", "no name", "choice without a question",
        "picture without words", "table without headers", "scrolls, not by keyboard",
    } <= ours  # fmt: skip
    assert any(one.startswith("contrast ") for one in ours)
    assert {"label", "button-name", "image-alt", "color-contrast"} <= axes
