"""NEWS2 on a real database: its evaluations, who is notified, and what a doctor sees of it."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from schemas.alerts import Severity
from schemas.metrics import METRICS
from schemas.vitals import VITAL_BY_CODE
from services.alert.channels import CHANNELS
from services.alert.claims import FindingClaims
from services.alert.notifications import NotificationQueue
from services.runtime.clock import FakeClock, to_datetime, to_ms
from services.runtime.database import load_queries
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from services.score.followups import QuarterLook
from services.score.news2 import Look
from services.score.sample import Sample
from tests.integration.care_world import START_MS, find
from tests.integration.console_world import NOW, Practice, browsing, open_practice
from tests.integration.score_bench import Bench, bench_on

QUARTER_MS = START_MS // 900_000 * 900_000


@pytest.fixture
async def bench(dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    async with bench_on(dsn, monkeypatch) as opened:
        yield opened


@pytest.fixture
async def practice(dsn: str) -> AsyncIterator[Practice]:
    async with open_practice(dsn) as opened:
        yield opened


def measured(at: int, **values: float) -> tuple[Sample, ...]:
    return tuple(
        Sample(at, value, 1, 2, 3, item, VITAL_BY_CODE[code].number, 0, at, 1)
        for item, (code, value) in enumerate(values.items())
    )


async def test_a_quarter_hour_is_written_once_changed_by_what_comes_late_and_dropped_where_nothing_is_known(
    bench: Bench,
) -> None:
    person_no, at = bench.world.person_no, QUARTER_MS
    first = Look(at, measured(at - 60_000, heart_rate=112, spo2=95))
    later = Look(at, measured(at - 30_000, heart_rate=72, spo2=95))
    rows = "select * from news2_evaluations where person_no = $1"

    await bench.writer.write([QuarterLook(person_no, first)])
    await bench.writer.write([QuarterLook(person_no, first)])
    (row,) = await bench.pool.fetch(rows, person_no)
    assert (row["at"], row["total"], row["pulse"], row["spo2"]) == (to_datetime(at), 3, 2, 1)
    assert (row["oxygen"], row["consciousness"], row["systolic"], row["spo2_scale"]) == (None, None, None, 1)
    assert row["inputs"] == {
        "pulse": {"value": 112, "at": at - 60_000}, "spo2": {"value": 95, "at": at - 60_000},
    }  # fmt: skip

    await bench.writer.write([QuarterLook(person_no, first), QuarterLook(person_no, later)])
    (row,) = await bench.pool.fetch(rows, person_no)
    assert (row["total"], row["pulse"], row["inputs"]["pulse"]["value"]) == (1, 0, 72)

    await bench.writer.write([QuarterLook(person_no, Look(at, None))])
    assert await bench.pool.fetch(rows, person_no) == []


@pytest.mark.parametrize(
    ("rule", "severity", "notified"),
    [("heart_rate", Severity.MEDIUM, 0), ("heart_rate", Severity.HIGH, 0), ("glucose_low", Severity.HIGH, 1)],
)
async def test_nobody_is_notified_of_news2_while_an_alert_of_an_input_says_as_much(
    bench: Bench, rule: str, severity: Severity, notified: int
) -> None:
    clock = FakeClock(at_ms=START_MS + 5_000)
    sql = load_queries("services.alert")
    queue = NotificationQueue(sql=sql, channels=[one.name for one in CHANNELS], clock=clock, real=FakeClock())
    claims = FindingClaims(
        pool=bench.pool, sql=sql, notifications=queue, clock=clock, metrics=Metrics(METRICS), log=logger("test")
    )
    # In one batch, and the sum first: what it rests on counts all the same.
    await find(bench.pool, bench.world, rule="news2", severity=Severity.MEDIUM)
    await find(bench.pool, bench.world, rule=rule, severity=severity, level=2)
    await claims.claim()

    rows = await bench.pool.fetch(
        "select a.rule, a.state, count(n.alert_id) as notifications from alerts a"
        " left join notifications n using (alert_id) where a.home_no = $1 group by 1, 2",
        bench.world.home_no,
    )
    found = {row["rule"]: (row["state"], row["notifications"]) for row in rows}
    assert found == {"news2": ("open", notified), rule: ("open", 1)}


async def test_a_doctor_sees_the_trend_and_the_newest_inputs(practice: Practice) -> None:
    ruth = practice.world.ruth
    now = to_ms(NOW)
    newest = now // 900_000 * 900_000
    for number in range(8):
        await practice.pool.execute(
            "insert into news2_evaluations (person_no, at, total, pulse, spo2, spo2_scale, inputs)"
            " select person_no, $2, $3, 2, 1, 2, $4::jsonb from people where person_id = $1",
            *(ruth, to_datetime(newest) - timedelta(minutes=15 * number), 3 + number % 2),
            {"pulse": {"value": 112, "at": newest - 120_000}, "spo2": {"value": 91, "at": newest - 60_000}},
        )
    async with browsing(practice.address) as client:
        page = (await client.get(f"/people/{ruth}")).text
        earlier = (await client.get(f"/people/{ruth}?until=2020-01-01T00:00:00Z")).text

    assert "a trend, for doctors to read with its inputs" in page
    assert "NEWS2 total: 8 readings, lowest 3, highest 4, newest 3 points" in page
    assert "from 2 of 6 inputs" in page
    assert "by scale 2, as prescribed" in page
    assert "<td>112 /min</td>" in page
    assert "not assessed" in page
    assert "air is assumed" in page
    assert "a trend, for doctors to read with its inputs" not in earlier
