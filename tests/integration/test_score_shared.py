"""Scorers that share a log come, go, die and linger at random: their findings are those of an undisturbed replay."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Any, Final
from zlib import crc32

import pytest
from structlog.testing import CapturingLogger

from schemas.codec import encode_uplink_record
from schemas.metrics import METRICS
from schemas.records import JudgedUplink, UplinkRecord, WatermarkMarker
from schemas.topics import UPLINKS_JUDGED, home_key
from services.runtime.bus.memory import MemoryBus
from services.runtime.bus.port import Record
from services.runtime.clock import FakeClock, to_datetime, to_ms
from services.runtime.database import Pool, load_queries
from services.runtime.metrics import Metrics
from services.score.checkpoint import Checkpoints
from services.score.consumer import GROUP, Consumer
from services.score.effects import EffectWriter
from services.score.followups import Tally
from services.score.known_limits import KnownLimits
from services.score.limit_book import DEFAULT_BOOK
from services.score.replay import Replay, canonical
from tests.integration.care_world import settle_in
from tests.integration.test_score_replay import LOG, expected_of, pool, story_of
from tests.unit.services.score.story import minute

__all__ = ["pool"]

PARTITIONS: Final = 3
INSTANCES: Final = ("0", "1", "2")
SEEDS: Final = range(4)


def key_of(partition: int) -> bytes:
    """A key of that partition."""
    return next(key for key in (b"%d" % number for number in count()) if crc32(key) % PARTITIONS == partition)


@dataclass(slots=True)
class Group:
    """Scorers on one log. Whoever is taken for dead and is not lingers: it goes on with what it no longer has."""

    pool: Pool
    bus: MemoryBus = field(default_factory=lambda: MemoryBus(PARTITIONS))
    metrics: Metrics = field(default_factory=lambda: Metrics(METRICS))
    log: Any = LOG
    running: dict[str, tuple[asyncio.Task[None], asyncio.Event]] = field(default_factory=dict)

    def start(self, instance: str, chance: random.Random, every_s: float | None = None) -> None:
        """A process of this instance."""
        stop, sql = asyncio.Event(), load_queries("services.score")
        writer = EffectWriter(pool=self.pool, sql=sql, clock=FakeClock(), metrics=self.metrics, log=self.log)
        limits = KnownLimits(pool=self.pool, sql=sql, clock=FakeClock(), metrics=self.metrics, log=self.log)
        consumer = Consumer(
            bus=self.bus,
            checkpoints=Checkpoints(pool=self.pool, sql=sql, partitions=self.bus.partitions),
            writer=writer,
            limits=limits,
            metrics=self.metrics,
            log=self.log,
            stop=stop,
        )
        every_s = chance.choice([0.001, 0.02, 60]) if every_s is None else every_s
        work = consumer.run(instance=instance, most=chance.choice([1, 3, 9]), checkpoint_every_s=every_s)
        self.running[instance] = asyncio.create_task(work), stop

    async def stop(self, instance: str) -> None:
        """A signal, and a clean end."""
        task, stop = self.running.pop(instance)
        stop.set()
        await task

    async def kill(self, instance: str) -> None:
        """It ends wherever it happens to be."""
        task, _ = self.running.pop(instance)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def happen(self, chance: random.Random) -> None:
        """One thing that happens to one instance."""
        instance = chance.choice(INSTANCES)
        if instance not in self.running:
            self.start(instance, chance)
        elif chance.random() < 0.4:
            await self.bus.expire(UPLINKS_JUDGED.name, GROUP, instance)
        elif chance.random() < 0.5:
            await self.stop(instance)
        else:
            await self.kill(instance)

    def check_alive(self) -> None:
        """None has ended by itself."""
        for task, _ in self.running.values():
            assert not task.done(), task.result()

    async def append(self, burst: Sequence[tuple[bytes, UplinkRecord]], *, waits: bool = True) -> None:
        """Puts records on the log; ``waits`` until all partitions have passed its marker."""
        records = [Record(key, encode_uplink_record(record)) for key, record in burst]
        await self.bus.append(UPLINKS_JUDGED.name, records)
        reached = to_datetime(burst[-1][1].received_at)
        passed = "select count(*) from watermarks where received_at = $1"
        async with asyncio.timeout(30):
            while waits and await self.pool.fetchval(passed, reached) < PARTITIONS:
                self.check_alive()
                await asyncio.sleep(0.01)

    async def finish(self, length: int, chance: random.Random) -> None:
        """Everybody ends; two come and read the log to its end."""
        for instance in list(self.running):
            await self.stop(instance)
        for instance in INSTANCES:
            await self.bus.expire(UPLINKS_JUDGED.name, GROUP, instance)
        self.start("0", chance)
        self.start("1", chance)
        async with asyncio.timeout(30):
            while (await self.pool.fetchval("select sum(position) from score_positions") or 0) < length:
                self.check_alive()
                await asyncio.sleep(0.05)
                for instance in ("0", "1"):
                    await self.stop(instance)
                    self.start(instance, chance)
        for instance in ("0", "1"):
            await self.stop(instance)

    def count(self, name: str) -> float:
        """Of one of score's metrics."""
        return self.metrics.registry.get_sample_value(name) or 0


