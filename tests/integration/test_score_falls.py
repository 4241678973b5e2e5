"""What rows decide of suspected falls and SOS calls, on a real database."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from schemas.alerts import EndReason, Severity
from schemas.reasons import Flag
from schemas.records import JudgedUplink
from services.score.core import Effect, SosCall, report_firmware
from services.score.home_state import HomeState
from services.score.rule import Subject
from services.score.rules.firmware import FirmwareFault
from services.score.sample import Sample
from tests.integration.care_world import START_MS, settle_in
from tests.integration.score_bench import MINUTE_MS, Bench, at, bench_on
from tests.integration.score_cases import FALL_CASES, FallCase


@pytest.fixture
async def bench(dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    async with bench_on(dsn, monkeypatch) as opened:
        yield opened


@pytest.mark.parametrize("case", FALL_CASES, ids=lambda case: f"{case.kind}: {case.story}")
async def test_a_suspected_fall_comes_to_what_its_case_table_says(bench: Bench, case: FallCase) -> None:
    await bench.suspect_fall(received=case.lag)
    for seq, (seconds, kind, answer) in enumerate(case.answers, start=1):
        await bench.report(seconds, kind, seq=seq, answer=answer, lag=case.lag)
    for seq, (seconds, kind, answer) in enumerate(case.elsewhere, start=1):
        await bench.report(seconds, kind, seq=seq, answer=answer, elsewhere=True)
    for seq, (seconds, vital, value, flags) in enumerate(case.readings, start=50):
        await bench.measure(seconds, vital, value, flags, seq=seq)
    await bench.pass_watermark(case.watermark)

    await bench.due.settle()

    reported = [one for one in await bench.found("fall") if one["level"]]
    assert [(one["level"], one["observed_at"]) for one in reported] == (
        [(case.level, at(case.at))] if case.level else []
    )


async def test_a_running_total_of_steps_is_no_sign_of_having_got_up(bench: Bench) -> None:
    """The total of the day, and the newest posture that says upright: they would have made a fall a near fall."""
    total = Sample(START_MS, 4000.0, bench.world.device_no, 1, 900, 0)
    effects: list[Effect] = []
    record = JudgedUplink(bench.world.device_no, "band", bench.world.home_no, 0, 1, 900, 0, START_MS, START_MS)
    report_firmware(HomeState(), record, FirmwareFault.STEP_TOTAL, 0, total, 1, effects)
    await bench.writer.write(effects)
    await bench.suspect_fall()
    await bench.measure(40, "heart_rate", 90, Flag.UPRIGHT, seq=50)
    await bench.measure(50, "steps", 4012, Flag(0), seq=51)
    await bench.pass_watermark(61)

    await bench.due.settle()

    assert [one["level"] for one in await bench.found("fall")] == [2]


async def test_a_fall_is_decided_once_and_a_near_fall_is_over_at_once(bench: Bench) -> None:
    await bench.suspect_fall()
    await bench.report(15, "fall_answered", seq=1, answer="ok")
    await bench.pass_watermark(61)

    assert await bench.due.settle() == 2
    assert await bench.due.settle() == 0

    near, over = await bench.found("fall")
    assert (near["level"], near["severity"], over["level"]) == (1, Severity.LOW, 0)
    assert (near["message"], over["end_reason"]) == ("fall.near", EndReason.RECOVERED)


async def test_what_is_answered_is_decided_before_anybody_knows_how_far_the_platform_has_come(bench: Bench) -> None:
    await bench.suspect_fall()
    await bench.pool.execute("delete from watermarks")
    assert await bench.due.settle() == 0
    await bench.report(15, "fall_answered", seq=1, answer="help")

    assert await bench.due.settle() == 1
    (found,) = await bench.found("fall")
    assert (found["level"], found["message"], found["unverified"]) == (2, "fall.help", False)


@pytest.mark.parametrize("first", ["ok", "up"])
async def test_who_was_up_again_and_then_asks_for_help_has_fallen(bench: Bench, first: str) -> None:
    await bench.suspect_fall()
    if first == "ok":
        await bench.report(10, "fall_answered", seq=1, answer="ok")
    else:
        await bench.measure(10, "steps", 9, Flag.UPRIGHT, seq=1)
    await bench.pass_watermark(20)
    await bench.due.settle()
    bench.clock.advance(seconds=300)
    await bench.report(300, "check_in_answered", seq=2, answer="help")
    await bench.pass_watermark(301)

    await bench.due.settle()
    await bench.due.settle()

    assert [one["level"] for one in await bench.found("fall")] == [1, 0, 2]


async def test_who_lies_again_before_the_minute_is_over_has_fallen(bench: Bench) -> None:
    await bench.suspect_fall()
    await bench.measure(10, "steps", 9, Flag.UPRIGHT, seq=1)
    await bench.pass_watermark(20)
    await bench.due.settle()
    bench.clock.advance(seconds=60)
    await bench.measure(40, "heart_rate", 80, Flag.LYING, seq=2)
    await bench.pass_watermark(60)

    await bench.due.settle()

    found = [(one["level"], one["observed_at"]) for one in await bench.found("fall")]
    assert found == [(1, at(10)), (0, at(10)), (2, at(60))]


async def test_half_an_hour_after_a_near_fall_nothing_more_comes_of_it(bench: Bench) -> None:
    await bench.suspect_fall()
    await bench.report(10, "fall_answered", seq=1, answer="ok")
    await bench.pass_watermark(70)
    await bench.due.settle()
    await bench.pass_watermark(31 * 60)
    await bench.due.settle()
    await bench.report(32 * 60, "check_in_answered", seq=2, answer="help")
    await bench.pass_watermark(33 * 60)

    assert await bench.due.settle() == 0
    assert await bench.pool.fetchval("select ended_at from fall_checks") == at(60)


async def test_steps_that_another_device_counted_before_a_fall_are_no_recovery_from_it(bench: Bench) -> None:
    """A robot's clock is five minutes behind: by its stamp the walk to the bathroom came after the fall."""
    await bench.suspect_fall(received=300)
    await bench.measure(200, "steps", 30, Flag.UPRIGHT, seq=1, elsewhere=True)
    await bench.pass_watermark(360)

    await bench.due.settle()

    assert [one["level"] for one in await bench.found("fall")] == [2]


