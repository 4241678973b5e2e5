"""What rows decide, on a real database: silent devices, findings and their ids."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from asyncpg import Range

from schemas.alerts import Finding, Severity, Variant
from schemas.reasons import Flag
from services.runtime.clock import to_datetime
from services.score.core import step
from services.score.followups import Tally
from services.score.home_state import HomeState
from services.score.rule import Mark, finding_from
from services.score.rules.sos import SOS
from services.score.source import read_records
from tests.integration.score_bench import Bench, at, bench_on
from tests.integration.score_cases import SILENCE_CASES, SilenceCase


@pytest.fixture
async def bench(dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    async with bench_on(dsn, monkeypatch) as opened:
        yield opened


async def test_a_finding_is_written_once_and_another_one_under_its_id_is_reported_loudly(bench: Bench) -> None:
    sample = bench.event(0)
    finding = finding_from(SOS, bench.subject, 1, Mark(1, sample, sample))
    await bench.writer.write([finding])
    await bench.writer.write([finding])
    assert bench.conflicts == 0

    await bench.writer.write([replace(finding, observed_at=finding.observed_at + 1)])

    assert bench.conflicts == 1
    assert [one["observed_at"] for one in await bench.found("sos")] == [at(0)]


async def test_what_a_variant_in_the_shadow_finds_is_kept_apart_and_numbered_by_itself(bench: Bench) -> None:
    """Alert reads the table findings alone."""
    sample, tried = bench.event(0), replace(SOS, variant=Variant.SHADOW)
    finding = finding_from(tried, bench.subject, 7, Mark(1, sample, sample))
    await bench.writer.write([finding, finding])
    assert (await bench.found("sos"), bench.conflicts) == ([], 0)
    await bench.writer.write([replace(finding, observed_at=finding.observed_at + 1)])
    assert bench.conflicts == 1
    rows = await bench.pool.fetch(bench.writer.sql["highest_episodes"], [SOS.name], "fall", SOS.name)
    numbers = [(row["rule"], row["episode"]) for row in rows if row["person_no"] == bench.world.person_no]
    assert (tried.key, 7) in numbers
    assert SOS.name not in dict(numbers)


async def _in_silence(bench: Bench, device_type: str, *, registered: float = 0) -> None:
    await bench.pool.execute("update devices set device_type = 'scale'")
    await bench.pool.execute(
        "update devices set device_type = $2, registered_at = $3 where device_no = $1",
        bench.world.device_no,
        device_type,
        at(registered),
    )
    await bench.pass_watermark(-20 * 60)
    await bench.silence.look()
    await _keep_watching(bench, 0)


async def _keep_watching(bench: Bench, seconds: float) -> None:
    """The watermark moves on to a second without a jump that would be an outage of ours."""
    await bench.pool.execute("update silence_watch set watermark_at = $1", at(seconds) - timedelta(seconds=1))
    await bench.pass_watermark(seconds)


async def _bind(bench: Bench) -> None:
    """The device is the person's."""
    await bench.pool.execute(
        "insert into bindings (device_no, person_no, valid) values ($1, $2, $3)",
        bench.world.device_no,
        bench.world.person_no,
        Range(datetime(2020, 1, 1, tzinfo=UTC), None),
    )


@pytest.mark.parametrize("case", SILENCE_CASES, ids=lambda case: f"{case.kind}: {case.story}")
async def test_a_device_is_silent_when_its_case_table_says_so(bench: Bench, case: SilenceCase) -> None:
    await _in_silence(bench, case.device_type)
    if case.heard is not None:
        await bench.hear(case.heard)
    for seq, (seconds, kind) in enumerate(case.events, start=1):
        await bench.report(seconds, kind, seq=seq, person_no=0, lag=case.lag)
    if case.readings:
        await _bind(bench)
    for seq, reading in enumerate(case.readings, start=40):
        await bench.measure(*reading, seq=seq)
    await _keep_watching(bench, case.watermark)

    await bench.silence.look()
    await bench.silence.look()

    reported = await bench.found("silent_device")
    assert [(one["level"], one["severity"]) for one in reported] == [(1, Severity.TECHNICAL)] * case.silent


async def test_a_device_that_is_heard_again_ends_its_silence_and_the_next_has_another_number(bench: Bench) -> None:
    await _in_silence(bench, "fall_robot")
    for heard, seen in ((0, 3700), (4000, 7700)):
        await bench.hear(heard)
        await _keep_watching(bench, seen)
        await bench.silence.look()
    await bench.hear(8000)
    await bench.silence.look()

    reported = [(one["episode"], one["level"], one["observed_at"]) for one in await bench.found("silent_device")]
    assert reported == [(1, 1, at(3600)), (1, 0, at(4000)), (2, 1, at(7600)), (2, 0, at(8000))]