def laid_out(stories: Sequence[Sequence[JudgedUplink]]) -> list[list[tuple[bytes, UplinkRecord]]]:
    """The stories side by side, in bursts, with a watermark marker on every partition after each."""
    records = [(home_key(record.home_no), record) for row in zip(*stories, strict=True) for record in row]
    bursts: list[list[tuple[bytes, UplinkRecord]]] = []
    rest: Iterator[tuple[bytes, UplinkRecord]] = iter(records)
    while burst := list(islice(rest, 12)):
        # Later than all before it, and each at a time of its own.
        reached = max(
            minute(0), *(one.received_at for row in bursts for _, one in row), *(one.received_at for _, one in burst)
        )
        marker = WatermarkMarker(instance="0", received_at=reached + 1)
        bursts.append(burst + [(key_of(partition), marker) for partition in range(PARTITIONS)])
    return bursts


async def passed_too_early(pool: Pool, bursts: Sequence[Sequence[tuple[bytes, UplinkRecord]]]) -> list[str]:
    """Findings that rest on records before a watermark marker that score has passed, and are not there."""
    passed = {
        row["partition_no"]: to_ms(row["received_at"])
        for row in await pool.fetch("select partition_no, received_at from watermarks where consumer = 'score'")
    }
    reported = {row["finding_id"] for row in await pool.fetch("select finding_id from findings")}
    early = []
    for partition, at in passed.items():
        done = 1 + next(place for place, burst in enumerate(bursts) if burst[-1][1].received_at == at)
        undisturbed = Replay()
        for key, record in (row for burst in bursts[:done] for row in burst):
            if crc32(key) % PARTITIONS == partition:
                undisturbed.take(record, partition)
        early += [str(one) for one in undisturbed.findings.values() if one.finding_id not in reported]
    return early


@pytest.mark.parametrize("seed", SEEDS)
async def test_whoever_comes_goes_dies_or_lingers_the_findings_are_those_of_an_undisturbed_replay(
    pool: Pool, seed: int
) -> None:
    chance = random.Random(seed)
    stories = [story_of(await settle_in(pool), 1_000 * seed + number) for number in range(4)]
    bursts, group = laid_out(stories), Group(pool)
    await group.bus.prepare({UPLINKS_JUDGED.name: 72}, {UPLINKS_JUDGED.name: [GROUP]})
    group.start("0", chance)
    group.start("1", chance)
    for burst in bursts:
        await group.append(burst, waits=False)
        await asyncio.sleep(chance.choice([0, 0, 0.002, 0.03]))
        group.check_alive()
        await group.happen(chance)
        assert await passed_too_early(pool, bursts) == []
    log = [record for burst in bursts for _, record in burst]
    await group.finish(len(log), chance)

    _, states = await Checkpoints(pool=pool, sql=load_queries("services.score"), partitions=PARTITIONS).export()
    undisturbed = Replay()
    for key, record in (row for burst in bursts for row in burst):
        undisturbed.take(record, crc32(key) % PARTITIONS)
    assert canonical(states) == canonical(undisturbed.states())
    reported = {tuple(row) for row in await pool.fetch("select finding_id, observed_at from findings")}
    # A press of the button is no finding of readings; every other is one of the undisturbed replay.
    expected = {(one.finding_id, to_datetime(one.observed_at)) for one in undisturbed.findings.values()}
    assert reported == expected | {one for one in expected_of(stories) if one[0] not in undisturbed.findings}
    assert group.count("hb_score_finding_conflicts_total") == 0
    last = max(record.received_at for record in log if isinstance(record, WatermarkMarker))
    passed = await pool.fetch("select partition_no, received_at from watermarks where consumer = 'score'")
    assert {row["partition_no"]: row["received_at"] for row in passed} == dict.fromkeys(
        range(PARTITIONS), to_datetime(last)
    )