async def test_who_has_walked_since_a_fall_that_is_heard_of_hours_later_is_up_again(bench: Bench) -> None:
    await bench.suspect_fall(received=2 * 3600)
    await bench.measure(3600, "steps", 30, Flag.UPRIGHT, seq=1, elsewhere=True)
    await bench.pass_watermark(2 * 3600 + 1)

    await bench.due.settle()

    assert [one["message"] for one in await bench.found("fall")] == ["fall.up", "fall.ended"]


async def test_whoever_is_asked_late_may_answer_within_the_minute(bench: Bench) -> None:
    """The fall is heard of three minutes late, and the question is answered twenty seconds after that."""
    await bench.suspect_fall(received=180)
    await bench.report(200, "check_in_answered", seq=1, answer="ok")
    await bench.pass_watermark(240)

    await bench.due.settle()

    assert [one["message"] for one in await bench.found("fall")] == ["fall.near", "fall.ended"]


async def test_who_lies_on_is_said_again_after_half_an_hour_and_an_hour_is_a_long_lie(bench: Bench) -> None:
    await bench.suspect_fall()
    for minutes in (1, 29.9, 30, 30.1, 59.9, 60, 61, 90):
        await bench.pass_watermark(60 * minutes)
        await bench.due.settle()
        await bench.due.end_falls()
        bench.clock.advance(seconds=60)

    found = await bench.found("fall")
    assert [(one["level"], one["observed_at"], one["message"]) for one in found] == [
        (2, at(60), "fall.confirmed"),
        (3, at(30 * 60), "fall.lies_on"),
        (3, at(60 * 60), "fall.long_lie"),
    ]
    assert {one["severity"] for one in found} == {Severity.HIGH}
    assert "long lie" in found[2]["doctor_text"].casefold()
    assert len({one["finding_id"] for one in found}) == 3


async def test_after_an_outage_of_ours_an_hour_on_the_floor_is_a_long_lie_at_once(bench: Bench) -> None:
    await bench.suspect_fall()
    await bench.pass_watermark(2 * 3600)
    for _ in range(3):
        await bench.due.settle()
        bench.clock.advance(seconds=1)

    assert [one["message"] for one in await bench.found("fall")] == ["fall.confirmed", "fall.long_lie"]


async def test_a_fall_that_becomes_known_after_a_day_is_looked_back_on_and_nobody_is_asked(bench: Bench) -> None:
    await bench.suspect_fall(received=25 * 3600)
    await bench.pass_watermark(25 * 3600 + 60)
    await bench.due.settle()
    await bench.pass_watermark(27 * 3600)
    await bench.due.settle()

    assert [(one["level"], one["retrospective"]) for one in await bench.found("fall")] == [(2, True)]
    assert not await bench.pool.fetchval("select count(*) from commands where device_no = $1", bench.world.device_no)


async def test_a_fall_of_nobody_in_particular_is_answered_by_anyone_of_the_home(bench: Bench) -> None:
    await bench.suspect_fall(subject=Subject(0, bench.world.home_no))
    await bench.report(15, "check_in_answered", seq=1, answer="ok")
    await bench.pass_watermark(61)

    await bench.due.settle()

    assert [(one["person_no"], one["level"]) for one in await bench.found("fall")] == [(0, 1), (0, 0)]