async def test_a_silent_device_of_one_person_is_about_them_and_a_shared_one_about_the_home(bench: Bench) -> None:
    await _in_silence(bench, "fall_robot")
    await _bind(bench)
    await _keep_watching(bench, 3700)

    await bench.silence.look()

    assert [one["person_no"] for one in await bench.found("silent_device")] == [bench.world.person_no]


@pytest.mark.parametrize(
    ("state", "leaving", "since", "message"),
    [
        ("offline", False, 100, "silent_device.cut"),
        ("offline", True, 100, "silent_device.left"),
        ("online", False, 100, "silent_device.silent"),
        ("offline", False, -100, "silent_device.silent"),
    ],
    ids=["its last will", "its good-bye", "it is connected", "it was heard after that"],
)
async def test_a_silence_says_how_the_connection_ended(
    bench: Bench, *, state: str, leaving: bool, since: float, message: str
) -> None:
    await _in_silence(bench, "fall_robot")
    await bench.hear(0)
    await bench.pool.execute(
        "insert into device_status values ($1, $2, $3, $4, $4)", bench.world.device_no, state, leaving, at(since)
    )
    await _keep_watching(bench, 3700)

    await bench.silence.look()

    (said,) = await bench.found("silent_device")
    assert said["message"] == message
    # As the clock at home shows it, in Berlin.
    assert said["facts"].get("at", "10:01") == "10:01"


async def test_a_silent_device_that_is_taken_out_of_use_is_silent_no_more_and_has_not_recovered(bench: Bench) -> None:
    await _in_silence(bench, "fall_robot")
    await _keep_watching(bench, 3700)
    await bench.silence.look()
    await bench.pool.execute("update devices set removed_at = $2 where device_no = $1", bench.world.device_no, at(4000))

    await bench.silence.look()
    await bench.silence.look()

    assert [(one["message"], one["end_reason"]) for one in await bench.found("silent_device")] == [
        ("silent_device.silent", None),
        ("silent_device.removed", "no_data"),
    ]


async def test_what_was_explained_for_long_is_silent_since_its_explanation_ended(bench: Bench) -> None:
    await _in_silence(bench, "fall_robot")
    await bench.hear(0)
    await bench.report(0, "charging", seq=1, person_no=0)
    await _keep_watching(bench, 12.1 * 3600)

    await bench.silence.look()

    (said,) = await bench.found("silent_device")
    assert (said["observed_at"], said["facts"]) == (at(12 * 3600), {"hours": 12})


async def test_after_an_outage_of_ours_nobody_is_silent_until_devices_had_time_to_come_back(bench: Bench) -> None:
    await _in_silence(bench, "fall_robot")
    await bench.hear(0)
    await bench.pass_watermark(5 * 3600)
    await bench.silence.look()
    await _keep_watching(bench, 5 * 3600 + 14 * 60)
    await bench.silence.look()
    assert await bench.found("silent_device") == []

    await _keep_watching(bench, 5 * 3600 + 15 * 60)
    await bench.silence.look()

    assert len(await bench.found("silent_device")) == 1


async def test_what_is_stored_of_a_person_is_scored_again_by_the_same_step(bench: Bench) -> None:
    for minute in range(6):
        await bench.measure(60 * minute, "spo2", 85, Flag.RESTING, seq=minute)
    await bench.measure(90, "spo2", 70, Flag.POOR_QUALITY, seq=40)
    await bench.measure(-7200, "spo2", 85, Flag(0), seq=41)
    await bench.report(120, "sos_pressed", seq=42)

    async def found(*, until: float, received_by: float) -> set[tuple[str, int, datetime]]:
        state, people = HomeState(), [bench.world.person_no]
        sql, times = bench.writer.sql, {"since": at(-60), "until": at(until), "received_by": at(received_by)}
        records = await read_records(bench.pool, sql, people, **times)
        effects = [effect for record in records for effect in step(state, record, Tally())]
        return {(one.rule, one.level, to_datetime(one.observed_at)) for one in effects if isinstance(one, Finding)}

    assert await found(until=3600, received_by=3600) == {("spo2", 2, at(180)), ("sos", 1, at(120))}
    assert await found(until=150, received_by=3600) == {("sos", 1, at(120))}
    assert await found(until=3600, received_by=100) == set()