async def go_on_from_checkpoint(pool: Pool, partition_no: int, records: Sequence[tuple[bytes, UplinkRecord]]) -> None:
    """What another member does to a partition that is its own for a while. What it finds is not looked at here."""
    checkpoints = Checkpoints(pool=pool, sql=load_queries("services.score"), partitions=PARTITIONS)
    partition = await checkpoints.load(partition_no, DEFAULT_BOOK)
    for record in (one for key, one in records if crc32(key) % PARTITIONS == partition_no):
        partition.position += 1
        if isinstance(record, WatermarkMarker):
            partition.mark(record)
        elif isinstance(record, JudgedUplink):
            partition.take(record, Tally())
    assert await checkpoints.save(partition_no, partition)


async def test_what_comes_back_as_it_was_left_is_kept_and_what_another_member_has_moved_is_loaded(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, seen = random.Random(1), CapturingLogger()
    bursts = laid_out([story_of(await settle_in(pool), 7)])
    group = Group(pool, log=seen)
    await group.bus.prepare({UPLINKS_JUDGED.name: 72}, {UPLINKS_JUDGED.name: [GROUP]})

    async def assigned(times: int) -> list[tuple[int, int]]:
        """How many partitions each assignment so far had, and how many of them were kept; in order."""
        async with asyncio.timeout(30):
            while True:
                found = [call.kwargs for call in seen.calls if call.args == ("assigned",)]
                if len(found) >= times:
                    return [(one["partitions"], one["kept"]) for one in found]
                group.check_alive()
                await asyncio.sleep(0.01)

    group.start("0", chance, every_s=60)
    await group.append(bursts[0])
    assert await assigned(1) == [(3, 0)]
    await group.bus.expire(UPLINKS_JUDGED.name, GROUP, "nobody")  # all partitions go, and come back
    assert (await assigned(2))[1:] == [(3, 3)]
    # A member that joins has nothing yet; of ours, we keep what stays.
    group.start("1", chance, every_s=60)
    assert sorted((await assigned(4))[2:]) == [(1, 0), (2, 2)]
    await group.stop("1")
    await group.bus.expire(UPLINKS_JUDGED.name, GROUP, "1")
    assert (await assigned(5))[4:] == [(3, 2)]
    positions = Checkpoints.positions

    async def moved_first(self: Checkpoints) -> dict[int, int]:
        monkeypatch.undo()
        await group.append(bursts[1], waits=False)
        await go_on_from_checkpoint(pool, 1, bursts[1])
        return await positions(self)

    monkeypatch.setattr(Checkpoints, "positions", moved_first)
    await group.bus.expire(UPLINKS_JUDGED.name, GROUP, "nobody")
    assert (await assigned(6))[5:] == [(3, 2)]
    await group.append(bursts[2])
    await group.stop("0")
    undisturbed = Replay()
    for key, record in (row for burst in bursts[:3] for row in burst):
        undisturbed.take(record, crc32(key) % PARTITIONS)
    _, states = await Checkpoints(pool=pool, sql=load_queries("services.score"), partitions=PARTITIONS).export()
    assert canonical(states) == canonical(undisturbed.states())
