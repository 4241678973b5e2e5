"""Opens the system's Chromium for tests and for the pictures in docs."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.integration.console_world import DOCTOR, PASSWORD

_FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESK: Final = (1280, 900)
PHONE: Final = (390, 844)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser of the machine; nothing is downloaded."""
    program = shutil.which("chromium") or shutil.which("google-chrome") or "/usr/bin/chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def window(
    browser: Browser, *, size: tuple[int, int] = DESK, javascript: bool = True, dark: bool = False
) -> AsyncIterator[BrowserContext]:
    """A fresh profile."""
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        java_script_enabled=javascript,
        color_scheme="dark" if dark else "light",
        device_scale_factor=2 if size == PHONE else 1,
    )
    try:
        yield context
    finally:
        await context.close()


async def sign_in(context: BrowserContext, address: str) -> Page:
    """The worklist of DOCTOR, reached through the form."""
    page = await context.new_page()
    await page.goto(f"{address}/")
    await page.get_by_label("E-mail address").fill(DOCTOR)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(f"{address}/")
    return page
