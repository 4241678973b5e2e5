"""What an anomaly rests on, on the person's page, in a real browser: on a desk and on a phone."""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import expect

from schemas.alerts import Fact, Message, Severity
from services.sentences.catalogue import ENGLISH, Reader
from tests.e2e.accessibility import problems_of
from tests.e2e.browser import DESK, PHONE, chromium, sign_in, window
from tests.integration.console_world import NOW, Practice, open_practice, raise_alert

pytestmark = [pytest.mark.browser, pytest.mark.slow]
_FACTS: Final[Mapping[str, Fact]] = {
    "unusual": "respiratory_rate:22.04:+5.9 heart_rate:97:+22 spo2:93",
    "percent": 99.8,
}
_PICTURES: Final = os.environ.get("HB_PICTURES", "")


async def unusual(practice: Practice) -> None:
    """Ruth's, two hours ago, on the list."""
    said = ENGLISH.say(Message("anomaly.unusual", _FACTS), Reader.DOCTOR)
    alert = await raise_alert(
        practice.pool, practice.world.ruth, rule="anomaly", severity=Severity.MEDIUM, level=1, text=said,
        at=NOW - timedelta(hours=2),
    )  # fmt: skip
    await practice.pool.execute(
        "update findings set facts = $2"
        " where finding_id in (select finding_id from alert_findings where alert_id = $1)",
        alert, _FACTS,
    )  # fmt: skip


async def test_a_doctor_reads_which_vitals_are_how_far_from_their_usual(embedded_dsn: str) -> None:
    async with open_practice(embedded_dsn) as practice, chromium() as browser:
        await unusual(practice)
        for name, size in (("desk", DESK), ("phone", PHONE)):
            async with window(browser, size=size) as context:
                page = await sign_in(context, practice.address)
                await page.goto(f"{practice.address}/people/{practice.world.ruth}")
                section = page.locator("section[aria-labelledby='anomaly']")
                await expect(section.get_by_role("heading")).to_contain_text("Unusual together")
                rows = await section.locator("tbody tr").all_inner_texts()
                assert [row.split("\t") for row in rows] == [
                    ["Respiratory rate", "22 /min", "16 /min", "6 above"],
                    ["Heart rate", "97 /min", "75 /min", "22 above"],
                    ["Oxygen saturation", "93 %", "not known yet"],
                ]
                assert await problems_of(page, javascript=True) == []
                wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                assert await page.evaluate(wider) <= 0
                if _PICTURES:
                    await page.screenshot(path=Path(_PICTURES) / f"anomaly-{name}.png", full_page=True)
                    await section.screenshot(path=Path(_PICTURES) / f"anomaly-section-{name}.png")
                # Over: it is said among alerts, and not as what is.
        await practice.pool.execute(
            "insert into findings (finding_id, person_no, home_no, rule, rule_version, episode, level, severity,"
            " observed_at, raised_at, evidence, doctor_text, caregiver_text, rationale, end_reason)"
            " select gen_random_uuid(), person_no, home_no, rule, 1, episode, 0, 1, $1, $1, '[]', '', '', '',"
            " 'recovered' from findings where rule = 'anomaly'",
            NOW - timedelta(hours=1),
        )
        async with window(browser) as context:
            page = await sign_in(context, practice.address)
            await page.goto(f"{practice.address}/people/{practice.world.ruth}")
            await expect(page.get_by_role("heading", name="Latest values")).to_be_visible()
            await expect(page.locator("section[aria-labelledby='anomaly']")).to_have_count(0)
