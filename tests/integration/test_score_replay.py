"""Checkpoint and replay on a real database: however score dies, it ends where an undisturbed replay of the log ends."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from schemas.alerts import Finding
from schemas.codec import encode_uplink_record
from schemas.metrics import METRICS
from schemas.reasons import Flag
from schemas.records import JudgedUplink, UplinkRecord, WatermarkMarker
from schemas.topics import UPLINKS_JUDGED, home_key
from services.runtime.bus.memory import MemoryBus
from services.runtime.bus.port import Message, Record
from services.runtime.bus.postgres import PostgresBus
from services.runtime.clock import FakeClock, to_datetime
from services.runtime.database import Pool, load_queries, open_pool
from services.runtime.metrics import Metrics
from services.runtime.settings import BusSettings, ClockSettings, DatabaseSettings, LogSettings
from services.score import app
from services.score.checkpoint import Checkpoints
from services.score.consumer import GROUP, Consumer, LogGapError
from services.score.effects import EffectWriter
from services.score.followups import Effect
from services.score.known_limits import KnownLimits
from services.score.learned import load
from services.score.replay import as_of, canonical, export_findings, export_state, parsed, replay, replay_to
from services.score.rule_book import RULE_BOOK, RuleBook
from services.score.settings import ScoreSettings
from tests.integration.care_world import World, settle_in
from tests.unit.services.score.anomaly_cases import ANOMALY_BOOK, USUAL
from tests.unit.services.score.story import minute, run, uplink

LOG = structlog.get_logger()


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        await opened.execute(
            "truncate findings, watermarks, score_positions, score_state, score_days, fall_checks, sos_calls, commands,"
            " look_backs, seen_episodes, bus_log, bus_topics, bus_offsets, silence_watch cascade"
        )
        yield opened


def story_of(world: World, seed: int) -> list[JudgedUplink]:
    """An hour and a half of one home: excursions, emergencies, uplinks that are late and some that come twice."""
    chance = random.Random(seed)
    records: list[JudgedUplink] = []
    for seq in range(90):
        excited = (seq // 20) % 2
        vitals = {"heart_rate": 125 + 20 * (seq > 70) if excited else 75, "spo2": 88 if excited else 97}
        if seq % 5 == 0:
            vitals["glucose"] = 48 if excited else 110
        events = [
            kind for kind, one_in in (("sos_pressed", 30), ("fall_suspected", 25)) if chance.random() < 1 / one_in
        ]
        record = uplink(seq, seq, vitals, events=events, person=world.person_no, device=world.device_no)
        records.append(record._replace(home_no=world.home_no))
    for place in chance.choices(range(1, 85), k=12):
        records[place], records[place + 3] = records[place + 3], records[place]
    return records + chance.choices(records, k=10)


def interleaved(stories: Sequence[Sequence[JudgedUplink]]) -> list[UplinkRecord]:
    """The stories side by side, with a watermark marker now and then."""
    log: list[UplinkRecord] = []
    for number, records in enumerate(zip(*stories, strict=True)):
        log += records
        if number % 7 == 0:
            log.append(WatermarkMarker(instance="0", received_at=minute(number)))
    return log


async def append(bus: MemoryBus | PostgresBus, log: Sequence[UplinkRecord]) -> None:
    """Puts the records on the bus."""
    await bus.prepare({UPLINKS_JUDGED.name: 72}, {UPLINKS_JUDGED.name: [GROUP]})
    for record in log:
        key = home_key(0 if isinstance(record, WatermarkMarker) else record.home_no)
        await bus.append(UPLINKS_JUDGED.name, [Record(key, encode_uplink_record(record))])


class CountingBus(MemoryBus):
    """Counts what is asked of it, so that a kill can wait for some of it."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    def slice_of(self, topic: str, partition: int, position: int, most: int) -> list[Message]:
        self.reads += 1
        return super().slice_of(topic, partition, position, most)


