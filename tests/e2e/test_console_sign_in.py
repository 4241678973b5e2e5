"""A second factor and a lost password in a real browser, on a phone and without scripts; everybody can use it all."""

import os
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import BrowserContext, Page, expect

from services.api.password_resets import make_link
from tests.e2e.accessibility import problems_of
from tests.e2e.browser import DESK, PHONE, chromium, sign_in, window
from tests.integration.authenticator import KEY_FILE, Phone, key_file, let_time_pass, secret_in
from tests.integration.console_world import DOCTOR, NOW, PASSWORD, Practice, open_practice

pytestmark = [pytest.mark.browser, pytest.mark.slow]
_PICTURES: Final = os.environ.get("HB_PICTURES", "")
_WIDER: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def looked_at(page: Page, name: str, *, javascript: bool) -> None:
    """The page as it is now, with all that can be opened on it open."""
    for details in await page.locator("details").all():
        await details.evaluate("one => one.open = true")
    assert await problems_of(page, javascript=javascript) == []
    assert await page.evaluate(_WIDER) <= 0
    if _PICTURES:
        await page.screenshot(path=Path(_PICTURES) / f"{name}.png", full_page=True)


async def set_up(page: Page, address: str, *, javascript: bool) -> Phone:
    await page.get_by_role("link", name="Second factor").click()
    await looked_at(page, "factor-none", javascript=javascript)
    await page.get_by_role("button", name="Set it up").click()
    await expect(page.get_by_role("img", name="A QR code")).to_be_visible()
    await looked_at(page, "factor-offered", javascript=javascript)
    phone = Phone(secret_in(await page.content()))
    await page.get_by_label("Code of six digits").fill(phone.wrong())
    await page.get_by_role("button", name="Put it in force").click()
    await expect(page.get_by_role("alert")).to_contain_text("That code is wrong")
    await looked_at(page, "factor-wrong", javascript=javascript)
    await page.get_by_label("Code of six digits").fill(phone.code())
    await page.get_by_role("button", name="Put it in force").click()
    await expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    await looked_at(page, "factor-codes", javascript=javascript)
    recovery = tuple(await page.locator(".codes code").all_text_contents())
    await page.get_by_role("link", name="I have them").click()
    await expect(page.get_by_text("10 recovery codes are left.")).to_be_visible()
    await looked_at(page, "factor-in-force", javascript=javascript)
    assert page.url == f"{address}/second-factor"
    return phone._replace(recovery=recovery)


async def come_back(context: BrowserContext, address: str, phone: Phone, *, javascript: bool) -> None:
    page = await context.new_page()
    await page.goto(f"{address}/quiet-hours")
    await page.get_by_label("E-mail address").fill(DOCTOR)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_label("Code of six digits")).to_be_focused()
    await page.keyboard.type(phone.wrong())
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("That code is wrong")
    await looked_at(page, "sign-in-code", javascript=javascript)
    await page.get_by_label("Recovery code").fill(phone.recovery[0])
    await page.get_by_role("button", name="Sign in with it").click()
    await page.wait_for_url(f"{address}/quiet-hours")


async def set_anew(practice: Practice, context: BrowserContext, password: str, *, javascript: bool) -> None:
    """By the operator's link; what makes it good is gone from the address before anything is typed."""
    link = await make_link(practice.pool, DOCTOR, by="Kim", now=NOW)
    page, asked = await context.new_page(), list[str]()
    page.on("request", lambda request: asked.append(f"{request.url} {request.headers.get('referer', '')}"))
    await page.goto(f"{practice.address}/reset#{link.code}")
    if javascript:
        await expect(page.get_by_label("New password")).to_be_focused()
        assert page.url == f"{practice.address}/reset"
        await expect(page.get_by_label("What follows the #")).to_be_hidden()
    else:
        await page.get_by_label("What follows the #").fill(link.code)
    await page.get_by_label("New password").fill("passwordpassword")
    await page.get_by_label("The same again").fill("passwordpassword")
    await page.get_by_role("button", name="Set it").click()
    await expect(page.get_by_role("alert")).to_contain_text("That password is known")
    await looked_at(page, "reset", javascript=javascript)
    await page.get_by_label("New password").fill(password)
    await page.get_by_label("The same again").fill(password)
    await page.get_by_role("button", name="Set it").click()
    await expect(page.get_by_role("status")).to_contain_text("Your new password is set")
    await looked_at(page, "sign-in-after-reset", javascript=javascript)
    assert not [one for one in asked if link.code in one]


async def walk(practice: Practice, context: BrowserContext, *, javascript: bool) -> None:
    await practice.pool.execute("delete from second_factors")
    page = await sign_in(context, practice.address)
    phone = await set_up(page, practice.address, javascript=javascript)
    await let_time_pass(practice)
    await page.get_by_role("button", name="Sign out").click()
    await come_back(context, practice.address, phone, javascript=javascript)
    await set_anew(practice, context, PASSWORD, javascript=javascript)


async def test_a_doctor_sets_a_second_factor_up_signs_in_with_it_and_sets_a_lost_password_anew(
    embedded_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_FILE, str(key_file(tmp_path)))
    async with open_practice(embedded_dsn) as practice, chromium() as browser:
        async with window(browser, size=PHONE, javascript=False) as context:
            await walk(practice, context, javascript=False)
        async with window(browser, size=DESK, dark=True) as context:
            await walk(practice, context, javascript=True)
        async with window(browser, size=PHONE) as context:
            await walk(practice, context, javascript=True)
        await practice.pool.execute("delete from second_factors")
