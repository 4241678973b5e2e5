"""Wires alert: findings to alerts and notifications, the escalation, morning lists, two deliveries a channel."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

from services.alert.claims import FindingClaims
from services.alert.delivery import NotificationDelivery
from services.alert.escalation import Escalation
from services.alert.held import HeldNotifications
from services.alert.list_delivery import ListDelivery
from services.alert.mornings import MorningLists
from services.alert.notifications import NotificationQueue, write_channels
from services.alert.settings import AlertSettings
from services.runtime.clock import Clock, WallClock
from services.runtime.database import load_queries, open_pool
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from services.runtime.rounds import do_rounds
from services.runtime.wakeups import WakeUp, listen

_POLL_S: Final = 0.25
_HEALS_EVERY_S: Final = 60.0
_DELIVERY_POLL_S: Final = 1.0
"""A notification queued here is sent at once; this is for one that is due again, or was queued by another instance."""


async def run(settings: AlertSettings, *, clock: Clock, stop: asyncio.Event, metrics: Metrics) -> None:
    """Until ``stop``. Any number may run beside each other."""
    log, sql, real = logger("alert"), load_queries("services.alert"), WallClock()
    list_sql = load_queries("services.alert", "lists.sql")
    kinds = settings.channels
    names = [kind.name for kind in kinds]
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings.database, application="hb-alert"))
        opened = [(kind, await stack.enter_async_context(kind.open())) for kind in kinds]
        notifications = NotificationQueue(
            sql=sql, channels=names, clock=clock, real=real, shortest_repeat_s=settings.shortest_repeat_s
        )
        claims = FindingClaims(pool=pool, sql=sql, notifications=notifications, clock=clock, metrics=metrics, log=log)
        escalation = Escalation(pool=pool, sql=sql, notifications=notifications, clock=clock, metrics=metrics, log=log)
        held = HeldNotifications(pool=pool, sql=sql, clock=clock, real=real, metrics=metrics, log=log)
        mornings = MorningLists(
            pool=pool, sql=list_sql, channels=names, clock=clock, real=real, metrics=metrics, log=log
        )
        # One for each channel, since each delivery clears its own.
        queued, listed = [asyncio.Event() for _ in opened], [asyncio.Event() for _ in opened]
        notify = partial(
            NotificationDelivery,
            pool=pool,
            sql=sql,
            base_url=settings.base_url,
            clock=clock,
            real=real,
            metrics=metrics,
            others=queued,
        )
        send_list = partial(
            ListDelivery, pool=pool, sql=list_sql, base_url=settings.base_url, clock=clock, real=real, metrics=metrics
        )
        deliveries = [notify(kind=kind, channel=channel, log=log.bind(channel=kind.name)) for kind, channel in opened]
        list_deliveries = [
            send_list(kind=kind, channel=channel, log=log.bind(channel=kind.name)) for kind, channel in opened
        ]
        found = asyncio.Event()

        rounds = partial(do_rounds, clock=clock, log=log, metrics=metrics)
        log.info("started", channels=names)
        async with asyncio.TaskGroup() as group:
            group.create_task(write_channels(pool, sql, names, stop, log), name="channels")
            group.create_task(listen(pool, WakeUp.FINDINGS, lambda _: found.set(), stop), name="listen")
            group.create_task(rounds(claims.claim, stop, every_s=_POLL_S, wake=found, wakes=queued), name="claims")
            group.create_task(rounds(escalation.repeat, stop, every_s=_POLL_S, wakes=queued), name="escalation")
            # By real time alone: what an older version left waits no longer for a clock that runs fast.
            group.create_task(rounds(escalation.heal, stop, every_s=_HEALS_EVERY_S, clock=real), name="healing")
            group.create_task(rounds(held.release, stop, every_s=_DELIVERY_POLL_S, wakes=queued), name="held")
            group.create_task(rounds(mornings.make, stop, every_s=_DELIVERY_POLL_S, wakes=listed), name="mornings")
            for delivery, wake in zip(deliveries, queued, strict=True):
                group.create_task(delivery.run(stop, every_s=_DELIVERY_POLL_S, wake=wake), name=delivery.kind.name)
            for lists, wake in zip(list_deliveries, listed, strict=True):
                name = f"{lists.kind.name}_lists"
                group.create_task(lists.run(stop, every_s=_DELIVERY_POLL_S, wake=wake), name=name)
