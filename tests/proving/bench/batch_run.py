"""One process, pinned to a core, that takes batches as score's consumer makes them: what each costs, printed as JSON.

Everything between the fetch and the database is in a batch: records decoded, steps, markers, models asked. What the
database adds is not, and the phases with servers measure it.
"""

import gc
import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

import psutil
import typer

from deploy.local.settings import CHECKOUT
from deploy.reconcile.latency import quantile_of
from schemas.codec import decode_uplink_record, encode_uplink_record
from schemas.records import JudgedUplink, WatermarkMarker
from services.runtime.lifecycle import GC_THRESHOLDS
from services.runtime.settings import BusSettings
from services.score.consumer import GATHER_S
from services.score.core import with_answers
from services.score.followups import Effect, Tally
from services.score.home_state import HomeState
from services.score.learned import WITHOUT, RulesInUse, load
from services.score.partition import Partition
from services.score.questions import Question
from services.score.rule import HOUR_MS, MINUTE_MS
from services.score.settings import ScoreSettings
from tests.proving.bench.batch_people import PERIOD_MS, People, Received

PARTITIONS: Final = BusSettings.model_fields["partitions"].default
MOST: Final = ScoreSettings.model_fields["most"].default
GATHER_MS: Final = round(1_000 * GATHER_S)
BEFORE_TURN_MS: Final = 30_000
AFTER_TURN_MS: Final = 120_000
STALL_MS: Final = 10_000
HISTORY_H: Final = 5
"""By then every learned rule that rests on hours knows enough of everybody to ask."""
BETWEEN_MS: Final = 15 * MINUTE_MS
"""Outside of what is measured bands send so often: it fills windows and hours in a fraction of the time."""
_BEGAN_AT: Final = 1_796_000_400_000 // HOUR_MS * HOUR_MS


class Run:
    """Partitions as one member of the group holds them, and what their batches have cost."""

    def __init__(self, rules: RulesInUse, people: People) -> None:
        """Nothing taken yet."""
        self._partitions = [Partition(rules=rules.book) for _ in range(PARTITIONS)]
        self._people = people
        self._marked_at = 0
        self.spent_s: list[float] = []
        self.cpu_s: list[float] = []
        self.uplinks: list[int] = []
        self.readings = 0
        self.effects: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()

    def take(self, batch: Sequence[Received], *, counts: bool) -> None:
        """One batch; ``counts``: it is measured."""
        records = [*batch, *self._markers(batch)]
        before, cpu_before = time.perf_counter(), time.process_time()
        effects, readings, asked = self._score(records)
        spent_s, cpu_s = time.perf_counter() - before, time.process_time() - cpu_before
        if counts:
            self.spent_s.append(spent_s)
            self.cpu_s.append(cpu_s)
            self.uplinks.append(len(batch))
            self.readings += readings
            self.effects.update(type(one).__name__ for one in effects)
            self.asked.update(asked)

    def _markers(self, batch: Sequence[Received]) -> list[Received]:
        """Ingest's mark in each partition, once a second."""
        second = batch[-1][0] // 1_000
        if second <= self._marked_at:
            return []
        self._marked_at = second
        record = encode_uplink_record(WatermarkMarker(instance="ingest-0", received_at=batch[-1][0]))
        return [(batch[-1][0], partition, record) for partition in range(PARTITIONS)]

    def _score(self, batch: Sequence[Received]) -> tuple[list[Effect], int, list[str]]:
        """As the consumer does it, without its database."""
        effects: list[Effect] = []
        tally, homes, readings = Tally(), dict[int, HomeState](), 0
        for _, number, value in batch:
            record = decode_uplink_record(value)
            partition = self._partitions[number % PARTITIONS]
            partition.position += 1
            if isinstance(record, WatermarkMarker):
                effects += partition.mark(record)
            elif isinstance(record, JudgedUplink):
                effects += partition.take(record, tally)
                homes[record.home_no] = partition.homes[record.home_no]
                readings += len(record.readings)
        asked = [one.rule.key for one in effects if isinstance(one, Question)]
        return with_answers(effects, homes.__getitem__), readings, asked

    def pass_hours(self, first: int, last: int) -> None:
        """From ``first`` to ``last`` in ms, bands sending only each quarter of an hour; nothing of it is measured."""
        for at in range(first, last, PERIOD_MS):
            records = iter(self._people.round(at, bands=at % BETWEEN_MS == 0))
            while batch := list(islice(records, MOST)):
                self.take(batch, counts=False)

    def pass_turn(self, turn: int, *, stalls: bool) -> None:
        """The minutes around an hour's ``turn``, in ms; ``stalls``: score stands still for its first ten seconds."""
        for batch in gathered(self._minutes(turn), turn, stalls=stalls):
            self.take(batch, counts=True)

    def _minutes(self, turn: int) -> Iterator[Received]:
        for at in range(turn - BEFORE_TURN_MS, turn + AFTER_TURN_MS, PERIOD_MS):
            yield from self._people.round(at)