@dataclass(slots=True)
class Score:
    """Score's consumer over a log in memory, and what is needed to kill and start it."""

    pool: Pool
    bus: CountingBus
    metrics: Metrics = field(default_factory=lambda: Metrics(METRICS))
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    rules: RuleBook = RULE_BOOK

    def start(self, writer: Callable[..., EffectWriter] = EffectWriter, *, most: int = 5) -> asyncio.Task[None]:
        """A new process, as it were."""
        sql, clock = load_queries("services.score"), FakeClock()
        self.stop = asyncio.Event()
        effects = writer(pool=self.pool, sql=sql, clock=clock, metrics=self.metrics, log=LOG)
        limits = KnownLimits(pool=self.pool, sql=sql, clock=clock, metrics=self.metrics, log=LOG)
        consumer = Consumer(
            bus=self.bus,
            checkpoints=Checkpoints(pool=self.pool, sql=sql, partitions=self.bus.partitions, rules=self.rules),
            writer=effects,
            limits=limits,
            metrics=self.metrics,
            log=LOG,
            stop=self.stop,
        )
        return asyncio.create_task(consumer.run(instance="0", most=most, checkpoint_every_s=0.001))

    async def finish(self, log: Sequence[UplinkRecord], task: asyncio.Task[None] | None = None) -> None:
        """Lets it read the log to its end and stop in order."""
        task = task or self.start()
        while await self.pool.fetchval("select max(position) from score_positions") != len(log):
            assert not task.done(), task.result()
            await asyncio.sleep(0.01)
        self.stop.set()
        await task

    async def live_and_die(self, chance: random.Random) -> None:
        """Starts and is killed wherever it happens to be a few fetches later."""
        task, goal = self.start(most=chance.choice([1, 3, 7])), self.bus.reads + chance.randint(1, 12)
        while self.bus.reads < goal and not task.done():
            await asyncio.sleep(0)
        await asyncio.sleep(chance.choice([0, 0, 0.0005, 0.002]))
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def states(self) -> str:
        """The checkpoint as text."""
        sql = load_queries("services.score")
        return canonical((await Checkpoints(pool=self.pool, sql=sql, partitions=1).export())[1])

    async def reported(self) -> set[Any]:
        """The ids and stamps of the findings."""
        return {tuple(row) for row in await self.pool.fetch("select finding_id, observed_at from findings")}

    def conflicts(self) -> float:
        """Findings with the id of another."""
        return self.metrics.registry.get_sample_value("hb_score_finding_conflicts_total") or 0


def expected_of(stories: Sequence[Sequence[JudgedUplink]]) -> set[Any]:
    """What an undisturbed run reports."""
    effects: list[Effect] = [effect for story in stories for effect in run(story)]
    return {(one.finding_id, to_datetime(one.observed_at)) for one in effects if isinstance(one, Finding)}


async def _a_log(pool: Pool, seed: int, homes: int = 3) -> tuple[list[list[JudgedUplink]], list[UplinkRecord], Score]:
    stories = [story_of(await settle_in(pool), seed + number) for number in range(homes)]
    log, score = interleaved(stories), Score(pool, CountingBus())
    await append(score.bus, log)
    return stories, log, score


@pytest.mark.parametrize("seed", range(6))
async def test_however_often_score_is_killed_it_ends_as_an_undisturbed_replay_of_the_log(pool: Pool, seed: int) -> None:
    stories, log, score = await _a_log(pool, 100 * seed)
    chance = random.Random(seed)
    positions = []
    for _ in range(12):
        await score.live_and_die(chance)
        positions.append(await pool.fetchval("select max(position) from score_positions") or 0)
    await score.finish(log)

    assert any(0 < position < len(log) for position in positions)
    assert await score.states() == canonical(replay(log))
    assert await score.reported() == expected_of(stories)
    assert score.conflicts() == 0
    falls = [effect for story in stories for effect in run(story) if type(effect).__name__ == "FallCheck"]
    assert await pool.fetchval("select count(*) from fall_checks") == len(falls)
    about_falls = "select count(*) from commands where kind = 'check_in' and details = '{}'"
    assert await pool.fetchval(about_falls) == len(falls)


