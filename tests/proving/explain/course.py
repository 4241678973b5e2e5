"""Store and score over a log, as their processes do it, step by step: with kills, and due rows looked at unevenly."""

import logging
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from random import Random
from typing import Any, Final
from unittest.mock import patch

import structlog

from schemas.codec import seal
from schemas.metrics import METRICS
from schemas.records import JudgedUplink, UplinkRecord, WatermarkMarker
from services.runtime.clock import FakeClock
from services.runtime.database import Pool, Queries, load_queries
from services.runtime.metrics import Metrics
from services.score.checkpoint import Checkpoints
from services.score.core import with_answers
from services.score.due import DueRows
from services.score.effects import EffectWriter
from services.score.followups import Effect, Tally
from services.score.held_rows import HeldRows
from services.score.known_limits import KnownLimits
from services.score.known_rules import KnownRules
from services.score.learned import Catalogue
from services.score.looks_back import LooksBack
from services.score.partition import Partition
from services.score.silence import SilenceWatch
from services.store.writer import BatchWriter

_RESEND_AFTER_S = 60.0
_SAVED_ONE_IN, _KILLED_ONE_IN = 8, 40
_MOST_MS: Final = 50_000
"""Of the log at once: a longer stop would be an outage of the platform, of which silences know."""


@dataclass
class Course:
    """``seed`` draws how much is taken at once, when checkpoints are written, and when score is killed."""

    pool: Pool
    catalogue: Catalogue
    seed: int = 1
    clock: FakeClock = field(default_factory=FakeClock)
    metrics: Metrics = field(default_factory=lambda: Metrics(METRICS))
    kills: int = 0

    def __post_init__(self) -> None:
        log = structlog.wrap_logger(
            structlog.PrintLogger(), wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR)
        )
        self._sql: Queries = load_queries("services.score")
        parts: Any = {"pool": self.pool, "sql": self._sql}
        self._writer = EffectWriter(**parts, clock=self.clock, metrics=self.metrics, log=log)
        self._rules = KnownRules(self.catalogue, pool=self.pool, clock=self.clock, metrics=self.metrics, log=log)
        self._limits = KnownLimits(**parts, clock=self.clock, metrics=self.metrics, log=log)
        self._store = BatchWriter(self.pool, self.clock, self.metrics)
        self._start()

    def _start(self) -> None:
        """A new process of score."""
        parts: Any = {"pool": self.pool, "sql": self._sql, "writer": self._writer}
        self._checkpoints = Checkpoints(pool=self.pool, sql=self._sql, partitions=1, versions=self._rules)
        with patch("services.score.due.answer_hold_s", lambda **_: 0.0):
            self._due = DueRows(**parts, clock=self.clock, resend_after_s=_RESEND_AFTER_S)
        self._looks = LooksBack(**parts, limits=self._limits, rules=self._rules)
        self._silence = SilenceWatch(**parts, clock=self.clock, resend_after_s=_RESEND_AFTER_S)
        self._held = HeldRows(pool=self.pool, ask_look_backs=self._writer.ask_look_backs)

    async def run(self, log: Sequence[UplinkRecord]) -> None:
        """All of it, from where store and score stand."""
        chance = Random(self.seed)
        partition = await self._load()
        stored = partition.position
        while partition.position < len(log):
            until = log[partition.position].received_at + chance.randrange(_MOST_MS)
            taken = bisect_right(log, until, lo=partition.position + 1, key=attrgetter("received_at"))
            if taken > stored:
                self.clock.at_ms = max(self.clock.at_ms, log[taken - 1].received_at + chance.randrange(50, 900))
                batch = [
                    (0, offset, seal(one) if isinstance(one, JudgedUplink) else one)
                    for offset, one in enumerate(log[stored:taken], start=stored)
                ]
                await self._store.write(batch)
                stored = taken
            await self._score(partition, log[partition.position : taken])
            if chance.randrange(_KILLED_ONE_IN) == 0:
                self.kills += 1
                self._start()
                partition = await self._load()
                continue
            await self._look_at_rows(chance)
            if chance.randrange(_SAVED_ONE_IN) == 0:
                await self._checkpoints.save(0, partition)
        await self._checkpoints.save(0, partition)
        await self._look_at_rows(chance)

    async def _load(self) -> Partition:
        return await self._checkpoints.load(0, await self._limits.look())

    async def _score(self, partition: Partition, records: Sequence[UplinkRecord]) -> None:
        partition.use(await self._limits.look())
        partition.follow(await self._rules.look())
        effects: list[Effect] = []
        markers = {}
        for one in records:
            partition.position += 1
            if one.received_at >= partition.rules_until:
                effects = with_answers(effects, partition.homes.__getitem__)
                partition.turn(one.received_at)
            if isinstance(one, WatermarkMarker):
                effects += partition.mark(one)
                markers[one.instance, 0] = one.received_at
            elif isinstance(one, JudgedUplink):
                effects += partition.take(one, Tally())
        effects = with_answers(effects, partition.homes.__getitem__)
        if effects:
            await self._writer.write(effects)
        await self._checkpoints.pass_markers(markers)

    async def _look_at_rows(self, chance: Random) -> None:
        await self._due.settle()
        await self._due.end_falls()
        await self._silence.look()
        await self._held.settle()
        for _ in range(chance.randrange(4)):
            if not await self._looks.look():
                break
