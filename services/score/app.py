"""Wires score: records to findings, due rows to findings, silence to findings."""

import asyncio
from contextlib import AsyncExitStack
from typing import Final

import structlog

from services.runtime.bus.open import open_bus
from services.runtime.clock import Clock
from services.runtime.database import load_queries, open_pool
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from services.runtime.rounds import do_rounds
from services.score.ask_rows import OpenAsks
from services.score.back_test_rows import BackTests
from services.score.checkpoint import Checkpoints
from services.score.consumer import Consumer
from services.score.due import DueRows
from services.score.effects import EffectWriter
from services.score.held_rows import HeldRows
from services.score.input_watch import InputWatch
from services.score.known_limits import KnownLimits
from services.score.known_rules import KnownRules
from services.score.learned import LEARNED, RulesInUse, catalogue_of
from services.score.looks_back import LooksBack
from services.score.settings import ScoreSettings
from services.score.silence import SilenceWatch
from services.score.stored_days import StoredDays

_DUE_S: Final = 0.25
_RECOVERY_S: Final = 5.0
_LOOKS_BACK_S: Final = 1.0
_SILENCE_S: Final = 2.0
_ASKS_S: Final = 2.0
_HELD_S: Final = 2.0
_INPUTS_S: Final = 60.0
_STORED_S: Final = 60.0
_BACK_TESTS_S: Final = 0.25


async def run(settings: ScoreSettings, *, clock: Clock, stop: asyncio.Event, metrics: Metrics) -> None:
    """One member of the group, until ``stop``."""
    log, sql = logger("score").bind(instance=settings.instance), load_queries("services.score")
    resend_after_s, catalogue = settings.resend_after_s, catalogue_of(settings.artefacts)
    rules = catalogue.shipped
    _say_missing(rules, metrics, log)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings.database, application="hb-score"))
        bus = await stack.enter_async_context(open_bus(settings.bus, pool))
        writer = EffectWriter(pool=pool, sql=sql, clock=clock, metrics=metrics, log=log)
        limits = KnownLimits(pool=pool, sql=sql, clock=clock, metrics=metrics, log=log)
        versions = KnownRules(catalogue, pool=pool, clock=clock, metrics=metrics, log=log)
        checkpoints = Checkpoints(pool=pool, sql=sql, partitions=bus.partitions, rules=rules.book, versions=versions)
        inputs = InputWatch(catalogue.at_training, pool=pool, clock=clock, metrics=metrics, instance=settings.instance)
        consumer = Consumer(
            bus=bus, checkpoints=checkpoints, writer=writer, limits=limits, metrics=metrics, log=log, stop=stop,
            inputs=inputs,
        )  # fmt: skip
        due = DueRows(pool=pool, sql=sql, clock=clock, writer=writer, resend_after_s=resend_after_s)
        looks = LooksBack(pool=pool, sql=sql, writer=writer, limits=limits, rules=versions)
        tests = BackTests(pool=pool, sql=sql, clock=clock, limits=limits, rules=versions, stop=stop, log=log)
        silence = SilenceWatch(pool=pool, sql=sql, clock=clock, writer=writer, resend_after_s=resend_after_s)
        asks = OpenAsks(pool=pool, clock=clock, metrics=metrics)
        held = HeldRows(pool=pool, ask_look_backs=writer.ask_look_backs)
        stored = StoredDays(pool=pool, sql=sql)
        await versions.write_down()
        log.info("started", partitions=bus.partitions)
        async with asyncio.TaskGroup() as tasks:
            for name, one, every_s in (
                ("due", due.settle, _DUE_S),
                ("recovery", due.end_falls, _RECOVERY_S),
                ("asks", asks.settle, _ASKS_S),
                ("doubted", held.settle, _HELD_S),
                ("inputs", inputs.settle, _INPUTS_S),
                ("stored", stored.look, _STORED_S),
                ("looks", looks.look, _LOOKS_BACK_S),
                ("back_tests", tests.answer, _BACK_TESTS_S),
                ("silence", silence.look, _SILENCE_S),
            ):
                work = do_rounds(one, stop, clock=clock, every_s=every_s, log=log, metrics=metrics)
                tasks.create_task(work, name=name)
            tasks.create_task(
                consumer.run(
                    instance=settings.instance, most=settings.most, checkpoint_every_s=settings.checkpoint_every_s
                ),
                name="consume",
            )


def _say_missing(rules: RulesInUse, metrics: Metrics, log: structlog.typing.FilteringBoundLogger) -> None:
    for learned in LEARNED:
        metrics.set("hb_score_rule_without_model_state", learned.rule in rules.missing, rule=learned.rule)
    for name, why in rules.missing.items():
        log.warning("rule without its model: it says nothing, the others go on", rule=name, why=why)