async def test_a_suspected_fall_asks_the_person_through_the_device_once(bench: Bench) -> None:
    await bench.suspect_fall()
    await bench.suspect_fall()
    question = "select kind, created_at, expires_at from commands where device_no = $1"

    assert [tuple(row) for row in await bench.pool.fetch(question, bench.world.device_no)] == [
        ("check_in", at(0), at(60))
    ]

    other = await settle_in(bench.pool)
    await replace(bench, world=other).suspect_fall(received=3600)
    assert [tuple(row) for row in await bench.pool.fetch(question, other.device_no)] == [
        ("check_in", at(3600), at(3660))
    ]


async def test_a_confirmed_fall_is_over_when_the_person_walks_again(bench: Bench) -> None:
    await bench.suspect_fall()
    await bench.pass_watermark(70)
    await bench.due.settle()
    assert await bench.due.end_falls() == 0

    await bench.measure(600, "steps", 20, Flag.UPRIGHT, seq=9)
    await bench.pass_watermark(700)

    assert await bench.due.end_falls() == 1
    found = await bench.found("fall")
    assert [(one["level"], one["observed_at"]) for one in found] == [(2, at(60)), (0, at(600))]
    assert [one["end_reason"] for one in found] == [None, EndReason.RECOVERED]


@pytest.mark.parametrize(
    ("seconds", "answer", "over"),
    [(50, "ok", True), (600, "ok", True), (600, "help", False), (600, "unclear", False), (600, "", False)],
)
async def test_only_the_answer_that_all_is_well_ends_a_confirmed_fall_and_it_may_come_late(
    bench: Bench, *, seconds: float, answer: str, over: bool
) -> None:
    await bench.suspect_fall()
    await bench.pass_watermark(70)
    await bench.due.settle()
    await bench.report(seconds, "fall_answered", seq=9, answer=answer, lag=20)
    await bench.pass_watermark(700)

    await bench.due.end_falls()

    reasons = [one["end_reason"] for one in await bench.found("fall")]
    assert reasons == ([None, EndReason.RECOVERED] if over else [None])


async def test_a_fall_of_which_nothing_more_is_known_for_a_day_is_over_without_being_recovered(bench: Bench) -> None:
    await bench.suspect_fall()
    for minutes in (1.2, 30, 60, 26 * 60):
        await bench.pass_watermark(60 * minutes)
        await bench.due.settle()
        bench.clock.advance(seconds=60)

    assert await bench.due.end_falls() == 1
    assert [one["end_reason"] for one in await bench.found("fall")] == [None, None, None, EndReason.NO_DATA]


async def test_with_the_watermark_standing_still_falls_are_reported_unverified(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.suspect_fall()
    await bench.pass_watermark(5)
    bench.clock.advance(seconds=61)
    await bench.due.settle()
    assert await bench.found("fall") == []

    monkeypatch.setattr("services.score.due.STILL_S", 0.0)
    await bench.due.settle()

    assert [(one["level"], one["unverified"]) for one in await bench.found("fall")] == [(2, True)]


async def test_an_sos_call_is_over_ten_minutes_after_its_last_press(bench: Bench) -> None:
    await _press(bench, 0, 1)
    await _press(bench, 300, 3)
    await bench.pass_watermark(899)
    await bench.due.settle()
    assert await bench.found("sos") == []

    await bench.pass_watermark(900)
    await bench.due.settle()

    assert [(one["level"], one["observed_at"]) for one in await bench.found("sos")] == [(0, at(900))]


async def test_a_press_that_comes_when_its_call_has_ended_goes_on_with_it_and_that_ends_again(bench: Bench) -> None:
    await _press(bench, 0, 1)
    await bench.pass_watermark(600)
    await bench.due.settle()
    await _press(bench, 0, 1)
    await bench.due.settle()
    assert len(await bench.found("sos")) == 1
    bench.clock.advance(seconds=60)

    await _press(bench, 60, 3)
    await bench.pass_watermark(700)
    await bench.due.settle()

    assert [(one["level"], one["observed_at"]) for one in await bench.found("sos")] == [(0, at(600)), (0, at(660))]
    assert bench.conflicts == 0


async def _press(bench: Bench, seconds: float, said: int) -> None:
    sample = bench.event(seconds, seq=int(seconds))
    due_at = sample.at + 10 * MINUTE_MS
    call = SosCall(subject=bench.subject, episode=1, sample=sample, due_at=due_at, said=said, received_at=sample.at)
    await bench.writer.write([call])