async def test_what_a_model_is_asked_of_a_quiet_home_is_answered_though_only_time_passes(pool: Pool) -> None:
    world, score = await settle_in(pool), Score(pool, CountingBus(), rules=ANOMALY_BOOK)
    log: list[UplinkRecord] = [WatermarkMarker(instance="0", received_at=minute(60 * hour)) for hour in range(3, 12)]
    for hour in (1, 0):
        sent = uplink(hour, 60 * hour, USUAL, flags=Flag.RESTING, person=world.person_no, device=world.device_no)
        log.insert(0, sent._replace(home_no=world.home_no))
    await append(score.bus, log)
    await score.finish(log, score.start(most=1))  # each marker is a batch of its own
    states = replay(log, rules=ANOMALY_BOOK)
    assert await score.states() == canonical(states)
    assert "due_at" not in states[str(world.home_no)]["subjects"][str(world.person_no)]["models"]["anomaly"]


class _Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("dies_after_the_commit", [False, True])
async def test_a_death_before_or_after_findings_are_committed_repeats_the_same_ones(
    pool: Pool, *, dies_after_the_commit: bool
) -> None:
    stories, log, score = await _a_log(pool, 7, homes=1)
    writes = 0

    class DyingWriter(EffectWriter):
        async def write(self, effects: Sequence[Effect]) -> None:
            nonlocal writes
            writes += 1
            if dies_after_the_commit:
                await super().write(effects)
            if writes % 2:
                raise _Killed
            await super().write(effects)

    for _ in range(8):
        task = score.start(DyingWriter, most=9)
        with suppress(_Killed, TimeoutError, asyncio.CancelledError):
            async with asyncio.timeout(0.5):
                await asyncio.shield(task)
        task.cancel()
        with suppress(_Killed, asyncio.CancelledError):
            await task
    await score.finish(log)

    assert await score.states() == canonical(replay(log))
    assert await score.reported() == expected_of(stories)
    assert score.conflicts() == 0


async def test_with_the_database_away_nothing_is_lost_and_nothing_passed(pool: Pool) -> None:
    stories, log, score = await _a_log(pool, 11, homes=1)
    passed: list[Any] = []

    class UnreachableWriter(EffectWriter):
        async def write(self, effects: Sequence[Effect]) -> None:
            passed.append(await pool.fetchval("select max(received_at) from watermarks"))
            if len(passed) < 3:
                raise ConnectionResetError
            await super().write(effects)

    await score.finish(log, score.start(UnreachableWriter))

    assert await score.reported() == expected_of(stories)
    assert passed[0] == passed[1] == passed[2]
    last = max(record.received_at for record in log if isinstance(record, WatermarkMarker))
    assert await pool.fetchval("select received_at from watermarks where consumer = 'score'") == to_datetime(last)


async def test_a_checkpoint_that_somebody_else_moved_is_loaded_again(pool: Pool) -> None:
    stories, log, score = await _a_log(pool, 23)
    first = score.start(most=4)
    await asyncio.sleep(0.05)
    other = Score(pool, score.bus)
    await asyncio.gather(score.finish(log, first), other.finish(log))
    await score.finish(log)

    assert await score.states() == canonical(replay(log))
    assert await score.reported() == expected_of(stories)
    assert score.conflicts() + other.conflicts() == 0
    lost = [one.metrics.registry.get_sample_value("hb_score_checkpoints_lost_total") or 0 for one in (score, other)]
    assert sum(lost) > 0


async def test_a_log_that_goes_on_after_a_hole_ends_the_process(pool: Pool) -> None:
    _, _, score = await _a_log(pool, 1, homes=1)
    await pool.execute("insert into score_positions (partition_no, position) values (0, 0)")

    class HoledBus(CountingBus):
        def slice_of(self, topic: str, partition: int, position: int, most: int) -> list[Message]:
            return [row._replace(offset=row.offset + 1) for row in super().slice_of(topic, partition, position, most)]

    holed = HoledBus()
    holed.__dict__.update(score.bus.__dict__)
    score.bus = holed

    with pytest.raises(LogGapError):
        await score.start()


async def test_without_a_checkpoint_numbers_go_on_from_the_highest_finding(pool: Pool) -> None:
    world = await settle_in(pool)
    story = [
        uplink(n, n, {"spo2": 85}, person=world.person_no, device=world.device_no)._replace(home_no=world.home_no)
        for n in range(4)
    ]
    score = Score(pool, CountingBus())
    await append(score.bus, story)
    await score.finish(story)
    await pool.execute("truncate score_positions, score_state")
    score = Score(pool, CountingBus())
    await append(score.bus, story)

    await score.finish(story)

    assert await pool.fetchval("select array_agg(episode order by episode) from findings") == [1, 2]


