"""What rows decide, on a real database: suspected falls, SOS calls, silent devices, findings and their ids."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from asyncpg import Range
from pydantic import SecretStr

from schemas.alerts import EndReason, Finding, Message, Severity, Variant
from schemas.events import EVENT_TYPE_BY_KIND
from schemas.metrics import METRICS
from schemas.reasons import Flag
from schemas.records import JudgedUplink
from schemas.vitals import VITAL_BY_CODE
from services.runtime.clock import FakeClock, to_datetime
from services.runtime.database import Pool, load_queries, open_pool
from services.runtime.metrics import Metrics
from services.runtime.settings import DatabaseSettings
from services.score.core import Effect, FallCheck, SosCall, Tally, report_firmware, step
from services.score.due import DueRows
from services.score.effects import EffectWriter
from services.score.home_state import HomeState
from services.score.rule import Mark, Subject, finding_from
from services.score.rules.firmware import FirmwareFault
from services.score.rules.sos import SOS
from services.score.sample import Sample
from services.score.silence import SilenceWatch
from services.score.source import read_records
from services.sentences.catalogue import ENGLISH, Reader
from tests.integration.care_world import START_MS, World, settle_in
from tests.integration.score_cases import FALL_CASES, SILENCE_CASES, FallCase, SilenceCase

MINUTE_MS = 60_000
OTHER = 100_000
"""What another device of the home has more in its number."""


def at(seconds: float) -> datetime:
    """So many platform seconds into the story."""
    return to_datetime(START_MS + round(seconds * 1000))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Score's row work over a household. Nothing but the tests moves its watermark; what is due is not held back."""

    pool: Pool
    clock: FakeClock
    world: World
    writer: EffectWriter
    due: DueRows
    silence: SilenceWatch
    metrics: Metrics

    @property
    def subject(self) -> Subject:
        """The person of the household."""
        return Subject(self.world.person_no, self.world.home_no)

    def event(self, seconds: float, *, seq: int = 0) -> Sample:
        """The source of an event."""
        return Sample(START_MS + round(seconds * 1000), 0.0, self.world.device_no, 1, seq, 0)

    async def pass_watermark(self, seconds: float) -> None:
        """Store and score have come so far."""
        await self.pool.execute("delete from watermarks")
        for consumer in ("store", "score"):
            await self.pool.execute("insert into watermarks values ($1, '0', 0, $2)", consumer, at(seconds))

    async def report(
        self,
        seconds: float,
        kind: str,
        *,
        seq: int,
        person_no: int | None = None,
        answer: str = "",
        lag: float = 0,
        elsewhere: bool = False,
    ) -> None:
        """An event that store has written, received ``lag`` seconds later; ``elsewhere``: of another device."""
        await self.pool.execute(
            "insert into device_events values ($1, 1, $2, 0, $3, $4, $5, $6, $7, 0, $8)",
            self.world.device_no + OTHER * elsewhere,
            seq,
            self.world.home_no,
            self.world.person_no if person_no is None else person_no,
            EVENT_TYPE_BY_KIND[kind].number,
            at(seconds),
            at(seconds + lag),
            {"answer": answer} if answer else {},
        )

    async def measure(
        self, seconds: float, vital: str, value: float, flags: Flag, *, seq: int, elsewhere: bool = False
    ) -> None:
        """A reading that store has written; ``elsewhere``: of another device."""
        await self.pool.execute(
            "insert into readings values ($1, $2, $3, $4, 1, $5, 0, $6, $7, $3)",
            self.world.person_no,
            VITAL_BY_CODE[vital].number,
            at(seconds),
            self.world.device_no + OTHER * elsewhere,
            seq,
            value,
            int(flags),
        )

    async def hear(self, seconds: float) -> None:
        """The device's newest uplink is stored."""
        await self.pool.execute(
            "insert into device_cursor values ($1, 1, '{}', 0, '[]', $2)"
            " on conflict (device_no, epoch) do update set last_received_at = excluded.last_received_at",
            self.world.device_no,
            at(seconds),
        )

    async def found(self, rule: str) -> list[dict[str, Any]]:
        """The findings of a rule about the household, in order; their sentences can be made again from the rows."""
        rows = await self.pool.fetch(
            "select * from findings where rule = $1 and home_no = $2 order by episode, raised_at, level = 0, level",
            rule,
            self.world.home_no,
        )
        for row in rows:
            message = Message(row["message"], row["facts"])
            assert ENGLISH.say(message, Reader.DOCTOR) == row["doctor_text"]
            assert ENGLISH.say(message, Reader.CAREGIVER) == row["caregiver_text"]
        return [dict(row) for row in rows]

    async def suspect_fall(self, *, subject: Subject | None = None, received: float = 0) -> None:
        """A fall is suspected at second 0."""
        check = FallCheck(
            subject=subject or self.subject,
            episode=1,
            sample=self.event(0),
            due_at=START_MS + round(max(received, 0) * 1000) + MINUTE_MS,
            received_at=START_MS + round(received * 1000),
        )
        await self.writer.write([check])


