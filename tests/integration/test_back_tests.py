"""Back-tests on a real database: a doctor asks about limits, score answers from stored rows, once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest

from schemas.default_limits import usual_of
from schemas.limit_levels import rows_of
from schemas.limits import Limits
from schemas.reasons import Flag
from services.score import back_test_rows
from tests.integration.limits_past import score_of
from tests.integration.score_bench import Bench, at, bench_on


@pytest.fixture
async def bench(dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    async with bench_on(dsn, monkeypatch) as opened:
        yield opened


async def ask(bench: Bench, limits: Limits) -> None:
    await bench.pool.execute(
        "insert into back_tests (back_test_id, person_no, concern, levels, off, clear_min, worse_by, days, asked_by,"
        " asked_at) values ($1, $2, $3, $4, $5, $6, $7, 30, $8, $9)",
        uuid4(), bench.subject.person_no, limits.concern, rows_of(limits.levels), limits.off, limits.clear_min,
        limits.worse_by, bench.world.doctor_no, at(3 * 60 * 60),
    )  # fmt: skip


async def test_a_back_test_says_what_would_vanish(bench: Bench) -> None:
    for minute in range(40):
        await bench.measure(60 * minute, "heart_rate", 125 if minute < 20 else 80, Flag(0), seq=minute)
    usual, tests = usual_of("heart_rate.fast"), score_of(bench.pool, bench.clock)
    assert await tests.answer() == 0
    await ask(bench, replace(usual, levels=tuple(replace(one, on=max(one.on, 130)) for one in usual.levels)))
    assert await tests.answer() == 1
    assert await tests.answer() == 0
    (row,) = await bench.pool.fetch("select * from back_tests")
    assert row["failed"] is None
    assert [one["level"] for one in row["result"]["today"]] == [1]
    assert row["result"]["vanish"] == row["result"]["today"]
    assert row["result"]["changed"] == []


async def test_how_much_is_done_is_said_while_it_runs(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for minute in range(30):
        await bench.measure(60 * minute, "heart_rate", 80, Flag(0), seq=minute)
    await ask(bench, usual_of("heart_rate.fast"))
    said, say = list[float](), back_test_rows.Progress.say

    async def noted(self: back_test_rows.Progress, share: float) -> None:
        await say(self, share)
        said.append(await bench.pool.fetchval("select coalesce(max(share), -1) from back_test_progress"))

    monkeypatch.setattr(back_test_rows.Progress, "say", noted)
    monkeypatch.setattr(back_test_rows, "_TURN_S", 0.0)
    monkeypatch.setattr(back_test_rows, "_SAYS_EVERY_S", 0.0)
    assert await score_of(bench.pool, bench.clock).answer() == 1
    assert said == sorted(said)
    assert 0 < said[0] < 0.3 < said[-2] < 1
    assert said[-1] == pytest.approx(1)


async def test_limits_that_contradict_themselves_are_answered_with_why(bench: Bench) -> None:
    await ask(bench, replace(usual_of("heart_rate.fast"), off=200))
    assert await score_of(bench.pool, bench.clock).answer() == 1
    (row,) = await bench.pool.fetch("select * from back_tests where failed is not null")
    assert row["result"] is None
    assert row["failed"].startswith("off")


async def test_a_back_test_that_fails_is_answered_and_the_next_one_is_too(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    tests = score_of(bench.pool, bench.clock)
    await ask(bench, usual_of("heart_rate.fast"))
    with monkeypatch.context() as broken:
        broken.setattr(back_test_rows, "plain_of", fail)
        assert await tests.answer() == 1
    await ask(bench, usual_of("heart_rate.slow"))
    assert await tests.answer() == 1
    failed, done = await bench.pool.fetch(
        "select * from back_tests where person_no = $1 order by failed nulls last", bench.subject.person_no
    )
    assert (failed["result"], done["failed"]) == (None, None)
    assert done["result"]["today"] == done["result"]["changed"]


async def test_a_score_that_stops_leaves_it_to_the_next(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for minute in range(10):
        await bench.measure(60 * minute, "heart_rate", 80, Flag(0), seq=minute)
    stop = asyncio.Event()
    stop.set()
    await ask(bench, usual_of("heart_rate.fast"))
    with monkeypatch.context() as slow:
        slow.setattr(back_test_rows, "_TURN_S", 0.0)
        assert await score_of(bench.pool, bench.clock, stop).answer() == 0
    assert await score_of(bench.pool, bench.clock).answer() == 1