def gathered(records: Iterator[Received], turn: int, *, stalls: bool) -> Iterator[list[Received]]:
    """Batches: what comes in 100 ms; after standing still, all that has gathered, ``MOST`` at a time."""
    held: list[Received] = []
    until = 0
    for one in records:
        if one[0] >= until:
            while held:
                yield held[:MOST]
                del held[:MOST]
            until = one[0] + GATHER_MS
            if stalls and turn <= until < turn + STALL_MS:
                until = turn + STALL_MS
        held.append(one)
    while held:
        yield held[:MOST]
        del held[:MOST]


def figures(spent_s: Sequence[float]) -> dict[str, Any]:
    """Milliseconds of batches."""
    ascending = sorted(1_000 * one for one in spent_s)
    return {
        "batches": len(ascending),
        "p50": quantile_of(ascending, 0.5),
        "p99": quantile_of(ascending, 0.99),
        "most": ascending[-1] if ascending else None,
    }


def main(
    *,
    people: Annotated[int, typer.Option(min=1)] = 10_000,
    least_s: Annotated[float, typer.Option(help="Batches are measured until they have taken so long.")] = 60.0,
    hours: Annotated[int, typer.Option(min=0, help="So many hours' turns, whatever they take.")] = 0,
    without: Annotated[bool, typer.Option(help="The rules without anything learned.")] = False,
    artefacts: Annotated[Path, typer.Option()] = CHECKOUT / "artefacts",
) -> None:
    """Pins itself to the first core that it may use."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    rules = WITHOUT if without else load(artefacts)
    run = Run(rules, People(people))
    turn = _BEGAN_AT + HISTORY_H * HOUR_MS
    run.pass_hours(_BEGAN_AT, turn - BEFORE_TURN_MS)
    passed = 0
    while passed < hours or (not hours and sum(run.cpu_s) < least_s):
        run.pass_turn(turn, stalls=passed % 2 == 1)
        passed += 1
        run.pass_hours(turn + AFTER_TURN_MS, turn + HOUR_MS - BEFORE_TURN_MS)
        turn += HOUR_MS
    print(json.dumps(described(run, rules, passed, people)))  # noqa: T201 - what the parent reads


def described(run: Run, rules: RulesInUse, hours: int, people: int) -> dict[str, Any]:
    """What the report says of a run."""
    full = [place for place, size in enumerate(run.uplinks) if size == MOST]
    return {
        "people": people,
        "hours": hours,
        "silent": dict(rules.missing),
        "measured_s": sum(run.spent_s),
        "uplinks": sum(run.uplinks),
        "batch_ms": figures(run.spent_s),
        "batch_cpu_ms": figures(run.cpu_s),
        "full_batch_ms": figures([run.spent_s[place] for place in full]),
        "full_batch_cpu_ms": figures([run.cpu_s[place] for place in full]),
        "cpu_us_per_reading": 1e6 * sum(run.cpu_s) / max(1, run.readings),
        "rss_mb": psutil.Process().memory_info().rss / 2**20,
        "effects": dict(run.effects),
        "asked": dict(run.asked),
    }


if __name__ == "__main__":
    typer.run(main)