@pytest.fixture
async def bench(dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    sql, metrics = load_queries("services.score"), Metrics(METRICS)
    clock = FakeClock(at_ms=START_MS)
    monkeypatch.setattr("services.score.due.answer_hold_s", lambda **_: 0.0)
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as pool:
        await pool.execute("truncate findings, watermarks, silence_watch, silences, fall_checks, sos_calls cascade")
        world = await settle_in(pool)
        writer = EffectWriter(pool=pool, sql=sql, clock=clock, metrics=metrics, log=structlog.get_logger())
        yield Bench(
            pool=pool,
            clock=clock,
            world=world,
            writer=writer,
            due=DueRows(pool=pool, sql=sql, clock=clock, writer=writer, resend_after_s=60),
            silence=SilenceWatch(pool=pool, sql=sql, clock=clock, writer=writer, resend_after_s=60),
            metrics=metrics,
        )


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
    assert _conflicts(bench) == 0


async def _press(bench: Bench, seconds: float, said: int) -> None:
    sample = bench.event(seconds, seq=int(seconds))
    due_at = sample.at + 10 * MINUTE_MS
    await bench.writer.write([SosCall(subject=bench.subject, episode=1, sample=sample, due_at=due_at, said=said)])


async def test_a_finding_is_written_once_and_another_one_under_its_id_is_reported_loudly(bench: Bench) -> None:
    sample = bench.event(0)
    finding = finding_from(SOS, bench.subject, 1, Mark(1, sample, sample))
    await bench.writer.write([finding])
    await bench.writer.write([finding])
    assert _conflicts(bench) == 0

    await bench.writer.write([replace(finding, observed_at=finding.observed_at + 1)])

    assert _conflicts(bench) == 1
    assert [one["observed_at"] for one in await bench.found("sos")] == [at(0)]


async def test_what_a_variant_in_the_shadow_finds_is_kept_apart_and_numbered_by_itself(bench: Bench) -> None:
    """Alert reads the table findings alone."""
    sample, tried = bench.event(0), replace(SOS, variant=Variant.SHADOW)
    finding = finding_from(tried, bench.subject, 7, Mark(1, sample, sample))
    await bench.writer.write([finding, finding])
    assert (await bench.found("sos"), _conflicts(bench)) == ([], 0)
    await bench.writer.write([replace(finding, observed_at=finding.observed_at + 1)])
    assert _conflicts(bench) == 1
    rows = await bench.pool.fetch(bench.writer.sql["highest_episodes"], [SOS.name], "fall", SOS.name)
    numbers = [(row["rule"], row["episode"]) for row in rows if row["person_no"] == bench.world.person_no]
    assert (tried.key, 7) in numbers
    assert SOS.name not in dict(numbers)


def _conflicts(bench: Bench) -> float:
    return bench.metrics.registry.get_sample_value("hb_score_finding_conflicts_total") or 0


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


@pytest.mark.parametrize("case", SILENCE_CASES, ids=lambda case: f"{case.kind}: {case.story}")
async def test_a_device_is_silent_when_its_case_table_says_so(bench: Bench, case: SilenceCase) -> None:
    await _in_silence(bench, case.device_type)
    if case.heard is not None:
        await bench.hear(case.heard)
    for seq, (seconds, kind) in enumerate(case.events, start=1):
        await bench.report(seconds, kind, seq=seq, person_no=0)
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
    await bench.pool.execute(
        "insert into bindings (device_no, person_no, valid) values ($1, $2, $3)",
        bench.world.device_no,
        bench.world.person_no,
        Range(datetime(2020, 1, 1, tzinfo=UTC), None),
    )
    await _keep_watching(bench, 3700)

    await bench.silence.look()

    assert [one["person_no"] for one in await bench.found("silent_device")] == [bench.world.person_no]


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
