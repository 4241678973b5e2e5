"""Doubted readings as rows: written once, flagged where they are stored, and done with as was decided."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from schemas.asks import AskKind
from schemas.events import EVENT_TYPE_BY_KIND, EventKind
from schemas.reasons import Flag
from schemas.vitals import SYSTOLIC, WEIGHT
from services.score.ask_rows import OpenAsks
from services.score.asks import Ask
from services.score.followups import DoubtedMeasurement
from services.score.held_rows import HeldRows
from services.score.models.own_band import Doubt, Reason
from services.score.sample import Sample
from tests.integration.care_world import START_MS
from tests.integration.score_bench import Bench, at, bench_on

pytestmark = pytest.mark.embedded


@pytest.fixture
async def bench(dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    async with bench_on(dsn, monkeypatch) as made:
        await made.pool.execute("truncate held_readings, look_backs, asks, commands cascade")
        await made.pool.execute("delete from readings")
        yield made


def doubted(bench: Bench, *, held: bool = True, seq: int = 1) -> DoubtedMeasurement:
    sample = Sample(START_MS, 62.4, bench.world.device_no, 1, seq, 0, WEIGHT.number, 0, START_MS)
    doubt = Doubt(Reason.UNIT, "[lb_av]", 0, {WEIGHT.number: 28.3}, 1e6)
    return DoubtedMeasurement(subject=bench.subject, samples=(sample,), doubt=doubt, is_held=held)


async def store(bench: Bench) -> None:
    """Store writes the reading."""
    await bench.pool.execute(
        "insert into readings values ($1, $2, $3, $4, 1, 1, 0, 62.4, 0, $3)",
        bench.world.person_no,
        WEIGHT.number,
        at(0),
        bench.world.device_no,
    )


async def decide(bench: Bench, state: str, moved_to: int | None = None) -> int:
    """A doctor does; gives their number."""
    doctor_no: int = await bench.pool.fetchval("select min(doctor_no) from doctors")
    await bench.pool.execute(
        "update held_readings set state = $1, moved_to = $2, decided_by = $3, decided_at = $4",
        state,
        moved_to,
        doctor_no,
        at(60),
    )
    return doctor_no


async def ask_of(bench: Bench, one: DoubtedMeasurement) -> None:
    """Their person is asked whether it is theirs, and the ask waits for an answer."""
    sample = one.samples[0]
    ask = Ask(
        subject=bench.subject,
        kind=AskKind.WHO_WAS_MEASURED,
        sample=sample,
        due_at=sample.at,
        received_at=sample.at,
    )
    await bench.writer.write([one, ask])
    await bench.pool.execute("update asks set outcome = null, settled_at = null")


async def answer(bench: Bench, mine: str) -> None:
    """They answer half a minute into the story, and the answer is heard."""
    await bench.pool.execute(
        "insert into device_events values ($1, 1, 99, 0, $2, $3, $4, $5, $5, 0, $6)",
        bench.world.device_no,
        bench.world.home_no,
        bench.world.person_no,
        EVENT_TYPE_BY_KIND[EventKind.CHECK_IN_ANSWERED].number,
        at(30),
        {"mine": mine},
    )
    await OpenAsks(pool=bench.pool, clock=bench.clock, metrics=bench.metrics).settle()


async def settle(bench: Bench) -> int:
    return await HeldRows(pool=bench.pool, ask_look_backs=bench.writer.ask_look_backs).settle()


async def stored(bench: Bench) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await bench.pool.fetch("select person_no, flags from readings order by person_no")]


async def looks(bench: Bench) -> list[str]:
    return [row["rule"] for row in await bench.pool.fetch("select rule from look_backs order by rule")]


async def test_a_held_reading_is_flagged_once_store_has_written_it(bench: Bench) -> None:
    await bench.writer.write([doubted(bench)])
    assert await settle(bench) == 0
    await store(bench)
    assert await settle(bench) == 1
    assert await stored(bench) == [(bench.world.person_no, Flag.HELD)]
    assert await settle(bench) == 0
    # A look back may have taken it for the person's own before it had its flag.
    assert await looks(bench) == ["weight"]


async def test_a_replay_and_a_repetition_write_it_once(bench: Bench) -> None:
    one = doubted(bench)
    await bench.writer.write([one])
    await bench.writer.write([one, doubted(bench, seq=2)])
    assert await bench.pool.fetchval("select count(*) from held_readings") == 1


async def test_what_is_the_persons_own_loses_its_flag_and_is_looked_back_on(bench: Bench) -> None:
    await bench.writer.write([doubted(bench)])
    await store(bench)
    await settle(bench)
    await decide(bench, "kept")
    assert await settle(bench) == 1
    assert await stored(bench) == [(bench.world.person_no, 0)]
    assert await looks(bench) == ["weight"]


async def test_what_is_another_persons_moves_to_them_is_looked_back_on_and_is_written_down(bench: Bench) -> None:
    mate_no: int = await bench.pool.fetchval(
        "insert into people (person_id, home_no, display_name, born_on) values ($1, $2, 'Room-mate', '1940-01-01')"
        " returning person_no",
        uuid4(),
        bench.world.home_no,
    )
    await bench.writer.write([doubted(bench)])
    await store(bench)
    await settle(bench)
    await bench.pool.execute("truncate look_backs")
    await decide(bench, "moved", mate_no)
    assert await settle(bench) == 1
    assert await stored(bench) == [(mate_no, 0)]
    asked = await bench.pool.fetch("select person_no, rule from look_backs")
    assert [tuple(one) for one in asked] == [(mate_no, "weight")]
    await bench.pool.execute("truncate look_backs")
    assert await settle(bench) == 0
    assert await looks(bench) == []
    row = await bench.pool.fetchrow("select person_no, readings from assignments order by assignment_no desc limit 1")
    assert row is not None
    assert tuple(row) == (mate_no, 1)


async def test_what_was_scored_at_once_and_is_nobodys_is_looked_back_on(bench: Bench) -> None:
    await bench.writer.write([replace(doubted(bench), is_held=False)])
    await store(bench)
    assert await settle(bench) == 0
    await decide(bench, "dismissed")
    assert await settle(bench) == 1
    assert await stored(bench) == [(bench.world.person_no, Flag.HELD)]
    assert await looks(bench) == ["weight"]


@pytest.mark.parametrize(("mine", "state", "flags"), [("yes", "kept", 0), ("no", "open", int(Flag.HELD))])
async def test_the_person_says_whether_it_was_theirs(bench: Bench, mine: str, state: str, flags: int) -> None:
    await ask_of(bench, doubted(bench))
    await store(bench)
    await answer(bench, mine)
    await settle(bench)

    row = await bench.pool.fetchrow("select state, is_mine, said_at, decided_by from held_readings")
    assert row is not None
    assert tuple(row) == (state, mine == "yes", at(30), None)
    assert await stored(bench) == [(bench.world.person_no, flags)]


async def test_an_answer_settles_what_was_asked_last_and_nothing_before_it(bench: Bench) -> None:
    first = doubted(bench)
    sample = first.samples[0]._replace(
        at=START_MS + 10_000, seq=2, vital=SYSTOLIC.number, received_at=START_MS + 10_000
    )
    second = replace(first, samples=(sample,), doubt=first.doubt._replace(meant={SYSTOLIC.number: 120.0}))
    for one in (first, second):
        await ask_of(bench, one)
    await answer(bench, "yes")
    rows = await bench.pool.fetch("select vital, state from held_readings order by observed_at")
    assert [tuple(row) for row in rows] == [(WEIGHT.number, "open"), (SYSTOLIC.number, "kept")]
