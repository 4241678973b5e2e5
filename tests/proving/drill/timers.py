"""Rows with a due time while alert, score and medication are down for ten platform minutes; then they start."""

import asyncio
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg

from deploy.local.ports import free_port
from deploy.local.settings import StackSettings
from deploy.local.stack import Stack
from deploy.platform.clock import SharedClock
from deploy.platform.platform import Platform
from deploy.platform.ready import wait_ready
from tests.proving.chaos.mailbox import Inbox, open_inbox
from tests.proving.drill.fired import judge, load_fired, wrong

RATE: Final = 60.0
DOWN: Final = ("alert", "score", "medication")
_DOWN_FOR: Final = timedelta(minutes=10)
_DUE_UNTIL: Final = timedelta(minutes=13)
"""A quarter falls due after the start, so that something could fire early."""
_WATCHED_S: Final = 9.0
"""Real seconds after the start: people are notified a second time 15 platform minutes after the first, 15 s here."""

Say = Callable[[str], None]


def run_timers(number: int, directory: Path, say: Say) -> dict[str, Any]:
    """``number`` of each kind, on servers of its own. Gives the report; ``failures`` is empty when all is well."""
    stack = Stack(StackSettings(name=f"timers-{os.getpid()}"))
    mail_port = free_port()
    say("starting mosquitto, Apache Kafka and TimescaleDB")
    try:
        with stack, open_inbox(mail_port) as inbox:
            clock = SharedClock.starting_in(0, rate=RATE)
            overrides = {
                "HB_MEDICATION_RESEND_AFTER_S": "0.25",
                "HB_SCORE_RESEND_AFTER_S": "0.25",
                "HB_ALERT_SMTP_HOST": "127.0.0.1",
                "HB_ALERT_SMTP_PORT": str(mail_port),
            }
            with Platform(stack, clock, overrides, directory / "logs") as platform:
                wait_ready(platform)
                return _report(platform, clock, inbox, number, say)
    finally:
        stack.erase()


def _report(platform: Platform, clock: SharedClock, inbox: Inbox, number: int, say: Say) -> dict[str, Any]:
    say("killing alert, score and medication")
    for name in DOWN:
        platform.processes[name].kill()
    down_at = _now(clock)
    first, last = down_at + timedelta(seconds=30), down_at + _DUE_UNTIL
    asyncio.run(_make_pending(platform.stack.dsn, number, down_at, first, last))
    say("ten platform minutes without them")
    time.sleep(max(0.0, (down_at + _DOWN_FOR - _now(clock)).total_seconds() / RATE))
    started_at = _now(clock)
    platform.start()
    say("they start")
    time.sleep(_WATCHED_S)
    fired = asyncio.run(load_fired(platform.stack.dsn))
    kinds = {kind: judge(rows, pending=number, started_at=started_at, rate=RATE) for kind, rows in fired.items()}
    mails = inbox.report()
    failures = [what for kind, found in kinds.items() for what in wrong(kind, found)]
    if mails["duplicated_flagged"] or mails["duplicated_unflagged"]:
        failures.append(f"notifications: {mails} came twice")
    down_s = (started_at - down_at).total_seconds()
    return {
        "rate": RATE,
        "down_platform_s": round(down_s),
        "kinds": kinds,
        "notifications": mails,
        "failures": failures,
    }


async def _make_pending(dsn: str, number: int, now: datetime, first: datetime, last: datetime) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        text = Path(__file__).with_name("pending.sql").read_text()
        await connection.execute(text, number, now, first, last)
    finally:
        await connection.close()


def _now(clock: SharedClock) -> datetime:
    return datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
