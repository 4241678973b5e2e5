"""Looks back on a real database: what came late is judged once the watermark has passed it, and once alone."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import structlog

from schemas.alerts import EndReason
from schemas.events import EventKind
from schemas.reasons import Flag
from services.score.followups import LookBack, SosCall
from services.score.known_limits import KnownLimits
from services.score.looks_back import LooksBack
from services.score.rule import Mark, finding_from
from services.score.rule_book import RULE_BOOK
from services.score.rules.sos import SOS
from tests.integration.care_world import START_MS
from tests.integration.score_bench import MINUTE_MS, Bench, at, bench_on


@pytest.fixture
async def bench(dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    async with bench_on(dsn, monkeypatch) as opened:
        yield opened


def looks_of(bench: Bench) -> LooksBack:
    writer = bench.writer
    limits = KnownLimits(
        pool=bench.pool, sql=writer.sql, clock=bench.clock, metrics=bench.metrics, log=structlog.get_logger()
    )
    return LooksBack(pool=bench.pool, sql=writer.sql, writer=writer, limits=limits, rules=RULE_BOOK)


def asked(bench: Bench, first: float, last: float, *, received: float) -> LookBack:
    """Minutes of the story."""
    moments = [START_MS + round(one * MINUTE_MS) for one in (first, last, received)]
    return LookBack(subject=bench.subject, rule="spo2", first_at=moments[0], last_at=moments[1], received_at=moments[2])


async def test_late_readings_are_judged_once_the_watermark_has_passed_them_and_once_alone(bench: Bench) -> None:
    for minute in range(30):
        await bench.measure(60 * minute, "spo2", 85 if minute < 8 else 97, Flag(0), seq=minute)
    looks, late = looks_of(bench), asked(bench, 0, 29, received=30)
    await bench.writer.write([late, replace(late, first_at=late.last_at)])
    await bench.pass_watermark(30 * 60)
    assert await looks.look() == 0

    await bench.pass_watermark(31 * 60)
    assert await looks.look() == 1
    found = await bench.found("spo2")
    assert [(one["level"], one["end_reason"], one["looked_back"]) for one in found] == [
        (2, None, True),
        (0, EndReason.RECOVERED, True),
    ]
    assert {one["episode"] < 0 for one in found} == {True}
    assert {one["concern"] for one in found} == {"spo2"}
    assert await looks.look() == 0

    await bench.writer.write([late])
    assert await looks.look() == 1
    assert len(await bench.found("spo2")) == len(found)
    assert bench.conflicts == 0
    rows = await bench.pool.fetch(bench.writer.sql["highest_episodes"], ["spo2"], "fall", SOS.name)
    assert [row for row in rows if row["rule"] == "spo2"] == []


async def test_what_comes_without_a_pause_is_looked_at_after_five_minutes(bench: Bench) -> None:
    looks = looks_of(bench)
    for minute in range(30, 40):
        await bench.writer.write([asked(bench, 0, 1, received=minute)])
    (row,) = await bench.pool.fetch("select * from look_backs")
    assert (row["received_at"], row["due_at"]) == (at(39 * 60), at(35 * 60))
    await bench.pass_watermark(35 * 60 + 1)
    assert await looks.look() == 1


@pytest.mark.parametrize(
    ("minutes_late", "steps", "is_news"), [(600, 40, False), (600, 2, True), (60, 40, True), (60.001, 40, False)]
)
async def test_a_press_heard_of_more_than_an_hour_late_is_news_unless_its_person_was_up_since(
    bench: Bench, minutes_late: float, steps: int, *, is_news: bool
) -> None:
    await bench.measure(600, "steps", steps, Flag.UPRIGHT, seq=1, elsewhere=True)
    sample, received_at = bench.event(0), START_MS + round(minutes_late * MINUTE_MS)
    pressed = finding_from(SOS, bench.subject, 1, Mark(1, sample, sample), said=1)
    call = SosCall(subject=bench.subject, episode=1, sample=sample, due_at=sample.at, said=1, received_at=received_at)
    await bench.writer.write([pressed, call])
    (found,) = await bench.found("sos")
    assert found["retrospective"] is not is_news


@pytest.mark.parametrize(
    ("sign", "found"), [(None, 0), (Flag(0), 0), (Flag.RESTING, 2), (Flag.RESTING | Flag.RETAINED, 2)]
)
async def test_a_band_that_was_put_on_its_charger_yesterday_measures_nobody_until_a_reading_shows_that_it_is_worn(
    bench: Bench, sign: Flag | None, found: int
) -> None:
    yesterday, now = -24 * 60, 0
    await bench.report(60 * yesterday, EventKind.CHARGING, seq=900)
    if sign is not None:
        await bench.measure(60 * (yesterday + 60), "heart_rate", 70, sign, seq=901)
    for minute in range(30):
        await bench.measure(60 * (now + minute), "spo2", 85 if minute < 8 else 97, Flag(0), seq=minute)
    worn_since = {bench.world.device_no: START_MS + (yesterday - 60) * MINUTE_MS}
    await bench.writer.write([replace(asked(bench, 0, 29, received=30), worn_since=worn_since)])
    await bench.pass_watermark(31 * 60)
    assert await looks_of(bench).look() == 1
    assert len(await bench.found("spo2")) == found