async def test_a_person_who_moved_goes_on_with_the_numbers_of_the_old_home(pool: Pool) -> None:
    old, new = await settle_in(pool), await settle_in(pool)
    stories = [
        [
            uplink(n, n, {"spo2": 85}, person=old.person_no, device=home.device_no)._replace(home_no=home.home_no)
            for n in range(4)
        ]
        for home in (old, new)
    ]
    log = [*stories[0], *stories[1]]
    score = Score(pool, CountingBus())
    await append(score.bus, log)

    await score.finish(log, score.start(most=4))

    reported = await pool.fetch("select home_no, episode from findings order by episode")
    assert [tuple(row) for row in reported] == [(old.home_no, 1), (new.home_no, 2)]


async def test_calls_of_nobody_in_particular_are_numbered_home_by_home(pool: Pool) -> None:
    homes = [await settle_in(pool) for _ in range(2)]
    log = [
        uplink(seq, at, events=["sos_pressed"], person=0, device=home.device_no, flags=int(Flag.NOBODY))._replace(
            home_no=home.home_no
        )
        for home in homes
        for seq, at in enumerate([0, 60])
    ]
    score = Score(pool, CountingBus())
    await append(score.bus, log)

    await score.finish(log, score.start(most=1))

    reported = await pool.fetch("select home_no, episode from findings order by home_no, episode")
    assert [tuple(row) for row in reported] == [(home.home_no, episode) for home in homes for episode in (1, 2)]


async def test_the_service_as_a_whole_scores_a_log_and_its_state_is_that_of_a_replay(pool: Pool, dsn: str) -> None:
    stories = [story_of(await settle_in(pool), 55)]
    log = [*interleaved(stories), WatermarkMarker(instance="0", received_at=minute(2000))]
    await append(PostgresBus(pool), log)
    await pool.execute("insert into watermarks values ('store', '0', 0, $1)", to_datetime(minute(2000)))
    settings = ScoreSettings(
        checkpoint_every_s=0.1,
        database=DatabaseSettings(dsn=SecretStr(dsn)),
        bus=BusSettings(kind="postgres", partitions=1),
        clock=ClockSettings(),
        log=LogSettings(),
    )
    stop = asyncio.Event()
    service = asyncio.create_task(app.run(settings, clock=FakeClock(), stop=stop, metrics=Metrics(METRICS)))
    await _until(lambda: _decided(pool), service)
    exported, reported = await export_state(settings), await export_findings(settings)
    stop.set()
    await service

    positions, states = parsed(exported)
    replayed = await replay_to(settings, positions)
    assert positions == {0: len(log)}
    assert exported == as_of(positions, replayed.states()) == as_of(positions, states)
    assert canonical(states) == canonical(replay(log, rules=load(settings.artefacts).book))
    assert reported == replayed.reported()
    assert len(reported.splitlines()) > 3
    sos, falls = await pool.fetchrow(
        "select count(*) filter (where rule = 'sos' and level = 0),"
        " count(*) filter (where rule = 'fall' and level = 2) from findings"
    ) or (0, 0)
    presses = [one for one in run(stories[0]) if isinstance(one, Finding) and one.rule == "sos"]
    assert sos == len({(one.person_no, one.home_no, one.episode) for one in presses}) > 0
    assert falls == await pool.fetchval("select count(*) from fall_checks") > 0


async def _decided(pool: Pool) -> bool:
    waiting = await pool.fetchval(
        "select (select count(*) from fall_checks where decided_at is null)"
        " + (select count(*) from sos_calls where ended_at is null)"
        " + (select count(*) from watermarks where consumer = 'score' and received_at < $1)",
        to_datetime(minute(2000)),
    )
    return waiting == 0 and bool(await pool.fetchval("select count(*) from watermarks where consumer = 'score'"))


async def _until(condition: Callable[[], Awaitable[bool]], service: asyncio.Task[None]) -> None:
    async with asyncio.timeout(30):
        while not await condition():
            assert not service.done(), service.result()
            await asyncio.sleep(0.05)
