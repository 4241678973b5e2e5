"""What a model has found with a reading that was given to somebody else ends disproved, on a real database."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from uuid import uuid4

import pytest
import structlog

from schemas.alerts import EndReason
from schemas.records import JudgedUplink
from schemas.vitals import BODY_TEMPERATURE
from services.runtime.clock import to_datetime
from services.runtime.database import transaction
from services.score.held_rows import looks_back_for
from services.score.known_limits import KnownLimits
from services.score.looks_back import LooksBack
from tests.integration.care_world import settle_in
from tests.integration.score_bench import Bench, bench_on
from tests.unit.services.score.anomaly_cases import ANOMALY_BOOK, hour
from tests.unit.services.score.story import minute
from tests.unit.services.score.test_model_look_back import said_of, story


@pytest.fixture
async def bench(dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    async with bench_on(dsn, monkeypatch) as opened:
        yield opened


def of_whom(bench: Bench, records: Sequence[JudgedUplink]) -> list[JudgedUplink]:
    person_no, home_no, device_no = bench.world.person_no, bench.world.home_no, bench.world.device_no
    return [
        one._replace(
            home_no=home_no, device_no=device_no, readings=tuple(r._replace(person_no=person_no) for r in one.readings)
        )
        for one in records
    ]


async def store(bench: Bench, records: Sequence[JudgedUplink]) -> None:
    rows = [
        (r.person_no, r.vital, to_datetime(r.observed_at), one.device_no, one.epoch, one.seq, r.item, r.value, r.flags,
         to_datetime(one.received_at))
        for one in records for r in one.readings
    ]  # fmt: skip
    await bench.pool.executemany("insert into readings values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", rows)


async def give_away(bench: Bench, records: Sequence[JudgedUplink]) -> None:
    """They were scored at once; a doctor has said since that they are somebody else's."""
    other, measurement_id = await settle_in(bench.pool), uuid4()
    for one in records:
        for r in one.readings:
            await bench.pool.execute(
                "insert into held_readings (held_id, measurement_id, home_no, person_no, device_no, epoch, seq, item,"
                " vital, value, observed_at, received_at, reason, fits_person_no, times_better, is_held, state,"
                " moved_to, decided_by, decided_at, applied) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,"
                " $12, 'person', $13, 99, false, 'moved', $13, $14, $12, 'moved')",
                uuid4(), measurement_id, one.home_no, r.person_no, one.device_no, one.epoch, one.seq, r.item, r.vital,
                r.value, to_datetime(r.observed_at), to_datetime(one.received_at), other.person_no,
                bench.world.doctor_no,
            )  # fmt: skip


async def test_what_an_anomaly_rests_on_is_somebody_elses_and_it_ends_disproved(bench: Bench) -> None:
    records, at = story(ill=False), minute(hour(30.2))
    own, other = (of_whom(bench, those) for those in records)
    known = [
        replace(one, person_no=bench.world.person_no, home_no=bench.world.home_no)
        for one in said_of([*records[0], *records[1]])
    ]
    assert [one.level for one in known] == [1]
    await bench.writer.write([*known])
    await store(bench, own)
    await give_away(bench, other)
    async with transaction(bench.pool) as connection:
        asked = looks_back_for(bench.world.person_no, bench.world.home_no, BODY_TEMPERATURE.number, at, at)
        await bench.writer.ask_look_backs(connection, asked)
    await bench.pool.execute("delete from watermarks")
    for consumer in ("store", "score"):
        await bench.pool.execute(
            "insert into watermarks values ($1, '0', 0, $2)", consumer, to_datetime(minute(hour(46)))
        )
    limits = KnownLimits(
        pool=bench.pool, sql=bench.writer.sql, clock=bench.clock, metrics=bench.metrics, log=structlog.get_logger()
    )
    looks = LooksBack(pool=bench.pool, sql=bench.writer.sql, writer=bench.writer, limits=limits, rules=ANOMALY_BOOK)
    while await looks.look():
        pass

    found = await bench.found("anomaly")
    assert [(one["level"], one["end_reason"], one["looked_back"]) for one in found] == [
        (1, None, False),
        (0, EndReason.DISPROVED, True),
    ]
