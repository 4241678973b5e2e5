"""Wires store: bus to database, then the settled records, then the offset; chores beside it."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

from services.runtime.clock import Clock
from services.runtime.database import load_queries, open_pool
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from services.runtime.rounds import do_rounds
from services.store.follow import follow
from services.store.retention import Chores
from services.store.settings import StoreSettings
from services.store.writer import BatchWriter


async def run(settings: StoreSettings, *, clock: Clock, stop: asyncio.Event, metrics: Metrics) -> None:
    """One member of the group, until ``stop``."""
    log = logger("store").bind(instance=settings.instance)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings.database, application="hb-store"))
        writer = BatchWriter(pool, clock, metrics, live_epochs=settings.live_epochs)
        chores = Chores(
            pool=pool,
            sql=load_queries("services.store"),
            clock=clock,
            metrics=metrics,
            kept_for=timedelta(days=settings.kept_days),
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(
                do_rounds(
                    chores.look,
                    stop,
                    clock=clock,
                    every_s=settings.chores_every_s,
                    log=log,
                    metrics=metrics,
                ),
                name="chores",
            )
            tasks.create_task(follow(settings, pool, writer, metrics, log, stop), name="follow")
