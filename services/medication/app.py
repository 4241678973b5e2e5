"""Wires medication: plans to doses, doses to reminders and findings, commands to devices."""

import asyncio
from contextlib import AsyncExitStack
from typing import Final

from services.medication.commands import CommandPublisher
from services.medication.day_close import DayClose
from services.medication.ledger import DoseLedger
from services.medication.notices import NoticeBoard
from services.medication.planner import Planner
from services.medication.settings import MedicationSettings
from services.medication.settlement import Settlement
from services.medication.supplies import Supplies
from services.runtime.clock import Clock
from services.runtime.database import load_queries, open_pool
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from services.runtime.mqtt import open_link
from services.runtime.rounds import do_rounds

_PLAN_S: Final = 2.0
_SETTLE_S: Final = 0.5
_PUBLISH_S: Final = 0.25


async def run(settings: MedicationSettings, *, clock: Clock, stop: asyncio.Event, metrics: Metrics) -> None:
    """Until ``stop``."""
    log = logger("medication")
    sql = load_queries("services.medication")
    closing = {**sql, **load_queries("services.medication", "closing.sql")}
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings.database, application="hb-medication"))
        link = await stack.enter_async_context(open_link(settings.mqtt, client_id=settings.client_id))
        planner = Planner(pool=pool, sql=sql, clock=clock)
        settlement = Settlement(
            ledger=DoseLedger(
                pool=pool, sql=sql, clock=clock, metrics=metrics, log=log, resend_after_s=settings.resend_after_s
            ),
            notices=NoticeBoard(pool=pool, sql=closing, clock=clock),
            days=DayClose(pool=pool, sql=closing, clock=clock, metrics=metrics, log=log),
            supplies=Supplies(pool=pool, sql=closing),
        )
        publisher = CommandPublisher(pool=pool, sql=sql, link=link, clock=clock, metrics=metrics, log=log)
        log.info("started")
        async with asyncio.TaskGroup() as group:
            group.create_task(
                do_rounds(planner.plan, stop, clock=clock, every_s=_PLAN_S, log=log, metrics=metrics),
                name="plan",
            )
            group.create_task(
                do_rounds(settlement.settle, stop, clock=clock, every_s=_SETTLE_S, log=log, metrics=metrics),
                name="settle",
            )
            group.create_task(
                do_rounds(publisher.publish, stop, clock=clock, every_s=_PUBLISH_S, log=log, metrics=metrics),
                name="publish",
            )
