"""Asks as rows and commands: who is asked through which device, once, and what came of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from schemas.asks import AskKind
from schemas.reasons import Flag
from schemas.topics import shard_of
from schemas.vitals import SYSTOLIC
from services.score.ask_rows import OpenAsks
from services.score.asks import Ask
from services.score.rule import MINUTE_MS
from services.score.sample import Sample
from tests.integration.care_world import START_MS
from tests.integration.score_bench import Bench, at, bench_on

pytestmark = pytest.mark.embedded


@pytest.fixture
async def bench(dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    async with bench_on(dsn, monkeypatch) as made:
        await made.pool.execute("truncate asks, commands")
        yield made


async def give(bench: Bench, kind: str, *, slot: int = 1, person_no: int | None = None) -> int:
    """Binds a new device of that type to the person."""
    name = f"{uuid4().hex[:8]}-{kind}"
    device_no: int = await bench.pool.fetchval(
        "insert into devices (device, device_type, home_no, shard, registered_at) values ($1, $2, $3, $4, $5)"
        " returning device_no",
        name,
        kind,
        bench.world.home_no,
        shard_of(name),
        at(-3600),
    )
    await bench.pool.execute(
        "insert into bindings (device_no, slot, person_no, valid) values ($1, $2, $3, '[2020-01-01,)')",
        device_no,
        slot,
        bench.world.person_no if person_no is None else person_no,
    )
    return device_no


def ask(
    bench: Bench, device_no: int, kind: AskKind = AskKind.MEASURE_AGAIN, *, second: float = 0, received: float = 0
) -> Ask:
    sample = Sample(START_MS + round(second * 1000), 190.0, device_no, 1, round(second), 0, SYSTOLIC.number)
    received_at = START_MS + round(max(second, received) * 1000)
    return Ask(
        subject=bench.subject, kind=kind, sample=sample, due_at=sample.at + 5 * MINUTE_MS, received_at=received_at
    )


async def commands(bench: Bench) -> list[tuple[Any, ...]]:
    rows = await bench.pool.fetch("select device_no, kind, details, expires_at from commands order by created_at, kind")
    return [tuple(row) for row in rows]


async def outcomes(bench: Bench) -> list[tuple[Any, ...]]:
    rows = await bench.pool.fetch("select kind, outcome, answered_at from asks order by asked_at, kind")
    return [tuple(row) for row in rows]


async def settle(bench: Bench) -> int:
    return await OpenAsks(pool=bench.pool, clock=bench.clock, metrics=bench.metrics).settle()


async def test_the_device_that_measured_asks_and_says_for_whom_and_when(bench: Bench) -> None:
    await give(bench, "fall_robot")
    cuff = await give(bench, "pressure_cuff", slot=2)

    await bench.writer.write([ask(bench, cuff)])

    assert await commands(bench) == [
        (
            cuff,
            "measure_again",
            {"vital": "systolic", "due_at": START_MS + 5 * MINUTE_MS, "slot": 2},
            at(600),
        )
    ]


async def test_for_symptoms_asks_the_person_s_own_robot_and_never_somebody_else_s(bench: Bench) -> None:
    cuff = await give(bench, "pressure_cuff")
    await give(bench, "fall_robot", person_no=await _room_mate(bench))
    await bench.writer.write([ask(bench, cuff, AskKind.SYMPTOMS)])
    assert await commands(bench) == []
    assert await outcomes(bench) == [("symptoms", "nobody", None)]

    await bench.pool.execute("truncate asks")
    band, robot = await give(bench, "wearable_band"), await give(bench, "fall_robot")
    await bench.writer.write([ask(bench, cuff, AskKind.SYMPTOMS)])

    assert band != robot
    assert await commands(bench) == [(robot, "check_in", {"about": "symptoms"}, at(600))]


async def _room_mate(bench: Bench) -> int:
    person_no: int = await bench.pool.fetchval(
        "insert into people (person_id, home_no, display_name, born_on) values ($1, $2, 'Else', '1940-01-01')"
        " returning person_no",
        uuid4(),
        bench.world.home_no,
    )
    return person_no


async def test_nobody_is_asked_the_same_twice_within_a_quarter_of_an_hour(bench: Bench) -> None:
    cuff = await give(bench, "pressure_cuff")
    first = ask(bench, cuff)
    await bench.writer.write([first, first])
    await bench.writer.write([first, ask(bench, cuff, second=899), ask(bench, cuff, AskKind.SYMPTOMS, second=899)])
    assert [kind for kind, *_ in await outcomes(bench)] == ["measure_again", "symptoms"]

    await bench.writer.write([ask(bench, cuff, second=900)])
    assert [kind for kind, *_ in await outcomes(bench)] == ["measure_again", "symptoms", "measure_again"]
    assert len(await commands(bench)) == 2


async def test_what_is_stepped_over_again_later_asks_nobody(bench: Bench) -> None:
    cuff = await give(bench, "pressure_cuff")
    bench.clock.at_ms = START_MS + 10 * MINUTE_MS + 1

    await bench.writer.write([ask(bench, cuff)])

    assert await commands(bench) == await outcomes(bench) == []


async def test_a_device_that_was_taken_away_or_is_another_home_s_asks_nobody(bench: Bench) -> None:
    cuff = await give(bench, "pressure_cuff")
    await bench.pool.execute("update devices set removed_at = registered_at where device_no = $1", cuff)
    elsewhere = replace(ask(bench, cuff, second=1), subject=bench.subject._replace(person_no=0))

    await bench.writer.write([ask(bench, cuff), elsewhere])

    assert await commands(bench) == []
    assert [outcome for _, outcome, _ in await outcomes(bench)] == ["nobody", "nobody"]


async def test_a_second_reading_in_time_answers_and_its_absence_is_known_when_the_watermark_has_passed(
    bench: Bench,
) -> None:
    cuff = await give(bench, "pressure_cuff")
    await bench.writer.write([ask(bench, cuff)])
    await bench.pass_watermark(899)
    assert await settle(bench) == 0

    await bench.measure(300, "systolic", 150, Flag(0), seq=9)
    assert await settle(bench) == 1
    assert await outcomes(bench) == [("measure_again", "measured", at(300))]
    assert await settle(bench) == 0

    await bench.writer.write([ask(bench, cuff, second=3600)])
    await bench.measure(3600 + 901, "systolic", 150, Flag(0), seq=10)
    await bench.pass_watermark(3600 + 901)
    assert await settle(bench) == 1
    assert (await outcomes(bench))[1] == ("measure_again", "expired", None)


async def test_an_answer_names_a_symptom_or_none(bench: Bench) -> None:
    cuff, _ = await give(bench, "pressure_cuff"), await give(bench, "fall_robot")
    await bench.writer.write([ask(bench, cuff, AskKind.SYMPTOMS)])
    await bench.report(60, "check_in_answered", seq=1, answer="ok")
    await bench.pass_watermark(901)
    assert await settle(bench) == 1
    assert await outcomes(bench) == [("symptoms", "no_symptom", at(60))]

    await bench.writer.write([ask(bench, cuff, AskKind.SYMPTOMS, second=3600)])
    await bench.report(3700, "check_in_answered", seq=2)
    await bench.pool.execute("update device_events set details = $1 where seq = 2", {"symptom": "dizzy"})
    assert await settle(bench) == 1
    assert (await outcomes(bench))[1] == ("symptoms", "symptom", at(3700))
