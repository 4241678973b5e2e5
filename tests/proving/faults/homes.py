"""Homes that are lived in while a line does its worst, with incidents whose truth is known."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from deploy.reconcile.incidents import (
    ALLOWED_FALSE_ALERTS,
    Incident,
    IncidentOutcome,
    judge_incidents,
    load_alerted,
    read_truth,
)
from tests.proving.faults.line import Figures
from tests.proving.faults.stream import Stream, close_books
from tests.proving.faults.testbed import Testbed, expect

_DRAIN_S: Final = 40.0
_SETTLES_S: Final = 40.0
_PEACE_S: Final = 8.0
"""What was struck last has to come back before the homes fall quiet: a minute and a half of theirs is not judged."""


@dataclass(slots=True)
class Life:
    """What became of the incidents."""

    figures: Figures = field(default_factory=dict)


@contextmanager
def living(testbed: Testbed, *options: str) -> Iterator[Life]:
    """Homes stream inside the block; then all is settled, every incident that was due alerted once, the books close."""
    oracle, summary, truth = (testbed.fresh(name) for name in ("oracle", "summary", "truth"))
    process = testbed.fleet.simulator(
        "run", "--seed", str(testbed.runs), "--start-ms", str(testbed.clock.now_ms()), "--state",
        str(testbed.fresh("state")), "--truth", str(truth), "--oracle", str(oracle), "--summary", str(summary),
        "--near-misses", "0",
        *options,
        drain_s=_DRAIN_S,
    )  # fmt: skip
    process.start()
    stream, life = Stream(testbed, process, oracle, summary), Life()
    try:
        yield life
        stream.check()
        time.sleep(_PEACE_S)
        ended_at_ms = testbed.clock.now_ms()
        stream.stop()
    finally:
        if process.alive:
            process.kill()
    close_books(testbed, stream)
    outcome = asyncio.run(_settle(testbed, read_truth(truth), ended_at_ms))
    expect(not outcome.missed, f"I2: {outcome.missed} incidents missed: {outcome.examples[:3]}")
    expect(not outcome.twice, f"I2: {outcome.twice} incidents alerted twice")
    expect(outcome.false_alerts <= ALLOWED_FALSE_ALERTS, f"I2: false alerts: {outcome.examples[:3]}")
    expect(outcome.alerted, "no incident was alerted: the line shows nothing")
    life.figures = {"uplinks": stream.uplinks["published"], "alerted": outcome.alerted, "missed": 0, "twice": 0}


async def _settle(testbed: Testbed, truth: list[Incident], ended_at_ms: int) -> IncidentOutcome:
    deadline = time.monotonic() + _SETTLES_S
    while True:
        outcome = judge_incidents(truth, await load_alerted(testbed.dsn), ended_at_ms)
        if not outcome.missed or time.monotonic() > deadline:
            return outcome
        await asyncio.sleep(1)
